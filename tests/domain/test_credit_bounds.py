"""What can be credited at the least: a cent, but never no quantity; and what has no price."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.billed_ahead import is_priced
from tallystick.domain.credit_invoice import credit
from tallystick.domain.credit_note import (
    Amount,
    CreditToBalance,
    DebtCancellation,
    Everything,
    LineCredit,
    PaidAmount,
    Refund,
)
from tallystick.domain.credit_removed import removal_credits
from tallystick.domain.credited_line import Share
from tallystick.domain.credited_line import by_quantity as by_share
from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.metered import Meter, usage_charges
from tallystick.domain.periods import Period
from tallystick.domain.pricing import Matrix, MatrixDimension, MatrixRow, UsagePricing
from tallystick.domain.usage_pricing import Measured
from tests.domain.crediting import CARD, after, invoice, line
from tests.domain.offers import priced
from tests.domain.samples import DAY

TO_BALANCE = CreditToBalance()


def by_quantity(quantity: str) -> tuple[LineCredit]:
    """A part of the first line."""
    return (LineCredit(line_id=UUID(int=1), quantity=Decimal(quantity)),)


def test_a_line_of_one_cent_is_credited_by_its_quantity() -> None:
    """One unit for a cent: all of it."""
    assert credit(invoice(line(1, 1)), TO_BALANCE, by_quantity("1")).total == 1


def test_no_quantity_is_refused() -> None:
    """Nothing of a line is no credit, and no note of nothing is written."""
    with pytest.raises(InvalidInput, match="above 0"):
        credit(invoice(line(1, 100, quantity="3")), TO_BALANCE, by_quantity("0"))


def test_what_another_line_gave_back_bounds_the_whole() -> None:
    """Of 100 less 40 no more than 60 come back, though 40 are left of the line of 100."""
    billed = invoice(line(1, 100), line(2, -40))
    first = credit(billed, TO_BALANCE, (LineCredit(line_id=UUID(int=1), amount=60),))

    with pytest.raises(Conflict, match="0 is left of this invoice"):
        credit(after(billed, first), TO_BALANCE, (LineCredit(line_id=UUID(int=1), amount=40),))


def test_nothing_is_left_of_what_was_given_back() -> None:
    """An invoice that is credited whole has no amount to credit, and no payment to refund."""
    billed = invoice(line(1, 100))
    now = after(billed, credit(billed, TO_BALANCE, Everything()))

    with pytest.raises(Conflict, match="Nothing is left to credit"):
        credit(now, TO_BALANCE, Amount(1))
    with pytest.raises(Conflict, match="Nothing is left to refund"):
        credit(now, Refund(payment_id=CARD.id), PaidAmount(None))


@given(
    amounts=st.lists(st.integers(1, 400), min_size=1, max_size=4),
    tax=st.integers(0, 99),
    rest=st.integers(1, 49),
    cuts=st.lists(st.integers(1, 500), max_size=5),
)
def test_a_note_of_everything_nets_to_zero(
    amounts: list[int], tax: int, rest: int, cuts: list[int]
) -> None:
    """Whatever was credited before: what the balance paid goes back, what was written off does
    not, and every column of the notes sums to the invoice's.
    """
    lines = [line(number, amount, (tax,)) for number, amount in enumerate(amounts, start=1)]
    total = sum(one.left.total for one in lines)
    written_off = min(rest, total)
    billed = invoice(*lines, applied=total - written_off, written_off=written_off)
    notes = []
    for cut in cuts:
        if cut < billed.total - billed.credited:
            notes.append(credit(billed, TO_BALANCE, Amount(cut)))
            billed = after(billed, notes[-1])
    notes.append(credit(billed, TO_BALANCE, Everything()))

    assert sum(one.total for one in notes) == total
    assert sum(one.tax_amount for one in notes) == tax * len(lines)
    assert sum(one.credited for one in notes) == total - written_off
    assert sum(one.from_write_off for one in notes) == written_off


@pytest.mark.parametrize(("wanted", "credited"), [(970, 955), (688, 688)])
def test_what_is_removed_is_credited_as_far_as_it_was_paid(wanted: int, credited: int) -> None:
    """JPY 970, of which 15 were written off, or 22 days of 31 of it: one note of all that."""
    billed = invoice(line(1, 970), applied=955, written_off=15)

    ((kind, lines),) = removal_credits(billed, {UUID(int=1): wanted}, tax_inclusive=False)
    note = credit(billed, kind, lines)

    assert (note.total, note.credited) == (wanted, credited)


def test_usage_that_no_row_prices_is_no_priced_line() -> None:
    """It is told with the values that it has, and has no price; what a row prices has one."""
    eu, us = (MatrixDimension(key="region", value=one) for one in ("eu", "us"))
    rows = (MatrixRow(dimension1=eu, per_unit_price=Decimal(2)),)
    meter = Meter(
        item=priced("Calls", UsagePricing(model=Matrix(rates=rows))),
        window=Period(DAY, DAY + timedelta(days=31)),
    )
    used = [Measured(quantity=Fraction(3), dimensions=(one,)) for one in (eu, us)]

    known, unknown = usage_charges(meter, used, "EUR")

    assert (known.amount, is_priced(known)) == (600, True)
    assert (unknown.amount, is_priced(unknown)) == (0, False)
    assert unknown.name == "Calls (no price: region us)"


def test_a_line_is_credited_by_what_it_comes_to() -> None:
    """6.00 of 12.00 with tax: 5.00 and 1.00."""
    wanted = (LineCredit(line_id=UUID(int=1), total=600),)
    note = credit(invoice(line(1, 1000, (200,))), TO_BALANCE, wanted)
    assert (note.subtotal, note.tax_amount, note.total) == (500, 100, 600)


def test_a_quantity_too_small_for_a_cent() -> None:
    """A third of one cent is nothing, of which the quantity is known."""
    assert by_share(line(1, 1, (0, 0), quantity="3"), Decimal(1)) == Share(
        amount=0, discount=0, taxes=(0, 0), quantity=Decimal(1)
    )


def test_where_the_money_of_a_note_goes() -> None:
    """To the balance, back the way it came, or nowhere, where it was never paid."""
    paid = invoice(line(1, 1000), applied=300)
    to_balance = credit(paid, TO_BALANCE, Everything())
    assert (to_balance.credited, to_balance.refunded) == (1000, 0)
    back = credit(paid, Refund(), Everything())
    assert (back.credited, back.refunded) == (300, 700)
    due = invoice(line(1, 1000), settled=0)
    forgiven = credit(due, DebtCancellation(), Everything())
    assert (forgiven.credited, forgiven.refunded) == (0, 0)
