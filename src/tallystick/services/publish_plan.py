"""Publish a plan's draft version."""

from uuid import UUID

from tallystick.db import plans
from tallystick.domain.catalog_entries import PlanEntry
from tallystick.domain.errors import Conflict, NotFound, sentence
from tallystick.domain.replaced_plan import unsellable
from tallystick.services.catalog_events import plan_published
from tallystick.services.context import Context
from tallystick.services.make_version import facts_of

_NO_DRAFT = "This plan has no draft version to publish."


async def publish_plan(ctx: Context, plan_id: UUID) -> PlanEntry:
    """Make the plan's draft the version that is sold; from then on it never changes.

    Raises:
        NotFound: no such plan.
        Conflict: the plan has no draft, or is archived, or something that the draft sells is.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    if not await plans.lock(tx, tenant_id, plan_id):
        raise NotFound("There is no such plan.")
    draft = await plans.load_entry(tx, tenant_id, plan_id, "draft")
    if draft is None:
        raise Conflict(_NO_DRAFT)
    if draft.archived_at is not None:
        raise Conflict("This plan is archived; unarchive it before publishing a version.")
    faults = list(unsellable(draft.version, await facts_of(ctx, draft.version)))
    if faults:
        raise Conflict(sentence(faults), tuple(faults))
    return await publish_draft(ctx, plan_id)


async def publish_draft(ctx: Context, plan_id: UUID) -> PlanEntry:
    """Publish the draft of a plan that exists; raises `Conflict` where there is none."""
    if not await plans.publish(ctx.transaction, ctx.tenant.id, plan_id, ctx.now):
        raise Conflict(_NO_DRAFT)
    published = await plans.load_entry(ctx.transaction, ctx.tenant.id, plan_id)
    assert published is not None, "it was just published"
    await plan_published(ctx, published)
    return published
