"""The limit: the very statements of one creation, run by pgbench without any product around.

They are not written down here. One request is sent through the product in this process, and
what arrives at the database is taken: text and parameters. So the two never drift apart.
"""

import asyncio
import re
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from typing_extensions import override

from tallystick.cli.bench.measured import BenchFailed, Load, load_of
from tallystick.db.engine import Database, Tx
from tallystick.db.server_programs import bin_dir
from tallystick.http.app import create_app
from tallystick.services.context import App

THREADS_MAX = 2
LOG = "latencies"
RUNS_MAX = 20
CACHE_PAUSE_SECONDS = 0.05
PATH = "/api/v1/checkout-sessions"
NEW_UUID = "uuidv7()"
"""What PostgreSQL makes instead of an id of ours, which each creation needs anew."""

_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement as the driver was given it."""

    text: str
    parameters: Sequence[object]


class Overheard(Database):
    """A database that notes every statement sent to it."""

    heard: list[Statement]

    @classmethod
    def of(cls, database: Database) -> "Overheard":
        """Listen in on an open database."""
        made = cls(database.dsn, database.pool)
        made.heard = []
        return made

    @override
    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Tx]:
        async with super().connection() as connection:
            with connection.query_logger(self._note):
                yield connection

    def _note(self, query: Any) -> None:  # noqa: ANN401 - the driver's own record
        self.heard.append(Statement(text=query.query, parameters=tuple(query.args)))


async def statements_of_creation(
    app: App, key: str, bodies: Sequence[bytes]
) -> list[list[Statement]]:
    """The statements that creating a session sends, for each body.

    Parameters that differ between two creations of one body, and are ids, stand as None-like
    marks (`NEW_UUID`), because no two sessions may have the same.
    """
    overheard = Overheard.of(app.database)
    web = create_app(replace(app, database=overheard))
    async with (
        web.router.lifespan_context(web),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=web),
            base_url="http://bench",
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        ) as client,
    ):
        found = []
        for body in bodies:
            runs: list[list[Statement]] = []
            # The first ones fill the caches of key and plan version.
            while len(runs) < 2 or _texts(runs[-1]) != _texts(runs[-2]):  # noqa: PLR2004
                overheard.heard.clear()
                answer = await client.post(PATH, content=body)
                if not answer.is_success:
                    raise BenchFailed(f"The request was refused: {answer.text}")
                runs.append(list(overheard.heard))
                if len(runs) > RUNS_MAX:
                    raise BenchFailed("Each creation of one request sends other statements.")
                await asyncio.sleep(CACHE_PAUSE_SECONDS)
            found.append(_marked(runs[-2], runs[-1]))
    return found


def _texts(statements: Sequence[Statement]) -> list[str]:
    return [statement.text for statement in statements]


def _marked(one: list[Statement], other: list[Statement]) -> list[Statement]:
    """One run's statements, with a mark instead of each id that is new in every run."""
    return [
        Statement(
            text=a.text,
            parameters=tuple(
                NEW_UUID if isinstance(x, UUID) and x != y else x
                for x, y in zip(a.parameters, b.parameters, strict=True)
            ),
        )
        for a, b in zip(one, other, strict=True)
    ]


async def pgbench(
    dsn: str,
    creations: Sequence[Sequence[Statement]],
    clients: int,
    seconds: float,
    folder: Path,
) -> Load:
    """Run the statements, prepared, each its own transaction, as fast as they go.

    Args:
        dsn: The database.
        creations: Scripts to choose from at random, each the statements of one creation.
        clients: Connections.
        seconds: For how long.
        folder: An empty folder for the scripts and for pgbench's log of latencies.

    Raises:
        BenchFailed: pgbench failed.
    """
    arguments = await asyncio.to_thread(_write_scripts, creations, folder)
    run = await asyncio.create_subprocess_exec(
        *(str(bin_dir() / "pgbench"), "-n", "-M", "prepared", "-c", str(clients)),
        *("-j", str(min(clients, THREADS_MAX)), "-T", f"{seconds:.0f}"),
        *("-l", "--log-prefix", str(folder / LOG), *arguments, dsn),
        stdout=PIPE,
        stderr=PIPE,
    )
    _, complained = await run.communicate()
    if run.returncode != 0:
        raise BenchFailed(f"pgbench failed: {complained.decode().strip()[-2000:]}")
    return load_of(await asyncio.to_thread(_latencies_ms, folder), seconds)


def _write_scripts(creations: Sequence[Sequence[Statement]], folder: Path) -> list[str]:
    """Write the scripts, and return pgbench's arguments about them."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments: list[str] = []
    variables: dict[str, str] = {}
    for number, statements in enumerate(creations):
        script = folder / f"creation-{number}.sql"
        script.write_text(_script(statements, number, variables))
        arguments += ["-f", str(script)]
    for name, value in variables.items():
        arguments += ["-D", f"{name}={value}"]
    return arguments


def _latencies_ms(folder: Path) -> list[float]:
    """Read pgbench's log: client, transaction, microseconds, script, time."""
    latencies: list[float] = []
    for file in folder.glob(f"{LOG}.*"):
        latencies += [int(line.split(" ")[2]) / 1e3 for line in file.read_text().splitlines()]
        file.unlink()
    return latencies


def _script(statements: Sequence[Statement], number: int, variables: dict[str, str]) -> str:
    parts = []
    for position, statement in enumerate(statements):
        places: dict[str, str] = {}
        for index, value in enumerate(statement.parameters, start=1):
            name = f"s{number}_{position}_{index}"
            if value is None:
                places[str(index)] = "null"
            elif value == NEW_UUID:
                places[str(index)] = NEW_UUID
            else:
                places[str(index)] = f":{name}"
                variables[name] = _text(value)
        parts.append(_placed(statement.text, places))
    return "".join(f"{part};\n" for part in parts)


def _placed(text: str, places: Mapping[str, str]) -> str:
    return _PARAMETER.sub(lambda match: places[match[1]], text).strip()


def _text(value: object) -> str:
    """A parameter as PostgreSQL reads it from text."""
    match value:
        case bytes():
            return f"\\x{value.hex()}"
        case list() | tuple() | frozenset():
            return "{" + ",".join(_text(one) for one in value) + "}"
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)
