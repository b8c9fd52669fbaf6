"""What is credited of the lines that billed an item which is removed before its days are over.

The share of the days that are left of each line, whatever it was discounted by; at most what
remains of the line, and of what its invoice still asks for or was paid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tallystick.domain.credit_note import (
    CreditableInvoice,
    CreditKind,
    CreditToBalance,
    DebtCancellation,
    LineCredit,
)
from tallystick.domain.credited_line import BilledLine, Share, by_amount, by_total
from tallystick.domain.invoice import PaymentStatus
from tallystick.domain.money import allocate, rounded_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingLine:
    """A line of an invoice that is not void, and that billed an item for days around a day.

    `amount` and `discount` as they stand on the invoice, below zero on a line that gave back;
    as quoted, with tax and less the discount, where its prices include tax. `is_offset`: other
    lines of the invoice give back, so that it asked for less than the line.
    """

    id: UUID
    invoice_id: UUID
    is_final: bool
    item_id: UUID
    start: date
    end: date
    amount: int
    discount: int
    tax_inclusive: bool = False
    is_offset: bool = False

    @property
    def takes_note(self) -> bool:
        """Whether a note against its invoice can give back what is left of the line."""
        return self.is_final and not (self.is_offset and self.paid > 0)

    @property
    def paid(self) -> int:
        """What the line asks for without its tax."""
        return self.amount - self.discount

    def left(self, of: int, day: date) -> int:
        """The share of an amount for the days from a day on."""
        return rounded_ratio(of * (self.end - day).days, (self.end - self.start).days)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineShare:
    """So much of a line is to be credited, in the terms of the line's amount."""

    line: BillingLine
    amount: int


def shares_left(lines: Sequence[BillingLine], day: date) -> tuple[LineShare, ...]:
    """What is left on a day of the lines that billed an item and what it replaced.

    Newest first. A line that gave something back did so of the older ones: of those, so much
    less is left.
    """
    found: list[LineShare] = []
    given = 0
    for line in lines:
        left = line.left(line.paid, day)
        if left <= 0:
            given -= left
            continue
        taken = min(given, left)
        given -= taken
        amount = line.left(line.amount, day)
        if taken:
            amount = rounded_ratio((left - taken) * line.amount, line.paid)
        if amount:
            found.append(LineShare(line=line, amount=amount))
    return tuple(found)


def removal_credits(
    invoice: CreditableInvoice, wanted: Mapping[UUID, int], *, tax_inclusive: bool
) -> tuple[tuple[CreditKind, tuple[LineCredit, ...]], ...]:
    """The notes that credit amounts of an invoice's lines, each with what it takes of them.

    The amounts are totals where prices include tax, else before discount and tax. What is
    still due is not to be paid any more, all else goes to the balance; at most what remains of
    a line.
    """
    if not invoice.status.is_owed:
        return ()
    capped = [
        (line, _most(line, wanted[line.id], tax_inclusive=tax_inclusive))
        for line in invoice.lines
        if line.id in wanted and min(line.left.amount, line.left.total) > 0
    ]
    totals = [share.total for _, share in capped]
    total = sum(totals)
    is_coming = invoice.payment_status is PaymentStatus.PROCESSING
    debt = 0 if is_coming else min(total, max(invoice.amount_due, 0))
    paid = min(total - debt, invoice.covered_left)
    by_lines = tuple(
        LineCredit(line_id=line.id, total=share.total)
        if tax_inclusive
        else LineCredit(line_id=line.id, amount=share.amount)
        for line, share in capped
    )
    if total <= 0:
        return ()
    if debt == total:
        return ((DebtCancellation(), by_lines),)
    if paid == total:
        return ((CreditToBalance(), by_lines),)
    cancelled = allocate(debt, totals)
    rest = [whole - part for whole, part in zip(totals, cancelled, strict=True)]
    lines = [line for line, _ in capped]
    return (
        *_note(DebtCancellation(), lines, cancelled),
        *_note(CreditToBalance(), lines, allocate(paid, rest)),
    )


def _most(line: BilledLine, wanted: int, *, tax_inclusive: bool) -> Share:
    """The share of a line that is wanted, or all that is left of it."""
    if tax_inclusive:
        return by_total(line, min(wanted, line.left.total))
    return by_amount(line, min(wanted, line.left.amount))


def _note(
    kind: CreditKind, lines: Sequence[BilledLine], totals: Sequence[int]
) -> tuple[tuple[CreditKind, tuple[LineCredit, ...]], ...]:
    parts = tuple(
        LineCredit(line_id=line.id, total=part)
        for line, part in zip(lines, totals, strict=True)
        if part
    )
    return ((kind, parts),) if parts else ()
