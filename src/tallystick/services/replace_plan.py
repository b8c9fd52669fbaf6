"""Replace what a plan sells: its draft is written anew, what is published gets a successor."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from tallystick.db import plan_drafts, plans
from tallystick.domain.catalog import PlanStatus, PlanTrial, PlanVersion
from tallystick.domain.catalog_entries import PlanEntry
from tallystick.domain.entitlement import NewEntitlement
from tallystick.domain.errors import Conflict, Fault, NotFound, fail_if
from tallystick.domain.new_plan import (
    NewComponent,
    NewMinimum,
    NewPlan,
    NewPlanAddOn,
    plan_faults,
)
from tallystick.domain.replaced_plan import sells_the_same, with_kept_products
from tallystick.services.catalog_events import plan_updated
from tallystick.services.context import Context
from tallystick.services.edit_entitlement import set_entitlements
from tallystick.services.ids import new_id
from tallystick.services.make_version import facts_for, make_version, write_what_it_brings
from tallystick.services.publish_plan import publish_draft


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReplacement:
    """All that a plan is to say and to sell; what is left out is gone.

    Its type, its family and its rank stay. `publish` None leaves the state as it is: the new
    version of a plan that is sold is sold, that of a draft is a draft. `entitlements` None
    are those of the version before.
    """

    name: str
    currency: str
    publish: bool | None
    components: tuple[NewComponent, ...]
    add_ons: tuple[NewPlanAddOn, ...]
    description: str | None
    tax_inclusive: bool
    net_terms: int | None
    period_start_day: int | None
    billing_cycles: int | None
    trial: PlanTrial | None
    minimum: NewMinimum | None
    entitlements: tuple[NewEntitlement, ...] | None = None

    def of(self, plan: PlanEntry, versions: Sequence[PlanVersion]) -> NewPlan:
        """The plan that this makes of one with these versions, the newest first."""
        return NewPlan(
            name=self.name,
            product_family_id=plan.family.id,
            plan_type=plan.plan_type,
            currency=self.currency,
            publish=plan.status is PlanStatus.ACTIVE if self.publish is None else self.publish,
            components=with_kept_products(self.components, versions),
            add_ons=self.add_ons,
            description=self.description,
            self_service_rank=plan.self_service_rank,
            tax_inclusive=self.tax_inclusive,
            net_terms=self.net_terms,
            period_start_day=self.period_start_day,
            billing_cycles=self.billing_cycles,
            trial=self.trial,
            minimum=self.minimum,
            entitlements=self.entitlements or (),
        )


async def replace_plan(
    ctx: Context, plan_id: UUID, wanted: PlanReplacement, found: Sequence[Fault] = ()
) -> PlanEntry:
    """Replace a plan and return it with the version that was written.

    A published version never changes: the plan gets a new one, or the draft that it has is
    written anew. What a published version says already makes no other.

    Raises:
        NotFound: no such plan.
        Conflict: it is archived.
        InvalidInput: every fault of the request, all together; `found` among them.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    if not await plans.lock(tx, tenant_id, plan_id):
        raise NotFound("There is no such plan.")
    draft = await plans.load_entry(tx, tenant_id, plan_id, "draft")
    sold = await plans.load_entry(tx, tenant_id, plan_id)
    assert sold is not None, "a plan has a version"
    before = draft or sold
    if before.archived_at is not None:
        raise Conflict("This plan is archived; unarchive it before replacing what it sells.")
    versions = [before.version, sold.version]
    new = wanted.of(before, versions)
    facts = await facts_for(ctx, new)
    fail_if([*found, *plan_faults(new, facts)])
    made = make_version(
        ctx,
        new,
        facts,
        plan_id=plan_id,
        version_id=new_id() if draft is None else draft.version.id,
        number=before.version.version + (draft is None),
        before=versions,
    )
    await plans.describe(
        tx,
        tenant_id,
        plan_id,
        name=new.name,
        description=new.description,
        self_service_rank=new.self_service_rank,
    )
    if draft is None and new.publish and sells_the_same(made.version, before.version):
        if wanted.entitlements is not None:
            await set_entitlements(ctx, before.version.id, wanted.entitlements)
        return await _described(ctx, before)
    await write_what_it_brings(ctx, made)
    if draft is None:
        await plan_drafts.insert(tx, tenant_id, made.version, ctx.now)
    else:
        await plan_drafts.rewrite(tx, tenant_id, made.version)
    await set_entitlements(ctx, made.version.id, _granted(wanted, before))
    if new.publish:
        return await publish_draft(ctx, plan_id)
    stored = await plans.load_entry(tx, tenant_id, plan_id, "draft")
    assert stored is not None, "it was just written"
    await plan_updated(ctx, stored)
    return stored


def _granted(wanted: PlanReplacement, before: PlanEntry) -> tuple[NewEntitlement, ...]:
    """What the new version grants: as asked for, else what the one before granted."""
    if wanted.entitlements is not None:
        return wanted.entitlements
    return tuple(
        NewEntitlement(feature_id=one.feature_id, value=one.value)
        for one in before.entitlements
    )


async def _described(ctx: Context, before: PlanEntry) -> PlanEntry:
    """The plan where nothing but what is said about it may have changed."""
    after = await plans.load_entry(ctx.transaction, ctx.tenant.id, before.id)
    assert after is not None, "it was there"
    if after != replace(before, version=after.version) or (
        after.version.plan_name != before.version.plan_name
    ):
        await plan_updated(ctx, after)
    return after
