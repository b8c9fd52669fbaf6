"""Credit notes: parts of an invoice that never exceed it, and sum to it to the cent."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.domain.credit_invoice import credit
from tallystick.domain.credit_note import (
    Amount,
    CreditableInvoice,
    CreditNote,
    CreditToBalance,
    DebtCancellation,
    Everything,
    LineCredit,
    PaidAmount,
    Refund,
    number_text,
)
from tallystick.domain.credited_line import BilledLine, at_most, quantity_of
from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tests.cases.golden import case, row_id, rows
from tests.domain.crediting import CARD, after, invoice, line

TO_BALANCE, REFUND, DEBT = CreditToBalance(), Refund(), DebtCancellation()


def id_of(number: int) -> UUID:
    """The id of a line."""
    return UUID(int=number)


def part(number: int, **fields: Any) -> tuple[LineCredit]:  # noqa: ANN401
    """One line, or part of it."""
    return (LineCredit(line_id=id_of(number), **fields),)


@pytest.mark.parametrize(
    "row",
    [row for row in rows("CRN-U1") if "line_belongs_to_other_component" not in row],
    ids=row_id,
)
def test_a_credit_is_capped_at_what_remains(row: dict[str, Any]) -> None:
    """CRN-U1: which part of the quantity a wanted credit comes to."""
    if "segments" in row:
        latest = row["segments"][-1]
        billed = line(1, latest["amount"])
    else:
        billed = line(1, row.get("billed_line_amount", 2900))
    if "already_credited" in row:
        given_before = at_most(billed, row["already_credited"])
        assert given_before is not None
        billed = replace(billed, credited=(given_before,))

    share = at_most(billed, -row["credit"])

    if row["credited_quantity"] is None:
        assert share is None
    else:
        assert share is not None
        assert quantity_of(billed, share.amount) == Fraction(row["credited_quantity"])


@pytest.mark.parametrize("case_id", ["CRN-U3"])
def test_two_parts_make_the_whole_tax(case_id: str) -> None:
    """CRN-U3: of 10000 with 1501 + 500 tax, 4000 bears 800 and the rest 1201."""
    told = case(case_id)
    billed = invoice(line(1, 10000, (1501, 500)))

    first = credit(billed, TO_BALANCE, part(1, amount=4000))
    second = credit(after(billed, first), TO_BALANCE, part(1, amount=6000))

    taxes = [-first.tax_amount, -second.tax_amount]
    assert taxes == told["derived"]["taxes"] == [-800, -1201]
    assert -sum(taxes) == told["expected"]["tax_sum_abs"]


@pytest.mark.parametrize("row", rows("CRN-U4"), ids=row_id)
def test_the_quantity_shown_of_an_amount(row: dict[str, Any]) -> None:
    """CRN-U4: the billed quantity stands on the note; its average price gives the amount."""
    billed = invoice(line(1, row["billed"], quantity=str(row["billed_quantity"])))

    note = credit(billed, TO_BALANCE, part(1, amount=-row["credit"]))

    (shown,) = note.lines
    assert shown.quantity == row["quantity"]
    assert shown.share.amount == row["q_times_unit"]


def test_equal_quantities_make_up_the_line() -> None:
    """Three times one of three: 33, 34 and 33 of 100, whatever the roundings between."""
    billed = invoice(line(1, 100, quantity="3"))

    amounts = []
    for _ in range(3):
        note = credit(billed, TO_BALANCE, part(1, quantity=Decimal(1)))
        amounts.append(note.total)
        billed = after(billed, note)

    assert amounts == [33, 34, 33]
    with pytest.raises(Conflict, match="already been fully credited"):
        credit(billed, TO_BALANCE, part(1))


def test_a_quantity_shown_is_the_quantity_asked_for() -> None:
    """Two of three seats at 32.00: two stand on the note."""
    billed = invoice(line(1, 9600, quantity="3"))

    (shown,) = credit(billed, TO_BALANCE, part(1, quantity=Decimal(2))).lines

    assert shown.quantity == Decimal(2)
    assert shown.share.amount == 6400


def test_discount_and_tax_in_proportion() -> None:
    """Half of 100.00 less 10.00, with 20 % on 90.00: 50.00 - 5.00 + 9.00."""
    billed = invoice(line(1, 10000, (1800,), discount=1000))

    note = credit(billed, TO_BALANCE, part(1, amount=5000))

    assert (note.subtotal, note.discount, note.tax_amount) == (5000, 500, 900)
    assert note.total == 5400
    (row,) = note.breakdown
    assert (row.taxable, row.tax) == (4500, 900)


def test_a_line_that_gave_something_back() -> None:
    """A change's credit line is credited below zero; all of the change is what it came to."""
    billed = invoice(line(1, -1497), line(2, 5110))

    everything = credit(billed, TO_BALANCE, Everything())

    assert everything.total == 3613
    with pytest.raises(Conflict, match="3613 is left of this invoice"):
        credit(billed, TO_BALANCE, part(2))


def test_a_refund_gives_the_balance_its_share() -> None:
    """CRN-02's figures: of 100.00, 20.00 from the balance; half returns 10.00 and 40.00."""
    billed = invoice(line(1, 10000), applied=2000)

    half = credit(billed, REFUND, Amount(5000))
    rest = credit(after(billed, half), REFUND, Everything())

    assert (half.credited, half.refunded) == (1000, 4000)
    assert (rest.credited, rest.refunded) == (1000, 4000)
    whole = credit(billed, REFUND, Everything())
    assert (whole.credited, whole.refunded) == (2000, 8000)


def test_a_payment_goes_back_with_its_share_of_the_balance() -> None:
    """40.00 of the 80.00 that a card paid stand for 50.00 of the invoice."""
    billed = invoice(line(1, 10000), applied=2000)

    note = credit(billed, Refund(payment_id=CARD.id), PaidAmount(4000))

    assert (note.total, note.credited, note.refunded) == (5000, 1000, 4000)
    rest = credit(after(billed, note), Refund(payment_id=CARD.id), PaidAmount(None))
    assert (rest.total, rest.refunded) == (5000, 4000)


def test_what_is_due_is_cancelled_and_no_more() -> None:
    """Of 100.00, 30.00 are paid: 70.00 can be cancelled, and 30.00 go to the balance."""
    billed = invoice(line(1, 10000), settled=3000)

    assert credit(billed, DEBT, Amount(7000)).total == 7000
    assert credit(billed, TO_BALANCE, Amount(3000)).credited == 3000
    with pytest.raises(Conflict, match="7000 of this invoice is still due"):
        credit(billed, DEBT, Amount(7001))
    with pytest.raises(Conflict, match="3000 of this invoice was paid"):
        credit(billed, TO_BALANCE, Amount(3001))


@pytest.mark.parametrize("case_id", ["PAY-09"])
def test_what_a_debit_promises_is_credited_to_the_balance(case_id: str) -> None:
    """PAY-09: while a debit is on its way nothing is cancelled, and 18.06 go to the balance."""
    told = case(case_id)
    billed = invoice(line(1, 3500), settled=0, payment_status=PaymentStatus.PROCESSING)

    note = credit(billed, TO_BALANCE, Amount(told["derived"]["credited"]))

    assert note.credited == 1806
    with pytest.raises(Conflict, match="0 of this invoice is still due and not being paid"):
        credit(billed, DEBT, Everything())


@pytest.mark.parametrize("kind", [TO_BALANCE, REFUND, DEBT])
@pytest.mark.parametrize("status", [InvoiceStatus.DRAFT, InvoiceStatus.VOID])
def test_only_a_final_invoice_is_credited(kind: Any, status: InvoiceStatus) -> None:  # noqa: ANN401
    """The refusal names what it is."""
    with pytest.raises(Conflict, match=status.value):
        credit(invoice(line(1, 100), status=status), kind, Everything())


def test_money_that_came_another_way_goes_back_another_way() -> None:
    """A noted payment is refunded by hand only; then it is noted, too."""
    by_hand = replace(CARD, provider="manual", amount=100)
    billed = invoice(line(1, 100), payments=(by_hand,))

    with pytest.raises(Conflict, match="No payment of this invoice can be refunded"):
        credit(billed, REFUND, Everything())
    assert credit(billed, Refund(offline=True), Everything()).refunded == 100


def test_a_refund_is_of_one_payment() -> None:
    """Of 60 and 40, 50 comes out of the 60 and 70 out of neither."""
    newer = replace(CARD, amount=40)
    older = replace(CARD, id=UUID(int=901), amount=60)
    billed = invoice(line(1, 100), payments=(newer, older))

    assert credit(billed, REFUND, Amount(50)).payment == older
    assert credit(billed, REFUND, Amount(40)).payment == newer
    with pytest.raises(Conflict, match="60 can go back by one payment"):
        credit(billed, REFUND, Amount(70))
    with pytest.raises(Conflict, match="40 can go back by one payment"):
        credit(billed, Refund(payment_id=newer.id), Amount(50))
    with pytest.raises(Conflict, match="This payment cannot be refunded"):
        credit(billed, Refund(payment_id=UUID(int=5)), Amount(50))


@pytest.mark.parametrize(
    ("wanted", "field", "code"),
    [
        (part(7), "lines[0].line_item_id", "unknown"),
        (part(1) + part(1), "lines[1].line_item_id", "duplicate"),
        (part(1, amount=5, quantity=Decimal(1)), "lines[0]", "contradiction"),
        (part(1, amount=101), "lines[0].amount", "out_of_range"),
        (part(1, quantity=Decimal("2.5")), "lines[0].quantity", "out_of_range"),
        (part(2, quantity=Decimal(1)), "lines[0].quantity", "impossible"),
    ],
)
def test_lines_that_cannot_be(wanted: Any, field: str, code: str) -> None:  # noqa: ANN401
    """Each fault is named by its path."""
    billed = invoice(line(1, 100, quantity="2"), line(2, 50, quantity=None))

    with pytest.raises(InvalidInput) as refused:
        credit(billed, TO_BALANCE, wanted)

    (fault,) = refused.value.faults
    assert (fault.field, fault.code) == (field, code)


def test_all_faults_at_once() -> None:
    """Two lines at fault are two faults."""
    billed = invoice(line(1, 100), line(2, 50))

    with pytest.raises(InvalidInput) as refused:
        credit(billed, TO_BALANCE, part(1, amount=101) + part(9))

    assert len(refused.value.faults) == 2


@pytest.mark.parametrize("amount", [0, 101])
def test_amounts_that_cannot_be(amount: int) -> None:
    """More than there is, or nothing: the path and what is accepted."""
    for scope in (Amount(amount), PaidAmount(amount)):
        with pytest.raises(InvalidInput) as refused:
            credit(invoice(line(1, 100)), REFUND, scope)
        (fault,) = refused.value.faults
        assert fault.field == "amount"
        assert "from 1 to 100" in fault.message


def test_numbers_have_six_digits() -> None:
    """And more when they are needed."""
    assert number_text(1) == "CN-000001"
    assert number_text(1234567) == "CN-1234567"


AMOUNTS = st.integers(0, 10_000)
QUANTITIES = st.sampled_from(["1", "3", "7", "0.25", "1000", None])
BACK = st.integers(1, 3_000)
BACK_QUANTITIES = st.sampled_from(["1", "3"])
LINES = st.integers(1, 4)
EITHER = st.booleans()
KINDS = st.sampled_from(["amount", "lines"])
HOWS = st.sampled_from(["amount", "quantity", "rest"])
SHARES = st.sampled_from(["0.25", "1", "2", "333"])


@st.composite
def billed_lines(draw: st.DrawFn, number: int) -> BilledLine:
    """A line with discount and up to three taxes, as rates and roundings may leave it."""
    amount = draw(AMOUNTS)
    discount = draw(st.integers(0, amount))
    taxes = draw(st.lists(st.integers(0, amount - discount), max_size=3))
    quantity = draw(QUANTITIES)
    return line(number, amount, tuple(taxes), discount=discount, quantity=quantity)


@st.composite
def given_back(draw: st.DrawFn, number: int) -> BilledLine:
    """A line below zero, as a change of plan makes them."""
    amount = -draw(BACK)
    tax = -draw(st.integers(0, -amount))
    return line(number, amount, (tax,), quantity=draw(BACK_QUANTITIES))


@st.composite
def invoices(draw: st.DrawFn) -> CreditableInvoice:
    """A paid invoice, part of it from the balance."""
    lines = [draw(billed_lines(number)) for number in range(1, draw(LINES) + 1)]
    if draw(EITHER):
        lines.append(draw(given_back(9)))
    total = sum(one.left.total for one in lines)
    assume(total > 0)
    return invoice(*lines, applied=draw(st.integers(0, total)))


@st.composite
def scopes(draw: st.DrawFn, billed: CreditableInvoice) -> Any:  # noqa: ANN401
    """Something of an invoice: amounts, quantities or lines, some of them impossible."""
    kind = draw(KINDS)
    if kind == "amount":
        return Amount(draw(st.integers(1, max(billed.total - billed.credited, 1))))
    wanted = []
    for one in draw(st.lists(st.sampled_from(billed.lines), min_size=1, unique=True)):
        left = abs(one.left.amount)
        how = draw(HOWS)
        if how == "amount" and left:
            wanted.append(LineCredit(line_id=one.id, amount=draw(st.integers(1, left))))
        elif how == "quantity" and one.quantity and left:
            share = draw(SHARES)
            wanted.append(LineCredit(line_id=one.id, quantity=Decimal(share)))
        else:
            wanted.append(LineCredit(line_id=one.id))
    return tuple(wanted)


@given(data=st.data(), billed=invoices())
def test_any_partition_nets_to_zero(data: st.DataObject, billed: CreditableInvoice) -> None:
    """However an invoice is credited, bit by bit, no part exceeds what is left of it, and the
    last one takes the rest: discount, every tax, balance and payments sum to the invoice.
    """
    notes: list[CreditNote] = []
    now = billed
    for _ in range(data.draw(st.integers(0, 8))):
        try:
            note = credit(now, TO_BALANCE, data.draw(scopes(now)))
        except (Conflict, InvalidInput):
            continue
        notes.append(note)
        now = after(now, note)
        for one in now.lines:
            left = one.left
            assert _within(left.amount, one.amount)
            assert _within(left.discount, one.discount)
            assert _within(left.amount - left.discount, one.amount - one.discount)
            for rest, tax in zip(left.taxes, one.taxes, strict=True):
                assert _within(rest, tax.amount)
    if now.credited < now.total:
        notes.append(credit(now, TO_BALANCE, Everything()))
        now = after(now, notes[-1])

    assert sum(note.total for note in notes) == billed.total
    assert sum(note.from_balance for note in notes) == billed.applied_balance
    assert sum(note.from_payments for note in notes) == billed.settled
    assert sum(one.left.total for one in now.lines) == 0
    with pytest.raises(Conflict):
        credit(now, TO_BALANCE, Everything())


@given(data=st.data(), billed=invoices())
def test_any_partition_of_a_payment_is_the_payment(
    data: st.DataObject, billed: CreditableInvoice
) -> None:
    """Refunded by any amounts, a payment goes back once and whole, the balance with it."""
    assume(billed.settled > 0)
    now, back = billed, []
    while now.paid_left:
        amount = data.draw(st.integers(1, now.paid_left))
        note = credit(now, Refund(payment_id=CARD.id), PaidAmount(amount))
        assert note.refunded == amount
        back.append(note)
        now = after(now, note)
        if len(back) > 6 and now.paid_left:
            back.append(credit(now, Refund(payment_id=CARD.id), PaidAmount(None)))
            now = after(now, back[-1])

    assert sum(note.refunded for note in back) == billed.settled
    assert sum(note.credited for note in back) == billed.applied_balance


def _within(part: int, whole: int) -> bool:
    """Between nothing and the whole, on the whole's side of zero."""
    return min(0, whole) <= part <= max(0, whole)
