"""Why an invoice comes to what it comes to: computed once more from what each line keeps.

What is computed is compared with what is stored, figure by figure. An explanation that does
not arrive at the stored figures to the cent is none: `Unexplained` says where they part.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from tallystick.domain import coupons as coupon_rules
from tallystick.domain.bill import Bill, TaxBreakdown, bill_line, bill_of_lines
from tallystick.domain.coupons import AppliedCoupon, CouponTerms, Fixed, Percentage
from tallystick.domain.errors import Unexplained
from tallystick.domain.explain_debt import (
    BalanceApplied,
    DebtCancelled,
    Due,
    Settled,
    TakenBack,
    ToBalance,
    WrittenOff,
)
from tallystick.domain.explain_line import (
    explain_line,
)
from tallystick.domain.explanation import (
    CouponTaken,
    InvoiceStep,
    LineStep,
    Subtotaled,
    TaxSummed,
    Totaled,
)
from tallystick.domain.invoice import Coverage, InvoiceStatus, still_due
from tallystick.domain.kept_line import KeptLine, agree, charge_again, check_line
from tallystick.domain.money import major, rounded
from tallystick.domain.tax import TaxDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCoupon:
    """What a coupon took off an invoice, net, and its terms as it was redeemed.

    `terms` is None where nothing is kept of its redemption. A fixed one may have given a part
    of its amount before, where the subscription has threshold invoices (`may_have_given`).
    """

    applied: AppliedCoupon
    terms: CouponTerms | None
    may_have_given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptInvoice:
    """What is stored of an invoice and of how it came about; `number` is None of a draft.

    `cancelled` is the debt that credit notes took off. `reversed` of what was settled was taken
    back by providers, of which `spare` has come back, to the customer's balance. `members` are
    the drafts whose lines a consolidated invoice carries, in the order of its lines.
    """

    id: UUID
    number: str | None
    status: InvoiceStatus
    invoice_date: date
    currency: str
    tax_inclusive: bool
    customer_name: str
    lines: tuple[KeptLine, ...]
    coupons: tuple[KeptCoupon, ...]
    breakdown: tuple[TaxBreakdown, ...]
    subtotal: int
    discount: int
    tax_amount: int
    total: int
    applied_balance: int
    written_off: int
    settled: int
    amount_due: int
    cancelled: int = 0
    reversed: int = 0
    spare: int = 0
    members: tuple["KeptInvoice", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedLine:
    """A line and the steps that lead to its total."""

    line: KeptLine
    steps: tuple[LineStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceExplanation:
    """An invoice whose every figure follows from the steps."""

    invoice: KeptInvoice
    lines: tuple[ExplainedLine, ...]
    steps: tuple[InvoiceStep, ...]


def explain_invoice(kept: KeptInvoice) -> InvoiceExplanation:
    """Compute an invoice again and tell how.

    Raises:
        Unexplained: A stored figure is not what it comes to.
    """
    again = _computed(kept)
    for line, made in zip(kept.lines, again.bill.lines, strict=True):
        check_line(line, made)
    _check_sums(again)
    return InvoiceExplanation(
        invoice=kept, lines=tuple(_lines(again)), steps=tuple(_steps(again))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Again:
    """An invoice with its bill computed once more, and its members with theirs."""

    kept: KeptInvoice
    bill: Bill
    members: tuple["_Again", ...] = ()


def billed_again(kept: KeptInvoice, decision_of: Callable[[KeptLine], TaxDecision]) -> Bill:
    """The bill of an invoice that carries no others, from quantities, prices and coupons.

    What a line's tax is decided by is the caller's to say. Raises `Unexplained` where what is
    kept does not add up.
    """
    charges = [charge_again(line, kept.currency) for line in kept.lines]
    amounts = [charge.amount for charge in charges]
    applied = coupon_rules.apply(sum(amounts), _left(kept, sum(amounts)), kept.currency)
    shares = coupon_rules.spread(sum(one.amount for one in applied), amounts)
    lines = tuple(
        bill_line(charge, share, decision_of(line), inclusive=kept.tax_inclusive)
        for line, charge, share in zip(kept.lines, charges, shares, strict=True)
    )
    return bill_of_lines(lines, applied, currency=kept.currency, inclusive=kept.tax_inclusive)


def _computed(kept: KeptInvoice) -> _Again:
    """The bill once more, from quantities, prices, coupons and tax decisions.

    Coupons and taxes of a consolidated invoice are those of its members, summed.
    """
    if kept.members:
        members = tuple(_computed(one) for one in kept.members)
        summed = bill_of_lines(
            tuple(line for one in members for line in one.bill.lines),
            tuple(taken for one in members for taken in one.bill.coupons),
            currency=kept.currency,
            inclusive=kept.tax_inclusive,
        )
        return _Again(kept=kept, bill=summed, members=members)
    return _Again(kept=kept, bill=billed_again(kept, lambda line: line.explanation.decision))


def _lines(again: _Again) -> Iterator[ExplainedLine]:
    """The lines with their steps; those of a consolidated invoice as their own drafts tell."""
    kept, made = again.kept, again.bill
    if again.members:
        told = (line for member in again.members for line in _lines(member))
        for line, one in zip(kept.lines, told, strict=True):
            yield ExplainedLine(line=line, steps=one.steps)
        return
    discounted = sum(max(line.charge.amount, 0) for line in made.lines)
    for line, computed in zip(kept.lines, made.lines, strict=True):
        yield ExplainedLine(
            line=line,
            steps=explain_line(
                computed,
                kept.currency,
                inclusive=kept.tax_inclusive,
                discount=made.quoted_discount,
                discounted=discounted,
            ),
        )


def _terms(kept: KeptInvoice) -> list[CouponTerms]:
    terms = []
    for one in kept.coupons:
        if one.terms is None:
            raise Unexplained(f"The terms of the coupon {one.applied.code} are not known.")
        terms.append(one.terms)
    return terms


def _left(kept: KeptInvoice, subtotal: int) -> list[CouponTerms]:
    """The terms with what each coupon had still to give in its period.

    A fixed one gives its amount once per period: what threshold invoices had of it is missing
    from a later invoice, and follows from what this one had.
    """
    terms = _terms(kept)
    if not any(one.may_have_given for one in kept.coupons):
        return terms
    whole = coupon_rules.apply(subtotal, terms, kept.currency)
    missing = sum(one.amount for one in whole) - sum(
        line.explanation.quoted_discount for line in kept.lines
    )
    left = {one.id: one for one in terms}
    for applied in whole:
        discount = left[applied.coupon_id].discount
        if missing > 0 and isinstance(discount, Fixed):
            given = min(missing, applied.amount - 1)
            missing -= given
            amount = major(applied.amount - given, kept.currency)
            left[applied.coupon_id] = replace(
                left[applied.coupon_id], discount=replace(discount, amount=amount)
            )
    return list(left.values())


def _check_sums(again: _Again) -> None:
    kept, made = again.kept, again.bill
    _check_coupons(again)
    agree("the subtotal", made.subtotal, kept.subtotal)
    agree("the discount", made.discount, kept.discount)
    agree("the tax", made.tax, kept.tax_amount)
    agree("the total", made.total, kept.total)
    if made.breakdown != kept.breakdown:
        raise Unexplained("The tax by rate does not follow from the lines.")
    if kept.status is not InvoiceStatus.VOID:
        covered = Coverage(
            applied_balance=kept.applied_balance,
            written_off=kept.written_off,
            settled=kept.settled,
            cancelled=kept.cancelled,
            reversed=kept.reversed,
        )
        agree("the amount due", still_due(made.total, covered), kept.amount_due)


def _check_coupons(again: _Again) -> None:
    kept = again.kept
    given: dict[UUID, int] = defaultdict(int)
    if again.members:
        for member in again.members:
            _check_coupons(member)
        for one in (one.applied for member in kept.members for one in member.coupons):
            given[one.coupon_id] += one.amount
    else:
        if len(again.bill.coupons) != len(kept.coupons):
            raise Unexplained("A coupon is named twice.")
        given.update({one.coupon_id: one.amount for one in again.bill.coupons_net})
    for stored in (one.applied for one in kept.coupons):
        agree(f"coupon {stored.code}", given[stored.coupon_id], stored.amount)
    stored_sum = sum(one.applied.amount for one in kept.coupons)
    agree("the coupons", sum(given.values()), stored_sum)


def _steps(again: _Again) -> Iterator[InvoiceStep]:
    kept, made = again.kept, again.bill
    yield Subtotaled(quoted=made.quoted_subtotal, subtotal=made.subtotal)
    yield from _coupons(again)
    for row in made.breakdown:
        yield TaxSummed(
            name=row.name,
            rate=row.rate,
            taxable=row.taxable,
            tax=row.tax,
            exemption=row.exemption,
            reason=row.reason,
        )
    yield Totaled(
        subtotal=made.subtotal, discount=made.discount, tax=made.tax, total=made.total
    )
    if kept.applied_balance:
        yield BalanceApplied(amount=kept.applied_balance)
    if kept.written_off:
        yield WrittenOff(amount=kept.written_off)
    if kept.cancelled:
        yield DebtCancelled(amount=kept.cancelled)
    if kept.settled:
        yield Settled(amount=kept.settled)
    if kept.reversed > kept.spare:
        yield TakenBack(amount=kept.reversed - kept.spare)
    if kept.spare:
        yield ToBalance(amount=kept.spare)
    yield Due(amount=None if kept.status is InvoiceStatus.VOID else kept.amount_due)


def _coupons(again: _Again) -> Iterator[CouponTaken]:
    kept, made = again.kept, again.bill
    if again.members:
        for member in again.members:
            yield from _coupons(member)
        return
    terms = {one.id: one for one in _terms(kept)}
    left = {one.id: one for one in _left(kept, made.quoted_subtotal)}
    remaining = max(made.quoted_subtotal, 0)
    for applied, net in zip(made.coupons, made.coupons_net, strict=True):
        discount, now = (one[applied.coupon_id].discount for one in (terms, left))
        whole, still = (
            coupon_rules.exact_discount(one, remaining, kept.currency)
            for one in (discount, now)
        )
        yield CouponTaken(
            code=applied.code,
            percentage=discount.percentage if isinstance(discount, Percentage) else None,
            fixed=discount.amount if isinstance(discount, Fixed) else None,
            given=rounded(whole - still),
            remaining=remaining,
            exact=still,
            amount=applied.amount,
            net=net.amount,
        )
        remaining -= applied.amount
