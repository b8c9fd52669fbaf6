"""What a change of plan gives back: with the discount and the tax with which it was billed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from tallystick.domain.cancellation import cancelled
from tallystick.domain.invoice import InvoiceType
from tallystick.domain.metered import Meter, nothing_used, usage_charges
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.periods import Cadence, Period
from tallystick.domain.plan_change import changed_now
from tallystick.domain.pricing import Tier, Tiered, UsagePricing
from tallystick.domain.renewal import RenewalFacts, adjustment_of
from tallystick.domain.rest_of_period import Billed
from tallystick.domain.tax import Buyer
from tests.domain.contracts import NOON, contract, life_of
from tests.domain.offers import capacity, offer, priced, rate, trial, usage
from tests.domain.purchases import CUSTOMER, ENTITY
from tests.domain.samples import named, taxed_at
from tests.domain.windows import of

JANUARY, MIDDLE = date(2024, 1, 1), date(2024, 1, 16)
FACTS = RenewalFacts(
    customer=CUSTOMER, entity=ENTITY, buyer=Buyer(country="FR"), product_taxes={}
)


def test_a_credit_is_discounted_and_taxed_as_it_was_billed() -> None:
    """31.00 of which 10 % were off, 16 of 31 days: 14.40 with 20 % tax back, 32.00 untaxed.

    It is an adjustment, dated by its day, and no coupon applies to it.
    """
    made = offer(rate("31.00"), created_on=JANUARY, start_date=JANUARY)
    lives = life_of(contract(made, JANUARY), JANUARY)[-1].contract
    (item,) = lives.items
    billed = Billed(quoted_amount=3100, quoted_discount=310, decision=taxed_at("0.2"))
    new = replace(item, id=named("new"), pricing=rate("62.00").pricing)

    change = changed_now(
        lives, TargetPlan(plan_id=named("other"), items=(new,)), MIDDLE, {item.id: [billed]}
    )

    assert [one.amount for one in change.step.charges] == [-1440, 3200]
    draft = adjustment_of(change.step, FACTS, invoice_id=named("adjustment"), now=NOON)
    assert draft is not None
    invoice = draft.invoice
    assert (invoice.type, invoice.invoice_date) == (InvoiceType.ADJUSTMENT, MIDDLE)
    assert [(one.amount, one.tax) for one in invoice.lines] == [(-1440, -288), (3200, 0)]
    assert (invoice.subtotal, invoice.discount, invoice.total) == (1760, 0, 1472)
    assert draft.used == ()


def test_a_change_in_a_trial_counts_the_cycles_from_its_day() -> None:
    """Twelve months from January 16, not from the end of the trial on the 31st."""
    made = offer(
        rate("31.00"),
        created_on=JANUARY,
        start_date=JANUARY,
        trial=trial(30),
        billing_cycles=12,
    )
    lives = life_of(contract(made, JANUARY), JANUARY)[-1].contract
    assert lives.end_date == date(2025, 1, 31)

    change = changed_now(
        lives, TargetPlan(plan_id=named("other"), items=lives.items), MIDDLE, {}
    )

    assert change.step.contract.end_date == date(2025, 1, 16)
    assert [one.amount for one in change.step.charges] == [3100]


def test_without_a_day_it_is_cancelled_at_the_end_of_its_period() -> None:
    """On January 16 for February 1; of a yearly fee for the next January."""
    for cadence, end in (
        (Cadence.MONTHLY, date(2024, 2, 1)),
        (Cadence.ANNUAL, date(2025, 1, 1)),
    ):
        made = offer(rate("31.00", cadence), created_on=JANUARY, start_date=JANUARY)
        lives = life_of(contract(made, JANUARY), JANUARY)[-1].contract
        assert cancelled(lives, None, MIDDLE).cancelled_on == end


def test_usage_that_is_free_is_told_all_the_same() -> None:
    """Five units in a tier without a price are a charge of nothing; none used is no charge."""
    free = Tiered(tiers=(Tier(first_unit=0, rate=Decimal(0)),))
    window = Period(JANUARY, date(2024, 2, 1))
    meter = Meter(item=priced("Calls", UsagePricing(model=free)), window=window)

    (told,) = usage_charges(meter, [of("5")], "EUR")
    assert (told.amount, told.start, told.end) == (0, window.start, window.end)
    assert usage_charges(meter, [of("0")], "EUR") == []


def test_an_overage_of_nothing_has_its_window() -> None:
    """A capacity of which nothing is over after all: its days, its name, no amount."""
    window = Period(JANUARY, date(2024, 2, 1))

    none = nothing_used(Meter(item=capacity("50"), window=window), None)

    assert (none.name, none.amount) == ("Capacity (overage)", 0)
    assert (none.start, none.end) == (window.start, window.end)
    assert none.usage is not None
    assert none.usage.usage == 0
    assert none.usage.parts == ()
    metered = nothing_used(Meter(item=usage(), window=window), "eu")
    assert metered.usage is not None
    assert (metered.amount, metered.usage.group) == (0, "eu")
    assert metered.usage.usage == 0
