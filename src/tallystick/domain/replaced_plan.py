"""A plan version that takes the place of another: what it keeps, and whether it differs.

Components have no ids in a request, so that a component is the one before by its name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from tallystick.domain.catalog import PlanComponent, PlanVersion
from tallystick.domain.errors import Fault
from tallystick.domain.new_plan import NewComponent, NewPlanFacts, metric_of
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import Price, Pricing


def with_kept_products(
    wanted: Sequence[NewComponent], before: Sequence[PlanVersion]
) -> tuple[NewComponent, ...]:
    """The components, each with the product that it keeps of the versions before.

    A component that names no product keeps that of the one with its name and its fee
    structure, of the first version that has one; where none has, a product is still to be
    made. No two keep the same product.
    """
    taken = {one.product_id for one in wanted if one.product_id is not None}
    earlier = [component for version in before for component in version.components]
    return tuple(_kept(component, earlier, taken) for component in wanted)


def _kept(
    wanted: NewComponent, earlier: Sequence[PlanComponent], taken: set[UUID]
) -> NewComponent:
    if wanted.product_id is not None:
        return wanted
    for one in earlier:
        is_it = (one.name, one.fee) == (wanted.name, wanted.fee)
        if is_it and one.product_id not in taken:
            taken.add(one.product_id)
            return replace(wanted, product_id=one.product_id)
    return wanted


def kept_price(
    before: Sequence[PlanVersion],
    product_id: UUID,
    choice: tuple[Cadence, Pricing],
    currency: str,
) -> Price | None:
    """The price of a version before that says just this of a product, if there is one."""
    for price in prices_of(before):
        told = (price.product_id, price.cadence, price.pricing, price.currency)
        if told == (product_id, *choice, currency):
            return price
    return None


def prices_of(versions: Sequence[PlanVersion]) -> Iterator[Price]:
    """Every price of every component of plan versions, in their order."""
    for version in versions:
        for component in version.components:
            yield from component.prices


def sells_the_same(one: PlanVersion, other: PlanVersion) -> bool:
    """Whether two versions of a plan say the same, whatever their ids, numbers and state."""
    return _said(one) == _said(other)


def _said(version: PlanVersion) -> tuple[object, ...]:
    components = tuple(
        (
            component.name,
            component.product_id,
            component.fee,
            tuple((price.cadence, price.currency, price.pricing) for price in component.prices),
        )
        for component in version.components
    )
    add_ons = frozenset(version.add_ons)
    terms = (version.net_terms, version.period_start_day, version.billing_cycles)
    sold = (version.currency, version.tax_inclusive, version.trial, version.minimum)
    return components, add_ons, terms, sold


def unsellable(version: PlanVersion, facts: NewPlanFacts) -> Iterator[Fault]:
    """What of a draft cannot be sold any more: archived since, or priced otherwise.

    Paths are those of the request that made it.
    """
    for index, component in enumerate(version.components):
        path = f"components[{index}]"
        if facts.products[component.product_id].archived_at is not None:
            yield Fault(f"{path}.product_id", "archived", "this product is archived")
        metric_id = metric_of(component.fee)
        if metric_id is not None and metric_id not in facts.metric_ids:
            yield Fault(f"{path}.fee.metric_id", "archived", "this metric is archived")
    for index, entry in enumerate(version.add_ons):
        path, add_on = f"add_ons[{index}]", facts.add_ons[entry.add_on_id]
        if add_on.archived_at is not None:
            yield Fault(f"{path}.add_on_id", "archived", "this add-on is archived")
        elif (entry.price or add_on.price).currency != version.currency:
            message = (
                f"is priced in {add_on.price.currency}, but the plan is sold in"
                f" {version.currency}"
            )
            yield Fault(f"{path}.add_on_id", "wrong_currency", message)
    trialing = version.trial.trialing_plan_id if version.trial else None
    if trialing is not None and trialing not in facts.plan_ids:
        yield Fault("trial.trialing_plan_id", "archived", "this plan is archived")
