"""A refund: money on its way back, asked of the provider until there is an answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tallystick.domain.orphan import refund_key


class RefundState(StrEnum):
    """LIVE until the provider has answered."""

    LIVE = "LIVE"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """What is asked of the provider; `amount` in minor units of a payment under `reference`.

    It belongs to a credit note and the payment that this refunds, or to a try to collect whose
    money came when nobody owed it any more.
    """

    id: UUID
    customer_id: UUID
    credit_note_id: UUID | None
    payment_id: UUID | None
    collection_id: UUID | None
    provider: str
    reference: str
    amount: int
    currency: str
    state: RefundState
    failure: str | None
    claimed_at: datetime

    @property
    def key(self) -> str:
        """The idempotency key: the same for every try."""
        return refund_key(self.id)
