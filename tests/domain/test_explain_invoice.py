"""Every figure of an invoice follows from what its lines keep, or the explanation says not."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tallystick.domain.charges import Charge, Item, charge_once
from tallystick.domain.errors import Unexplained
from tallystick.domain.explain_debt import Due
from tallystick.domain.explain_invoice import explain_invoice
from tallystick.domain.invoice import InvoiceStatus
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    BillingType,
    CapacityPricing,
    ExtraRecurringPricing,
    OneTimePricing,
    Package,
    PerUnit,
    RatePricing,
    SlotPricing,
    Tiered,
    UsageModel,
    UsagePricing,
    Volume,
)
from tallystick.domain.tax import REVERSE_CHARGE_NOTE
from tests.domain.explained import (
    BY_REGION,
    JANUARY,
    STUB,
    THREE_TIERS,
    charged,
    measured,
    used,
)
from tests.domain.kept import kept_of, sentences_of, told
from tests.domain.samples import (
    REVERSED,
    billed,
    charges_of,
    fixed,
    full,
    item,
    percent,
    taxed_at,
)

X = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"
CUT = "\N{HORIZONTAL ELLIPSIS}"


def _line(*charges: Charge, currency: str = "EUR") -> list[str]:
    """What is said of the amount of the first line, between its days and its tax."""
    return told(billed(charges, currency=currency))[0][1:-1]


def test_a_rate() -> None:
    """EUR 90.00 a quarter in full."""
    one = item(RatePricing(rate=Decimal(90)), Cadence.QUARTERLY)
    made = billed([charged(one, full(date(2026, 1, 1), date(2026, 4, 1)))])

    assert told(made) == [
        [
            "For 2026-01-01 to 2026-03-31, days: 90",
            f"1 {X} EUR 90.00 = EUR 90.00",
            "No tax is charged: no rate applies.",
        ],
        [
            "The lines come to EUR 90.00",
            f"EUR 90.00 {MINUS} EUR 0.00 + EUR 0.00 = EUR 90.00",
            "To be paid: EUR 90.00",
        ],
    ]


def test_a_stub_is_told_before_and_after_rounding() -> None:
    """90.00 x 85/92 = 83.1521..., rounded to 83.15."""
    one = item(RatePricing(rate=Decimal(90)), Cadence.QUARTERLY)

    assert _line(charged(one, STUB)) == [
        f"1 {X} EUR 90.00 = EUR 90.00",
        f"This period has 85 of 92 days: EUR 90.00 {X} 85/92 = EUR 83.152173{CUT}",
        "Rounded to EUR 83.15",
    ]


@pytest.mark.parametrize(
    ("one", "sentences"),
    [
        (
            item(SlotPricing(unit_rate=Decimal("9.90")), slots=12),
            [f"12 {X} EUR 9.90 per seat = EUR 118.80"],
        ),
        (
            item(SlotPricing(unit_rate=Decimal("9.90")), slots=4, instances=3),
            [f"3 {X} 4 = 12", f"12 {X} EUR 9.90 per seat = EUR 118.80"],
        ),
        (
            item(
                CapacityPricing(
                    rate=Decimal(80), included=1000, overage_rate=Decimal("0.0008")
                ),
                instances=2,
            ),
            [
                f"2 {X} EUR 80.00 = EUR 160.00",
                (
                    "2,000 units included; each one beyond them costs EUR 0.0008, billed at the"
                    " end of each period"
                ),
            ],
        ),
        (
            item(
                ExtraRecurringPricing(unit_price=Decimal("0.005"), quantity=3),
                billing_type=BillingType.ARREARS,
            ),
            [f"3 {X} EUR 0.005 = EUR 0.015", "Rounded to EUR 0.02"],
        ),
    ],
    ids=["slots", "slots-of-instances", "capacity", "extra"],
)
def test_fixed_fees(one: Item, sentences: list[str]) -> None:
    """Slots, a capacity's base, and extra fees."""
    assert _line(charged(one, JANUARY)) == sentences


@pytest.mark.parametrize(
    ("credit", "words"),
    [
        (8315, "Given back: EUR 83.15"),
        (
            7484,
            "Given back: EUR 74.84, less EUR 8.31 that were discounted or given back already",
        ),
    ],
)
def test_a_credit(credit: int, words: str) -> None:
    """What was paid for the days that are left, less the discount that it had."""
    paid = charged(item(RatePricing(rate=Decimal(90)), Cadence.QUARTERLY), STUB)
    given = replace(paid, amount=-credit)

    told_ = told(billed([*charges_of(9000), given]))[1]
    assert told_[3:5] == ["Rounded to EUR 83.15", words]
    with pytest.raises(Unexplained, match="comes to 8315, and -8316"):
        told(billed([*charges_of(9000), replace(paid, amount=-8316)]))


def test_a_one_time_fee() -> None:
    """500.00 twice, on its day."""
    one = item(OneTimePricing(unit_price=Decimal(500), quantity=2))
    made = told(billed([charge_once(one, date(2024, 1, 1), "EUR")]))

    assert made[0][:3] == [
        "For 2024-01-01",
        f"2 {X} EUR 500.00 once = EUR 1,000.00",
        "Charged once.",
    ]


@pytest.mark.parametrize(
    ("model", "usage", "sentences"),
    [
        (
            PerUnit(rate=Decimal("0.004")),
            "1234.5",
            ["Used: 1,234.5", f"1,234.5 {X} EUR 0.004 = EUR 4.938", "Rounded to EUR 4.94"],
        ),
        (
            Tiered(tiers=THREE_TIERS),
            "12000",
            [
                "Used: 12,000",
                f"From 0 to 1,000 units: 1,000 {X} EUR 0.10 = EUR 100.00",
                f"From 1,000 to 10,000 units: 9,000 {X} EUR 0.08 + EUR 5.00 = EUR 725.00",
                f"From 10,000 units: 2,000 {X} EUR 0.05, at most EUR 20.00 = EUR 20.00",
                "Together EUR 845.00",
            ],
        ),
        (
            Volume(tiers=THREE_TIERS),
            "1000",
            [
                "Used: 1,000",
                f"From 1,000 to 10,000 units: 1,000 {X} EUR 0.08 + EUR 5.00 = EUR 85.00",
            ],
        ),
        (
            Package(block_size=100, rate=Decimal(3)),
            "250",
            ["Used: 250", "Blocks of 100 begun: 3", f"3 {X} EUR 3.00 = EUR 9.00"],
        ),
    ],
    ids=["per-unit", "tiered", "volume", "package"],
)
def test_usage(model: UsageModel, usage: str, sentences: list[str]) -> None:
    """Each model tells its units, its rates, its sum and its rounding."""
    assert _line(*used(UsagePricing(model=model), measured(usage))) == sentences


def test_usage_by_a_matrix_and_without_a_price() -> None:
    """Rows are named by their properties; what no row prices is told, and costs nothing."""
    charges = used(
        UsagePricing(model=BY_REGION), measured("10", region="eu"), measured("7", region="mars")
    )
    priced, unpriced, _ = told(billed(charges))

    assert priced[1:-1] == ["Used: 10", f"region eu: 10 {X} EUR 0.20 = EUR 2.00"]
    assert unpriced[1:-1] == ["Used without a price, so it costs nothing: 7"]


def test_groups_are_told_apart() -> None:
    """Each group has its own line, with its name."""
    charges = used(UsagePricing(model=PerUnit(rate=Decimal(1))), measured("2", group="blue"))

    assert _line(*charges)[0] == "Used by blue: 2"


def test_the_overage_of_a_capacity() -> None:
    """130 used where two instances include 50 each: 30 beyond them."""
    pricing = CapacityPricing(rate=Decimal(9), included=50, overage_rate=Decimal("0.004"))

    assert _line(*used(pricing, measured("130"), instances=2)) == [
        "130 used, 100 included: 30 beyond them",
        f"30 {X} EUR 0.004 = EUR 0.12",
    ]


def test_coupons_and_their_spread() -> None:
    """10 % of 49.05, then 1.00: 5.91 off, spread by largest remainder."""
    coupons = [percent("10", "TEN"), fixed("1", "ONE")]
    made = billed(charges_of(3000, 1905), coupons=coupons)

    first, second, invoice = told(made, coupons)

    assert first[2:4] == [
        f"Its share of the discount: EUR 5.91 {X} EUR 30.00 / EUR 49.05 = EUR 3.614678{CUT}",
        "Less its share of the discount, EUR 3.61, leaves EUR 26.39",
    ]
    assert second[3] == "Less its share of the discount, EUR 2.30, leaves EUR 16.75"
    assert invoice == [
        "The lines come to EUR 49.05",
        "Code TEN takes off EUR 4.91: 10% of EUR 49.05 = EUR 4.905",
        "Code ONE takes off EUR 1.00: EUR 1.00 of EUR 44.14",
        f"EUR 49.05 {MINUS} EUR 5.91 + EUR 0.00 = EUR 43.14",
        "To be paid: EUR 43.14",
    ]


def test_several_rates() -> None:
    """Each rate is rounded on its own, on what the discount leaves."""
    made = billed(charges_of(999), taxed_at("0.05", "0.09975"))

    line, invoice = told(made)

    assert line[2:4] == [
        "Tax 0 5% on EUR 9.99 = EUR 0.4995, rounded to EUR 0.50",
        "Tax 1 9.975% on EUR 9.99 = EUR 0.9965025, rounded to EUR 1.00",
    ]
    assert invoice[1:3] == [
        "Tax 0 5% on EUR 9.99 = EUR 0.50",
        "Tax 1 9.975% on EUR 9.99 = EUR 1.00",
    ]


def test_prices_that_include_tax() -> None:
    """49.00 with 20 % inside: 8.17 of tax on 40.83."""
    line, invoice = told(billed(charges_of(4900), taxed_at("0.20"), inclusive=True))

    assert line[2] == (
        f"Tax 0 20% included in EUR 49.00: EUR 8.166666{CUT}, rounded to EUR 8.17, on EUR 40.83"
    )
    assert invoice[0] == "The lines come to EUR 49.00 with tax, EUR 40.83 without it"
    assert invoice[-2] == f"EUR 40.83 {MINUS} EUR 0.00 + EUR 8.17 = EUR 49.00"


def test_reverse_charge_has_its_legal_wording() -> None:
    """The line and the invoice carry the words that the law wants."""
    line, invoice = told(billed(charges_of(4900), REVERSED))

    assert line[-1] == f"On the invoice: {REVERSE_CHARGE_NOTE}"
    assert f"No tax: {REVERSE_CHARGE_NOTE}" in invoice


@pytest.mark.parametrize(
    ("currency", "exact", "rounded"),
    [
        ("JPY", f"JPY 83.1521{CUT}", "JPY 83"),
        ("KWD", f"KWD 83.1521739{CUT}", "KWD 83.152"),
    ],
)
def test_currencies_without_and_with_three_decimals(
    currency: str, exact: str, rounded: str
) -> None:
    """Rounded to the yen, and to the fils."""
    made = charged(item(RatePricing(rate=Decimal(90)), Cadence.QUARTERLY), STUB, currency)

    full_price = "KWD 90.000" if currency == "KWD" else "JPY 90"
    assert _line(made, currency=currency)[1:] == [
        f"This period has 85 of 92 days: {full_price} {X} 85/92 = {exact}",
        f"Rounded to {rounded}",
    ]


def test_the_balance_and_what_is_due() -> None:
    """A balance of 10.00 pays its part; of a void invoice nothing is asked."""
    made = billed(charges_of(4900))
    assert told(made, balance=1000)[-1][-2:] == [
        "The account balance pays EUR 10.00",
        "To be paid: EUR 39.00",
    ]
    void = replace(kept_of(made), status=InvoiceStatus.VOID, amount_due=0)
    assert explain_invoice(void).steps[-1] == Due(amount=None)


def test_a_bill_of_nothing() -> None:
    """A draft that waits for usage has no lines, and is explained."""
    assert told(billed([]))[-1][-1] == "To be paid: EUR 0.00"


def test_debt_that_credit_notes_cancelled() -> None:
    """EUR 90.00, of which notes took 30.00 off: 60.00 are left to be paid."""
    one = item(RatePricing(rate=Decimal(90)), Cadence.QUARTERLY)
    kept = kept_of(billed([charged(one, full(date(2026, 1, 1), date(2026, 4, 1)))]))
    credited = replace(kept, cancelled=3000, amount_due=6000)

    assert sentences_of(explain_invoice(credited))[-1][-2:] == [
        "Credit notes take EUR 30.00 off the debt",
        "To be paid: EUR 60.00",
    ]
    with pytest.raises(Unexplained, match="the amount due"):
        explain_invoice(replace(credited, amount_due=9000))


def test_an_invoice_of_two_drafts() -> None:
    """Two fees of EUR 90.00, 10 % off one of them: 171.00, told as each draft tells it."""
    one = item(RatePricing(rate=Decimal(90)), Cadence.QUARTERLY)
    fees = [charged(one, full(date(2026, 1, 1), date(2026, 4, 1)))]
    tenth = percent("10", "TENTH")
    first = kept_of(billed(fees, coupons=[tenth]), [tenth])
    second = kept_of(billed(fees))
    whole = replace(
        second,
        lines=(*first.lines, *second.lines),
        coupons=first.coupons,
        subtotal=18000,
        discount=900,
        total=17100,
        amount_due=17100,
        members=(first, second),
        breakdown=second.breakdown,
    )

    explained = explain_invoice(whole)

    assert [len(line.steps) for line in explained.lines] == [
        len(line.steps) for part in (first, second) for line in explain_invoice(part).lines
    ]
    assert sentences_of(explained)[-1][-1] == "To be paid: EUR 171.00"
    with pytest.raises(Unexplained, match="coupon"):
        explain_invoice(replace(whole, coupons=()))
