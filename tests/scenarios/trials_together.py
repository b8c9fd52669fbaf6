"""A customer with several free trials that end on one day, and what their charge meets."""

from datetime import date
from typing import Any
from uuid import UUID

from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed
from tallystick.services.renew_due import renew_due
from tests.scripted_bank import ScriptedBank, Step, lost, with_bank
from tests.trials import ENDS
from tests.world import SoldPlan, World

DAY = date(2026, 3, 24)
FAILS_WHEN_CHARGED = "4000000000000341"
OTHER_CARD = "5555555555554444"


async def in_trials(
    world: World, *cards: str | None, customer: UUID | None = None, **offer: object
) -> tuple[UUID, list[SoldPlan]]:
    """A customer with fourteen free days of a plan for each card, VISA by default."""
    buyer, plans = customer or await world.customer(), []
    for card in cards or (None, None):
        plan = await world.plan()
        session = await world.session(buyer, plan, trial_duration_days=14, **offer)
        method = await world.card(card) if card else None
        assert await world.confirm(session, method=method) == Completed()
        plans.append(plan)
    return buyer, plans


async def statuses(world: World) -> list[str]:
    """Those of all subscriptions, in the order in which they were made."""
    rows = await world.fetch("select status from subscriptions order by id")
    return [row["status"] for row in rows]


async def ended(world: World) -> World:
    """The trials' last day is over, and nothing was charged yet."""
    await world.execute("update tenants set clock = $1", ENDS)
    later = world.at(ENDS)
    await renew_due(later.ctx)
    return later


async def unanswered(world: World, how: Step = lost) -> World:
    """The trials are being charged, and nobody knows how it ended."""
    bank = ScriptedBank(world.sandbox)
    bank.script("confirm", how)
    later = with_bank(await ended(world), bank)
    await collect_due(later.ctx)
    return later


async def drafts(world: World) -> list[dict[str, Any]]:
    """What is not final, oldest first."""
    return await world.fetch("select * from invoices where status = 'DRAFT' order by id")
