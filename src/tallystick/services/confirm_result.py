"""What confirming a checkout can come to, as a closed union for the page to act on."""

from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.errors import Fault
from tallystick.domain.payment import Acceptance, FailureReason
from tallystick.domain.quote import Quote
from tallystick.domain.session import SessionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the buyer agreed to: the version of the text, its language and wording, and when.

    `acceptance` says from where, as whoever keeps the mandate wants to know it.
    """

    text_version: str
    language: str
    text: str
    given_at: datetime
    acceptance: Acceptance | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    """Bought. Nothing is left to do on the page."""


@dataclass(frozen=True, slots=True)
class QuoteChanged:
    """Today's quote differs from the one shown; nothing was charged. `shown` is its canonical
    form.
    """

    shown: str
    quote: Quote


@dataclass(frozen=True, slots=True)
class Challenge:
    """The buyer must authenticate at `url`."""

    url: str


@dataclass(frozen=True, slots=True)
class InFlight:
    """A payment is under way and its outcome is not known yet."""


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """The attempt ended without money; the buyer may try again."""

    reason: FailureReason


@dataclass(frozen=True, slots=True)
class Ended:
    """The session has ended: expired or cancelled."""

    status: SessionState


@dataclass(frozen=True, slots=True)
class AlreadyHeld:
    """The customer has this plan already; nothing was charged."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Something typed on the page must be mended first; nothing was charged."""

    faults: tuple[Fault, ...]


ConfirmResult = (
    Completed
    | QuoteChanged
    | Challenge
    | InFlight
    | PaymentFailed
    | Ended
    | AlreadyHeld
    | Refused
)
