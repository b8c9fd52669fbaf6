"""Which lines of an invoice a credit note takes back, and how much of each."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import assert_never
from uuid import UUID

from tallystick.domain.credit_note import (
    Amount,
    CreditableInvoice,
    CreditedLine,
    Everything,
    LineCredit,
)
from tallystick.domain.credited_line import (
    BilledLine,
    Share,
    by_amount,
    by_quantity,
    by_total,
)
from tallystick.domain.errors import Conflict, Fault, InvalidInput, fail_if
from tallystick.domain.money import allocate


def lines_of(
    invoice: CreditableInvoice, scope: Everything | Amount | tuple[LineCredit, ...]
) -> tuple[CreditedLine, ...]:
    """The lines that a scope names, each with its share.

    Raises:
        InvalidInput: A line, a quantity or an amount that the invoice does not have.
        Conflict: A line, or the whole invoice, was fully credited before.
    """
    match scope:
        case Everything():
            return _everything(invoice)
        case Amount(total=total):
            return _spread(invoice, total)
        case tuple():
            return _chosen(invoice, scope)
    assert_never(scope)


def _everything(invoice: CreditableInvoice) -> tuple[CreditedLine, ...]:
    return tuple(
        CreditedLine(line=line, share=line.left)
        for line in invoice.lines
        if not line.is_credited
    )


def _spread(invoice: CreditableInvoice, total: int) -> tuple[CreditedLine, ...]:
    """An amount over the lines in proportion to what is left of them."""
    left = invoice.total - invoice.credited
    if left <= 0:
        raise Conflict("Nothing is left to credit: all of this invoice has been.")
    if not 0 < total <= left:
        fault = Fault("amount", "out_of_range", f"must be from 1 to {left}, in minor units")
        raise InvalidInput(f"amount {fault.message}.", (fault,))
    if total == sum(line.left.total for line in invoice.lines):
        return _everything(invoice)
    worth = [line for line in invoice.lines if line.left.total > 0]
    parts = allocate(total, [line.left.total for line in worth])
    return tuple(
        CreditedLine(line=line, share=by_total(line, part))
        for line, part in zip(worth, parts, strict=True)
        if part
    )


def _chosen(
    invoice: CreditableInvoice, wanted: Sequence[LineCredit]
) -> tuple[CreditedLine, ...]:
    known = {line.id: line for line in invoice.lines}
    faults = [
        fault
        for place, one in enumerate(wanted)
        for fault in _faults(known, wanted, place, one)
    ]
    fail_if(faults)
    credited = [place for place, one in enumerate(wanted) if known[one.line_id].is_credited]
    if credited:
        message = "has already been fully credited"
        raise Conflict(
            f"lines[{credited[0]}] {message}.",
            tuple(Fault(f"lines[{place}]", "credited", message) for place in credited),
        )
    return tuple(
        CreditedLine(line=known[one.line_id], share=_share(known[one.line_id], one))
        for one in wanted
    )


def _faults(
    known: Mapping[UUID, BilledLine],
    wanted: Sequence[LineCredit],
    place: int,
    one: LineCredit,
) -> list[Fault]:
    """What is wrong with a line that was asked for."""
    path = f"lines[{place}]"
    line = known.get(one.line_id)
    if line is None:
        return [Fault(f"{path}.line_item_id", "unknown", "names no line of this invoice")]
    if any(other.line_id == one.line_id for other in wanted[:place]):
        return [Fault(f"{path}.line_item_id", "duplicate", "names a line a second time")]
    if one.quantity is not None and one.amount is not None:
        return [Fault(path, "contradiction", "takes a quantity or an amount, not both")]
    if line.is_credited:
        return []
    if one.amount is not None and not 0 < one.amount <= abs(line.left.amount):
        message = f"must be from 1 to the {abs(line.left.amount)} that are left of the line"
        return [Fault(f"{path}.amount", "out_of_range", message)]
    if one.quantity is None:
        return []
    if not line.quantity or line.quantity < 0 or line.amount == 0:
        return [Fault(f"{path}.quantity", "impossible", "this line has no quantity to cut")]
    left = _quantity_left(line)
    if not 0 < one.quantity <= left:
        message = f"must be above 0 and at most {_decimal(left)}, which is left of the line"
        return [Fault(f"{path}.quantity", "out_of_range", message)]
    return []


def _quantity_left(line: BilledLine) -> Fraction:
    assert line.quantity is not None, "a line that is cut by quantity has one"
    return Fraction(line.quantity) - line.credited_quantity


def _decimal(value: Fraction) -> str:
    """A quantity in words, cut to six decimals."""
    return f"{(Decimal(value.numerator * 10**6 // value.denominator).scaleb(-6)).normalize():f}"


def _share(line: BilledLine, wanted: LineCredit) -> Share:
    if wanted.quantity is not None:
        return by_quantity(line, wanted.quantity)
    if wanted.amount is not None:
        return by_amount(line, wanted.amount if line.left.amount > 0 else -wanted.amount)
    if wanted.total is not None:
        return by_total(line, wanted.total)
    return line.left
