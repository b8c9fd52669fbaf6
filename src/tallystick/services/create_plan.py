"""Create a plan with its first version, everything it sells included."""

from collections.abc import Sequence

from tallystick.db import plans
from tallystick.domain.catalog import PlanStatus
from tallystick.domain.catalog_entries import PlanEntry
from tallystick.domain.entitlement import Holder, HolderKind
from tallystick.domain.errors import Fault, fail_if
from tallystick.domain.new_plan import NewPlan, plan_faults
from tallystick.services.attach_entitlements import attach
from tallystick.services.catalog_events import plan_created
from tallystick.services.catalog_lookups import family_of
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.make_version import facts_for, make_version, write_what_it_brings
from tallystick.services.publish_plan import publish_draft


async def create_plan(ctx: Context, new: NewPlan, found: Sequence[Fault] = ()) -> PlanEntry:
    """Make a new plan, as a draft or published.

    `found` are faults that were found while the request was read; they are reported with the
    others.

    Raises:
        NotFound: no such product family.
        InvalidInput: every other fault of the request, all together.
    """
    family = await family_of(ctx, new.product_family_id)
    facts = await facts_for(ctx, new)
    fail_if([*found, *plan_faults(new, facts)])
    plan_id = new_id()
    made = make_version(ctx, new, facts, plan_id=plan_id, version_id=new_id(), number=1)
    await write_what_it_brings(ctx, made)
    plan = PlanEntry(
        id=plan_id,
        family=family,
        description=new.description,
        plan_type=new.plan_type,
        status=PlanStatus.DRAFT,
        self_service_rank=new.self_service_rank,
        version=made.version,
        net_terms=new.net_terms or 0,
        archived_at=None,
        created_at=ctx.now,
    )
    await plans.insert(ctx.transaction, ctx.tenant.id, plan)
    await attach(ctx, Holder(HolderKind.PLAN_VERSION, plan.version.id), new.entitlements)
    # Read back for what the plan leaves to the invoicing entity.
    stored = await plans.load_entry(ctx.transaction, ctx.tenant.id, plan.id)
    assert stored is not None, "it was just written"
    await plan_created(ctx, stored)
    return await publish_draft(ctx, stored.id) if new.publish else stored
