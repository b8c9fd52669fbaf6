"""What an offer can be at the most and at the least, and where a fault of it is told."""

from decimal import Decimal

import pytest

from tallystick.domain.errors import Fault, Unread
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.offer_request import (
    AddOnEntry,
    FaultyPrice,
    OfferRequest,
    Overridden,
    Parameterized,
    Parameters,
    PriceOverride,
)
from tallystick.domain.pricing import OneTimePricing
from tests.domain.orders import (
    MONTHLY,
    PLATFORM,
    SEATS,
    add_on,
    catalog,
    component,
    existing,
    messages,
    new_price,
    price,
    rate_pricing,
    refused,
    resolved,
    selling,
    slot_pricing,
    version,
)
from tests.domain.samples import named


def test_the_dearest_of_what_is_too_large_is_named() -> None:
    """Not the first, and not the last."""
    parts = [
        component(name, (rate_pricing(amount), MONTHLY))
        for name, amount in (("Small", "1"), ("Large", "90000000000000"), ("Else", "2"))
    ]
    (said,) = messages(catalog(version(*parts)), OfferRequest())
    assert said == "must not cost more than can be charged; `Large` costs the most"


@pytest.mark.parametrize(
    ("products", "is_kept"),
    [(None, True), (("Platform",), True), (("Else", "Platform"), True), (("Else",), False)],
)
def test_a_minimum_holds_where_something_of_it_is_sold(
    products: tuple[str, ...] | None, is_kept: bool
) -> None:
    """Of all products, or of those that it names."""
    ids = None if products is None else tuple(named(f"product {one}") for one in products)
    minimum = MinimumCommitment(amount=Decimal(50), product_ids=ids)
    made = resolved(catalog(version(PLATFORM, minimum=minimum)))
    assert made.minimum == (minimum if is_kept else None)


def test_what_is_charged_once_fulfils_no_minimum() -> None:
    """A setup alone is billed in no period."""
    minimum = MinimumCommitment(amount=Decimal(50), product_ids=None)
    setup = component("Setup", (OneTimePricing(unit_price=Decimal(9), quantity=1), MONTHLY))
    assert resolved(catalog(version(setup, minimum=minimum))).minimum is None


def test_slots_beside_another_price_are_told_where_they_stand() -> None:
    """Nine of at most three."""
    request = OfferRequest(
        overridden=(
            Overridden(
                component_id=SEATS.id, name="Seats", price=new_price(slot_pricing("5", 1, 3))
            ),
        ),
        parameterized=(
            Parameterized(component_id=SEATS.id, parameters=Parameters(initial_slot_count=9)),
        ),
    )
    ((path, code),) = refused(catalog(version(SEATS)), request)
    assert code == "out_of_bounds"
    assert path == ("components.parameterized_components[0].parameters.initial_slot_count")


def test_a_price_in_another_currency_is_one_fault() -> None:
    """At the price, and not at the add-on as well."""
    support = add_on("Support", rate_pricing("10"))
    entry = AddOnEntry(
        add_on_id=support.id,
        customization=PriceOverride(price=new_price(rate_pricing("9"), MONTHLY, "USD")),
    )
    facts = catalog(version(PLATFORM), add_ons=selling(support))
    assert refused(facts, OfferRequest(add_ons=(entry,))) == [
        ("add_ons[0].customization.price_entry.currency", "wrong_currency")
    ]


def test_a_price_of_the_catalog_in_another_currency_says_which() -> None:
    """Its own, and the plan's."""
    dollars = price("Seats", slot_pricing("5", 1, 50), currency="USD")
    request = OfferRequest(
        overridden=(Overridden(component_id=SEATS.id, name="Seats", price=existing(dollars)),)
    )
    (said,) = messages(catalog(version(SEATS), prices={dollars.id: dollars}), request)
    assert said == "is in USD, but the plan is sold in EUR"


def test_a_price_that_could_not_be_read_is_one_fault() -> None:
    """What was wrong with it was told when it was read."""
    fault = Fault("components.overridden_components[0].price_entry", "malformed", "is none")
    request = OfferRequest(
        overridden=(Overridden(component_id=SEATS.id, name="Seats", price=FaultyPrice()),),
        unread=Unread(faults=(fault,)),
    )
    assert refused(catalog(version(SEATS)), request) == [(fault.field, fault.code)]
