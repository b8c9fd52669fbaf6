"""Amendments that meet: one after the other, each on what the one before has left."""

import asyncio
from datetime import UTC, datetime

from tallystick.db.engine import retrying
from tallystick.domain.amendment_request import AmendmentRequest
from tallystick.domain.errors import TallystickError
from tallystick.services.amend import amend
from tallystick.services.due_work import bill_due
from tests.scenarios.amending import Amending, extra, joining
from tests.scenarios.plan_changes import Shop
from tests.subscribing import Merchant
from tests.world import World


async def at_once(shop: Amending, *requests: AmendmentRequest) -> list[TallystickError | None]:
    """Ask for all of these together; what each was refused with, if it was."""
    world = shop.shop.world

    async def ask(request: AmendmentRequest) -> TallystickError | None:
        try:
            await retrying(
                world.database,
                lambda tx: amend(
                    world.ctx.within(tx), shop.subscription_id, request, preview=False
                ),
            )
        except TallystickError as refused:
            return refused
        return None

    return list(await asyncio.gather(*(ask(one) for one in requests)))


async def test_two_join_together(busy: World) -> None:
    """Both are billed, each once."""
    shop = Amending(shop=Shop(merchant=Merchant(world=busy)))
    await shop.begin()
    await shop.on("2024-01-16")

    refused = await at_once(
        shop, *(joining(extra(f"Support {number}", "50")) for number in range(4))
    )

    assert refused == [None] * 4
    assert [one["total"] for one in await shop.invoices()] == [3900, *[2581] * 4]
    assert (await shop.stands())["mrr"] == 3900 + 4 * 5000
    await shop.shop.merchant.is_sound()


async def test_one_is_removed_once(busy: World) -> None:
    """The second finds nothing to remove, and credits nothing."""
    shop = Amending(shop=Shop(merchant=Merchant(world=busy)))
    await shop.begin()
    await shop.on("2024-01-16")
    request = await shop.leaving("Seats")

    refused = await at_once(shop, request, request, request)

    assert sum(one is None for one in refused) == 1
    assert [one["total"] for one in await shop.notes()] == [516]
    await shop.shop.merchant.is_sound()


async def test_an_amendment_meets_the_renewal(busy: World) -> None:
    """The month is renewed once, and what joins is billed for all of it, once."""
    shop = Amending(shop=Shop(merchant=Merchant(world=busy)))
    await shop.begin()
    later = datetime(2024, 2, 1, 13, tzinfo=UTC)
    await shop.shop.merchant.stand_at(later)
    world = shop.shop.world

    refused, *_ = await asyncio.gather(
        at_once(shop, joining(extra("Support", "50"))),
        bill_due(world.app, later),
        bill_due(world.app, later),
    )
    await bill_due(world.app, later)

    assert refused == [None]
    totals = sorted(one["total"] for one in await shop.invoices())
    assert totals == [3900, 3900, 5000]
    await shop.shop.merchant.is_sound()
