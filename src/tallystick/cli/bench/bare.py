"""The limit: the bare statements of one creation in pgbench, without any product around."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from tallystick.cli.bench.measured import BenchFailed, Load, load_of
from tallystick.cli.bench.overheard import Fixed, Fresh, Null, OneOf, Parameter, Statement
from tallystick.cli.bench.program import run_program
from tallystick.db.server_programs import bin_dir

THREADS_MAX = 2
LOG = "latencies"
SCRIPT = "creation.sql"
CUSTOMER = "customer"
"""The variable that says, by a number from 1, which of several customers it is for."""

_PARAMETER = re.compile(r"\$(\d+)")


async def pgbench(
    dsn: str, creation: Sequence[Statement], clients: int, seconds: float, folder: Path
) -> Load:
    """Run the statements, prepared, each its own transaction, as fast as they go.

    Args:
        dsn: The database.
        creation: The statements of one creation, in their order.
        clients: Connections.
        seconds: For how long.
        folder: For the script and for pgbench's log of latencies.

    Raises:
        BenchFailed: pgbench failed.
    """
    variables = await asyncio.to_thread(_write_script, creation, folder)
    code, _, complained = await run_program(
        *(str(bin_dir() / "pgbench"), "-n", "-M", "prepared", "-c", str(clients)),
        *("-j", str(min(clients, THREADS_MAX)), "-T", f"{seconds:.0f}"),
        *("-l", "--log-prefix", str(folder / LOG), "-f", str(folder / SCRIPT)),
        *(word for name, value in variables.items() for word in ("-D", f"{name}={value}")),
        dsn,
    )
    if code != 0:
        raise BenchFailed(f"pgbench failed: {complained[-2000:]}")
    return load_of(await asyncio.to_thread(_latencies_ms, folder), seconds)


def _write_script(creation: Sequence[Statement], folder: Path) -> dict[str, str]:
    """Write pgbench's script, and return the variables that it needs."""
    variables: dict[str, str] = {}
    customers = max(
        (len(one.ids) for st in creation for one in st.parameters if isinstance(one, OneOf)),
        default=1,
    )
    lines = [f"\\set {CUSTOMER} random(1, {customers})"]
    for position, statement in enumerate(creation):
        places = [
            _placed(parameter, f"s{position}_{index}", variables)
            for index, parameter in enumerate(statement.parameters)
        ]
        text = _PARAMETER.sub(lambda match: places[int(match[1]) - 1], statement.text)  # noqa: B023
        lines.append(f"{text.strip()};")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).write_text("\n".join(lines) + "\n")
    return variables


def _placed(parameter: Parameter, name: str, variables: dict[str, str]) -> str:
    """What stands in a statement for a parameter, so that it stays one for the planner."""
    match parameter:
        case Fixed(text=text):
            variables[name] = text
            return f":{name}"
        case Null(type=kind):
            # pgbench has no null and no empty text.
            variables[name] = "-"
            return f"nullif(:{name}::text, '-')::{kind}"
        case Fresh():
            return "uuidv7()"
        case OneOf(ids=ids):
            variables[name] = "{" + ",".join(str(one) for one in ids) + "}"
            return f"(:{name}::uuid[])[:{CUSTOMER}]"


def _latencies_ms(folder: Path) -> list[float]:
    """Read pgbench's log: client, transaction, microseconds, script, time."""
    latencies: list[float] = []
    for file in folder.glob(f"{LOG}.*"):
        latencies += [int(line.split(" ")[2]) / 1e3 for line in file.read_text().splitlines()]
        file.unlink()
    return latencies
