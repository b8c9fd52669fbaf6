"""Write the scheduled changes that steps have made, before what the steps bill is written."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from tallystick.db import prices, products
from tallystick.db.due_contracts import DueContract
from tallystick.db.engine import Tx
from tallystick.domain.at_period_end import Applied
from tallystick.domain.life import Step
from tallystick.domain.scheduled import ScheduledAmendment, ScheduledPlan
from tallystick.services.context import Context
from tallystick.services.events import Told
from tallystick.services.subscription_events import subscription_event
from tallystick.services.write_amendment import write_amendment
from tallystick.services.write_plan import write_plan


async def apply_scheduled(
    ctx: Context, tx: Tx, due: Sequence[DueContract], steps: Sequence[Step]
) -> None:
    """Write each change that took place in these steps, with what it brings along."""
    for one, moved in zip(due, steps, strict=True):
        made = moved.applied
        if made is None:
            continue
        match made.change:
            case ScheduledPlan() as change:
                await products.insert_many(tx, ctx.tenant.id, change.new_products, ctx.now)
                await prices.insert_many(tx, ctx.tenant.id, change.new_prices, ctx.now)
                await write_plan(
                    ctx,
                    tx,
                    moved.contract,
                    version_id=change.plan_version_id,
                    ended=made.ended,
                    joined=made.joined,
                    day=moved.day,
                    moves_place=change.plan.plan_id != one.contract.plan_id,
                )
            case ScheduledAmendment(amendment=amendment):
                await products.insert_many(tx, ctx.tenant.id, amendment.new_products, ctx.now)
                await prices.insert_many(tx, ctx.tenant.id, amendment.new_prices, ctx.now)
                await write_amendment(
                    ctx.within(tx),
                    moved.contract,
                    touched=(*made.ended, *made.renamed),
                    joined=made.joined,
                    day=moved.day,
                )
            case _:
                assert_never(made.change)


def named_after(due: DueContract, made: Applied) -> DueContract:
    """The contract's names after a change."""
    match made.change:
        case ScheduledPlan() as change:
            return replace(due, plan_name=change.plan_name, plan_version=change.plan_version)
        case ScheduledAmendment():
            return due
    assert_never(made.change)


def applied_event(due: DueContract, moved: Step) -> Told | None:
    """What to tell of the change that took place in a step, if any."""
    if moved.applied is None:
        return None
    match moved.applied.change:
        case ScheduledPlan():
            change_type = "plan_changed"
        case ScheduledAmendment():
            change_type = "amended"
        case _:
            assert_never(moved.applied.change)
    return subscription_event(
        "subscription.updated", due, moved.contract, change_type=change_type
    )
