"""The components of an offer: those of the plan version, as the request changes them, and
extras.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from tallystick.domain.catalog import PlanComponent, PlanVersion, Product
from tallystick.domain.charges import Item
from tallystick.domain.offer import NewProduct
from tallystick.domain.offer_request import (
    ExistingPrice,
    ExistingProduct,
    Extra,
    FaultyProduct,
    NewProductEntry,
    OfferRequest,
    Overridden,
    Parameterized,
    Parameters,
)
from tallystick.domain.pricing import CapacityPricing, FeeStructure, Price
from tallystick.domain.resolve_prices import Resolution, has_period

_PARAMETERIZED = "components.parameterized_components"
_OVERRIDDEN = "components.overridden_components"
_EXTRA = "components.extra_components"
_REMOVED = "components.remove_components"

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    """The request's entries by component, with the path of each."""

    parameterized: Mapping[UUID, tuple[str, Parameterized]]
    overridden: Mapping[UUID, tuple[str, Overridden]]
    removed: frozenset[UUID]


def resolve_components(
    request: OfferRequest,
    version: PlanVersion,
    products: Mapping[UUID, Product],
    metric_ids: frozenset[UUID],
    work: Resolution,
) -> list[Item]:
    """The component items of the offer; faults are noted in `work`."""
    changes = _changes(request, version, work)
    items = [
        item
        for component in version.components
        if component.id not in changes.removed
        and (item := _component(component, changes, work)) is not None
    ]
    for index, extra in enumerate(request.extra):
        item = extra_item(extra, f"{_EXTRA}[{index}]", version, products, metric_ids, work)
        if item is not None:
            items.append(item)
    return items


def _changes(request: OfferRequest, version: PlanVersion, work: Resolution) -> _Changes:
    known = {component.id for component in version.components}
    parameterized = _by_component(
        [(one.component_id, one) for one in request.parameterized], _PARAMETERIZED, known, work
    )
    overridden = _by_component(
        [(one.component_id, one) for one in request.overridden], _OVERRIDDEN, known, work
    )
    seen: set[UUID] = set()
    for index, component_id in enumerate(request.removed):
        path = f"{_REMOVED}[{index}]"
        if component_id not in known:
            work.fault(path, "unknown", "must be a component of this plan version")
        elif component_id in seen:
            work.fault(path, "duplicate", "is listed already")
        elif component_id in parameterized or component_id in overridden:
            work.fault(path, "contradiction", "cannot be removed and changed as well")
        seen.add(component_id)
    return _Changes(parameterized=parameterized, overridden=overridden, removed=frozenset(seen))


def _by_component(
    entries: Sequence[tuple[UUID, Entry]], path: str, known: set[UUID], work: Resolution
) -> dict[UUID, tuple[str, Entry]]:
    found: dict[UUID, tuple[str, Entry]] = {}
    for index, (component_id, entry) in enumerate(entries):
        here = f"{path}[{index}]"
        if component_id not in known:
            work.fault(
                f"{here}.component_id", "unknown", "must be a component of this plan version"
            )
        elif component_id in found:
            work.fault(f"{here}.component_id", "duplicate", "is listed already")
        else:
            found[component_id] = (here, entry)
    return found


def _component(component: PlanComponent, changes: _Changes, work: Resolution) -> Item | None:
    path, wanted = f"{_PARAMETERIZED}", Parameters()
    if component.id in changes.parameterized:
        entry_path, entry = changes.parameterized[component.id]
        path, wanted = f"{entry_path}.parameters", entry.parameters
    if component.id not in changes.overridden:
        return planned_item(component, wanted, path, work)
    override_path, override = changes.overridden[component.id]
    price = work.entered(
        override.price, component.product_id, component.fee, f"{override_path}.price_entry"
    )
    if price is None:
        return None
    _agree(price, wanted, path, work)
    slots = work.slots(price, component.fee, wanted.initial_slot_count, path)
    return _item(
        work, override.name, component.product_id, component.fee, price, slots, component.id
    )


def _agree(price: Price, wanted: Parameters, path: str, work: Resolution) -> None:
    """Parameters beside an override must say the same as its price does."""
    if not has_period(price, wanted.billing_period):
        work.fault(
            f"{path}.billing_period",
            "contradiction",
            f"the overriding price is {price.cadence.value}; leave it out or say the same",
        )
    if wanted.committed_capacity is not None:
        pricing = price.pricing
        if not isinstance(pricing, CapacityPricing):
            work.fault(
                f"{path}.committed_capacity",
                "not_applicable",
                "the overriding price has no capacity; leave it out",
            )
        elif pricing.included != wanted.committed_capacity:
            work.fault(
                f"{path}.committed_capacity",
                "contradiction",
                f"the overriding price includes {pricing.included};"
                " leave it out or say the same",
            )


def planned_item(
    component: PlanComponent, wanted: Parameters, path: str, work: Resolution
) -> Item | None:
    """A component of the plan at the price that parameters choose; None where one is at fault.

    `path` is that of the parameters.
    """
    price = work.chosen(component.prices, wanted, path, f"component {component.name!r}")
    if price is None:
        return None
    slots = work.slots(price, component.fee, wanted.initial_slot_count, path)
    return _item(
        work, component.name, component.product_id, component.fee, price, slots, component.id
    )


def extra_item(
    extra: Extra,
    path: str,
    version: PlanVersion,
    products: Mapping[UUID, Product],
    metric_ids: frozenset[UUID],
    work: Resolution,
) -> Item | None:
    """A component that the plan does not have; None where something is at fault with it."""
    if isinstance(extra.product, FaultyProduct):
        return None
    if isinstance(extra.product, ExistingProduct):
        product = products.get(extra.product.id)
        if product is None:
            work.fault(f"{path}.product_ref.id", "unknown", "must be a product of this catalog")
            return None
        if product.archived_at is not None:
            work.fault(f"{path}.product_ref.id", "archived", "this product is archived")
            return None
        product_id, fee = product.id, product.fee
    else:
        fee = extra.product.fee
        product_id = _new_product(extra.product, path, version, metric_ids, work)
        if isinstance(extra.price, ExistingPrice):
            work.fault(
                f"{path}.price_entry",
                "contradiction",
                "a new product has no existing price; give the price as NEW",
            )
            return None
    price = work.entered(extra.price, product_id, fee, f"{path}.price_entry")
    if price is None:
        return None
    slots = work.slots(price, fee, None, path)
    return _item(work, extra.name, product_id, fee, price, slots, None)


def _new_product(
    entry: NewProductEntry,
    path: str,
    version: PlanVersion,
    metric_ids: frozenset[UUID],
    work: Resolution,
) -> UUID:
    """Note a product that the offer brings along, in the plan's family, and give it its id."""
    metric_id = getattr(entry.fee, "metric_id", None)
    if metric_id is not None and metric_id not in metric_ids:
        work.fault(f"{path}.product_ref.fee_structure.metric_id", "unknown", "must be a metric")
    product = NewProduct(
        id=work.new_id(),
        product_family_id=version.product_family_id,
        name=entry.name,
        fee=entry.fee,
    )
    work.new_products.append(product)
    return product.id


def _item(
    work: Resolution,
    name: str,
    product_id: UUID,
    fee: FeeStructure,
    price: Price,
    slots: int | None,
    component_id: UUID | None,
) -> Item:
    return Item(
        id=work.new_id(),
        kind="COMPONENT",
        name=name,
        product_id=product_id,
        price_id=price.id,
        fee=fee,
        cadence=price.cadence,
        pricing=price.pricing,
        component_id=component_id,
        slots=slots,
    )
