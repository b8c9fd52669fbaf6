"""Create a plan with its first version, everything it sells included."""

from collections.abc import Sequence

from tallystick.db import add_ons, features, metrics, plans, prices, products
from tallystick.domain.catalog import (
    PlanAddOn,
    PlanComponent,
    PlanStatus,
    PlanVersion,
    Product,
)
from tallystick.domain.catalog_entries import PlanEntry, ProductEntry, ProductFamily
from tallystick.domain.entitlement import Holder, HolderKind
from tallystick.domain.errors import Fault, fail_if
from tallystick.domain.new_plan import (
    NewComponent,
    NewPlan,
    NewPlanFacts,
    metric_of,
    plan_faults,
)
from tallystick.domain.pricing import Price
from tallystick.services.attach_entitlements import attach
from tallystick.services.catalog_events import plan_created, product_created
from tallystick.services.catalog_lookups import family_of
from tallystick.services.context import Context
from tallystick.services.ids import new_id
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
    facts = await _facts(ctx, new)
    fail_if([*found, *plan_faults(new, facts)])
    made = tuple(_component(ctx, new, one, facts) for one in new.components)
    for component, entry in made:
        if entry is not None:
            await products.insert(ctx.transaction, ctx.tenant.id, entry.product, ctx.now)
            await product_created(ctx, entry)
        await prices.insert_many(ctx.transaction, ctx.tenant.id, component.prices, ctx.now)
    plan = _plan(ctx, new, family, facts, tuple(component for component, _ in made))
    await plans.insert(ctx.transaction, ctx.tenant.id, plan)
    await attach(ctx, Holder(HolderKind.PLAN_VERSION, plan.version.id), new.entitlements)
    # Read back for what the plan leaves to the invoicing entity.
    stored = await plans.load_entry(ctx.transaction, ctx.tenant.id, plan.id)
    assert stored is not None, "it was just written"
    await plan_created(ctx, stored)
    return await publish_draft(ctx, stored.id) if new.publish else stored


async def _facts(ctx: Context, new: NewPlan) -> NewPlanFacts:
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    metric_ids = [metric_of(component.fee) for component in new.components]
    trialing = new.trial.trialing_plan_id if new.trial else None
    return NewPlanFacts(
        products=await products.load_many(
            tx, tenant_id, [one.product_id for one in new.components if one.product_id]
        ),
        prices=await prices.load_many(
            tx, tenant_id, [one.price_id for one in new.add_ons if one.price_id]
        ),
        add_ons=await add_ons.load_many(tx, tenant_id, [one.add_on_id for one in new.add_ons]),
        metric_ids=await metrics.known_ids(tx, tenant_id, [one for one in metric_ids if one]),
        plan_ids=await plans.known_ids(tx, tenant_id, [trialing] if trialing else []),
        features=await features.by_ids(
            tx, tenant_id, {one.feature_id for one in new.entitlements}
        ),
    )


def _component(
    ctx: Context, plan: NewPlan, new: NewComponent, facts: NewPlanFacts
) -> tuple[PlanComponent, ProductEntry | None]:
    """The component, and the product made for it where it names none."""
    entry = None
    if new.product_id is None:
        product = Product(
            id=new_id(),
            product_family_id=plan.product_family_id,
            name=new.name,
            fee=new.fee,
        )
        entry = ProductEntry(product=product, created_at=ctx.now)
    else:
        product = facts.products[new.product_id]
    component = PlanComponent(
        id=new_id(),
        name=new.name,
        product_id=product.id,
        fee=product.fee,
        prices=tuple(
            Price(
                id=new_id(),
                product_id=product.id,
                cadence=cadence,
                currency=plan.currency,
                pricing=pricing,
            )
            for cadence, pricing in new.prices
        ),
    )
    return component, entry


def _plan(
    ctx: Context,
    new: NewPlan,
    family: ProductFamily,
    facts: NewPlanFacts,
    components: tuple[PlanComponent, ...],
) -> PlanEntry:
    plan_id = new_id()
    version = PlanVersion(
        id=new_id(),
        plan_id=plan_id,
        plan_name=new.name,
        product_family_id=family.id,
        version=1,
        currency=new.currency,
        tax_inclusive=new.tax_inclusive,
        components=components,
        add_ons=tuple(
            PlanAddOn(
                add_on_id=one.add_on_id,
                price=None if one.price_id is None else facts.prices[one.price_id],
                max_instances=one.max_instances,
                self_serviceable=one.self_serviceable,
            )
            for one in new.add_ons
        ),
        is_published=False,
        net_terms=new.net_terms,
        period_start_day=new.period_start_day,
        billing_cycles=new.billing_cycles,
        trial=new.trial,
    )
    return PlanEntry(
        id=plan_id,
        family=family,
        description=new.description,
        plan_type=new.plan_type,
        status=PlanStatus.DRAFT,
        self_service_rank=new.self_service_rank,
        version=version,
        net_terms=new.net_terms or 0,
        archived_at=None,
        created_at=ctx.now,
    )
