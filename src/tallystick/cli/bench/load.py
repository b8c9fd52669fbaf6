"""Loading the server: with wrk where it is installed, else with a small generator of ours."""

import asyncio
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path

from tallystick.cli.bench.http_client import Client
from tallystick.cli.bench.measured import BenchFailed, Load, load_of
from tallystick.cli.bench.program import run_program

WRK = "wrk"
THREADS_MAX = 2
SUCCESS = range(200, 300)

SCRIPT = """
local targets = {}
for line in io.lines("%(targets)s") do targets[#targets + 1] = line end
local bodies = {}
for i = 1, #targets do
  local file = io.open("%(folder)s/body-" .. i)
  bodies[i] = file:read("a")
  file:close()
end
local threads = 0
function setup(thread) thread:set("thread", threads); threads = threads + 1 end
local sent = 0
function request()
  local i = sent %% #targets + 1
  sent = sent + 1
  local headers = {%(headers)s}
  %(keyed)s
  return wrk.format("%(method)s", targets[i], headers, bodies[i] ~= "" and bodies[i] or nil)
end
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\\n{"done": %%d, "micros": %%d, "p50": %%d, "p95": %%d, "p99": %%d, "failed": %%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95),
    latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""
KEYED = 'headers["Idempotency-Key"] = "%s-" .. thread .. "-" .. sent'


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """What to send, over and over, each target with its body in turn.

    Attributes:
        method: GET or POST.
        targets: Paths, with their queries.
        bodies: One for each target; empty ones are not sent.
        headers: Of every request.
        keyed: A prefix under which each request gets an idempotency key of its own.
    """

    method: str
    targets: Sequence[str]
    bodies: Sequence[bytes]
    headers: Mapping[str, str]
    keyed: str | None = None


def has_wrk() -> bool:
    """Whether wrk is installed; Debian's package is called the same."""
    return shutil.which(WRK) is not None


async def load(
    url: str, requests: Requests, clients: int, seconds: float, folder: Path
) -> Load:
    """Send requests over so many kept connections for some seconds, as fast as they go.

    Args:
        url: The server.
        requests: What to send.
        clients: Connections, each with one request under way.
        seconds: For how long.
        folder: An empty folder for files that wrk reads.

    Raises:
        BenchFailed: Not every request succeeded.
    """
    if has_wrk():
        return await _with_wrk(url, requests, clients, seconds, folder)
    return await _by_ourselves(url, requests, clients, seconds)


async def _with_wrk(
    url: str, requests: Requests, clients: int, seconds: float, folder: Path
) -> Load:
    script = _write_script(requests, folder)
    code, said, complained = await run_program(
        *(WRK, f"-t{min(clients, THREADS_MAX)}", f"-c{clients}", f"-d{seconds:.0f}s"),
        *("--timeout", "10s", "-s", str(script), url),
    )
    if code != 0:
        raise BenchFailed(f"wrk failed: {complained}")
    found = json.loads(said.strip().rsplit("\n", 1)[-1])
    if found["failed"]:
        raise BenchFailed(f"{found['failed']} of {found['done']} requests failed.")
    return Load(
        done=found["done"],
        seconds=found["micros"] / 1e6,
        p50_ms=found["p50"] / 1e3,
        p95_ms=found["p95"] / 1e3,
        p99_ms=found["p99"] / 1e3,
    )


def _write_script(requests: Requests, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    targets, script = folder / "targets", folder / "load.lua"
    targets.write_text("\n".join(requests.targets) + "\n")
    for number, body in enumerate(requests.bodies, start=1):
        (folder / f"body-{number}").write_bytes(body)
    script.write_text(
        SCRIPT
        % {
            "targets": targets,
            "folder": folder,
            "method": requests.method,
            "headers": ", ".join(f'["{k}"] = "{v}"' for k, v in requests.headers.items()),
            "keyed": KEYED % requests.keyed if requests.keyed else "",
        }
    )
    return script


async def _by_ourselves(url: str, requests: Requests, clients: int, seconds: float) -> Load:
    numbers = count()
    turns = cycle(list(zip(requests.targets, requests.bodies, strict=True)))
    latencies: list[float] = []
    began = time.monotonic()

    async def send_on_one_connection() -> None:
        async with await Client.open(url) as client:
            while time.monotonic() - began < seconds:
                target, body = next(turns)
                headers = dict(requests.headers)
                if requests.keyed:
                    headers["Idempotency-Key"] = f"{requests.keyed}-{next(numbers)}"
                sent = time.monotonic()
                answer = await client.ask(requests.method, target, headers, body)
                latencies.append((time.monotonic() - sent) * 1e3)
                if answer.status not in SUCCESS:
                    raise BenchFailed(
                        f"{requests.method} {target} was answered with {answer.status}: "
                        f"{answer.body[:500].decode(errors='replace')}"
                    )

    await asyncio.gather(*(send_on_one_connection() for _ in range(clients)))
    return load_of(latencies, time.monotonic() - began)
