"""The invoice of a checkout: its lines, sums, parties and how far it is paid."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.domain.attempt import Attempt
from tallystick.domain.buyer import Address
from tallystick.domain.charges import Item
from tallystick.domain.coupons import AppliedCoupon
from tallystick.domain.invoice import (
    CustomerSnapshot,
    Invoice,
    InvoiceStatus,
    PaymentStatus,
    SellerSnapshot,
    customer_snapshot,
    invoice_lines,
    number_text,
    seller_snapshot,
)
from tallystick.domain.money import exponent
from tallystick.domain.offer import BankTransfer, ExternalPayment, Offer
from tallystick.domain.purchase import invoice_of
from tallystick.domain.tax import Seller, TaxEngine
from tests.cases.golden import case
from tests.domain.offers import (
    buyer,
    capacity,
    offer,
    once,
    priced,
    quoted,
    rate,
    seats,
    trial,
)
from tests.domain.orders import rate_pricing
from tests.domain.purchases import CUSTOMER, DEBIT, ENTITY, TYPED, attempt
from tests.domain.samples import DAY, named, percent

MANUAL = Seller(engine=TaxEngine.MANUAL, country="FR")
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
MANUALLY = {"payment": BankTransfer(), "charge_automatically": False}


def _invoice(claimed: Attempt, *, pending: bool = False) -> Invoice:
    made = invoice_of(claimed, pending=pending)
    assert made is not None
    return made


def _taxed(made: Offer, rate_: str = "0.20", today: date = DAY, balance: int = 0) -> Attempt:
    shown = quoted(made, today, seller=MANUAL, buyer=buyer(rate_), balance_available=balance)
    return attempt(made, today, shown)


# The whole.


def test_an_invoice_says_what_the_quote_said() -> None:
    """Sums, tax, coupon, balance, dates and parties, paid in full at the checkout."""
    made = offer(
        rate("49"),
        seats("10", 3),
        coupons=(percent("10", "TEN"),),
        net_terms=14,
        invoice_memo="Thank you",
        purchase_order="PO-7",
    )
    invoice = _invoice(_taxed(made, balance=1000))
    assert (invoice.subtotal, invoice.discount, invoice.tax_amount, invoice.total) == (
        7900,
        790,
        1422,
        8532,
    )
    assert (invoice.applied_balance, invoice.written_off, invoice.settled) == (1000, 0, 7532)
    assert (invoice.amount_due, invoice.payment_status) == (0, PaymentStatus.PAID)
    assert (invoice.status, invoice.finalized_at, invoice.paid_at) == (
        InvoiceStatus.FINALIZED,
        NOON,
        NOON,
    )
    assert (invoice.invoice_date, invoice.due_date) == (DAY, date(2024, 1, 15))
    assert (invoice.billing_period_start, invoice.billing_period_end) == (
        DAY,
        date(2024, 2, 1),
    )
    assert invoice.coupons == (AppliedCoupon(coupon_id=named("TEN"), code="TEN", amount=790),)
    assert [(row.rate, row.taxable, row.tax) for row in invoice.breakdown] == [
        (Decimal("0.20"), 7110, 1422)
    ]
    assert (invoice.memo, invoice.purchase_order) == ("Thank you", "PO-7")
    assert (invoice.id, invoice.subscription_id) == (named("invoice"), named("subscription"))


def test_nothing_billed_makes_no_invoice() -> None:
    """A free trial has none."""
    assert invoice_of(attempt(offer(rate("49"), trial=trial(14))), pending=False) is None


def test_a_bill_without_an_invoice_id_is_a_defect() -> None:
    """Money is never taken without its invoice."""
    claimed = attempt(offer(rate("49")), invoice_id=None)
    with pytest.raises(AssertionError, match="the claim gave"):
        invoice_of(claimed, pending=False)


def test_a_total_of_zero_is_paid() -> None:
    """Everything off: an invoice of zero, finalized and paid."""
    for automatic in (True, False):
        made = offer(
            rate("49"),
            coupons=(percent("100"),),
            charge_automatically=automatic,
            auto_advance_invoices=False,
        )
        invoice = _invoice(attempt(made))
        assert (invoice.total, invoice.amount_due, invoice.settled) == (0, 0, 0)
        assert invoice.status is InvoiceStatus.FINALIZED
        assert (invoice.payment_status, invoice.paid_at) == (PaymentStatus.PAID, NOON)


def test_an_accepted_debit_is_processing() -> None:
    """Finalized, the whole amount due, nothing settled."""
    claimed = attempt(offer(rate("35")), method=DEBIT)
    invoice = _invoice(claimed, pending=True)
    assert (invoice.status, invoice.payment_status) == (
        InvoiceStatus.FINALIZED,
        PaymentStatus.PROCESSING,
    )
    assert (invoice.settled, invoice.amount_due, invoice.paid_at) == (0, 3500, None)


@pytest.mark.parametrize("payment", [BankTransfer(), ExternalPayment()])
@pytest.mark.parametrize("advances", [True, False])
def test_an_invoice_to_be_paid_later(
    payment: BankTransfer | ExternalPayment, advances: bool
) -> None:
    """Unpaid; a draft where invoices are finalized by hand."""
    made = offer(
        rate("35"),
        payment=payment,
        charge_automatically=False,
        auto_advance_invoices=advances,
    )
    invoice = _invoice(attempt(made))
    assert (invoice.payment_status, invoice.amount_due) == (PaymentStatus.UNPAID, 3500)
    assert invoice.status is (InvoiceStatus.FINALIZED if advances else InvoiceStatus.DRAFT)
    assert invoice.finalized_at == (NOON if advances else None)


@pytest.mark.parametrize("pending", [True, False])
def test_an_invoice_paid_at_the_checkout_is_never_a_draft(pending: bool) -> None:
    """Whatever is said of the others."""
    made = offer(rate("35"), auto_advance_invoices=False)
    assert _invoice(attempt(made), pending=pending).status is InvoiceStatus.FINALIZED


def test_a_write_off_leaves_nothing_due() -> None:
    """Thirty cents that cannot be charged."""
    made = offer(rate("0.30"))
    claimed = attempt(made, DAY, quoted(made, chargeable=lambda _: False))
    invoice = _invoice(claimed)
    assert (invoice.total, invoice.written_off, invoice.amount_due) == (30, 30, 0)
    assert (invoice.payment_status, invoice.settled) == (PaymentStatus.PAID, 0)


def test_elapsed_periods_stand_on_one_invoice() -> None:
    """Dated today, for the period that contains today."""
    made = offer(rate("35"), start_date=date(2023, 11, 15))
    invoice = _invoice(attempt(made, date(2024, 1, 20)))
    assert [line.start_date for line in invoice.lines] == [
        date(2023, 11, 15),
        date(2023, 12, 15),
        date(2024, 1, 15),
    ]
    assert (invoice.invoice_date, invoice.billing_period_start) == (
        date(2024, 1, 20),
        date(2024, 1, 15),
    )
    assert invoice.total == 10500


def test_an_invoice_adds_up_or_is_none() -> None:
    """Sums that disagree, a negative due and a paid invoice with something due are defects."""
    invoice = _invoice(attempt(offer(rate("35"), **MANUALLY)))
    for wrong in (
        {"total": 3400, "amount_due": 3400},
        {"subtotal": 3400},
        {"settled": 100},
        {"settled": 3600, "amount_due": -100},
        {"payment_status": PaymentStatus.PAID},
        {"lines": ()},
    ):
        with pytest.raises(AssertionError):
            replace(invoice, **wrong)
    with pytest.raises(AssertionError, match="a line adds up"):
        replace(invoice.lines[0], tax=1)


# Lines.


def test_a_plain_line_shows_its_unit_price() -> None:
    """Three seats at ten euros."""
    (line,) = _invoice(_taxed(offer(seats("10.00", 3)))).lines
    assert (line.quantity, line.unit_price) == (Decimal(3), Decimal(10))
    assert line.quoted_unit_price is None
    assert (line.amount, line.discount, line.tax, line.amount_total) == (3000, 0, 600, 3600)
    assert (line.tax_rate, line.start_date, line.end_date) == (
        Decimal("0.20"),
        DAY,
        date(2024, 2, 1),
    )
    assert line.explanation.quoted_amount == 3000
    assert line.explanation.decision.rates[0].name == "VAT"


@pytest.mark.parametrize("case_id", ["PRO-11"])
def test_golden_average_of_a_prorated_line(case_id: str) -> None:
    """PRO-11: three at 100.00 for 15 of 30 days show quantity 3 at 50.00."""
    golden = case(case_id)
    support = priced("Support", rate_pricing("100"), instances=3)
    whole = offer(support, anchor=1, created_on=date(2025, 6, 16))
    (half,) = _invoice(attempt(whole, date(2025, 6, 16))).lines
    assert [half.amount] == golden["expected"]["lines"]
    assert half.quantity == golden["expected"]["quantity"]
    assert half.unit_price == Decimal(golden["derived"]["unit_price_minor"]).scaleb(-2)


def test_an_average_is_cut_to_twelve_decimals() -> None:
    """100.00 over three: 33.333333333333; never multiplied again."""
    made = offer(seats("100", 3), anchor=1)
    (line,) = _invoice(attempt(made, date(2024, 1, 31))).lines
    assert (line.amount, line.quantity) == (968, Decimal(3))
    assert str(line.unit_price) == "3.226666666666"


@pytest.mark.parametrize(
    ("currency", "price", "shown"),
    [("EUR", "100", "200"), ("JPY", "100", "200"), ("KWD", "0.1", "0.2")],
)
def test_an_average_has_no_exponent(currency: str, price: str, shown: str) -> None:
    """200 is written 200."""
    made = offer(
        seats(price, 2), tax_inclusive=True, currency=currency, coupons=(percent("10"),)
    )
    (line,) = _invoice(attempt(made)).lines
    assert line.quantity == 2
    assert str(line.unit_price) == str(Decimal(price))
    whole = offer(rate(str(2 * Decimal(price))), tax_inclusive=True, currency=currency)
    (line,) = _invoice(attempt(whole)).lines
    assert str(line.quoted_unit_price) == shown


def test_inclusive_lines_show_both_prices() -> None:
    """48.00 with 20 % inside is 40.00 and 8.00."""
    made = offer(rate("48"), seats("12", 2), tax_inclusive=True)
    invoice = _invoice(_taxed(made))
    assert [
        (line.unit_price, line.quoted_unit_price, line.amount, line.tax)
        for line in invoice.lines
    ] == [
        (Decimal(40), Decimal(48), 4000, 800),
        (Decimal(10), Decimal(12), 2000, 400),
    ]
    assert (invoice.subtotal, invoice.tax_amount, invoice.total) == (6000, 1200, 7200)
    assert invoice.tax_inclusive


def test_no_seats_have_no_average() -> None:
    """A quantity of zero divides nothing."""
    for inclusive in (True, False):
        (line,) = _invoice(attempt(offer(seats("10", 0), tax_inclusive=inclusive))).lines
        assert (line.quantity, line.amount_total) == (Decimal(0), 0)
        assert line.unit_price == (Decimal(0) if inclusive else Decimal(10))


def test_a_one_time_line_starts_and_ends_on_its_day() -> None:
    """Two at 200.00."""
    (line,) = _invoice(attempt(offer(once("200", 2)))).lines
    assert (line.start_date, line.end_date, line.quantity) == (DAY, DAY, Decimal(2))
    assert line.amount_total == 40000


def test_the_recurring_subtotal_are_the_lines_without_a_metric() -> None:
    """Fixed fees, a capacity's base and one-time fees, before discount and tax."""
    made = offer(rate("35"), capacity("50"), once("200"), coupons=(percent("10"),))
    invoice = _invoice(_taxed(made))
    assert invoice.subtotal_recurring == 3500 + 5000 + 20000
    assert invoice.subtotal_recurring == invoice.subtotal


ITEMS: list[Item] = [rate("31.07"), seats("7.77", 3), capacity("50"), once("19.99", 3)]


@settings(max_examples=50)
@given(
    items=st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4, unique=True),
    off=st.none() | st.integers(1, 100),
    tax=st.sampled_from(["0", "0.055", "0.20", "0.255"]),
    inclusive=st.booleans(),
    day=st.dates(date(2024, 1, 1), date(2024, 2, 29)),
    balance=st.integers(0, 20_000),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_lines_sum_to_the_total(
    items: list[Item],
    off: int | None,
    tax: str,
    inclusive: bool,
    day: date,
    balance: int,
    currency: str,
) -> None:
    """In every direction, for every line and the whole."""
    made = offer(
        *items,
        coupons=() if off is None else (percent(str(off)),),
        anchor=1,
        tax_inclusive=inclusive,
        currency=currency,
        created_on=day,
    )
    claimed = _taxed(made, tax, day, balance)
    invoice = _invoice(claimed)
    bill = claimed.obligation.quote.bill
    assert bill is not None
    assert invoice.lines == invoice_lines(bill)
    assert sum(line.amount for line in invoice.lines) == invoice.subtotal
    assert sum(line.discount for line in invoice.lines) == invoice.discount
    assert sum(line.tax for line in invoice.lines) == invoice.tax_amount
    assert sum(line.amount_total for line in invoice.lines) == invoice.total
    assert sum(one.amount for one in invoice.coupons) == invoice.discount
    assert sum(row.tax for row in invoice.breakdown) == invoice.tax_amount
    smallest = Decimal(1).scaleb(-exponent(currency))
    for line in invoice.lines:
        assert abs(line.unit_price * line.quantity - line.amount * smallest) <= smallest
        assert "E" not in str(line.unit_price)


# Parties and number.


def test_the_customer_is_billed_as_typed() -> None:
    """Identity from the file, billing details from the page, fixed at the claim."""
    assert customer_snapshot(CUSTOMER, TYPED, NOON) == CustomerSnapshot(
        id=CUSTOMER.id,
        name="As typed",
        alias="on-file",
        email="typed@buyer.example",
        billing_address=TYPED.address,
        vat_number="DE136695976",
        snapshot_at=NOON,
    )
    invoice = _invoice(attempt(offer(rate("35"))))
    assert invoice.customer == customer_snapshot(CUSTOMER, TYPED, NOON)
    assert CUSTOMER.details.address == Address(country="DE")


def test_the_seller_as_it_stands() -> None:
    """Name, address, VAT number and where to write to."""
    assert seller_snapshot(ENTITY) == SellerSnapshot(
        legal_name="Seller SARL",
        address=ENTITY.address,
        vat_number="FR40303265045",
        email="billing@seller.example",
    )
    assert _invoice(attempt(offer(rate("35")))).seller == seller_snapshot(ENTITY)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("INV-{number}", "INV-42"),
        ("{YYYY}{MM}{DD}-{number}", "20240305-42"),
        ("A{YYYY}/{number}/{YYYY}", "A2024/42/2024"),
        ("{other}-{number}", "{other}-42"),
    ],
)
def test_number_patterns(pattern: str, text: str) -> None:
    """The number and the parts of its day; anything else stays as it is."""
    assert number_text(pattern, 42, date(2024, 3, 5)) == text
