"""The add-ons of an offer: what may be sold with the plan, at which price, and how many."""

from collections.abc import Mapping, Sequence
from typing import assert_never
from uuid import UUID

from tallystick.domain.catalog import AddOn, PlanAddOn, PlanVersion
from tallystick.domain.charges import Item
from tallystick.domain.offer_request import AddOnEntry, OfferRequest, Parameters, PriceOverride
from tallystick.domain.pricing import Price
from tallystick.domain.resolve_prices import Resolution


def resolve_add_ons(
    request: OfferRequest,
    version: PlanVersion,
    add_ons: Mapping[UUID, AddOn],
    work: Resolution,
) -> list[Item]:
    """The add-on items of the offer; faults are noted in `work`."""
    return add_on_items(request.add_ons, "add_ons", version, add_ons, {}, work)


def add_on_items(
    entries: Sequence[AddOnEntry],
    at: str,
    version: PlanVersion,
    add_ons: Mapping[UUID, AddOn],
    counted: dict[UUID, int],
    work: Resolution,
) -> list[Item]:
    """Add-ons that are to be sold with a plan version.

    The smaller of the add-on's limit and the plan's holds, counted over all entries of an
    add-on and what is had of it.

    Args:
        entries: What is wanted, under the path `at`.
        at: The path of the list in the request.
        version: What the plan says about its add-ons.
        add_ons: Those of the catalog that the entries name.
        counted: How many of each add-on are had; the entries are added to it.
        work: Gets the faults.
    """
    sold = {entry.add_on_id: entry for entry in version.add_ons}
    items: list[Item] = []
    for index, entry in enumerate(entries):
        path = f"{at}[{index}]"
        add_on = add_ons.get(entry.add_on_id)
        if add_on is None:
            work.fault(f"{path}.add_on_id", "unknown", "must be an add-on of this catalog")
            continue
        if add_on.archived_at is not None:
            work.fault(f"{path}.add_on_id", "archived", "this add-on is archived")
            continue
        if sold and add_on.id not in sold:
            names = ", ".join(sorted(add_ons[one].name for one in sold if one in add_ons))
            hint = f"; it is sold with: {names}" if names else ""
            work.fault(
                f"{path}.add_on_id", "not_sold", f"is not sold with this plan version{hint}"
            )
            continue
        plan_entry = sold.get(add_on.id)
        counted[add_on.id] = counted.get(add_on.id, 0) + entry.quantity
        within_limit(add_on, plan_entry, counted[add_on.id], path, work)
        item = _add_on(entry, add_on, plan_entry, path, work)
        if item is not None:
            items.append(item)
    return items


def within_limit(
    add_on: AddOn, plan_entry: PlanAddOn | None, count: int, path: str, work: Resolution
) -> None:
    """Note a fault where more of an add-on is wanted than can be bought."""
    limits = [
        limit
        for limit in (add_on.max_instances, plan_entry.max_instances if plan_entry else None)
        if limit is not None
    ]
    if limits and count > min(limits):
        work.fault(
            f"{path}.quantity",
            "above_limit",
            f"at most {min(limits)} of this add-on can be bought, counted over all entries",
        )


def _add_on(
    entry: AddOnEntry,
    add_on: AddOn,
    plan_entry: PlanAddOn | None,
    path: str,
    work: Resolution,
) -> Item | None:
    listed = add_on.price
    if plan_entry is not None and plan_entry.price is not None:
        listed = plan_entry.price
    name, wanted = add_on.name, Parameters()
    price: Price | None
    match entry.customization:
        case PriceOverride(price=price_entry, name=new_name):
            price = work.entered(
                price_entry,
                add_on.product.id,
                add_on.product.fee,
                f"{path}.customization.price_entry",
            )
            name = new_name or name
        case Parameters() as wanted:
            price = work.chosen(
                (listed,), wanted, f"{path}.customization", f"add-on {add_on.name!r}"
            )
        case None:
            price = listed
        case _:
            assert_never(entry.customization)
    if price is None:
        return None
    if price.currency != work.currency:
        work.fault(
            f"{path}.add_on_id",
            "wrong_currency",
            f"is priced in {price.currency}, but the plan is sold in {work.currency}",
        )
        return None
    return Item(
        id=work.new_id(),
        kind="ADD_ON",
        name=name,
        product_id=add_on.product.id,
        price_id=price.id,
        fee=add_on.product.fee,
        cadence=price.cadence,
        pricing=price.pricing,
        add_on_id=add_on.id,
        instances=entry.quantity,
        slots=work.slots(
            price, add_on.product.fee, wanted.initial_slot_count, f"{path}.customization"
        ),
    )
