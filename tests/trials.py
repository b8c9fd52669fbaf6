"""Free trials that end with a method on file, and what happens around their end."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tallystick.services.change_invoice import finalize_invoice
from tallystick.services.confirm_result import Completed
from tallystick.services.renew_due import renew_due
from tallystick.services.try_to_collect import sweep_collections
from tests.world import SoldPlan, World

ENDS = datetime(2026, 3, 24, tzinfo=UTC)


async def in_trial(
    world: World, card: str | None = None, plan: SoldPlan | None = None, **offer: object
) -> tuple[UUID, SoldPlan]:
    """A customer with fourteen free days from March 10 on, and a card on file."""
    customer = await world.customer()
    sold = plan or await world.plan()
    session = await world.session(customer, sold, trial_duration_days=14, **offer)
    method = await world.card(card) if card else None
    assert await world.confirm(session, method=method) == Completed()
    return customer, sold


async def stands(world: World) -> dict[str, Any]:
    """The only subscription."""
    return await world.one("select * from subscriptions")


async def at_the_end(world: World) -> World:
    """The trial's last day is over, and nothing was charged yet."""
    await world.execute("update tenants set clock = $1", ENDS)
    later = world.at(ENDS)
    await renew_due(later.ctx)
    return later


async def swept(world: World) -> None:
    """Real time passes until the sweeper has taken up what was not recorded."""
    for _ in range(2):
        await world.execute(
            "update collections set check_at = now() - interval '1 second' where state = 'LIVE'"
        )
        await sweep_collections(world.app, ENDS)


async def finalize(world: World, invoice_id: UUID) -> None:
    """A person finalizes a draft."""
    async with world.app.transaction() as tx:
        await finalize_invoice(world.ctx.within(tx), invoice_id)
