"""Payments in our own words: what is asked of a provider, and every answer it can give.

Only two facts end an attempt without money: the provider said `Declined`, or a cancel answered
`Cancelled`. A time-out is `Unknown`, never a failure.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tallystick.domain.errors import Fault


class MethodKind(StrEnum):
    """How a buyer pays on the page."""

    CARD = "CARD"
    DIRECT_DEBIT = "DIRECT_DEBIT"


class FailureReason(StrEnum):
    """Why an attempt ended without money, in terms the buyer can act on."""

    DECLINED = "DECLINED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    CARD_EXPIRED = "CARD_EXPIRED"
    AUTHENTICATION_FAILED = "AUTHENTICATION_FAILED"
    AUTHENTICATION_ABANDONED = "AUTHENTICATION_ABANDONED"
    DEBIT_FAILED = "DEBIT_FAILED"
    PROCESSING_ERROR = "PROCESSING_ERROR"
    INTERRUPTED = "INTERRUPTED"
    CANCELLED_BY_BUYER = "CANCELLED_BY_BUYER"
    SESSION_ENDED = "SESSION_ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A payment method as the provider keeps it: its token, and what may be shown of it."""

    provider: str
    token: str
    kind: MethodKind
    card_brand: str | None = None
    card_last4: str | None = None
    card_expiry: str | None = None
    account_hint: str | None = None
    mandate_reference: str | None = None


class MethodRefused(Exception):
    """What the buyer typed cannot be a payment method; `faults` name the form's fields."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Keep a fault per field of the payment panel."""
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


class CustomerGone(Exception):
    """The provider does not know the order's customer any more; nothing was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Who agreed to a mandate or to later charges: when, and from which address and browser."""

    at: datetime
    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOrder:
    """What an attempt asks of the provider. Every call about it carries a key made from its id.

    `amount` is in minor units, 0 when only the method is saved. `save` asks the provider to
    keep the method for later charges. `return_url` is where a challenge sends the buyer back
    to. `customer_reference` is the customer as the provider knows it, None where it knows none.
    `off_session` says that the buyer is not there; `acceptance` is what the buyer agreed to
    who is.
    """

    tenant_id: UUID
    attempt_id: UUID
    customer_id: UUID
    amount: int
    currency: str
    method: Method
    save: bool
    return_url: str
    customer_reference: str | None = None
    acceptance: Acceptance | None = None
    off_session: bool = False

    def key(self, call: str) -> str:
        """The idempotency key of one call: the same for every try of it."""
        return f"{self.attempt_id}:{call}"


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The money was taken, or the method saved."""


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing was taken, and nothing will be."""

    reason: FailureReason


@dataclass(frozen=True, slots=True)
class NeedsAction:
    """The buyer must authenticate at `url` first."""

    url: str


@dataclass(frozen=True, slots=True)
class Pending:
    """Accepted, and settled or refused later (a direct debit)."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """The provider knows the intent, and nobody has confirmed it yet; only `look` answers
    this.
    """


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer: the money may have been taken, or may be taken yet."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Nothing was taken, and the provider will refuse every later call about it."""


@dataclass(frozen=True, slots=True)
class AlreadySucceeded:
    """Too late to cancel: the money was taken, or the debit accepted (`pending`)."""

    pending: bool = False


@dataclass(frozen=True, slots=True)
class Refunded:
    """The money is on its way back."""


@dataclass(frozen=True, slots=True)
class RefundRefused:
    """The provider will not refund it; a person must decide."""

    message: str


@dataclass(frozen=True, slots=True)
class NotAsked:
    """The provider has no refund under this key; one may be on its way to it."""


Outcome = Succeeded | Declined | NeedsAction | Pending | Unknown
"""What a confirmation can come to."""

Standing = Outcome | Unconfirmed | Cancelled
"""What looking at an intent can find."""

CancelOutcome = Cancelled | AlreadySucceeded | Unknown
RefundOutcome = Refunded | RefundRefused | Unknown

RefundStanding = RefundOutcome | NotAsked
"""What looking at a refund can find; refused is also one that did not reach its account."""
