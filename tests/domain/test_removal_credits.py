"""What is credited of an invoice for what is removed: debt first, then what was paid."""

from dataclasses import replace
from uuid import UUID

import pytest

from tallystick.domain.credit_note import CreditToBalance, DebtCancellation, LineCredit
from tallystick.domain.credit_removed import BillingLine, removal_credits
from tallystick.domain.credited_line import Share
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tests.domain.crediting import invoice, line
from tests.domain.samples import named
from tests.domain.test_amendment import FEB_1, JAN_1, billing

ONE = line(1, 3100, (620,))
"""31.00 with 6.20 of tax."""
ANOTHER = line(2, 1000, (200,))
CREDITED = replace(ONE, credited=(Share(amount=2100, discount=0, taxes=(420,)),))
"""Of which 10.00 and their tax are left."""


def amount(of: int, left: int) -> LineCredit:
    """So much of a line, before discount and tax."""
    return LineCredit(line_id=named_line(of), amount=left)


def total(of: int, left: int) -> LineCredit:
    """So much of a line, with discount and tax."""
    return LineCredit(line_id=named_line(of), total=left)


def named_line(number: int) -> UUID:
    """The id of a line by its number."""
    return {1: ONE.id, 2: ANOTHER.id}[number]


def test_what_is_still_due_is_not_to_be_paid_any_more() -> None:
    """16.00 of 31.00 come to 19.20, and 37.20 are due."""
    (note,) = removal_credits(invoice(ONE, settled=0), {ONE.id: 1600}, tax_inclusive=False)

    assert note == (DebtCancellation(), (amount(1, 1600),))


def test_all_that_is_due() -> None:
    """The whole of it, and not a cent of what nobody has paid."""
    (note,) = removal_credits(invoice(ONE, settled=0), {ONE.id: 3100}, tax_inclusive=False)

    assert note == (DebtCancellation(), (amount(1, 3100),))


def test_what_was_paid_goes_to_the_balance() -> None:
    """By card or by the balance; with prices that include tax, by what the line came to."""
    paid = invoice(ONE, ANOTHER, applied=300)

    assert removal_credits(paid, {ONE.id: 1600}, tax_inclusive=False) == (
        (CreditToBalance(), (amount(1, 1600),)),
    )
    assert removal_credits(paid, {ONE.id: 1600, ANOTHER.id: 7}, tax_inclusive=True) == (
        (CreditToBalance(), (total(1, 1600), total(2, 7))),
    )


def test_no_more_than_what_is_left_of_a_line() -> None:
    """10.00 are left of it, 12.00 with their tax."""
    left = invoice(CREDITED)

    assert removal_credits(left, {ONE.id: 1600}, tax_inclusive=False) == (
        (CreditToBalance(), (amount(1, 1000),)),
    )
    assert removal_credits(left, {ONE.id: 1600}, tax_inclusive=True) == (
        (CreditToBalance(), (total(1, 1200),)),
    )


def test_debt_first_then_what_was_paid() -> None:
    """49.20, of which 39.20 were paid: 10.00 are cancelled, the rest goes to the balance.

    Each is spread over the lines by what they come to.
    """
    partly = invoice(ONE, ANOTHER, settled=3920)
    wanted = {ONE.id: 3100, ANOTHER.id: 1000}

    assert removal_credits(partly, wanted, tax_inclusive=False) == (
        (DebtCancellation(), (total(1, 756), total(2, 244))),
        (CreditToBalance(), (total(1, 2964), total(2, 956))),
    )


def test_at_most_what_was_paid_and_is_there() -> None:
    """Of 37.20 that were paid, 20.00 went back already: 17.20 are credited."""
    partly = replace(invoice(ONE), from_payments=2000, credited=0, amount_due=0)
    gone = replace(partly, payments=tuple(replace(p, refunded=2000) for p in partly.payments))

    assert removal_credits(gone, {ONE.id: 3100}, tax_inclusive=False) == (
        (CreditToBalance(), (total(1, 1720),)),
    )


def test_a_line_that_gets_nothing_is_in_no_note() -> None:
    """A cent of debt over two lines is a cent of the larger one."""
    partly = invoice(ONE, ANOTHER, settled=4919)
    debt, paid = removal_credits(partly, {ONE.id: 3100, ANOTHER.id: 1000}, tax_inclusive=False)

    assert debt == (DebtCancellation(), (total(1, 1),))
    assert paid == (CreditToBalance(), (total(1, 3719), total(2, 1200)))


def test_money_on_its_way_counts_as_paid() -> None:
    """While a debit is under way nothing is cancelled; without its promise nothing is there."""
    coming = invoice(ONE, settled=0, payment_status=PaymentStatus.PROCESSING)

    assert removal_credits(coming, {ONE.id: 3100}, tax_inclusive=False) == (
        (CreditToBalance(), (amount(1, 3100),)),
    )
    alone = replace(coming, promised=0)
    assert removal_credits(alone, {ONE.id: 3100}, tax_inclusive=False) == ()


def test_an_invoice_that_asks_for_nothing_has_no_debt() -> None:
    """Paid twice over, its amount due below zero: what was paid goes back, no more."""
    over = replace(invoice(ONE), amount_due=-100)

    assert removal_credits(over, {ONE.id: 1600}, tax_inclusive=False) == (
        (CreditToBalance(), (amount(1, 1600),)),
    )


@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(
            (replace(invoice(ONE), status=InvoiceStatus.DRAFT), {ONE.id: 1600}), id="a draft"
        ),
        pytest.param(
            (replace(invoice(ONE), status=InvoiceStatus.VOID), {ONE.id: 1600}), id="void"
        ),
        pytest.param((invoice(ONE), {named("else"): 1600}), id="another line"),
        pytest.param((invoice(ONE, line(3, -500)), {line(3, 0).id: 5}), id="that gave back"),
        pytest.param((invoice(ONE, line(3, 0)), {line(3, 0).id: 5}), id="for nothing"),
        pytest.param(
            (invoice(ONE, line(3, 500, discount=500)), {line(3, 0).id: 5}), id="all off"
        ),
    ],
)
def test_nothing_is_credited(nothing: tuple[object, dict[object, int]]) -> None:
    """Of what is no final invoice, of other lines, and of lines that came to nothing."""
    billed, wanted = nothing
    assert removal_credits(billed, wanted, tax_inclusive=False) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "takes"),
    [
        ({}, True),
        ({"is_final": False}, False),
        ({"is_offset": True}, False),
        ({"is_offset": True, "is_final": False}, False),
        ({"is_offset": True, "discount": 3099}, False),
        ({"is_offset": True, "discount": 3100}, True),
        ({"is_offset": True, "amount": -3100}, True),
    ],
)
def test_which_lines_take_a_note(changes: dict[str, object], takes: bool) -> None:
    """Final ones, unless others gave back of what the line asked for."""
    one: BillingLine = replace(billing(JAN_1, FEB_1, 3100), **changes)  # type: ignore[arg-type]
    assert one.takes_note is takes
