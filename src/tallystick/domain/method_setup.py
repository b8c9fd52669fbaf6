"""Adding a payment method without a purchase: what is asked, and how it ends."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.domain.attempt import AttemptState
from tallystick.domain.debit_scheme import DebitScheme, scheme_for
from tallystick.domain.offer import OnlinePayment, PaymentConfig
from tallystick.domain.payment import Acceptance, FailureReason, Method, MethodKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSetup:
    """One try to save a method; it owns what its provider is asked with, however often.

    Its id becomes the method's. `challenge_url` is where the customer authenticates;
    `acceptance` says from where the customer agreed.
    """

    id: UUID
    customer_id: UUID
    method: Method
    currency: str
    return_url: str
    acceptance: Acceptance | None
    reference: str | None
    challenge_url: str | None
    state: AttemptState
    failure: FailureReason | None
    created_at: datetime


def kinds_to_add(
    payment: PaymentConfig,
    creditor_identifier: str | None,
    currency: str,
    debits: Collection[DebitScheme],
) -> tuple[MethodKind, ...]:
    """What a customer may add: what checkouts offer by default (`payment`), cards else.

    `debits` are the schemes that the payment provider collects (see `scheme_for`).
    """
    if not isinstance(payment, OnlinePayment):
        return (MethodKind.CARD,)
    scheme = scheme_for(currency, creditor_identifier, debits)
    may_debit = payment.direct_debit and scheme is not None
    kinds = [MethodKind.CARD] if payment.card or not may_debit else []
    return (*kinds, MethodKind.DIRECT_DEBIT) if may_debit else tuple(kinds)
