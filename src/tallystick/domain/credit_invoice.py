"""Credit an invoice: the one decision behind every credit note and every refund."""

from fractions import Fraction

from tallystick.domain.bill import breakdown
from tallystick.domain.credit_note import (
    MANUAL,
    Amount,
    CreditableInvoice,
    CreditKind,
    CreditNote,
    DebtCancellation,
    Everything,
    LineCredit,
    PaidAmount,
    Refund,
    RefundablePayment,
    Scope,
    type_of,
)
from tallystick.domain.credit_scope import lines_of
from tallystick.domain.errors import Conflict, Fault, InvalidInput
from tallystick.domain.invoice import PaymentStatus
from tallystick.domain.money import allocate, rounded


def credit(invoice: CreditableInvoice, kind: CreditKind, scope: Scope) -> CreditNote:
    """The note that credits `scope` of an invoice.

    Raises:
        InvalidInput: A line or an amount that the invoice does not have.
        Conflict: The invoice's state, or how it was paid, forbids it.
    """
    if not invoice.status.is_owed:
        raise Conflict(
            f"Only a finalized invoice can be credited: this one is {invoice.status.value}."
        )
    payment: RefundablePayment | None = None
    if isinstance(kind, Refund):
        payment = _payment(invoice, kind)
    lines = lines_of(invoice, _resolved(invoice, scope, payment))
    total = sum(one.share.total for one in lines)
    if total <= 0:
        raise Conflict("Nothing is left to credit: what was asked for comes to nothing.")
    if total > invoice.total - invoice.credited:
        raise _too_much("is left of this invoice", invoice.total - invoice.credited, total)
    from_balance, from_payments, from_write_off = _sources(invoice, kind, total)
    if payment is not None and from_payments > payment.left:
        payment = _with_enough(invoice, kind, from_payments)
    return CreditNote(
        type=type_of(kind),
        currency=invoice.currency,
        lines=lines,
        breakdown=breakdown(lines),
        subtotal=sum(one.share.amount for one in lines),
        discount=sum(one.share.discount for one in lines),
        tax_amount=sum(one.share.tax for one in lines),
        total=total,
        from_balance=from_balance,
        from_payments=from_payments,
        payment=payment,
        from_write_off=from_write_off,
    )


def _sources(invoice: CreditableInvoice, kind: CreditKind, total: int) -> tuple[int, int, int]:
    """What of the note the balance had paid, what the payments, and what nobody had.

    What was written off comes last: a part of the invoice is given back as far as it was paid.
    """
    if isinstance(kind, DebtCancellation):
        if total > invoice.amount_due or invoice.payment_status is PaymentStatus.PROCESSING:
            due = invoice.amount_due
            if invoice.payment_status is PaymentStatus.PROCESSING:
                due = 0
            raise _too_much("of this invoice is still due and not being paid", due, total)
        return 0, 0, 0
    pools = [invoice.balance_left, invoice.paid_left]
    covered = invoice.covered_left
    if total > covered:
        raise _too_much("of this invoice was paid and not given back", covered, total)
    from_write_off = max(total - sum(pools), 0)
    from_balance, from_payments = allocate(total - from_write_off, pools)
    if isinstance(kind, Refund) and from_payments == 0:
        raise Conflict("Nothing of this was paid by a payment that could be refunded.")
    return from_balance, from_payments, from_write_off


def _too_much(what: str, most: int, asked: int) -> Conflict:
    message = f"{most} {what}, in minor units; what was asked for comes to {asked}"
    return Conflict(f"Too much: {message}.", (Fault("lines", "too_much", message),))


def _payment(invoice: CreditableInvoice, kind: Refund) -> RefundablePayment:
    """The payment to begin with: the one that is named, else the newest."""
    found = _refundable(invoice, kind)
    if kind.payment_id is not None:
        found = [one for one in found if one.id == kind.payment_id]
    if not found:
        raise Conflict(
            "No payment of this invoice can be refunded through a provider."
            if kind.payment_id is None
            else "This payment cannot be refunded: nothing is left of it, or it did not come"
            " through a provider."
        )
    return found[0]


def _with_enough(
    invoice: CreditableInvoice, kind: CreditKind, amount: int
) -> RefundablePayment:
    """The newest payment that has so much left, where none was named."""
    assert isinstance(kind, Refund), "only a refund has a payment"
    found = _refundable(invoice, kind)
    if kind.payment_id is not None:
        found = [one for one in found if one.id == kind.payment_id]
    for one in found:
        if amount <= one.left:
            return one
    most = max(one.left for one in found)
    raise _too_much("can go back by one payment: a note refunds one", most, amount)


def _refundable(invoice: CreditableInvoice, kind: Refund) -> list[RefundablePayment]:
    return [
        one
        for one in invoice.payments
        if one.left > 0 and (kind.offline or one.provider != MANUAL)
    ]


def _resolved(
    invoice: CreditableInvoice, scope: Scope, payment: RefundablePayment | None
) -> Everything | Amount | tuple[LineCredit, ...]:
    """What a payment stands for, as an amount; anything else as it is."""
    if not isinstance(scope, PaidAmount):
        return scope
    assert payment is not None, "only a refund is about a payment"
    most = min(payment.left, invoice.paid_left)
    if most <= 0:
        raise Conflict("Nothing is left to refund: all that was paid has been given back.")
    amount = most if scope.amount is None else scope.amount
    if not 0 < amount <= most:
        fault = Fault("amount", "out_of_range", f"must be from 1 to {most}, in minor units")
        raise InvalidInput(f"amount {fault.message}.", (fault,))
    share = Fraction(invoice.balance_left * amount, invoice.paid_left)
    return Amount(amount + rounded(share))
