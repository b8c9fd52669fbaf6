"""What confirming does at the provider: take money, save a method, or nothing."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tallystick.domain.charges import Item
from tallystick.domain.offer import (
    BankTransfer,
    ExternalPayment,
    Offer,
    OnlinePayment,
    PaymentConfig,
)
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    Matrix,
    MatrixDimension,
    MatrixRow,
    Package,
    Tier,
    Tiered,
    UsageModel,
    UsagePricing,
    Volume,
)
from tallystick.domain.quote import AttemptKind, Quote
from tests.domain.offers import (
    arrears,
    capacity,
    offer,
    once,
    priced,
    quoted,
    rate,
    recurring,
    seats,
    trial,
    usage,
)
from tests.domain.samples import DAY, percent

PAYMENT, SETUP, NONE = AttemptKind.PAYMENT, AttemptKind.SETUP, AttemptKind.NONE


def _does(made: Quote) -> tuple[AttemptKind, bool]:
    return made.kind, made.saves_method


@pytest.mark.parametrize(
    ("automatic", "expected"), [(True, (PAYMENT, True)), (False, (PAYMENT, False))]
)
def test_something_due_online_is_paid(
    automatic: bool, expected: tuple[AttemptKind, bool]
) -> None:
    """The method is saved when later invoices are charged automatically, and only then."""
    assert _does(quoted(offer(rate("35"), charge_automatically=automatic))) == expected


ALL_OFF = percent("100")
FEBRUARY, MARCH, APRIL = (date(2024, month, 1) for month in (2, 3, 4))
PAID_IN_FULL = {
    "one-time": (offer(once("35")), 3500),
    "one period": (offer(rate("35"), end_date=FEBRUARY), 3500),
    "one cycle": (offer(rate("35"), billing_cycles=1), 3500),
    "seats of one period": (offer(seats("10", 3), end_date=FEBRUARY), 3000),
    "in the past": (offer(rate("35"), start_date=date(2023, 12, 1), end_date=DAY), 3500),
}


@pytest.mark.parametrize("why", PAID_IN_FULL)
@pytest.mark.parametrize("automatic", [True, False])
def test_a_payment_saves_the_method_whatever_follows(why: str, automatic: bool) -> None:
    """Nothing is planned after it, and still a later invoice would be charged."""
    made, due = PAID_IN_FULL[why]
    quote = quoted(replace(made, charge_automatically=automatic))
    assert (quote.amount_due, quote.upcoming) == (due, ())
    assert _does(quote) == (PAYMENT, automatic)


ENDING = {
    "two periods": (offer(rate("35"), end_date=MARCH), SETUP),
    "one period": (offer(rate("35"), end_date=FEBRUARY), NONE),
    "one cycle": (offer(rate("35"), billing_cycles=1), NONE),
    "seats that can be added": (offer(seats("10", 3), end_date=FEBRUARY), SETUP),
    "free seats": (offer(seats("0", 5), end_date=MARCH), NONE),
    "free": (offer(rate("0"), end_date=MARCH), NONE),
    "free for three cycles": (offer(rate("0"), billing_cycles=3), NONE),
    "free in a trial": (offer(rate("0"), end_date=MARCH, trial=trial(14)), NONE),
    "free from February": (offer(rate("0"), end_date=MARCH, start_date=FEBRUARY), NONE),
    "usage": (offer(usage(), end_date=FEBRUARY), SETUP),
    "free usage": (offer(usage("0"), end_date=MARCH), NONE),
    "overage": (offer(capacity("10"), end_date=FEBRUARY), SETUP),
    "capacity without overage": (offer(capacity("10", "0"), end_date=FEBRUARY), NONE),
    "arrears": (offer(arrears("35"), end_date=FEBRUARY), SETUP),
    "a year that ends in April": (
        offer(rate("0"), rate("120", Cadence.ANNUAL, "Year"), end_date=APRIL),
        NONE,
    ),
    "a quarter that ends in May": (
        offer(rate("0"), rate("90", Cadence.QUARTERLY, "Quarter"), end_date=date(2024, 5, 1)),
        SETUP,
    ),
    "one-time": (offer(once("35"), end_date=MARCH), NONE),
    "one-time after the trial": (offer(once("35"), end_date=MARCH, trial=trial(14)), SETUP),
    "a trial before one period": (
        offer(rate("35"), end_date=FEBRUARY, trial=trial(14)),
        SETUP,
    ),
    "a start before one period": (
        offer(rate("35"), end_date=MARCH, start_date=FEBRUARY),
        SETUP,
    ),
    "in the past": (
        offer(seats("10", 3), start_date=date(2023, 12, 1), end_date=DAY),
        NONE,
    ),
}


@pytest.mark.parametrize("why", ENDING)
@pytest.mark.parametrize("automatic", [True, False])
def test_with_an_end_a_method_is_asked_for_only_if_something_can_follow(
    why: str, automatic: bool
) -> None:
    """Nothing is due today, by a coupon at the latest; what can still be owed decides."""
    made, expected = ENDING[why]
    quote = quoted(replace(made, charge_automatically=automatic, coupons=(ALL_OFF,)))
    assert quote.amount_due == 0
    kind = expected if automatic else NONE
    assert _does(quote) == (kind, kind is SETUP)


NOTHING_TODAY = {
    "free trial": offer(rate("35"), trial=trial(14)),
    "future start": offer(rate("35"), start_date=date(2024, 2, 1)),
    "coupon": offer(rate("35"), coupons=(percent("100"),)),
    "usage only": offer(usage()),
    "arrears only": offer(arrears("35")),
    "seats to come": offer(seats("10", 0)),
    "one-time after the trial": offer(once("35"), trial=trial(14)),
    "overage only": offer(capacity("0")),
}


@pytest.mark.parametrize("why", NOTHING_TODAY)
@pytest.mark.parametrize("automatic", [True, False])
def test_nothing_due_today_saves_the_method(why: str, automatic: bool) -> None:
    """Whatever makes today's due zero, a method is needed when it will be charged later."""
    made = quoted(_charged(NOTHING_TODAY[why], automatic))
    assert made.amount_due == 0
    assert _does(made) == ((SETUP, True) if automatic else (NONE, False))


def _charged(made: Offer, automatic: bool) -> Offer:
    return offer(
        *made.items,
        charge_automatically=automatic,
        trial=made.trial,
        start_date=made.start_date,
        coupons=made.coupons,
    )


@pytest.mark.parametrize("automatic", [True, False])
def test_a_balance_that_covers_everything_saves_the_method(automatic: bool) -> None:
    """The next invoice may find the balance spent."""
    made = quoted(offer(rate("35"), charge_automatically=automatic), balance_available=3500)
    assert made.amount_due == 0
    assert _does(made) == ((SETUP, True) if automatic else (NONE, False))


@pytest.mark.parametrize("automatic", [True, False])
def test_below_the_least_charge_takes_no_money(automatic: bool) -> None:
    """An amount that cannot be charged is written off, and the quote says so beforehand."""
    made = quoted(
        offer(rate("0.30"), charge_automatically=automatic), chargeable=lambda _: False
    )
    assert (made.written_off, made.amount_due) == (30, 0)
    assert _does(made) == ((SETUP, True) if automatic else (NONE, False))


@pytest.mark.parametrize("payment", [BankTransfer(), ExternalPayment()])
@pytest.mark.parametrize("free_days", [0, 14])
def test_other_ways_of_paying_ask_the_provider_for_nothing(
    payment: PaymentConfig, free_days: int
) -> None:
    """They complete with an unpaid invoice, or in a trial with none."""
    made = quoted(
        offer(
            rate("35"),
            payment=payment,
            charge_automatically=False,
            trial=trial(free_days) if free_days else None,
        )
    )
    assert made.amount_due == (0 if free_days else 3500)
    assert _does(made) == (NONE, False)


@pytest.mark.parametrize("payment", [OnlinePayment(), OnlinePayment(card=False)])
def test_a_free_plan_asks_for_no_method(payment: OnlinePayment) -> None:
    """Nothing it can ever owe: nothing is saved, in a trial or without."""
    for days in (0, 90):
        free = trial(days) if days else None
        assert _does(quoted(offer(payment=payment, trial=free))) == (NONE, False)
        priced_at_zero = offer(rate("0"), usage("0"), payment=payment, trial=free)
        assert _does(quoted(priced_at_zero)) == (NONE, False)


KEY = MatrixDimension(key="region", value="eu")


def _tier(rate_: str, flat_fee: str | None = None, flat_cap: str | None = None) -> Tier:
    return Tier(
        first_unit=0,
        rate=Decimal(rate_),
        flat_fee=None if flat_fee is None else Decimal(flat_fee),
        flat_cap=None if flat_cap is None else Decimal(flat_cap),
    )


def _metered(model: UsageModel) -> Item:
    return priced("Metered", UsagePricing(model=model))


@pytest.mark.parametrize(
    ("item", "can_owe"),
    [
        (rate("0.01"), True),
        (rate("0"), False),
        (seats("10", 0), True),
        (seats("0", 5), False),
        (capacity("10", "0"), True),
        (capacity("0", "0.004"), True),
        (capacity("0", "0"), False),
        (recurring("1"), True),
        (arrears("0"), False),
        (once("200"), True),
        (once("0"), False),
        (usage("0.001"), True),
        (usage("0"), False),
        (_metered(Tiered(tiers=(_tier("0"),))), False),
        (_metered(Tiered(tiers=(_tier("0", "5"),))), True),
        (_metered(Volume(tiers=(_tier("0.01"),))), True),
        (_metered(Volume(tiers=(_tier("0.01", "5", "0"),))), False),
        (_metered(Package(block_size=100, rate=Decimal(0))), False),
        (_metered(Package(block_size=100, rate=Decimal(1))), True),
        (
            _metered(Matrix(rates=(MatrixRow(dimension1=KEY, per_unit_price=Decimal(0)),))),
            False,
        ),
        (_metered(Matrix(rates=(MatrixRow(dimension1=KEY, per_unit_price=Decimal(1)),))), True),
    ],
)
def test_what_can_ever_owe_something(item: Item, can_owe: bool) -> None:
    """A price of zero never does; seats do whatever their number is today."""
    assert offer(item).can_owe is can_owe
    assert offer(rate("0", name="Free"), item).can_owe is can_owe


def test_an_offer_of_nothing_owes_nothing() -> None:
    """Without items there is nothing to owe, and the cadence is monthly."""
    made = offer()
    assert not made.can_owe
    assert made.cadence == "MONTHLY"
    assert quoted(made, DAY).amount_due == 0
