"""Every fault that a request to amend can have, with its path."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.amendment_request import (
    AmendmentRequest,
    ComponentChange,
    QuantityChange,
)
from tallystick.domain.catalog import PlanAddOn
from tallystick.domain.charges import Item, SlotChange
from tallystick.domain.errors import Fault, Unread
from tallystick.domain.money import AMOUNT_MAX
from tallystick.domain.offer_request import (
    AddOnEntry,
    ExistingProduct,
    Extra,
    NewProductEntry,
    OfferRequest,
    Parameterized,
    Parameters,
)
from tallystick.domain.pricing import (
    RateFee,
    RatePricing,
)
from tests.domain.amending import (
    BACKUP,
    DAY,
    FEE,
    HELP,
    SETUP,
    SUPPORT,
    THREE,
    VERSION,
    change,
    facts,
    living,
    message,
    own,
    refused,
    resolved,
    sold_add_on,
    wanted,
)
from tests.domain.offers import trial
from tests.domain.orders import (
    ANNUAL,
    MONTHLY,
    PLATFORM,
    SEATS,
    component,
    existing,
    new_price,
    price,
    rate_pricing,
    slot_pricing,
    version,
)
from tests.domain.samples import named


def test_something_must_be_different() -> None:
    """A request that names nothing is refused; one that names anything is not."""
    assert refused(wanted(), living(FEE)) == [("components", "missing")]
    nothing = change(FEE)
    assert refused(wanted(components=(nothing,)), living(FEE)) == [
        ("components.change[0]", "missing")
    ]
    extra = Extra(
        name="Audit",
        product=NewProductEntry(name="Audit", fee=RateFee()),
        price=new_price(rate_pricing("15")),
    )
    seats = Parameterized(component_id=SEATS.id, parameters=Parameters(billing_period=MONTHLY))
    backup = AddOnEntry(add_on_id=BACKUP.id)
    for sold in ({"extra": (extra,)}, {"parameterized": (seats,)}, {"add_ons": (backup,)}):
        assert len(resolved(wanted(sold), living(FEE)).added) == 1
    more = QuantityChange(item_id=HELP.id, quantity=3)
    assert len(resolved(wanted(add_ons=(more,)), living(HELP)).changed) == 1
    assert resolved(wanted(removed_add_ons=(HELP.id,)), living(FEE, HELP)).removed


def test_only_what_is_there_can_leave_or_change() -> None:
    """Once, and not what has left or is of the other kind; each with its place."""
    gone = replace(THREE, ends_on=DAY)
    lives = replace(living(FEE, HELP), items=(FEE, HELP, gone))
    request = wanted(
        removed_components=(FEE.id, FEE.id, HELP.id, gone.id),
        removed_add_ons=(FEE.id,),
        components=(change(gone, name="x"), change(HELP, name="y")),
        add_ons=(QuantityChange(item_id=FEE.id, quantity=2),),
    )
    assert refused(request, lives) == [
        ("components.remove[1]", "duplicate"),
        ("components.remove[2]", "unknown"),
        ("components.remove[3]", "unknown"),
        ("add_ons.remove[0]", "unknown"),
        ("components.change[0].id", "unknown"),
        ("components.change[1].id", "unknown"),
        ("add_ons.change[0].id", "unknown"),
    ]


def test_an_item_changes_once_and_does_not_leave_as_well() -> None:
    """Nor does what was charged already change."""
    request = wanted(
        removed_components=(THREE.id,),
        components=(
            change(FEE, name="x"),
            change(FEE, name="y"),
            change(THREE, name="z"),
            change(SETUP, name="w"),
        ),
    )
    assert refused(request, living(FEE, THREE, SETUP)) == [
        ("components.change[1].id", "duplicate"),
        ("components.change[2].id", "contradiction"),
        ("components.change[3].id", "not_applicable"),
    ]
    tried = living(FEE, SETUP, trial=trial(30))
    (renamed,) = resolved(wanted(components=(change(SETUP, name="w"),)), tried).renamed
    assert renamed.name == "w"


def test_a_price_must_be_one_of_the_product() -> None:
    """In its currency, of its kind; and then nothing is changed by it."""
    other = price("Else", rate_pricing("1"))
    entry = ComponentChange(item_id=FEE.id, price=existing(other))
    at = "components.change[0].price_entry"
    assert refused(wanted(components=(entry,)), living(FEE), facts(prices=(other,))) == [
        (f"{at}.id", "unknown")
    ]
    wrong = ComponentChange(item_id=FEE.id, price=new_price(slot_pricing("1"), currency="USD"))
    assert refused(wanted(components=(wrong,)), living(FEE)) == [
        (f"{at}.currency", "wrong_currency"),
        (f"{at}.pricing", "wrong_fee_type"),
    ]


@pytest.mark.parametrize(
    ("least", "most", "bounds"),
    [
        (1, 3, None),
        (3, None, None),
        (None, 3, None),
        (None, None, None),
        (3, 3, None),
        (4, None, "4 and more"),
        (1, 2, "1 to 2"),
        (None, 2, "0 to 2"),
        (4, 9, "4 to 9"),
    ],
)
def test_slots_must_fit_the_new_price(
    least: int | None, most: int | None, bounds: str | None
) -> None:
    """Three of them, as many as there are on the day."""
    request = wanted(components=(change(THREE, slot_pricing("12", least, most)),))
    if bounds is None:
        assert resolved(request, living(THREE)).changed[0].to.slots == 3
        return
    assert refused(request, living(THREE)) == [
        ("components.change[0].price_entry.pricing", "out_of_bounds")
    ]
    said = f"is for {bounds} slots, and this component has 3"
    assert message(request, living(THREE)) == said


def test_slots_are_those_of_the_day() -> None:
    """Two have come on the tenth: five."""
    more = replace(THREE, slot_changes=(SlotChange(delta=2, on=date(2024, 1, 10)),))
    lives = replace(living(THREE), items=(more,))
    request = wanted(components=(change(THREE, slot_pricing("12", 1, 4)),))
    assert message(request, lives) == "is for 1 to 4 slots, and this component has 5"


def test_an_add_on_has_its_limit() -> None:
    """At most five of it, counted over all that are had; fewer is always allowed."""
    three = sold_add_on("Support", "10", 3, id=named("own more support"))
    lives = living(FEE, HELP, three)

    def of(*counts: tuple[Item, int], **fields: Any) -> AmendmentRequest:  # noqa: ANN401
        changes = tuple(QuantityChange(item_id=one.id, quantity=n) for one, n in counts)
        return wanted(fields.pop("sold", None), add_ons=changes, **fields)

    above = [("add_ons.change[0].quantity", "above_limit")]
    assert refused(of((HELP, 3)), lives) == above
    assert resolved(of((HELP, 1)), lives).changed[0].to.instances == 1
    assert refused(of((HELP, 2)), lives) == [("add_ons.change[0].quantity", "unchanged")]
    swapped = resolved(of((HELP, 1), (three, 4)), lives)
    assert [one.to.instances for one in swapped.changed] == [1, 4]
    assert resolved(of((HELP, 5), removed_add_ons=(three.id,)), lives).changed
    six = of((HELP, 6), removed_add_ons=(three.id,))
    assert refused(six, lives) == above
    joins = {"add_ons": (AddOnEntry(add_on_id=SUPPORT.id, quantity=1),)}
    added = [("add_ons.add[0].quantity", "above_limit")]
    assert refused(wanted(joins), lives) == added
    assert len(resolved(of((HELP, 1), sold=joins), lives).added) == 1
    assert len(resolved(wanted(joins, removed_add_ons=(HELP.id,)), lives).added) == 1
    assert refused(of((HELP, 1), (three, 4), sold=joins), lives) == added


def test_the_plan_may_lower_the_limit() -> None:
    """To two; an add-on that is gone from the catalog has none any more."""
    lowered = replace(VERSION, add_ons=(PlanAddOn(add_on_id=SUPPORT.id, max_instances=2),))
    request = wanted(add_ons=(QuantityChange(item_id=HELP.id, quantity=3),))
    assert refused(request, living(HELP), facts(lowered)) == [
        ("add_ons.change[0].quantity", "above_limit")
    ]
    assert resolved(request, living(HELP), facts(lowered, add_ons={})).changed


def test_what_joins_must_be_of_the_plan_and_not_be_there() -> None:
    """Neither twice by one request."""

    def one(component_id: UUID) -> Parameterized:
        return Parameterized(
            component_id=component_id, parameters=Parameters(billing_period=MONTHLY)
        )

    at = "components.add_from_plan"
    request = wanted(
        {"parameterized": (one(named("else")), one(PLATFORM.id), one(SEATS.id), one(SEATS.id))}
    )
    assert refused(request, living(FEE)) == [
        (f"{at}[0].component_id", "unknown"),
        (f"{at}[1].component_id", "duplicate"),
        (f"{at}[3].component_id", "duplicate"),
    ]
    unpriced = Parameterized(component_id=SEATS.id, parameters=Parameters())
    assert refused(wanted({"parameterized": (unpriced,)}), living(FEE)) == [
        (f"{at}[0].parameters", "ambiguous_price")
    ]
    extra = Extra(
        name="Else",
        product=ExistingProduct(id=named("product Else")),
        price=new_price(rate_pricing("1")),
    )
    assert refused(wanted({"extra": (extra,)}), living(FEE)) == [
        ("components.add[0].product_ref.id", "unknown")
    ]
    nobody = AddOnEntry(add_on_id=named("else"))
    assert refused(wanted({"add_ons": (nobody,)}), living(FEE)) == [
        ("add_ons.add[0].add_on_id", "unknown")
    ]


def test_in_the_middle_nothing_is_billed_more_often() -> None:
    """A month in a year's subscription: at the end of the period, not now."""
    yearly = own("Yearly", rate_pricing("300"), ANNUAL)
    lives = living(yearly)
    joins = wanted({"add_ons": (AddOnEntry(add_on_id=BACKUP.id),)})
    assert refused(joins, lives) == [("add_ons.add", "too_often")]
    assert message(joins, lives) == (
        "'Backup' is billed by the MONTHLY period, and this subscription by the ANNUAL one;"
        " amend it at PERIOD_END"
    )
    repriced = wanted(components=(change(yearly, rate_pricing("30")),))
    assert refused(repriced, lives) == [("components.change[0]", "too_often")]
    assert resolved(repriced, lives, at_period_end=True).changed
    assert resolved(joins, living(yearly, trial=trial(30))).added


def test_at_the_end_what_leaves_must_be_paid_no_longer() -> None:
    """A year's fee beside a month's: in February it is paid until next January."""
    yearly = own("Yearly", rate_pricing("300"), ANNUAL)
    lives = living(FEE, yearly, HELP)

    def leaving(*ids: UUID) -> AmendmentRequest:
        return wanted(removed_components=ids)

    assert message(leaving(yearly.id), lives, at_period_end=True) == (
        "'Yearly' is paid until 2025-01-01; remove it NOW, and what is left is credited"
    )
    assert refused(leaving(FEE.id, yearly.id), lives, at_period_end=True) == [
        ("components.remove", "paid_for_longer")
    ]
    assert resolved(leaving(yearly.id), lives).removed == (yearly.id,)
    assert resolved(leaving(FEE.id), lives, at_period_end=True).removed == (FEE.id,)
    tried = living(FEE, yearly, trial=trial(30))
    assert resolved(leaving(yearly.id), tried, at_period_end=True).removed == (yearly.id,)
    long = sold_add_on("Backup", "50", cadence=ANNUAL)
    assert refused(
        wanted(removed_add_ons=(long.id,)), living(FEE, long), at_period_end=True
    ) == [("add_ons.remove", "paid_for_longer")]


def test_it_must_not_cost_more_than_can_be_charged() -> None:
    """Together with what stays, not with what leaves; two years of it on one invoice."""
    large = RatePricing(rate=Decimal(AMOUNT_MAX // 4 // 24 // 100))
    fits = own("Large", large)
    lives = living(FEE)
    too_large = [("components", "too_large")]
    assert resolved(wanted(components=(change(FEE, large),)), lives).changed
    assert refused(wanted(components=(change(FEE, large),)), living(FEE, THREE)) == too_large
    swap = wanted(components=(change(FEE, large),), removed_components=(THREE.id,))
    assert resolved(swap, living(FEE, THREE)).changed
    backup = {"add_ons": (AddOnEntry(add_on_id=BACKUP.id),)}
    assert refused(wanted(backup), living(fits)) == too_large
    assert resolved(wanted(backup, removed_components=(fits.id,)), living(fits)).added
    assert (
        refused(wanted(components=(change(fits, name="x"),)), living(fits, HELP)) == too_large
    )


def test_what_could_not_be_read_is_told_first() -> None:
    """With every fault of the rest."""
    unread = Unread(faults=(Fault("components.add[0].name", "required", "is required"),))
    request = AmendmentRequest(
        sold=OfferRequest(unread=unread), removed_components=(named("else"),)
    )
    assert refused(request, living(FEE)) == [
        ("components.add[0].name", "required"),
        ("components.remove[0]", "unknown"),
    ]


def test_the_prices_that_a_request_names() -> None:
    """Of what joins and of what changes, as far as they are of the catalog."""
    known, other = price("Platform", rate_pricing("1")), price("Support", rate_pricing("2"))
    extra = Extra(
        name="Support", product=ExistingProduct(id=other.product_id), price=existing(other)
    )
    request = wanted(
        {"extra": (extra,)},
        components=(
            ComponentChange(item_id=FEE.id, price=existing(known)),
            change(THREE, rate_pricing("3")),
            change(HELP, name="x"),
        ),
    )
    assert request.price_ids == [other.id, known.id]


def test_components_are_those_of_the_version() -> None:
    """One of another version is unknown."""
    old = component("Old", (rate_pricing("1"), MONTHLY))
    again = Parameterized(component_id=old.id, parameters=Parameters())
    request = wanted({"parameterized": (again,)})
    assert refused(request, living(FEE)) == [
        ("components.add_from_plan[0].component_id", "unknown")
    ]
    assert resolved(request, living(FEE), facts(version(old))).added
