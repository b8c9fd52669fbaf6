"""A checkout of a subscription that exists already: what its session offers on a day.

The session froze what is sold. When the subscription begins, and how it is billed, follows the
subscription as it stands: its start, its free trial, and the terms that were changed since.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from tallystick.domain.offer import Offer, PaymentConfig
from tallystick.domain.purchase import SubscriptionStatus

_WAITING = frozenset(
    {
        SubscriptionStatus.PENDING_ACTIVATION,
        SubscriptionStatus.TRIAL_ACTIVE,
        SubscriptionStatus.TRIAL_EXPIRED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activating:
    """The subscription that a session activates, as it stood when the session was read.

    `trial_end` is None where it was granted no trial.
    """

    id: UUID
    status: SubscriptionStatus
    start: date
    trial_end: date | None
    net_terms: int
    auto_advance_invoices: bool
    charge_automatically: bool
    payment: PaymentConfig
    invoice_memo: str | None
    purchase_order: str | None

    @property
    def can_be_activated(self) -> bool:
        """Whether its checkout can still be confirmed: nothing of it was billed."""
        return self.status in _WAITING


def offer_on(offer: Offer, subscription: Activating, today: date) -> Offer:
    """The session's offer as it is confirmed on a day.

    A free trial goes on where it stands, and what follows is billed from its end or, after it,
    from the day. Without one everything begins on the day, or on the subscription's start where
    that is later.
    """
    trial = None
    if offer.trial is not None and subscription.trial_end is not None:
        # It was granted when the subscription was made: it is not asked about again.
        trial = replace(offer.trial, once_per_customer=False)
    start: date | None = subscription.start
    if trial is None or not trial.is_free:
        start = subscription.start if subscription.start > today else None
    return replace(
        offer,
        trial=trial,
        start_date=start,
        # A start that has passed stays where it is.
        created_on=subscription.start + timedelta(days=1),
        net_terms=subscription.net_terms,
        auto_advance_invoices=subscription.auto_advance_invoices,
        charge_automatically=subscription.charge_automatically,
        payment=subscription.payment,
        invoice_memo=subscription.invoice_memo,
        purchase_order=subscription.purchase_order,
    )
