"""Amounts, dates, sentences and colours, as the page writes them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from babel import Locale

from tallystick.domain.coupons import Percentage
from tallystick.domain.offer import BankTransfer, Offer, Trial
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    Matrix,
    MatrixDimension,
    MatrixRow,
    Package,
    PerUnit,
    RatePricing,
    Tier,
    UsageModel,
    UsagePricing,
    Volume,
)
from tallystick.domain.quote import Quote
from tallystick.domain.schedule import ScheduleNotice
from tallystick.http.checkout.explain import usage_table, usage_words
from tallystick.http.checkout.finish import finish
from tallystick.http.checkout.summary import Summary, summarize
from tallystick.http.checkout.words import teller_for
from tallystick.http.pages.teller import Teller
from tallystick.http.pages.voice import PageVoice
from tallystick.locales.formats import Formats, grouped
from tests.http.checkout.stories import (
    ACME,
    API_CALLS,
    FULL,
    LAUNCH20,
    PLATFORM,
    REDEEMABLE,
    SIMPLE,
    STORAGE,
    TODAY,
    TRIAL,
    priced,
    uid,
)

ENGLISH = teller_for(Locale.parse("en_GB"))
GERMAN = teller_for(Locale.parse("de_DE"))
NBSP = "\N{NO-BREAK SPACE}"
TIMES = "\N{MULTIPLICATION SIGN}"


def summary(offer: Offer, quote: Quote, say: Teller = ENGLISH) -> Summary:
    """The left side of the page."""
    return summarize(quote, offer, say)


def rows(offer: Offer, quote: Quote) -> list[tuple[str, str]]:
    """The totals, label and amount."""
    return [(row.label, row.amount) for row in summary(offer, quote).rows]


@pytest.mark.parametrize(
    ("locale", "amount", "currency", "expected"),
    [
        ("en_GB", 123456, "EUR", "€1,234.56"),
        ("de_DE", 123456, "EUR", f"1.234,56{NBSP}€"),
        ("de_AT", 123456, "EUR", f"€{NBSP}1.234,56"),
        ("en_GB", 500, "JPY", "JP¥500"),
        ("en_GB", 1234, "KWD", f"KWD{NBSP}1.234"),
        ("en_GB", 1234, "ISK", f"ISK{NBSP}1,234"),
        ("en_GB", 1234, "HUF", f"HUF{NBSP}12.34"),
    ],
)
def test_money_has_the_currencys_decimals(
    locale: str, amount: int, currency: str, expected: str
) -> None:
    """The locale writes the amount, ISO 4217 says how many decimals it has."""
    assert Formats(Locale.parse(locale)).money(amount, currency) == expected


def test_prices_have_the_decimals_they_need() -> None:
    """A unit price keeps its own decimals, never fewer than the currency's."""
    assert ENGLISH.formats.price(Decimal("0.0040"), "EUR") == "€0.004"
    assert ENGLISH.formats.price(Decimal(9), "EUR") == "€9.00"
    assert PageVoice(ENGLISH).exact(Fraction(1, 2), "EUR") == "€0.005"
    assert PageVoice(GERMAN).exact(Fraction(191250, 23), "EUR") == f"83,152173{NBSP}€…"


def test_days_and_spans() -> None:
    """Days are written out; a span names its first and its last day."""
    say = ENGLISH.formats

    assert say.day(date(2026, 11, 23)) == "23 November 2026"
    span = say.span(date(2026, 11, 23), date(2026, 12, 15))
    assert span.replace("\N{THIN SPACE}", " ") == "23 Nov \N{EN DASH} 14 Dec 2026"
    assert say.span(TODAY, TODAY) == "23 Nov 2026"
    assert grouped("DE89370400440532013000") == "DE89 3704 0044 0532 0130 00"


def test_a_full_order_adds_up() -> None:
    """Subtotal, discount, tax and due of the full request, each with its figure."""
    assert rows(FULL, priced(FULL)) == [
        ("Subtotal", "€827.72"),
        ("Discount", "\N{MINUS SIGN}€165.54"),
        ("VAT 19%", "€125.81"),
        ("Due today", "€787.99"),
    ]


def test_a_line_is_explained_to_the_cent() -> None:
    """A prorated, discounted and taxed line: each step with its own figure."""
    seats = next(
        line for line in summary(FULL, priced(FULL)).lines if line.name == "Team seats"
    )

    assert seats.amount == "€87.12"
    assert seats.details[0] == f"12 {TIMES} €9.90 per seat / month"
    assert seats.details[1].endswith("· 22 of 30 days")
    assert list(seats.explanation) == [
        f"12 {TIMES} €9.90 per seat / month = €118.80",
        f"This period has 22 of 30 days: €118.80 {TIMES} 22/30 = €87.12",
        f"Its share of the discount: €165.54 {TIMES} €87.12 / €827.72 = €17.423578…",
        "Less its share of the discount, €17.42, leaves €69.70",
        "VAT 19% on €69.70 = €13.243, rounded to €13.24",
        "The VAT rate of your country applies.",
    ]


def test_balance_and_write_off_stand_below_the_total() -> None:
    """What the balance pays and what is too small to charge is told before it is confirmed."""
    quote = priced(SIMPLE, balance=14_100)

    assert rows(SIMPLE, quote)[-4:] == [
        ("Total", "€141.37"),
        ("Account balance", "\N{MINUS SIGN}€141.00"),
        ("Waived", "\N{MINUS SIGN}€0.37"),
        ("Due today", "€0.00"),
    ]


def test_included_tax_is_no_addition() -> None:
    """Where prices include tax the row says so, and the total is the price."""
    offer = replace(SIMPLE, tax_inclusive=True)

    assert rows(offer, priced(offer)) == [
        ("Subtotal", "€118.80"),
        ("VAT 19% included", "€18.97"),
        ("Due today", "€118.80"),
    ]


def test_reverse_charge_says_why() -> None:
    """A business in another member state pays no VAT, with the law's note."""
    found = summary(SIMPLE, priced(SIMPLE, has_vat_number=True)).rows[1]

    assert (found.label, found.amount) == ("VAT, reverse charge", "€0.00")
    assert found.note == "You account for the VAT (Article 196 of Directive 2006/112/EC)."


def test_a_coupon_that_is_left_out_is_named() -> None:
    """A coupon of the offer that cannot be redeemed any more is named with its reason."""
    quote = priced(FULL, states={LAUNCH20.id: replace(REDEEMABLE, disabled=True)})

    assert summary(FULL, quote).notices == (
        "Code LAUNCH20 is not applied: This code cannot be used at present.",
    )


def test_a_used_trial_is_told() -> None:
    """A trial that the customer has had before is not promised again, and the page says so."""
    quote = priced(TRIAL, trial_used=True)

    assert quote.dates.notices == (ScheduleNotice.TRIAL_ALREADY_USED,)
    assert summary(TRIAL, quote).notices == (
        "You have had this plan's free trial before, so billing starts at once.",
    )


def test_a_trial_says_what_comes_when() -> None:
    """A free trial: nothing today, the first payment at its end, then every month."""
    found = summary(TRIAL, priced(TRIAL))

    assert found.headline.figure == "14 days free"
    assert [(step.when, step.amount, step.text) for step in found.steps] == [
        ("Today", "€0.00", "Your free trial starts"),
        ("7 December 2026", "€141.37", "Free trial ends, first payment"),
    ]
    assert found.renewal == "Renews every month until you cancel."


def test_a_paid_trial_is_charged_at_once() -> None:
    """A trial that is not free is due today; its end is told, and makes no charge."""
    trial = Trial(days=14, is_free=False, once_per_customer=False)
    found = summary(SIMPLE, priced(replace(SIMPLE, trial=trial)))

    assert [(step.when, step.amount, step.text) for step in found.steps] == [
        ("Today", "€141.37", "First payment"),
        ("7 December 2026", None, "Your trial ends"),
        ("23 December 2026", "€141.37", "Next payment"),
    ]


@pytest.mark.parametrize("today", [date(2026, 12, 7), date(2026, 12, 20)])
def test_a_paid_trial_that_is_over_is_not_told(today: date) -> None:
    """From the first day after it on, no trial ends any more and no notice speaks of one."""
    trial = Trial(days=14, is_free=False, once_per_customer=False)
    offer = replace(SIMPLE, trial=trial, start_date=TODAY, created_on=today)
    found = summary(offer, priced(offer, today=today))

    assert [step.text for step in found.steps] == ["First payment", "Next payment"]
    assert found.notices == ()


@pytest.mark.parametrize(
    ("end", "told"),
    [(date(2026, 12, 8), True), (date(2026, 12, 7), False), (date(2026, 12, 1), False)],
)
def test_no_trial_ends_after_the_last_day(end: date, told: bool) -> None:
    """A paid trial until 6 December: its end is told if a day of the subscription is left."""
    trial = Trial(days=14, is_free=False, once_per_customer=False)
    offer = replace(SIMPLE, trial=trial, end_date=end)
    found = summary(offer, priced(offer)).steps

    assert ("Your trial ends" in [step.text for step in found]) is told
    assert found[-1].text == "Last day of your subscription"


def test_an_end_is_on_the_time_line() -> None:
    """A subscription that ends names its last day, and does not renew."""
    offer = replace(SIMPLE, end_date=date(2027, 1, 23))
    found = summary(offer, priced(offer))

    assert found.steps[-1].when == "22 January 2027"
    assert found.renewal is None


def test_a_changing_price_is_told() -> None:
    """After the coupon's last invoice the full price stands on the time line."""
    offer = replace(SIMPLE, coupons=(LAUNCH20,))
    found = summary(offer, priced(offer))

    assert [(step.when, step.amount) for step in found.steps] == [
        ("Today", "€113.10"),
        ("23 December 2026", "€113.10"),
        ("23 February 2027", "€141.37"),
    ]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (PerUnit(rate=Decimal("0.004")), "€0.004 per unit, billed at the end of each period"),
        (
            Package(rate=Decimal(5), block_size=1000),
            "€5.00 per started block of 1,000, billed at the end of each period",
        ),
        (
            Volume(tiers=(Tier(first_unit=0, rate=Decimal("0.1")),)),
            "from €0.10 per unit, billed at the end of each period",
        ),
        (
            Matrix(
                rates=(
                    MatrixRow(
                        dimension1=MatrixDimension(key="region", value="eu"),
                        per_unit_price=Decimal("0.2"),
                    ),
                )
            ),
            "from €0.20 per unit depending on what is used, billed at the end of each period",
        ),
    ],
)
def test_usage_is_told_in_words(model: UsageModel, expected: str) -> None:
    """Metered usage has no figure today; its price is said in words."""
    item = replace(STORAGE, pricing=UsagePricing(model=model))

    assert usage_words(item, "EUR", ENGLISH) == expected


def test_every_instance_brings_its_allowance() -> None:
    """Three instances of 100,000 units: 300,000 are included, billed today or later."""
    item = replace(API_CALLS, kind="ADD_ON", add_on_id=uid(402), instances=3)
    words = (
        "300,000 units included; each one beyond them costs €0.0008, billed at the end of each "
        "period"
    )
    assert usage_words(item, "EUR", ENGLISH) == words

    offer = replace(SIMPLE, items=(item,))
    (today,) = summary(offer, priced(offer)).lines
    assert today.details[0] == f"3 {TIMES} €80.00 / month"
    assert words in today.explanation

    later = replace(offer, trial=TRIAL.trial)
    (line,) = summary(later, priced(later)).lines
    assert line.details == (f"3 {TIMES} €80.00 / month", words)


def test_tiers_are_listed() -> None:
    """The steps of a graduated price stand below its line."""
    assert usage_table(STORAGE, "EUR", ENGLISH) == [
        "Each unit costs the price of the step it falls into:",
        "from 0 units: €0.10 each",
        "from 1,000 units: €0.08 each",
        "from 10,000 units: €0.05 each plus €20.00",
    ]


@pytest.mark.parametrize(
    ("offer", "say", "expected"),
    [
        (SIMPLE, ENGLISH, ("Pay €141.37", None)),
        (SIMPLE, GERMAN, ("Zahlungspflichtig bestellen", f"141,37{NBSP}€")),
        (TRIAL, ENGLISH, ("Start free trial", None)),
        (
            replace(SIMPLE, payment=BankTransfer(), charge_automatically=False),
            ENGLISH,
            ("Order with obligation to pay", "€141.37"),
        ),
    ],
    ids=["pay", "german", "trial", "transfer"],
)
def test_the_button_says_what_it_does(
    offer: Offer, say: Teller, expected: tuple[str, str | None]
) -> None:
    """The button's words follow what it does and the buyer's law."""
    end = finish(priced(offer), offer, ACME, "DE", say)

    assert (end.button, end.amount) == expected


def test_outside_the_union_an_order_is_confirmed() -> None:
    """The law's words about the obligation are those of the Union's member states."""
    offer = replace(SIMPLE, payment=BankTransfer(), charge_automatically=False)

    assert finish(priced(offer), offer, ACME, "US", ENGLISH).button == "Confirm order"


FREE = replace(SIMPLE, items=(replace(PLATFORM, pricing=RatePricing(rate=Decimal(0))),))


@pytest.mark.parametrize("say", [ENGLISH, GERMAN], ids=["english", "german"])
@pytest.mark.parametrize(
    "offer",
    [
        FREE,
        replace(FREE, payment=BankTransfer(), charge_automatically=False),
        replace(FREE, end_date=date(2027, 11, 23)),
        replace(FREE, trial=TRIAL.trial),
        replace(FREE, start_date=date(2026, 12, 1)),
    ],
    ids=["online", "transfer", "ending", "trial", "later"],
)
def test_what_never_costs_anything_obliges_to_nothing(offer: Offer, say: Teller) -> None:
    """No words of an obligation to pay, no payment to come, no consent to one."""
    quote = priced(offer)
    end = finish(quote, offer, ACME, "DE", say)
    found = summary(offer, quote, say)

    assert end.button == say.words("finish.order")
    assert (end.amount, end.consent) == (None, None)
    assert found.headline.after is None
    money = say.formats.money(0, "EUR")
    assert [step.amount for step in found.steps if step.amount] == [money]


def test_a_start_at_no_cost_is_no_payment() -> None:
    """What is free, or covered by a coupon or the balance, starts: no payment is told."""
    coupon = replace(LAUNCH20, discount=Percentage(percentage=Decimal(100)))
    covered = replace(SIMPLE, coupons=(coupon,))
    for offer, balance in ((FREE, 0), (covered, 0), (SIMPLE, 20_000)):
        first = summary(offer, priced(offer, balance=balance)).steps[0]
        assert (first.text, first.amount) == ("Your subscription starts", "€0.00")

    by_invoice = replace(FREE, payment=BankTransfer(), charge_automatically=False)
    assert summary(by_invoice, priced(by_invoice)).steps[0].text == "Your subscription starts"


def test_a_coupon_for_everything_for_ever_obliges_to_nothing() -> None:
    """All charges to come are zero; those after a coupon's last invoice are not."""
    for limit, button in ((None, "Confirm order"), (3, "Order with obligation to pay")):
        coupon = replace(
            LAUNCH20, discount=Percentage(percentage=Decimal(100)), recurring_value=limit
        )
        offer = replace(SIMPLE, coupons=(coupon,))
        assert finish(priced(offer), offer, ACME, "DE", ENGLISH).button == button


def test_cadences_have_their_words() -> None:
    """No annual plan is called monthly."""
    annual = replace(SIMPLE, items=(replace(SIMPLE.items[0], cadence=Cadence.ANNUAL),))
    found = summary(annual, priced(annual))

    assert found.lines[0].details[0] == f"12 {TIMES} €9.90 per seat / year"
    assert found.renewal == "Renews every year until you cancel."
