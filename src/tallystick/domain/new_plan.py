"""A plan as it is asked for, and everything that could be wrong with it.

What a plan says is decided here before anything of it is stored: every fault is found at once,
with the path of the field as the merchant wrote it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from tallystick.domain.catalog import AddOn, PlanTrial, PlanType, Product
from tallystick.domain.entitlement import NewEntitlement
from tallystick.domain.errors import Fault
from tallystick.domain.feature import Feature, grant_faults
from tallystick.domain.minimum_commitment import amount_faults
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    CapacityFee,
    CapacityPricing,
    FeeStructure,
    FeeType,
    Price,
    Pricing,
    UsageFee,
    costs_nothing,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewComponent:
    """A component to be: its fee, and a price for each choice by cadence or by capacity.

    `product_id` None means that a product is made for it, in the plan's family.
    """

    name: str
    fee: FeeStructure
    prices: tuple[tuple[Cadence, Pricing], ...]
    product_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlanAddOn:
    """An add-on to be sold with the plan, at its own price and limit where it has them here."""

    add_on_id: UUID
    price_id: UUID | None = None
    max_instances: int | None = None
    self_serviceable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMinimum:
    """What each period is to cost at least, in major units of the plan's currency.

    `component_names` are the components that count towards it, None where everything that is
    billed again and again does.
    """

    amount: Decimal
    component_names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """A plan to be, with one version; `publish` makes that version sellable at once."""

    name: str
    product_family_id: UUID
    plan_type: PlanType
    currency: str
    publish: bool
    components: tuple[NewComponent, ...] = ()
    add_ons: tuple[NewPlanAddOn, ...] = ()
    description: str | None = None
    self_service_rank: int | None = None
    tax_inclusive: bool = False
    net_terms: int | None = None
    period_start_day: int | None = None
    billing_cycles: int | None = None
    trial: PlanTrial | None = None
    minimum: NewMinimum | None = None
    entitlements: tuple[NewEntitlement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlanFacts:
    """What of the catalog the plan names, as far as this tenant has it.

    `metric_ids` and `plan_ids` are unarchived ones.
    """

    products: Mapping[UUID, Product]
    prices: Mapping[UUID, Price]
    add_ons: Mapping[UUID, AddOn]
    metric_ids: frozenset[UUID]
    plan_ids: frozenset[UUID]
    features: Mapping[UUID, Feature]


def plan_faults(plan: NewPlan, facts: NewPlanFacts) -> list[Fault]:
    """Everything wrong with the plan, in the order of the request."""
    faults: list[Fault] = []
    for index, component in enumerate(plan.components):
        path = f"components[{index}]"
        faults.extend(_component_faults(component, path, plan, facts))
    seen: set[UUID] = set()
    for index, entry in enumerate(plan.add_ons):
        path = f"add_ons[{index}]"
        if entry.add_on_id in seen:
            faults.append(Fault(f"{path}.add_on_id", "duplicate", "is listed already"))
        seen.add(entry.add_on_id)
        faults.extend(_add_on_faults(entry, path, plan, facts))
    trialing = plan.trial.trialing_plan_id if plan.trial else None
    if trialing is not None and trialing not in facts.plan_ids:
        faults.append(Fault("trial.trialing_plan_id", "unknown", "must be an unarchived plan"))
    faults.extend(_minimum_faults(plan))
    faults.extend(grant_faults(plan.entitlements, facts.features))
    return faults


def metric_of(fee: FeeStructure) -> UUID | None:
    """The metric that a fee counts with, if it counts."""
    return fee.metric_id if isinstance(fee, (CapacityFee, UsageFee)) else None


def _component_faults(
    component: NewComponent, path: str, plan: NewPlan, facts: NewPlanFacts
) -> Iterator[Fault]:
    if component.product_id is not None:
        yield from _product_faults(component, path, facts)
    metric_id = metric_of(component.fee)
    if metric_id is not None and metric_id not in facts.metric_ids:
        yield Fault(f"{path}.fee.metric_id", "unknown", "must be an unarchived metric")
    yield from _choice_faults(component, path)
    if plan.plan_type is PlanType.FREE and not all(
        costs_nothing(pricing) for _, pricing in component.prices
    ):
        yield Fault(
            f"{path}.fee", "not_free", "a FREE plan has no component that costs something"
        )


def _product_faults(component: NewComponent, path: str, facts: NewPlanFacts) -> Iterator[Fault]:
    assert component.product_id is not None, "only a named product can be wrong"
    product = facts.products.get(component.product_id)
    if product is None:
        yield Fault(f"{path}.product_id", "unknown", "must be a product")
    elif product.archived_at is not None:
        yield Fault(f"{path}.product_id", "archived", "this product is archived")
    elif product.fee.type is not component.fee.type:
        yield Fault(
            f"{path}.fee.type",
            "wrong_fee_type",
            f"must be {product.fee.type.value}, as the fee of the product says",
        )
    elif product.fee != component.fee:
        yield Fault(
            f"{path}.fee",
            "wrong_fee_structure",
            f"differs from the product, which has {_described(product.fee)}",
        )


def _described(fee: FeeStructure) -> str:
    """What two fee structures of one type can differ by."""
    unit = getattr(fee, "unit_name", None)
    model = getattr(fee, "model", None)
    billing = getattr(fee, "billing_type", None)
    if unit is not None:
        return f"the unit {unit!r}"
    if model is not None:
        return f"the model {model.value} and its own metric"
    if billing is not None:
        return f"the billing type {billing.value}"
    return "its own metric"


def _choice_faults(component: NewComponent, path: str) -> Iterator[Fault]:
    """Two prices of one component must differ in what a buyer can choose by."""
    seen = set()
    for index, (cadence, pricing) in enumerate(component.prices):
        included = pricing.included if isinstance(pricing, CapacityPricing) else None
        if (cadence, included) in seen:
            field = (
                f"thresholds[{index}].included_amount"
                if component.fee.type is FeeType.CAPACITY
                else f"rates[{index}].term"
            )
            yield Fault(f"{path}.fee.{field}", "duplicate", "is listed already")
        seen.add((cadence, included))


def _add_on_faults(
    entry: NewPlanAddOn, path: str, plan: NewPlan, facts: NewPlanFacts
) -> Iterator[Fault]:
    add_on = facts.add_ons.get(entry.add_on_id)
    if add_on is None:
        yield Fault(f"{path}.add_on_id", "unknown", "must be an add-on")
        return
    if add_on.archived_at is not None:
        yield Fault(f"{path}.add_on_id", "archived", "this add-on is archived")
        return
    price, field = add_on.price, "add_on_id"
    if entry.price_id is not None:
        own = facts.prices.get(entry.price_id)
        if own is None or own.product_id != add_on.product.id:
            yield Fault(
                f"{path}.price_id", "unknown", "must be a price of the add-on's product"
            )
            return
        price, field = own, "price_id"
    if price.currency != plan.currency:
        yield Fault(
            f"{path}.{field}",
            "wrong_currency",
            f"is priced in {price.currency}, but the plan is sold in {plan.currency}",
        )


def _minimum_faults(plan: NewPlan) -> Iterator[Fault]:
    minimum, path = plan.minimum, "minimum_commitment"
    if minimum is None:
        return
    if plan.plan_type is PlanType.FREE:
        yield Fault(f"{path}.amount", "not_free", "a FREE plan has no minimum")
    for fault in amount_faults(minimum.amount, plan.currency):
        yield replace(fault, field=f"{path}.{fault.field}")
    recurring = {one.name for one in plan.components if one.fee.type is not FeeType.ONE_TIME}
    names, where = minimum.component_names, f"{path}.scope"
    if names is None:
        if not recurring:
            yield Fault(where, "nothing_covered", "this version bills nothing in periods")
        return
    known = {one.name for one in plan.components}
    for index, name in enumerate(names):
        here = f"{where}.component_names[{index}]"
        if name not in known:
            yield Fault(here, "unknown", "must be the name of a component of this request")
        elif name in names[:index]:
            yield Fault(here, "duplicate", "is listed already")
    if known.issuperset(names) and recurring.isdisjoint(names):
        message = "must name a component that is billed in periods"
        yield Fault(f"{where}.component_names", "nothing_covered", message)
