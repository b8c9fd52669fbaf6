"""Ingestion against its limit: the same events by bare COPY, and through the API."""

import asyncio
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick.cli.bench.cpu import cpu_seconds
from tallystick.cli.bench.http_client import Client
from tallystick.cli.bench.measured import BenchFailed
from tallystick.cli.bench.stage import Stage
from tallystick.domain.ids import Prefix, decode
from tallystick.domain.usage_events import EVENTS_MAX

PATH = "/api/v1/events/ingest"
TABLE = "usage_events"
CUSTOMERS = 100
"""The events are of these in turn: enough to fall into every partition."""
WARM_BATCHES = 10
REGIONS = ("eu-west", "eu-north", "us-east", "ap-south")
SECONDS_MAX = 600
OK = 200

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingestion:
    """What was measured, with the processor time that each thousand events cost.

    Attributes:
        events: How many, in calls of a thousand.
        clients: Connections, to PostgreSQL and then to the server.
        bare_seconds: For one COPY on each connection into the same table.
        seconds: For `POST /events/ingest`, until the last answer.
        server_ms: Of the product's processes; None where it cannot be told.
        postgres_ms: Of PostgreSQL's processes while the product ingested.
    """

    events: int
    clients: int
    bare_seconds: float
    seconds: float
    server_ms: float | None
    postgres_ms: float | None

    @property
    def bare_per_second(self) -> float:
        """What PostgreSQL can do at most."""
        return self.events / self.bare_seconds

    @property
    def per_second(self) -> float:
        """What the product makes of it."""
        return self.events / self.seconds

    @property
    def ratio(self) -> float:
        """The product's part of the limit."""
        return self.bare_seconds / self.seconds


async def measure_ingestion(
    stage: Stage, events: int, clients: int, now: datetime, say: Say
) -> Ingestion:
    """Measure both, one after the other, with the table empty before each.

    Args:
        stage: Where.
        events: How many, a multiple of a thousand.
        clients: How many connections.
        now: When; the events lie within the hour before.
        say: Told what happens now.

    Raises:
        BenchFailed: Not every event was taken as a new one.
    """
    say("making customers and events")
    customers = await stage.customers([f"user-{number}" for number in range(CUSTOMERS)])
    await _metric(stage)
    batches = [_batch(start, customers, now) for start in range(0, events, EVENTS_MAX)]
    bodies = [_body(batch) for batch in batches]
    say("warming up")
    await _post(stage, bodies[:WARM_BATCHES], clients)
    await _empty(stage)
    say(f"the bare COPY, {clients} at once")
    bare_seconds = await _copy(stage, batches, clients, now)
    await _empty(stage)
    say(f"POST /events/ingest, {clients} at once")
    before = cpu_seconds(stage.server), cpu_seconds(stage.postgres)
    seconds = await _post(stage, bodies, clients)
    after = cpu_seconds(stage.server), cpu_seconds(stage.postgres)
    server_ms, postgres_ms = (
        None if one is None or other is None else (other - one) * 1e6 / events
        for one, other in zip(before, after, strict=True)
    )
    return Ingestion(
        events=events,
        clients=clients,
        bare_seconds=bare_seconds,
        seconds=seconds,
        server_ms=server_ms,
        postgres_ms=postgres_ms,
    )


async def _metric(stage: Stage) -> None:
    family = await stage.api.post("/product_families", {"name": "Measured"})
    await stage.api.post(
        "/metrics",
        {
            "product_family_id": family["id"],
            "code": "egress",
            "name": "Egress",
            "aggregation_type": "SUM",
            "aggregation_key": "bytes",
        },
    )


def _batch(start: int, customers: Sequence[str], now: datetime) -> list[dict[str, Any]]:
    """A thousand events whose ids are as scattered as those of real senders."""
    return [
        {
            "event_id": f"{number * 2_654_435_761 % 2**32:08x}-{number:08x}-4a1b-9c2d",
            "code": "egress",
            "customer_id": customers[number % len(customers)],
            "timestamp": _instant(now - timedelta(milliseconds=number % 3_600_000)),
            "properties": {
                "bytes": str(number % 100_000),
                "region": REGIONS[number % len(REGIONS)],
            },
        }
        for number in range(start, start + EVENTS_MAX)
    ]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _body(batch: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps({"events": batch}, separators=(",", ":")).encode()


async def _copy(
    stage: Stage, batches: Sequence[Sequence[dict[str, Any]]], clients: int, now: datetime
) -> float:
    """Copy the rows, written out before the clock runs, with one statement per connection."""
    sources = [
        io.BytesIO(
            "".join(
                _row(one, stage.tenant_id, now)
                for batch in batches[part::clients]
                for one in batch
            ).encode()
        )
        for part in range(clients)
    ]

    async def copy(source: io.BytesIO) -> None:
        async with stage.app.database.own_connection() as connection:
            await connection.execute("set statement_timeout = 0")
            await connection.copy_to_table(TABLE, source=source, timeout=SECONDS_MAX)

    began = time.monotonic()
    await asyncio.gather(*(copy(source) for source in sources))
    return time.monotonic() - began


def _row(event: dict[str, Any], tenant_id: UUID, now: datetime) -> str:
    """A line of COPY's text format, in the order of the table's columns."""
    values = (
        str(tenant_id),
        str(decode(Prefix.CUSTOMER, event["customer_id"])),
        event["event_id"],
        event["code"],
        event["timestamp"],
        now.isoformat(),
        json.dumps(event["properties"], separators=(",", ":")),
    )
    return "\t".join(values) + "\n"


async def _post(stage: Stage, bodies: Sequence[bytes], clients: int) -> float:
    waiting = iter(bodies)

    async def send_one_after_another() -> None:
        async with await Client.open(stage.url) as client:
            for body in waiting:
                answer = await client.ask("POST", PATH, stage.headers, body)
                if answer.status != OK or json.loads(answer.body)["ingested"] != EVENTS_MAX:
                    said = answer.body[:500].decode(errors="replace")
                    raise BenchFailed(f"POST {PATH} was answered with {answer.status}: {said}")

    began = time.monotonic()
    await asyncio.gather(*(send_one_after_another() for _ in range(clients)))
    return time.monotonic() - began


async def _empty(stage: Stage) -> None:
    """Forget the events, and let nothing of them be written during the next measurement."""
    async with stage.app.database.own_connection() as connection:
        await connection.execute("set statement_timeout = 0")
        await connection.execute(f"truncate {TABLE}", timeout=SECONDS_MAX)
        await connection.execute("vacuum (analyze)", timeout=SECONDS_MAX)
        await connection.execute("checkpoint", timeout=SECONDS_MAX)
