"""Make a version of a plan, with the products and prices that it brings along."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from tallystick.db import add_ons, features, metrics, plans, prices, products
from tallystick.domain.catalog import PlanAddOn, PlanComponent, PlanVersion, Product
from tallystick.domain.catalog_entries import ProductEntry
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.new_plan import NewComponent, NewPlan, NewPlanFacts, metric_of
from tallystick.domain.pricing import Price
from tallystick.domain.replaced_plan import kept_price, prices_of
from tallystick.services.catalog_events import product_created
from tallystick.services.context import Context
from tallystick.services.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeVersion:
    """A version to be stored, as a draft; `products` and `prices` are those it brings along."""

    version: PlanVersion
    products: tuple[ProductEntry, ...]
    prices: tuple[Price, ...]


async def facts_for(ctx: Context, new: NewPlan) -> NewPlanFacts:
    """What of the catalog a plan names; its products and metrics stay as they are meanwhile."""
    metric_ids = [metric_of(component.fee) for component in new.components]
    trialing = new.trial.trialing_plan_id if new.trial else None
    return await _facts(
        ctx,
        [one.product_id for one in new.components if one.product_id],
        [one.price_id for one in new.add_ons if one.price_id],
        [one.add_on_id for one in new.add_ons],
        [one for one in metric_ids if one],
        trialing,
        {one.feature_id for one in new.entitlements},
    )


async def facts_of(ctx: Context, version: PlanVersion) -> NewPlanFacts:
    """What of the catalog a version names that was made before."""
    metric_ids = [metric_of(component.fee) for component in version.components]
    return await _facts(
        ctx,
        [one.product_id for one in version.components],
        [],
        [one.add_on_id for one in version.add_ons],
        [one for one in metric_ids if one],
        version.trial.trialing_plan_id if version.trial else None,
        set(),
    )


def make_version(
    ctx: Context,
    new: NewPlan,
    facts: NewPlanFacts,
    *,
    plan_id: UUID,
    version_id: UUID,
    number: int,
    before: Sequence[PlanVersion] = (),
) -> MadeVersion:
    """The version that a plan without a fault means.

    What a component says of its product that a version `before` said as well is the same price.
    """
    made = [_component(ctx, new, one, facts, before) for one in new.components]
    components = tuple(component for component, _ in made)
    kept = {price.id for price in prices_of(before)}
    version = PlanVersion(
        id=version_id,
        plan_id=plan_id,
        plan_name=new.name,
        product_family_id=new.product_family_id,
        version=number,
        currency=new.currency,
        tax_inclusive=new.tax_inclusive,
        components=components,
        add_ons=tuple(_add_ons(new, facts)),
        is_published=False,
        net_terms=new.net_terms,
        period_start_day=new.period_start_day,
        billing_cycles=new.billing_cycles,
        trial=new.trial,
        minimum=_minimum(new, components),
    )
    return MadeVersion(
        version=version,
        products=tuple(entry for _, entry in made if entry is not None),
        prices=tuple(
            price for one in components for price in one.prices if price.id not in kept
        ),
    )


async def write_what_it_brings(ctx: Context, made: MadeVersion) -> None:
    """Store the products and prices of a version, before the version itself."""
    for entry in made.products:
        await products.insert(ctx.transaction, ctx.tenant.id, entry.product, ctx.now)
        await product_created(ctx, entry)
    await prices.insert_many(ctx.transaction, ctx.tenant.id, made.prices, ctx.now)


async def _facts(
    ctx: Context,
    product_ids: list[UUID],
    price_ids: list[UUID],
    add_on_ids: list[UUID],
    metric_ids: list[UUID],
    trialing: UUID | None,
    feature_ids: set[UUID],
) -> NewPlanFacts:
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    await products.keep_as_they_are(tx, tenant_id, product_ids)
    return NewPlanFacts(
        products=await products.load_many(tx, tenant_id, product_ids),
        prices=await prices.load_many(tx, tenant_id, price_ids),
        add_ons=await add_ons.load_many(tx, tenant_id, add_on_ids),
        metric_ids=await metrics.known_ids(tx, tenant_id, metric_ids),
        plan_ids=await plans.known_ids(tx, tenant_id, [trialing] if trialing else []),
        features=await features.by_ids(tx, tenant_id, feature_ids),
    )


def _component(
    ctx: Context,
    plan: NewPlan,
    new: NewComponent,
    facts: NewPlanFacts,
    before: Sequence[PlanVersion],
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
            kept_price(before, product.id, (cadence, pricing), plan.currency)
            or Price(
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


def _add_ons(new: NewPlan, facts: NewPlanFacts) -> Iterator[PlanAddOn]:
    for one in new.add_ons:
        yield PlanAddOn(
            add_on_id=one.add_on_id,
            price=None if one.price_id is None else facts.prices[one.price_id],
            max_instances=one.max_instances,
            self_serviceable=one.self_serviceable,
        )


def _minimum(new: NewPlan, components: tuple[PlanComponent, ...]) -> MinimumCommitment | None:
    """The minimum by the products of the components that it names."""
    wanted = new.minimum
    if wanted is None:
        return None
    names = wanted.component_names
    if names is None:
        return MinimumCommitment(amount=wanted.amount)
    covered = {one.product_id: None for one in components if one.name in names}
    return MinimumCommitment(amount=wanted.amount, product_ids=tuple(covered))
