"""Say what each period of a plan costs at least, while its version is a draft."""

from uuid import UUID

from tallystick.db import plan_versions, plans, products
from tallystick.domain.catalog import PlanType, PlanVersion
from tallystick.domain.errors import Conflict, Fault, NotFound, fail_if
from tallystick.domain.minimum_commitment import MinimumCommitment, faults_of
from tallystick.domain.pricing import FeeType
from tallystick.services.catalog_events import plan_updated
from tallystick.services.context import Context


async def set_minimum(
    ctx: Context, version_id: UUID, minimum: MinimumCommitment | None
) -> None:
    """Set or replace the minimum of a draft version; None takes it away.

    Raises:
        NotFound: no such version.
        Conflict: it is published, and never changes.
        InvalidInput: the minimum cannot be; every fault together.
    """
    found = await plan_versions.load(ctx.transaction, ctx.tenant.id, version_id)
    if found is None:
        raise NotFound("There is no such plan version.")
    # Nobody replaces what the version sells while the minimum is held against it.
    await plans.lock(ctx.transaction, ctx.tenant.id, found.plan_id)
    version = await plan_versions.load(ctx.transaction, ctx.tenant.id, version_id)
    assert version is not None, "a draft is written anew under its id"
    if not version.is_published and minimum is not None:
        await _check(ctx, version, minimum)
    if not await plan_versions.set_minimum(ctx.transaction, ctx.tenant.id, version_id, minimum):
        raise Conflict("This plan version is published; only a draft's minimum can be changed.")
    if minimum != version.minimum:
        draft = await plans.load_entry(
            ctx.transaction, ctx.tenant.id, version.plan_id, version.version
        )
        assert draft is not None, "its version was found"
        await plan_updated(ctx, draft)


async def _check(ctx: Context, version: PlanVersion, minimum: MinimumCommitment) -> None:
    plan = await plans.load_entry(
        ctx.transaction, ctx.tenant.id, version.plan_id, version.version
    )
    assert plan is not None, "its version was found"
    if plan.plan_type is PlanType.FREE:
        fail_if([Fault("amount", "not_free", "a FREE plan has no minimum")])
    found = await products.load_many(
        ctx.transaction, ctx.tenant.id, list(minimum.product_ids or ())
    )
    recurring = {
        one.product_id for one in version.components if one.fee.type is not FeeType.ONE_TIME
    }
    fail_if(list(faults_of(minimum, version.currency, known=found, recurring=recurring)))
