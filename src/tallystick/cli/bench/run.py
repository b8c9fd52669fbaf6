"""The measurements, one after the other: the limit, then the product, under the same load."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace

from tallystick.cli.bench.bare import pgbench
from tallystick.cli.bench.cpu import cpu_seconds
from tallystick.cli.bench.load import Requests, load
from tallystick.cli.bench.measured import Load, Measured
from tallystick.cli.bench.overheard import PATH, Statement, statements_of_creation
from tallystick.cli.bench.purchase import complete
from tallystick.cli.bench.stage import CUSTOMERS, Stage

WARM_SECONDS = 3.0
AT_ONCE = 8
"""How many at once where only one number is measured, and while warming up."""

Say = Callable[[str], None]


@dataclass(kw_only=True)
class Results:
    """What was measured, in its order.

    Attributes:
        statements: How many statements one creation sends to the database.
        bare: The bare statements in pgbench, by number of clients.
        create: `POST /checkout-sessions` with every field.
        create_keyed: The same with an idempotency key in each request.
        page: Loading the checkout page.
        checkout: Whole checkouts by several buyers at once, step by step.
    """

    statements: int = 0
    bare: list[Measured] = field(default_factory=list)
    create: list[Measured] = field(default_factory=list)
    create_keyed: list[Measured] = field(default_factory=list)
    page: list[Measured] = field(default_factory=list)
    checkout: list[Measured] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What is sent: the full request for several customers, as HTTP and as bare statements."""

    creation: Sequence[Statement]
    create: Requests
    page: Requests


async def measure(
    stage: Stage, clients: Sequence[int], seconds: float, checkouts: int, say: Say
) -> Results:
    """Measure everything.

    Args:
        stage: Where.
        clients: How many at once, in turn.
        seconds: How long each measurement lasts, after a few seconds to get warm.
        checkouts: How many checkouts are completed.
        say: Told what happens now.

    Raises:
        BenchFailed: Something did not succeed, so that its figures mean nothing.
    """
    say("making customers and links")
    traffic = await _traffic(stage)
    results = Results(statements=len(traffic.creation))
    say("warming up")
    for requests in (traffic.create, traffic.page):
        await load(stage.url, requests, AT_ONCE, WARM_SECONDS, stage.folder / "wrk")
    await _tidy(stage)
    for count in clients:
        say(f"the bare statements, {count} at once")
        results.bare.append(await _bare(stage, traffic.creation, count, seconds))
        say(f"POST /checkout-sessions, {count} at once")
        results.create.append(await _http(stage, "create", traffic.create, count, seconds))
    say(f"POST /checkout-sessions with idempotency keys, {AT_ONCE} at once")
    keyed = replace(traffic.create, keyed="bench")
    results.create_keyed.append(await _http(stage, "create, keyed", keyed, AT_ONCE, seconds))
    for count in clients:
        say(f"the checkout page, {count} at once")
        results.page.append(await _http(stage, "page", traffic.page, count, seconds))
    say(f"{checkouts} checkouts, {AT_ONCE} buyers at once")
    results.checkout.extend(await _checkouts(stage, checkouts))
    return results


async def _traffic(stage: Stage) -> Traffic:
    customers = await stage.customers([f"bench-{number}" for number in range(CUSTOMERS)])
    bodies = [stage.body(customer) for customer in customers]
    sessions = [await stage.session(body) for body in bodies]
    return Traffic(
        creation=await statements_of_creation(stage.app, stage.api.key, bodies),
        create=Requests(
            method="POST",
            targets=[PATH] * len(bodies),
            bodies=bodies,
            headers=stage.headers,
        ),
        page=Requests(
            method="GET",
            targets=[url.removeprefix(stage.url) for url in sessions],
            bodies=[b""] * len(sessions),
            headers={"Accept-Language": "en", "Accept": "text/html"},
        ),
    )


async def _bare(
    stage: Stage, creation: Sequence[Statement], clients: int, seconds: float
) -> Measured:
    await _tidy(stage)
    async with _metered(stage) as meter:
        found = await pgbench(stage.dsn, creation, clients, seconds, stage.folder / "pgbench")
    return _measured("bare statements", clients, found, replace(meter, server=None))


async def _http(
    stage: Stage, what: str, requests: Requests, clients: int, seconds: float
) -> Measured:
    await _tidy(stage)
    async with _metered(stage) as meter:
        found = await load(stage.url, requests, clients, seconds, stage.folder / "wrk")
    return _measured(what, clients, found, meter)


async def _checkouts(stage: Stage, count: int) -> list[Measured]:
    # Each is bought by a customer of its own: nobody may have the plan twice.
    buyers = await stage.customers([f"buyer-{number}" for number in range(count)])
    bodies = [stage.body(buyer) for buyer in buyers]
    await _tidy(stage)
    async with _metered(stage) as meter:
        steps = await complete(stage, bodies, AT_ONCE)
    return [
        # What all three steps of one checkout cost together stands with the last of them.
        _measured(name, AT_ONCE, found, meter if name == "confirm" else _Meter())
        for name, found in steps.items()
    ]


@dataclass(slots=True)
class _Meter:
    """Processor time used by the server and by PostgreSQL meanwhile, in seconds."""

    server: float | None = None
    postgres: float | None = None


@asynccontextmanager
async def _metered(stage: Stage) -> AsyncIterator[_Meter]:
    meter = _Meter()
    server, postgres = cpu_seconds(stage.server), cpu_seconds(stage.postgres)
    yield meter
    after = cpu_seconds(stage.server), cpu_seconds(stage.postgres)
    if server is not None and after[0] is not None:
        meter.server = after[0] - server
    if postgres is not None and after[1] is not None:
        meter.postgres = after[1] - postgres


def _measured(what: str, clients: int, found: Load, meter: _Meter) -> Measured:
    def each(seconds: float | None) -> float | None:
        return None if seconds is None else seconds * 1e3 / found.done

    return Measured(
        **asdict(found),
        what=what,
        clients=clients,
        server_ms=each(meter.server),
        postgres_ms=each(meter.postgres),
    )


async def _tidy(stage: Stage) -> None:
    """Let no earlier measurement's dirty pages be written during the next one."""
    async with stage.app.database.own_connection() as connection:
        await connection.execute("set statement_timeout = 0")
        await connection.execute("vacuum (analyze)", timeout=600)
        await connection.execute("checkpoint", timeout=600)
