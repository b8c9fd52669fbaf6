"""Change what is said about a plan, and whether it is sold; never what its versions sell."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from tallystick.db import plans
from tallystick.domain.catalog_entries import PlanEntry
from tallystick.domain.errors import NotFound
from tallystick.services.catalog_events import plan_archived, plan_updated
from tallystick.services.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWords:
    """What is said about a plan; `self_service_rank` orders the plans that customers see."""

    name: str
    description: str | None
    self_service_rank: int | None


async def edit_plan(ctx: Context, plan_id: UUID, said: Mapping[str, Any]) -> PlanEntry:
    """Change fields of `PlanWords` and return the plan with the version that is sold.

    Raises:
        NotFound: no such plan.
    """
    before = await _locked(ctx, plan_id)
    words = PlanWords(
        name=before.version.plan_name,
        description=before.description,
        self_service_rank=before.self_service_rank,
    )
    wanted = replace(words, **said)
    if wanted == words:
        return before
    await plans.describe(
        ctx.transaction,
        ctx.tenant.id,
        plan_id,
        name=wanted.name,
        description=wanted.description,
        self_service_rank=wanted.self_service_rank,
    )
    after = await _found(ctx, plan_id)
    await plan_updated(ctx, after)
    return after


async def archive_plan(ctx: Context, plan_id: UUID) -> None:
    """Sell a plan no more: not to anybody new. What was sold, or is offered, goes on.

    Raises:
        NotFound: no such plan.
    """
    plan = await _locked(ctx, plan_id)
    if plan.archived_at is None:
        await plans.set_archived(ctx.transaction, ctx.tenant.id, plan_id, ctx.now)
        await plan_archived(ctx, await _found(ctx, plan_id))


async def unarchive_plan(ctx: Context, plan_id: UUID) -> None:
    """Sell a plan again, if it has a published version.

    Raises:
        NotFound: no such plan.
    """
    plan = await _locked(ctx, plan_id)
    if plan.archived_at is not None:
        await plans.set_archived(ctx.transaction, ctx.tenant.id, plan_id, None)
        await plan_updated(ctx, await _found(ctx, plan_id))


async def _locked(ctx: Context, plan_id: UUID) -> PlanEntry:
    if not await plans.lock(ctx.transaction, ctx.tenant.id, plan_id):
        raise NotFound("There is no such plan.")
    return await _found(ctx, plan_id)


async def _found(ctx: Context, plan_id: UUID) -> PlanEntry:
    plan = await plans.load_entry(ctx.transaction, ctx.tenant.id, plan_id)
    assert plan is not None, "it is locked"
    return plan
