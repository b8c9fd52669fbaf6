"""From a request to an amendment: everything resolved, every fault found, as for a checkout."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeVar
from uuid import UUID

from tallystick.domain.amended_items import Amendment, Changed, Renamed
from tallystick.domain.amendment_request import (
    AmendmentRequest,
    ComponentChange,
    QuantityChange,
)
from tallystick.domain.at_period_end import paid_until
from tallystick.domain.catalog import AddOn, PlanVersion, Product
from tallystick.domain.charges import Item
from tallystick.domain.contract import Contract
from tallystick.domain.errors import fail_if
from tallystick.domain.new_components import with_slots_of
from tallystick.domain.pricing import FeeType, Price, SlotPricing
from tallystick.domain.resolve_add_ons import add_on_items, within_limit
from tallystick.domain.resolve_components import extra_item, planned_item
from tallystick.domain.resolve_offer import within_reason
from tallystick.domain.resolve_prices import Resolution

_ADD = "components.add"
_ADD_FROM_PLAN = "components.add_from_plan"
_CHANGE = "components.change"
_REMOVE = "components.remove"
_ADD_ADD_ON = "add_ons.add"
_CHANGE_ADD_ON = "add_ons.change"
_REMOVE_ADD_ON = "add_ons.remove"

Entry = TypeVar("Entry", ComponentChange, QuantityChange)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentFacts:
    """The subscription's plan, and what of the catalog a request names."""

    version: PlanVersion
    add_ons: Mapping[UUID, AddOn]
    products: Mapping[UUID, Product]
    prices: Mapping[UUID, Price]
    metric_ids: frozenset[UUID]


def resolve_amendment(
    request: AmendmentRequest,
    contract: Contract,
    facts: AmendmentFacts,
    *,
    day: date,
    at_period_end: bool,
    new_id: Callable[[], UUID],
) -> Amendment:
    """The amendment that a request means for a contract, from a day on.

    Raises:
        InvalidInput: Every fault of the request, each with its path.
    """
    work = Resolution(currency=contract.currency, new_id=new_id, prices=facts.prices)
    components, add_ons = _live(contract, "COMPONENT"), _live(contract, "ADD_ON")
    gone = {
        *_removed(request.removed_components, _REMOVE, components, work),
        *_removed(request.removed_add_ons, _REMOVE_ADD_ON, add_ons, work),
    }
    changed: list[tuple[str, Item, Item]] = [
        *_repriced(request.components, components, gone, contract, day, work),
        *_counted_anew(request.add_ons, add_ons, gone, contract, facts, day, work),
    ]
    added = [
        *_components(request, components, gone, facts, work),
        *_add_ons(request, add_ons, gone, facts, work),
    ]
    if not (request.removed_components or request.removed_add_ons or request.components):
        _says_something(request, work)
    if at_period_end:
        _paid_no_longer(contract, gone, day, work)
    elif contract.is_billed:
        _in_its_rhythm(contract, [*((path, to) for path, _, to in changed), *added], work)
    renamed = [(old, to) for _, old, to in changed if _costs_the_same(old, to)]
    costs_else = [
        Changed(item_id=old.id, to=to) for _, old, to in changed if not _costs_the_same(old, to)
    ]
    amendment = Amendment(
        added=tuple(item for _, item in added),
        changed=tuple(costs_else),
        renamed=tuple(Renamed(item_id=old.id, name=to.name) for old, to in renamed),
        removed_components=tuple(one for one in components if one in gone),
        removed_add_ons=tuple(one for one in add_ons if one in gone),
        new_products=tuple(work.new_products),
        new_prices=tuple(work.new_prices),
    )
    taken = gone | {one.item_id for one in costs_else}
    stays = [item for item in (*components.values(), *add_ons.values()) if item.id not in taken]
    after = (*stays, *(one.to for one in costs_else), *amendment.added)
    within_reason(after, contract.currency, day, work)
    fail_if([*request.sold.unread.faults, *work.faults])
    return amendment


def _costs_the_same(old: Item, to: Item) -> bool:
    return (old.pricing, old.cadence, old.instances) == (to.pricing, to.cadence, to.instances)


def _says_something(request: AmendmentRequest, work: Resolution) -> None:
    sold = request.sold
    if not (request.add_ons or sold.extra or sold.parameterized or sold.add_ons):
        message = "name something to add, to change or to remove, here or in `add_ons`"
        work.fault("components", "missing", message)


def _live(contract: Contract, kind: Literal["COMPONENT", "ADD_ON"]) -> dict[UUID, Item]:
    return {
        item.id: item for item in contract.items if item.kind == kind and item.ends_on is None
    }


def _removed(
    ids: Sequence[UUID], at: str, live: Mapping[UUID, Item], work: Resolution
) -> set[UUID]:
    found: set[UUID] = set()
    for index, item_id in enumerate(ids):
        path = f"{at}[{index}]"
        if item_id not in live:
            work.fault(path, "unknown", "must be one that this subscription has")
        elif item_id in found:
            work.fault(path, "duplicate", "is listed already")
        found.add(item_id)
    return found & live.keys()


def _targets(
    entries: Sequence[Entry],
    at: str,
    live: Mapping[UUID, Item],
    gone: set[UUID],
    contract: Contract,
    work: Resolution,
) -> Iterator[tuple[str, Entry, Item]]:
    """The entries whose item can be changed, each with its path."""
    seen: set[UUID] = set()
    for index, entry in enumerate(entries):
        path, item = f"{at}[{index}]", live.get(entry.item_id)
        if item is None:
            work.fault(f"{path}.id", "unknown", "must be one that this subscription has")
        elif item.id in seen:
            work.fault(f"{path}.id", "duplicate", "is listed already")
        elif item.id in gone:
            work.fault(f"{path}.id", "contradiction", "cannot be removed and changed as well")
        elif item.fee.type is FeeType.ONE_TIME and contract.is_billed:
            message = "was charged once, and does not change any more; add another"
            work.fault(f"{path}.id", "not_applicable", message)
        else:
            yield path, entry, item
        seen.add(entry.item_id)


def _repriced(
    entries: Sequence[ComponentChange],
    live: Mapping[UUID, Item],
    gone: set[UUID],
    contract: Contract,
    day: date,
    work: Resolution,
) -> Iterator[tuple[str, Item, Item]]:
    for path, entry, item in _targets(entries, _CHANGE, live, gone, contract, work):
        if entry.name is None and entry.price is None:
            work.fault(path, "missing", "needs a `name`, a `price_entry`, or both")
            continue
        to = replace(_another(item, work), name=entry.name or item.name)
        if entry.price is not None:
            at = f"{path}.price_entry"
            price = work.entered(entry.price, item.product_id, item.fee, at)
            if price is None:
                continue
            if not _slots_fit(item, price, day, at, work):
                continue
            to = replace(to, price_id=price.id, cadence=price.cadence, pricing=price.pricing)
        yield path, item, with_slots_of(item, to, day)


def _another(item: Item, work: Resolution) -> Item:
    """The item once more, with a life and an id of its own."""
    return replace(
        item,
        id=work.new_id(),
        starts_on=None,
        billed_from=None,
        replaces=item.id,
    )


def _slots_fit(item: Item, price: Price, day: date, path: str, work: Resolution) -> bool:
    if not isinstance(price.pricing, SlotPricing) or item.slots is None:
        return True
    slots = item.slots_on(day)
    least, most = price.pricing.min_slots or 0, price.pricing.max_slots
    if least <= slots and (most is None or slots <= most):
        return True
    bounds = f"{least} and more" if most is None else f"{least} to {most}"
    message = f"is for {bounds} slots, and this component has {slots}"
    work.fault(f"{path}.pricing", "out_of_bounds", message)
    return False


def _counted_anew(
    entries: Sequence[QuantityChange],
    live: Mapping[UUID, Item],
    gone: set[UUID],
    contract: Contract,
    facts: AmendmentFacts,
    day: date,
    work: Resolution,
) -> Iterator[tuple[str, Item, Item]]:
    counted = _had(live, gone)
    sold = {entry.add_on_id: entry for entry in facts.version.add_ons}
    for path, entry, item in _targets(entries, _CHANGE_ADD_ON, live, gone, contract, work):
        if entry.quantity == item.instances:
            work.fault(f"{path}.quantity", "unchanged", "is the quantity that it has")
            continue
        add_on_id = item.add_on_id
        assert add_on_id is not None, "an add-on is one of the catalog"
        counted[add_on_id] += entry.quantity - item.instances
        add_on = facts.add_ons.get(add_on_id)
        if add_on is not None and entry.quantity > item.instances:
            count = counted[add_on_id]
            within_limit(add_on, sold.get(add_on_id), count, path, work)
        another = with_slots_of(item, _another(item, work), day)
        yield path, item, replace(another, instances=entry.quantity)


def _had(live: Mapping[UUID, Item], gone: set[UUID]) -> Counter[UUID]:
    """How many of each add-on stay, as the contract counts them."""
    counted: Counter[UUID] = Counter()
    for item in live.values():
        if item.id not in gone and item.add_on_id is not None:
            counted[item.add_on_id] += item.instances
    return counted


def _components(
    request: AmendmentRequest,
    live: Mapping[UUID, Item],
    gone: set[UUID],
    facts: AmendmentFacts,
    work: Resolution,
) -> Iterator[tuple[str, Item]]:
    had = {item.component_id for item in live.values() if item.id not in gone}
    of_plan = {component.id: component for component in facts.version.components}
    for index, entry in enumerate(request.sold.parameterized):
        path, component = f"{_ADD_FROM_PLAN}[{index}]", of_plan.get(entry.component_id)
        if component is None:
            message = "must be a component of this subscription's plan version"
            work.fault(f"{path}.component_id", "unknown", message)
            continue
        if component.id in had:
            message = "is in this subscription already; change it, or remove it first"
            work.fault(f"{path}.component_id", "duplicate", message)
            continue
        had.add(component.id)
        item = planned_item(component, entry.parameters, f"{path}.parameters", work)
        if item is not None:
            yield path, item
    for index, extra in enumerate(request.sold.extra):
        path = f"{_ADD}[{index}]"
        item = extra_item(extra, path, facts.version, facts.products, facts.metric_ids, work)
        if item is not None:
            yield path, item


def _add_ons(
    request: AmendmentRequest,
    live: Mapping[UUID, Item],
    gone: set[UUID],
    facts: AmendmentFacts,
    work: Resolution,
) -> Iterator[tuple[str, Item]]:
    counted = _had(live, gone)
    for one in request.add_ons:
        item = live.get(one.item_id)
        if item is not None and item.id not in gone and item.add_on_id is not None:
            counted[item.add_on_id] += one.quantity - item.instances
    made = add_on_items(
        request.sold.add_ons, _ADD_ADD_ON, facts.version, facts.add_ons, counted, work
    )
    for item in made:
        yield _ADD_ADD_ON, item


def _in_its_rhythm(
    contract: Contract, items: Sequence[tuple[str, Item]], work: Resolution
) -> None:
    """What joins in the middle of a period cannot be billed more often than that."""
    for path, item in items:
        recurs = item.fee.type is not FeeType.ONE_TIME
        if recurs and item.cadence.months < contract.cadence.months:
            message = (
                f"{item.name!r} is billed by the {item.cadence.value} period, and this"
                f" subscription by the {contract.cadence.value} one; amend it at PERIOD_END"
            )
            work.fault(path, "too_often", message)


def _paid_no_longer(contract: Contract, gone: set[UUID], day: date, work: Resolution) -> None:
    """Nothing is given back at the end of a period, so what leaves then is paid up to there."""
    for at, kind in ((_REMOVE, "COMPONENT"), (_REMOVE_ADD_ON, "ADD_ON")):
        for item in contract.items:
            if item.id in gone and item.kind == kind and contract.is_billed:
                until = paid_until(contract, item, day)
                if until > day:
                    message = (
                        f"{item.name!r} is paid until {until.isoformat()}; remove it NOW, and"
                        " what is left is credited"
                    )
                    work.fault(at, "paid_for_longer", message)
