"""The add-ons of an offer: what may be sold with a plan, at which price, and how many."""

from decimal import Decimal

import pytest

from tallystick.domain.catalog import PlanAddOn
from tallystick.domain.offer_request import (
    AddOnEntry,
    OfferRequest,
    Parameters,
    PriceEntry,
    PriceOverride,
)
from tallystick.domain.pricing import OneTimePricing, Pricing
from tests.domain.offers import quoted
from tests.domain.orders import (
    ANNUAL,
    MONTHLY,
    PLATFORM,
    add_on,
    capacity_pricing,
    catalog,
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

SUPPORT = add_on("Support", rate_pricing("20"), most=3)
AGENTS = add_on("Agents", slot_pricing("5", 2, 10))
STORAGE = add_on("Storage", capacity_pricing("50", 100))
SETUP = OneTimePricing(unit_price=Decimal(100), quantity=3)
ANY = catalog(version(), add_ons=selling(SUPPORT, AGENTS, STORAGE, add_on("Setup", SETUP)))


def _wanting(*entries: AddOnEntry) -> OfferRequest:
    return OfferRequest(add_ons=entries)


def _entry(
    name: str, quantity: int = 1, customization: PriceOverride | Parameters | None = None
) -> AddOnEntry:
    return AddOnEntry(
        add_on_id=named(f"add-on {name}"), quantity=quantity, customization=customization
    )


def _override(entry: PriceEntry, name: str | None = None) -> PriceOverride:
    return PriceOverride(price=entry, name=name)


def test_an_add_on_becomes_an_item() -> None:
    """Its quantity are instances of its own price; components come first."""
    facts = catalog(version(PLATFORM), add_ons=selling(SUPPORT))
    made = resolved(facts, _wanting(_entry("Support", 2)))
    item = made.items[1]
    assert (item.kind, item.name, item.instances) == ("ADD_ON", "Support", 2)
    assert (item.add_on_id, item.component_id) == (SUPPORT.id, None)
    assert (item.product_id, item.price_id) == (SUPPORT.product.id, SUPPORT.price.id)
    assert quoted(made).amount_due == 2900 + 2 * 2000


def test_slots_of_an_add_on_count_in_every_instance() -> None:
    """Four agents, three times, at five euros: twelve."""
    made = resolved(ANY, _wanting(_entry("Agents", 3, Parameters(initial_slot_count=4))))
    assert (made.items[0].slots, made.items[0].instances) == (4, 3)
    bill = quoted(made).bill
    assert bill is not None
    assert (bill.lines[0].charge.computation.quantity, bill.total) == (12, 6000)
    alone = resolved(ANY, _wanting(_entry("Agents", 3)))
    assert alone.items[0].slots == 2


def test_a_one_time_add_on_is_charged_once_per_instance() -> None:
    """Two onboardings of three hours at 100.00."""
    made = resolved(ANY, _wanting(_entry("Setup", 2)))
    assert (quoted(made).amount_due, quoted(made).upcoming) == (60000, ())


# What may be sold.


def test_only_unarchived_add_ons_of_the_catalog() -> None:
    """Unknown and archived ones, each with its path."""
    facts = catalog(
        version(), add_ons=selling(add_on("Gone", rate_pricing("1"), archived=True))
    )
    assert refused(facts, _wanting(_entry("Nothing"), _entry("Gone"))) == [
        ("add_ons[0].add_on_id", "unknown"),
        ("add_ons[1].add_on_id", "archived"),
    ]


def test_a_version_that_lists_add_ons_sells_only_those() -> None:
    """The message names what it does sell, where that is known."""
    listing = version(add_ons=(PlanAddOn(add_on_id=SUPPORT.id),))
    facts = catalog(listing, add_ons=selling(SUPPORT, AGENTS))
    assert resolved(facts, _wanting(_entry("Support"))).items[0].name == "Support"
    assert refused(facts, _wanting(_entry("Agents"))) == [("add_ons[0].add_on_id", "not_sold")]
    assert messages(facts, _wanting(_entry("Agents"))) == [
        "is not sold with this plan version; it is sold with: Support"
    ]
    without = catalog(listing, add_ons=selling(AGENTS))
    assert messages(without, _wanting(_entry("Agents"))) == [
        "is not sold with this plan version"
    ]


@pytest.mark.parametrize(
    ("own", "plans", "quantity", "most"),
    [
        (3, None, 3, None),
        (3, None, 4, 3),
        (3, 2, 3, 2),
        (2, 3, 3, 2),
        (None, 2, 3, 2),
        (None, None, 1000, None),
    ],
)
def test_the_smaller_limit_holds(
    own: int | None, plans: int | None, quantity: int, most: int | None
) -> None:
    """The add-on's, or the plan's entry for it."""
    limited = add_on("Limited", rate_pricing("1"), most=own)
    listing = version(add_ons=(PlanAddOn(add_on_id=limited.id, max_instances=plans),))
    facts = catalog(listing, add_ons=selling(limited))
    wanted = _wanting(_entry("Limited", quantity))
    if most is None:
        assert resolved(facts, wanted).items[0].instances == quantity
    else:
        assert refused(facts, wanted) == [("add_ons[0].quantity", "above_limit")]
        assert messages(facts, wanted) == [
            f"at most {most} of this add-on can be bought, counted over all entries"
        ]


def test_the_limit_counts_over_all_entries() -> None:
    """Two and two are four; another add-on counts for itself."""
    wanted = _wanting(_entry("Support", 2), _entry("Agents", 9), _entry("Support", 2))
    assert refused(ANY, wanted) == [("add_ons[2].quantity", "above_limit")]
    within = _wanting(_entry("Support", 2), _entry("Support", 1))
    assert [item.instances for item in resolved(ANY, within).items] == [2, 1]


# At which price.


def test_the_price_of_the_plans_entry_goes_first() -> None:
    """A plan may sell an add-on for less."""
    cheaper = price("Support", rate_pricing("15"))
    listing = version(add_ons=(PlanAddOn(add_on_id=SUPPORT.id, price=cheaper),))
    facts = catalog(listing, add_ons=selling(SUPPORT))
    (item,) = resolved(facts, _wanting(_entry("Support"))).items
    assert (item.price_id, item.pricing) == (cheaper.id, rate_pricing("15"))


def test_a_price_in_another_currency_cannot_be_sold() -> None:
    """Neither the add-on's own nor the plan's entry; an override may help."""
    foreign = add_on("Foreign", rate_pricing("20"), currency="USD")
    facts = catalog(version(), add_ons=selling(foreign))
    assert refused(facts, _wanting(_entry("Foreign"))) == [
        ("add_ons[0].add_on_id", "wrong_currency")
    ]
    assert messages(facts, _wanting(_entry("Foreign"))) == [
        "is priced in USD, but the plan is sold in EUR"
    ]
    entry = new_price(rate_pricing("18"))
    wanted = _wanting(_entry("Foreign", customization=_override(entry)))
    assert resolved(facts, wanted).items[0].pricing == rate_pricing("18")


def test_an_override_replaces_the_price_and_perhaps_the_name() -> None:
    """Without a name the add-on keeps its own."""
    entry = new_price(rate_pricing("9"), ANNUAL)
    named_one = _entry("Support", customization=_override(entry, "Premium"))
    unnamed = _entry("Support", customization=_override(entry))
    made = resolved(ANY, _wanting(named_one, unnamed))
    assert [(item.name, item.cadence) for item in made.items] == [
        ("Premium", ANNUAL),
        ("Support", ANNUAL),
    ]
    assert len(made.new_prices) == 2


def test_an_override_may_name_a_price_of_the_product() -> None:
    """Of this product, in the plan's currency."""
    own = price("Support", rate_pricing("9"))
    other = price("Agents", slot_pricing("9"))
    foreign = price("Support", rate_pricing("9"), currency="USD")
    facts = catalog(
        version(),
        add_ons=selling(SUPPORT),
        prices={one.id: one for one in (own, other, foreign)},
    )
    fine = _wanting(_entry("Support", customization=_override(existing(own))))
    assert resolved(facts, fine).items[0].price_id == own.id
    wanted = _wanting(
        _entry("Support", customization=_override(existing(other))),
        _entry("Support", customization=_override(existing(foreign))),
        _entry(
            "Support", customization=_override(new_price(slot_pricing("9"), MONTHLY, "USD"))
        ),
    )
    path = "customization.price_entry"
    assert refused(facts, wanted) == [
        (f"add_ons[0].{path}.id", "unknown"),
        (f"add_ons[1].{path}.id", "wrong_currency"),
        (f"add_ons[2].{path}.currency", "wrong_currency"),
        (f"add_ons[2].{path}.pricing", "wrong_fee_type"),
    ]


@pytest.mark.parametrize(
    ("name", "parameters", "pricing"),
    [
        (
            "Agents",
            Parameters(billing_period=MONTHLY, initial_slot_count=10),
            slot_pricing("5", 2, 10),
        ),
        ("Storage", Parameters(committed_capacity=100), capacity_pricing("50", 100)),
        ("Support", Parameters(), rate_pricing("20")),
        ("Setup", Parameters(billing_period=ANNUAL), SETUP),
    ],
)
def test_parameters_that_fit(name: str, parameters: Parameters, pricing: Pricing) -> None:
    """They say what the one price says, and how many slots; a one-time fee has no period."""
    (item,) = resolved(ANY, _wanting(_entry(name, customization=parameters))).items
    assert item.pricing == pricing
    assert item.slots == parameters.initial_slot_count


@pytest.mark.parametrize(
    ("name", "parameters", "path", "code"),
    [
        ("Agents", Parameters(billing_period=ANNUAL), "", "no_such_price"),
        ("Agents", Parameters(initial_slot_count=1), ".initial_slot_count", "out_of_bounds"),
        ("Agents", Parameters(initial_slot_count=11), ".initial_slot_count", "out_of_bounds"),
        ("Support", Parameters(initial_slot_count=1), ".initial_slot_count", "not_applicable"),
        ("Support", Parameters(committed_capacity=1), ".committed_capacity", "not_applicable"),
        ("Storage", Parameters(committed_capacity=200), "", "no_such_price"),
    ],
)
def test_parameters_that_do_not_fit(
    name: str, parameters: Parameters, path: str, code: str
) -> None:
    """Each is refused at its own path."""
    wanted = _wanting(_entry(name, customization=parameters))
    assert refused(ANY, wanted) == [(f"add_ons[0].customization{path}", code)]


def test_every_fault_of_every_entry_is_told() -> None:
    """Limit, slots and unknown id, in the order of the request."""
    wanted = _wanting(
        _entry("Support", 4, Parameters(initial_slot_count=1)),
        _entry("Nothing"),
        _entry("Agents", customization=Parameters(initial_slot_count=1)),
    )
    assert refused(ANY, wanted) == [
        ("add_ons[0].quantity", "above_limit"),
        ("add_ons[0].customization.initial_slot_count", "not_applicable"),
        ("add_ons[1].add_on_id", "unknown"),
        ("add_ons[2].customization.initial_slot_count", "out_of_bounds"),
    ]
