"""Payments of invoices on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from tallystick.domain.billing_entries import TransactionEntry
from tallystick.domain.payment import Method, MethodKind
from tallystick.domain.reversal import ReversalKind
from tallystick.http.v1.scalars import (
    AnswerModel,
    CreditNoteId,
    Instant,
    PaymentMethodId,
    TransactionId,
)


class PaymentMethodInfo(AnswerModel):
    """What may be shown of a payment method; a direct debit is a BANK_TRANSFER."""

    payment_method_type: Literal["CARD", "BANK_TRANSFER"]
    card_brand: str | None
    card_last4: str | None
    account_number_hint: str | None


class TransactionOut(AnswerModel):
    """Money that moved, or is on its way, for the invoice.

    Of a payment, `amount_refunded` went back under credit notes, which leaves the invoice paid;
    `amount_reversed` was taken back by the provider, and has not come back; what that exceeds
    the payment by is `amount_lost`.
    """

    id: TransactionId
    payment_type: Literal["PAYMENT", "REFUND"]
    status: Literal["READY", "PENDING", "SETTLED", "CANCELLED", "FAILED", "REFUNDED"]
    amount: int
    amount_refunded: int
    amount_reversed: int
    amount_lost: Annotated[
        int,
        Field(
            description="What the provider took beyond the payment, as a dispute may by another"
            " rate of exchange, in minor units: due from nobody, and made good first when"
            " something comes back."
        ),
    ]
    currency: str
    reversal_kind: ReversalKind | None
    reversal_reason: str | None
    parent_transaction_id: TransactionId | None
    credit_note_id: CreditNoteId | None
    refund_mode: Literal["ONLINE", "OFFLINE"] | None
    error: str | None
    payment_method_id: PaymentMethodId | None
    payment_method_info: PaymentMethodInfo | None
    provider_transaction_id: str
    processed_at: Instant | None
    created_at: Instant


def show_transaction(payment: TransactionEntry) -> TransactionOut:
    """A payment as it is sent."""
    return TransactionOut(
        id=payment.id,
        payment_type=payment.payment_type,
        status=payment.shown_status,
        amount=payment.amount,
        amount_refunded=payment.refunded,
        amount_reversed=payment.reversed,
        amount_lost=payment.lost,
        reversal_kind=None
        if payment.reversal_kind is None
        else ReversalKind(payment.reversal_kind),
        reversal_reason=payment.reversal_reason,
        currency=payment.currency,
        parent_transaction_id=payment.parent_id,
        credit_note_id=payment.credit_note_id,
        refund_mode=payment.refund_mode,
        error=payment.failure,
        payment_method_id=payment.payment_method_id,
        payment_method_info=None if payment.method is None else _method(payment.method),
        provider_transaction_id=payment.reference,
        processed_at=payment.processed_at,
        created_at=payment.created_at,
    )


def _method(method: Method) -> PaymentMethodInfo:
    return PaymentMethodInfo(
        payment_method_type="CARD" if method.kind is MethodKind.CARD else "BANK_TRANSFER",
        card_brand=method.card_brand,
        card_last4=method.card_last4,
        account_number_hint=method.account_hint,
    )
