"""The components of an offer: chosen, overridden, added, removed, or refused with a path."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tallystick.domain.offer_request import (
    OfferRequest,
    Overridden,
    Parameterized,
    Parameters,
    PriceEntry,
)
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import CapacityPricing, OneTimePricing, Price, Pricing
from tests.domain.orders import (
    ANNUAL,
    BANDWIDTH,
    MONTHLY,
    PLATFORM,
    QUARTERLY,
    SEATS,
    capacity_pricing,
    catalog,
    component,
    existing,
    messages,
    new_price,
    price,
    rate_pricing,
    refused,
    resolved,
    slot_pricing,
    sold,
    version,
)
from tests.domain.samples import named

PARAMETERS = "components.parameterized_components"
OVERRIDES = "components.overridden_components"
REMOVED = "components.remove_components"

STARTER = catalog(version(PLATFORM, SEATS))
METERED = catalog(version(BANDWIDTH))
UNKNOWN = named("nothing")
ONE_TIME = OneTimePricing(unit_price=Decimal(200), quantity=1)


def _choosing(
    name: str,
    period: Cadence | None = None,
    capacity: int | None = None,
    slots: int | None = None,
) -> Parameterized:
    return Parameterized(
        component_id=named(f"component {name}"),
        parameters=Parameters(
            billing_period=period, committed_capacity=capacity, initial_slot_count=slots
        ),
    )


def _overriding(name: str, entry: PriceEntry, renamed: str = "Special") -> Overridden:
    return Overridden(component_id=named(f"component {name}"), name=renamed, price=entry)


# As the plan has them.


def test_components_become_items_in_their_order() -> None:
    """Name, product, price, cadence and the plan's component; instances are one."""
    made = resolved(catalog(version(PLATFORM, component("Fixed", (rate_pricing("5"), ANNUAL)))))
    assert sold(made) == [
        ("Platform", "MONTHLY", rate_pricing("29")),
        ("Fixed", "ANNUAL", rate_pricing("5")),
    ]
    first = made.items[0]
    assert (first.kind, first.instances, first.slots) == ("COMPONENT", 1, None)
    assert first.component_id == PLATFORM.id
    assert first.add_on_id is None
    assert (first.product_id, first.price_id) == (PLATFORM.product_id, PLATFORM.prices[0].id)
    assert (made.new_products, made.new_prices) == ((), ())


@pytest.mark.parametrize(
    ("pricing", "slots"),
    [(slot_pricing("10", 3), 3), (slot_pricing("10", None), 0), (rate_pricing("10"), None)],
)
def test_slots_begin_at_their_least(pricing: Pricing, slots: int | None) -> None:
    """The minimum, else none; a fee without slots has no count."""
    made = resolved(catalog(version(component("Only", (pricing, MONTHLY)))))
    assert made.items[0].slots == slots


# Parameters.


def test_the_cadence_chooses_the_price() -> None:
    """Twelve seats by the year."""
    made = resolved(
        STARTER, OfferRequest(parameterized=(_choosing("Seats", ANNUAL, slots=12),))
    )
    assert sold(made)[1:] == [("Seats", "ANNUAL", slot_pricing("96", 1, 50))]
    assert made.items[1].slots == 12


@pytest.mark.parametrize(
    ("period", "capacity", "amount"),
    [(MONTHLY, 100, "50"), (None, 200, "80"), (ANNUAL, None, "500"), (ANNUAL, 100, "500")],
)
def test_cadence_and_capacity_choose_together(
    period: Cadence | None, capacity: int | None, amount: str
) -> None:
    """Whatever leaves exactly one price will do."""
    wanted = OfferRequest(parameterized=(_choosing("Bandwidth", period, capacity),))
    (item,) = resolved(METERED, wanted).items
    assert isinstance(item.pricing, CapacityPricing)
    assert item.pricing.rate == rate_pricing(amount).rate


@pytest.mark.parametrize(
    ("period", "capacity", "code"),
    [
        (None, None, "ambiguous_price"),
        (MONTHLY, None, "ambiguous_price"),
        (None, 100, "ambiguous_price"),
        (QUARTERLY, None, "no_such_price"),
        (ANNUAL, 200, "no_such_price"),
        (None, 300, "no_such_price"),
    ],
)
def test_one_price_must_remain(period: Cadence | None, capacity: int | None, code: str) -> None:
    """Several or none left: the message lists the choices."""
    wanted = OfferRequest(parameterized=(_choosing("Bandwidth", period, capacity),))
    assert refused(METERED, wanted) == [(f"{PARAMETERS}[0].parameters", code)]
    (message,) = messages(METERED, wanted)
    subject, choices = message.split("; choose among: ")
    assert subject == "component 'Bandwidth' needs exactly one price"
    assert choices == (
        "MONTHLY with 100 included, MONTHLY with 200 included, ANNUAL with 100 included"
    )


def test_a_choice_that_nobody_made_is_asked_for() -> None:
    """Without an entry for the component the list of entries is at fault."""
    assert refused(STARTER) == [(PARAMETERS, "ambiguous_price")]


@pytest.mark.parametrize(
    ("count", "problem"),
    [(1, None), (50, None), (0, "between 1 and 50"), (51, "between 1 and 50")],
)
def test_slots_stay_within_their_bounds(count: int, problem: str | None) -> None:
    """Between the price's least and most."""
    wanted = OfferRequest(parameterized=(_choosing("Seats", MONTHLY, slots=count),))
    if problem is None:
        assert resolved(STARTER, wanted).items[1].slots == count
    else:
        path = f"{PARAMETERS}[0].parameters.initial_slot_count"
        assert refused(STARTER, wanted) == [(path, "out_of_bounds")]
        assert messages(STARTER, wanted) == [f"must be {problem}"]


def test_slots_without_a_most() -> None:
    """Only the least is said."""
    facts = catalog(version(component("Seats", (slot_pricing("10", 2), MONTHLY))))
    wanted = OfferRequest(parameterized=(_choosing("Seats", slots=1),))
    assert messages(facts, wanted) == ["must be at least 2"]
    plenty = OfferRequest(parameterized=(_choosing("Seats", slots=1000),))
    assert resolved(facts, plenty).items[0].slots == 1000


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        (_choosing("Platform", slots=3), "initial_slot_count"),
        (_choosing("Platform", capacity=100), "committed_capacity"),
    ],
)
def test_parameters_must_fit_the_fee(parameters: Parameterized, field: str) -> None:
    """A fixed fee has neither slots nor a capacity."""
    facts = catalog(version(PLATFORM))
    wanted = OfferRequest(parameterized=(parameters,))
    path = f"{PARAMETERS}[0].parameters.{field}"
    assert refused(facts, wanted) == [(path, "not_applicable")]


def test_a_component_is_parameterized_once() -> None:
    """And only one of this plan version."""
    wanted = OfferRequest(
        parameterized=(
            _choosing("Seats", MONTHLY),
            _choosing("Seats", ANNUAL),
            _choosing("Nothing"),
        )
    )
    assert refused(STARTER, wanted) == [
        (f"{PARAMETERS}[1].component_id", "duplicate"),
        (f"{PARAMETERS}[2].component_id", "unknown"),
    ]


# Overrides.


def test_an_override_replaces_price_and_name() -> None:
    """The product stays; a new price is brought along."""
    entry = new_price(rate_pricing("19"), QUARTERLY)
    made = resolved(
        catalog(version(PLATFORM)), OfferRequest(overridden=(_overriding("Platform", entry),))
    )
    (item,) = made.items
    assert sold(made) == [("Special", "QUARTERLY", rate_pricing("19"))]
    assert (item.product_id, item.component_id) == (PLATFORM.product_id, PLATFORM.id)
    assert made.new_prices == (
        Price(
            id=item.price_id,
            product_id=PLATFORM.product_id,
            cadence=QUARTERLY,
            currency="EUR",
            pricing=rate_pricing("19"),
        ),
    )


def test_an_override_may_name_a_price_of_the_product() -> None:
    """Nothing new is made then."""
    other = price("Platform", rate_pricing("9"))
    facts = catalog(version(PLATFORM), prices={other.id: other})
    made = resolved(facts, OfferRequest(overridden=(_overriding("Platform", existing(other)),)))
    assert made.items[0].price_id == other.id
    assert made.new_prices == ()


def test_slots_with_an_override_count_in_its_price() -> None:
    """Twenty seats at the overriding price, within its bounds."""
    wanted = OfferRequest(
        parameterized=(_choosing("Seats", slots=60),),
        overridden=(_overriding("Seats", new_price(slot_pricing("8", 20, 100))),),
    )
    facts = catalog(version(SEATS))
    (item,) = resolved(facts, wanted).items
    assert (item.slots, item.pricing) == (60, slot_pricing("8", 20, 100))
    alone = OfferRequest(overridden=wanted.overridden)
    assert resolved(facts, alone).items[0].slots == 20


@pytest.mark.parametrize(
    ("entry", "path", "code"),
    [
        (new_price(rate_pricing("9"), currency="USD"), ".currency", "wrong_currency"),
        (new_price(slot_pricing("9")), ".pricing", "wrong_fee_type"),
        (
            existing(price("Platform", rate_pricing("8"), currency="USD")),
            ".id",
            "wrong_currency",
        ),
        (existing(price("Another", rate_pricing("8"))), ".id", "unknown"),
        (existing(price("Platform", rate_pricing("77"))), ".id", "unknown"),
    ],
)
def test_an_overriding_price_must_suit(entry: PriceEntry, path: str, code: str) -> None:
    """The plan's currency, the product's fee type, a price of this product."""
    known = [
        price("Platform", rate_pricing("8"), currency="USD"),
        price("Another", rate_pricing("8")),
    ]
    facts = catalog(version(PLATFORM), prices={one.id: one for one in known})
    wanted = OfferRequest(overridden=(_overriding("Platform", entry),))
    assert refused(facts, wanted) == [(f"{OVERRIDES}[0].price_entry{path}", code)]


def test_both_faults_of_a_price_are_told() -> None:
    """Currency and fee type."""
    entry = new_price(slot_pricing("9"), currency="USD")
    wanted = OfferRequest(overridden=(_overriding("Platform", entry),))
    assert messages(catalog(version(PLATFORM)), wanted) == [
        "is in USD, but the plan is sold in EUR",
        "must be RATE pricing, as the fee of the product says",
    ]


def test_parameters_beside_an_override_say_the_same_or_nothing() -> None:
    """Its cadence and its capacity are the price's own."""
    entry = new_price(capacity_pricing("60", 150))
    path = f"{PARAMETERS}[0].parameters"
    for parameters, faults in (
        (_choosing("Bandwidth", MONTHLY, 150), []),
        (_choosing("Bandwidth", ANNUAL), [(f"{path}.billing_period", "contradiction")]),
        (
            _choosing("Bandwidth", ANNUAL, 100),
            [
                (f"{path}.billing_period", "contradiction"),
                (f"{path}.committed_capacity", "contradiction"),
            ],
        ),
    ):
        wanted = OfferRequest(
            parameterized=(parameters,), overridden=(_overriding("Bandwidth", entry),)
        )
        if faults:
            assert refused(METERED, wanted) == faults
        else:
            assert resolved(METERED, wanted).items[0].pricing == capacity_pricing("60", 150)


@pytest.mark.parametrize("period", [None, MONTHLY, ANNUAL])
def test_a_one_time_fee_has_no_period_to_choose(period: Cadence | None) -> None:
    """A period named for it means nothing, with the plan's price and with another."""
    setup = component("Setup", (ONE_TIME, MONTHLY))
    choice = _choosing("Setup", period)
    made = resolved(catalog(version(setup)), OfferRequest(parameterized=(choice,)))
    assert sold(made) == [("Setup", "MONTHLY", ONE_TIME)]

    dearer = replace(ONE_TIME, unit_price=Decimal(300))
    override = _overriding("Setup", new_price(dearer, QUARTERLY))
    wanted = OfferRequest(parameterized=(choice,), overridden=(override,))
    changed = resolved(catalog(version(setup)), wanted)
    assert [item.pricing for item in changed.items] == [dearer]
    assert changed.cadence is MONTHLY


def test_a_capacity_beside_an_override_without_one() -> None:
    """There is nothing to commit to."""
    wanted = OfferRequest(
        parameterized=(_choosing("Platform", capacity=100),),
        overridden=(_overriding("Platform", new_price(rate_pricing("9"))),),
    )
    assert refused(catalog(version(PLATFORM)), wanted) == [
        (f"{PARAMETERS}[0].parameters.committed_capacity", "not_applicable")
    ]


def test_a_component_is_overridden_once() -> None:
    """And only one of this plan version."""
    entry = new_price(rate_pricing("9"))
    wanted = OfferRequest(
        overridden=(
            _overriding("Platform", entry),
            _overriding("Platform", entry),
            _overriding("Nothing", entry),
        )
    )
    assert refused(catalog(version(PLATFORM)), wanted) == [
        (f"{OVERRIDES}[1].component_id", "duplicate"),
        (f"{OVERRIDES}[2].component_id", "unknown"),
    ]


# Removals.


def test_removed_components_are_not_sold() -> None:
    """The choice that they would need is not asked for either."""
    made = resolved(STARTER, OfferRequest(removed=(SEATS.id,)))
    assert [item.name for item in made.items] == ["Platform"]
    assert resolved(STARTER, OfferRequest(removed=(SEATS.id, PLATFORM.id))).items == ()


def test_removals_are_of_this_plan_once_and_alone() -> None:
    """Unknown, listed twice, changed as well."""
    wanted = OfferRequest(
        parameterized=(_choosing("Seats", MONTHLY),),
        overridden=(_overriding("Platform", new_price(rate_pricing("9"))),),
        removed=(UNKNOWN, SEATS.id, SEATS.id, PLATFORM.id),
    )
    assert refused(STARTER, wanted) == [
        (f"{REMOVED}[0]", "unknown"),
        (f"{REMOVED}[1]", "contradiction"),
        (f"{REMOVED}[2]", "duplicate"),
        (f"{REMOVED}[3]", "contradiction"),
    ]
