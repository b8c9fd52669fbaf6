"""Workers, cancellations and new subscriptions that meet in one moment."""

import asyncio
from datetime import date
from itertools import pairwise

from tallystick.services.due_work import do_due_work
from tests.subscribing import Merchant
from tests.world import World

JANUARY = date(2026, 1, 15)
TODAY = date(2026, 3, 10)
COUNT = 12


async def test_workers_and_cancellations_at_once(busy: World) -> None:
    """Twelve subscriptions, caught up by three workers while half of them are cancelled today.

    Each has January's invoice; whoever was renewed before it was cancelled has February's as
    well, whole, or cut to 23 of 28 days: 4900 x 23 / 28 = 4025. Numbers have no gaps.
    """
    merchant, plan = Merchant(world=busy), await busy.plan()
    ids = [
        (await merchant.subscribe(await busy.customer(), plan, JANUARY)).subscription.id
        for _ in range(COUNT)
    ]

    await asyncio.gather(
        *(do_due_work(busy.ctx) for _ in range(3)),
        *(merchant.cancel(one, TODAY) for one in ids[: COUNT // 2]),
    )
    await do_due_work(busy.ctx)

    await merchant.is_sound()
    made = await merchant.invoices()
    totals = {
        one: [invoice["total"] for invoice in made if invoice["subscription_id"] == one]
        for one in ids
    }
    for one in ids[: COUNT // 2]:
        assert (await merchant.stands(one))["status"] == "CANCELLED"
        assert totals[one] in ([4900, 4900], [4900, 4025])
    assert all(totals[one] == [4900, 4900] for one in ids[COUNT // 2 :])
    numbers = sorted(invoice["number"] for invoice in made)
    assert numbers[0] == 1
    assert all(after == before + 1 for before, after in pairwise(numbers))


async def test_four_cancellations_at_once(busy: World) -> None:
    """Cancelled four times at once, a subscription ends once, with one event of it."""
    merchant, plan = Merchant(world=busy), await busy.plan()
    made = (await merchant.subscribe(await busy.customer(), plan, TODAY)).subscription

    answers = await asyncio.gather(
        *(merchant.cancel(made.id, TODAY) for _ in range(4)), return_exceptions=True
    )

    assert len([one for one in answers if not isinstance(one, Exception)]) == 1
    told = [name for name, _ in await merchant.events()]
    assert told.count("subscription.cancelled") == 1
