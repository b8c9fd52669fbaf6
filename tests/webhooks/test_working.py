"""The worker delivers by itself, and nobody's receiver is in another's way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import pytest

from tallystick.db import events
from tallystick.domain.webhook_delivery import DeliveryStatus
from tallystick.http.v1.import_rows import read_chunk
from tallystick.jobs import deliver
from tallystick.jobs.deliver import Deliveries
from tallystick.jobs.schedule import Periodic
from tallystick.jobs.worker import run_worker
from tallystick.services.ids import new_id
from tallystick.services.sequence_events import sequence_events
from tallystick.settings import Settings
from tests.jobs.conftest import until
from tests.webhooks.conftest import Post
from tests.webhooks.receiver import OK, Received, Receiver, receiving
from tests.world import open_world

SECONDS = 0.05


@asynccontextmanager
async def delivering(post: Post) -> AsyncIterator[asyncio.Event]:
    """Deliver as a worker does while the block runs; set what it yields to end in order."""
    stop = asyncio.Event()
    going = asyncio.create_task(Deliveries(post.app, post.sender, SECONDS).keep_going(stop))
    try:
        yield stop
    finally:
        if not stop.is_set():
            going.cancel()
        await asyncio.wait({going})
        if stop.is_set():
            going.result()


class Hanging:
    """An answer that does not come before it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.waiting = 0
        self.most = 0

    async def __call__(self, _: Received) -> bytes:
        """Wait."""
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.go.wait()
        self.waiting -= 1
        return OK


async def reached(receiver: Receiver, count: int) -> None:
    """Wait until a receiver has got so many."""

    async def has() -> bool:
        return len(receiver.got) >= count

    await until(has)


async def test_the_worker_delivers(post: Post) -> None:
    """What was committed gets its number, is passed on, and arrives, without a job."""
    stop = asyncio.Event()
    sequencing = Periodic(
        name="sequence_events", seconds=SECONDS, turn=lambda app, _: sequence_events(app)
    )
    settings = Settings(webhook_seconds=SECONDS)
    async with receiving() as receiver:
        made = await post.endpoint(receiver.url)
        async with post.app.transaction() as tx:
            for name in ("customer.created", "plan.created"):
                await events.append(
                    tx, post.tenant_id, new_id(), name, new_id(), {}, post.ctx.now
                )
        worker = asyncio.create_task(
            run_worker(
                post.app,
                settings,
                stop,
                read_rows=read_chunk,
                handlers={},
                kinds=[sequencing],
            )
        )
        await reached(receiver, 2)
        stop.set()
        await worker

    assert sorted(receiver.told) == ["customer.created", "plan.created"]
    assert await post.statuses(made.endpoint.id) == ["SUCCEEDED", "SUCCEEDED"]
    assert await post.world.fetch("select from pgqueuer") == []


async def test_a_slow_receiver_harms_nobody(post: Post) -> None:
    """It gets no more at once than its limit, and others all of theirs meanwhile."""
    hanging = Hanging()
    async with receiving(hanging) as slow, receiving() as quick:
        await post.endpoint(slow.url)
        made = await post.endpoint(quick.url)
        for _ in range(40):
            await post.happens("customer.created")
        async with delivering(post) as stop:
            await reached(quick, 40)
            assert hanging.most == len(slow.got) == 5
            # Whoever is told to stop begins nothing more, and finishes what was begun.
            stop.set()
            await asyncio.sleep(4 * SECONDS)
            assert hanging.waiting == 5
            hanging.go.set()

    assert len(slow.got) == 5
    assert set(await post.statuses(made.endpoint.id)) == {"SUCCEEDED"}
    # Connections are kept for the next one.
    assert quick.connections <= 5


async def test_a_tenant_has_its_share(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many slow receivers a tenant has, another tenant's get what they are to get."""
    monkeypatch.setattr(deliver, "AT_ONCE_OF_TENANT", 7)
    monkeypatch.setattr(deliver, "AT_ONCE", 9)
    other = Post(await open_world(post.world.database), post.sender, post.now)
    other.world.app = post.app
    other.world.ctx = replace(other.world.ctx, app=post.app)
    hanging = Hanging()
    async with receiving(hanging) as slow, receiving() as quick:
        for _ in range(3):
            await post.endpoint(slow.url)
        await other.endpoint(quick.url)
        for _ in range(6):
            await post.happens("customer.created")
        async with delivering(post):
            await reached(slow, 7)
            for _ in range(6):
                await other.happens("customer.created")
            await reached(quick, 6)
            assert hanging.most == 7


async def test_a_worker_that_is_cut_off(post: Post) -> None:
    """What it had begun is noted as begun, and nothing of it is lost."""
    hanging = Hanging()
    async with receiving(hanging) as receiver:
        made = await post.endpoint(receiver.url)
        await post.happens("customer.created", "invoice.created")
        async with delivering(post):
            await reached(receiver, 1)
        under_way, waiting = await post.deliveries(made.endpoint.id)
        assert (under_way.status, under_way.attempt_count) == (DeliveryStatus.IN_FLIGHT, 1)
        assert waiting.status is DeliveryStatus.PENDING
        receiver.answer = OK
        post.later(minutes=2)
        await post.work()
        post.later(seconds=10)
        await post.work()

    ids = [one.headers["webhook-id"] for one in receiver.got]
    assert len(ids) == 3
    assert ids[0] == ids[1] != ids[2]
    assert await post.statuses(made.endpoint.id) == ["SUCCEEDED", "SUCCEEDED"]


async def test_many_events_of_many_things(post: Post) -> None:
    """Two workers at once: every event arrives once, those of one thing in their order."""
    async with receiving() as receiver:
        await post.endpoint(receiver.url)
        about: dict[str, list[str]] = {}
        for _ in range(20):
            thing = await post.happens("invoice.created", "invoice.finalized", "invoice.paid")
            about[str(thing)] = []
        async with delivering(post) as stop, delivering(post) as also:
            await reached(receiver, 60)
            stop.set()
            also.set()

    assert len({one.headers["webhook-id"] for one in receiver.got}) == len(receiver.got) == 60
    objects = {
        row["id"]: row["object_id"]
        for row in await post.world.fetch("select sequence as id, object_id from events")
    }
    for one in receiver.got:
        about[str(UUID(str(objects[one.event["sequence"]])))].append(one.event["type"])
    assert set(map(tuple, about.values())) == {
        ("invoice.created", "invoice.finalized", "invoice.paid")
    }
