"""Usage that many report at once, and webhooks that many workers deliver."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest

from tallystick.db import events
from tallystick.domain.errors import TallystickError
from tallystick.domain.usage_events import IncomingEvent
from tallystick.domain.webhook_endpoint import EndpointFields
from tallystick.jobs.deliver import Deliveries
from tallystick.services.context import Context
from tallystick.services.create_webhook_endpoint import create_webhook_endpoint
from tallystick.services.due_work import bill_due
from tallystick.services.ids import new_id
from tallystick.services.ingest_events import Ingested, ingest_events
from tallystick.services.sequence_events import sequence_events
from tallystick.webhooks.sender import open_sender
from tests.races.racing import Race, Runner, written
from tests.scenarios.test_usage_billed import CALLS, metered_plan
from tests.subscribing import Merchant
from tests.webhooks.receiver import receiving
from tests.world import World

WORKERS = 6
SECONDS = 0.02
PATIENCE_SECONDS = 60
USED_AT = datetime(2026, 4, 9, 20, tzinfo=UTC)
PERIOD_ENDS = date(2026, 4, 10)
AFTER_GRACE = datetime(2026, 4, 11, 13, tzinfo=UTC)

pytestmark = pytest.mark.timeout(900)


def one_call(customer: UUID, name: str) -> IncomingEvent:
    """A call of a customer, under an id."""
    return IncomingEvent(
        event_id=name, code=CALLS, customer=customer, timestamp=USED_AT, properties={"n": "1"}
    )


async def _ingest(sent: Sequence[IncomingEvent], ctx: Context) -> Ingested:
    return await ingest_events(ctx, sent, allow_backfilling=True)


async def test_the_same_events(race: Race, shop: World) -> None:
    """The same events sent by many, in other orders: each is kept once, and taken once."""
    await metered_plan(shop)
    merchant = Merchant(world=shop)
    await merchant.stand_at(AFTER_GRACE)
    for number in race.rounds():
        customers = [await shop.customer(f"C{number}-{one}") for one in range(3)]
        sent = [
            one_call(customer, f"{number}-{one}") for customer in customers for one in range(20)
        ]
        runners: list[Runner[Ingested]] = []
        for _ in range(race.racers):
            # Each has its own part of them, and everybody's in its own order.
            part = race.random.sample(sent, race.random.randint(20, len(sent)))
            runners.append(partial(written, shop, partial(_ingest, part)))
        runners.append(partial(written, shop, partial(_ingest, sent)))
        heard = await race.run(runners)

        assert not [one for one in heard if isinstance(one, TallystickError)]
        taken = sum(one.taken for one in heard if isinstance(one, Ingested))
        row = await shop.one(
            "select count(*), count(distinct (customer_id, event_id)) as different"
            " from usage_events where customer_id = any($1)",
            customers,
        )
        assert (taken, row["count"], row["different"]) == (len(sent),) * 3


async def test_usage_while_it_is_billed(race: Race, shop: World) -> None:
    """Calls reported while their month is closed: an invoice has those before it, at EUR 0.10.

    What was acknowledged before the worker began is billed, and nothing that is not there.
    """
    merchant = Merchant(world=shop)
    plan = await metered_plan(shop)
    for number in race.rounds():
        await merchant.stand_at(datetime(2026, 3, 10, 12, tzinfo=UTC))
        customers = [await shop.customer(f"C{number}-{one}") for one in range(4)]
        for customer in customers:
            await shop.confirm(await shop.session(customer, plan))
        await merchant.stand_at(AFTER_GRACE)
        early = [one_call(one, f"early-{number}") for one in customers]
        await written(shop, partial(_ingest, early))

        runners: list[Runner[object]] = [partial(bill_due, shop.app, AFTER_GRACE)] * 3
        for one in range(race.racers):
            called = [one_call(customer, f"{number}-{one}") for customer in customers]
            runners.append(partial(written, shop, partial(_ingest, called)))
        race.random.shuffle(runners)
        await race.run(runners)
        await bill_due(shop.app, AFTER_GRACE)

        for customer in customers:
            billed = await shop.one(
                "select l.quantity, l.amount, i.total from invoice_lines l join invoices i"
                " on i.tenant_id = l.tenant_id and i.id = l.invoice_id"
                " where i.customer_id = $1 and i.invoice_date = $2 and l.name = 'Calls'",
                customer,
                PERIOD_ENDS,
            )
            calls = int(billed["quantity"])
            assert 1 <= calls <= 1 + race.racers
            assert (billed["amount"], billed["total"]) == (10 * calls, 2000 + 10 * calls)
            kept = await shop.one(
                "select count(*) from usage_events where customer_id = $1", customer
            )
            assert kept["count"] == 1 + race.racers
    await shop.execute("update tenants set clock = $1", AFTER_GRACE + timedelta(hours=1))
    await merchant.is_sound()


async def test_deliveries_by_many_workers(race: Race, shop: World) -> None:
    """Events delivered by several workers: every endpoint gets each once, those of one thing
    in their order.
    """
    shop.app = replace(shop.app, private_webhooks=True)
    shop.ctx = replace(shop.ctx, app=shop.app)
    things = [new_id() for _ in range(max(race.racers // 3, 3))]
    kinds = ("customer.created", "plan.created", "coupon.created")
    async with receiving() as first, receiving() as second, open_sender(5) as sender:
        async with shop.app.transaction() as tx:
            for receiver in (first, second):
                fields = EndpointFields(url=receiver.url)
                await create_webhook_endpoint(shop.ctx.within(tx), fields)
        stop = asyncio.Event()
        workers = [
            asyncio.create_task(Deliveries(shop.app, sender, SECONDS).keep_going(stop))
            for _ in range(WORKERS)
        ]
        written_events = 0
        for _ in race.rounds():
            happening: list[Runner[object]] = [
                partial(_happens, shop, thing, kinds) for thing in things
            ]
            happening += [partial(sequence_events, shop.app)] * 4
            await race.run(happening)
            await sequence_events(shop.app)
            written_events += len(things) * len(kinds)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while min(len(first.got), len(second.got)) < written_events:
                    await asyncio.sleep(SECONDS)
        # Whatever would come twice has the time to come.
        await asyncio.sleep(5 * SECONDS)
        stop.set()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*workers)

        for receiver in (first, second):
            ids = [one.headers["webhook-id"] for one in receiver.got]
            assert max(Counter(ids).values()) == 1
            assert len(ids) == written_events
    rows = await shop.fetch(
        "select status, attempt_count, count(*) from webhook_deliveries group by 1, 2"
    )
    assert [tuple(row.values()) for row in rows] == [("SUCCEEDED", 1, 2 * written_events)]


async def _happens(shop: World, thing: UUID, kinds: Sequence[str]) -> None:
    for kind in kinds:
        async with shop.app.transaction() as tx:
            await events.append(
                tx, shop.tenant_id, new_id(), kind, thing, {"n": 1}, shop.ctx.now
            )
