"""The whole request to create a checkout session: the offer, and what surrounds it."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.domain.offer_request import OfferRequest

EXPIRES_IN_HOURS_DEFAULT = 1
EXPIRES_IN_HOURS_MAX = 8760


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutRequest:
    """A parsed request.

    `customer` is an id or an alias; `echo` the request's own fields as JSON text, returned with
    the session; `metadata` JSON text of an object. `expires_in_hours` 0 means never.
    """

    customer: str
    customer_id: UUID | None
    plan_version_id: UUID
    offer: OfferRequest
    echo: str
    expires_in_hours: int = EXPIRES_IN_HOURS_DEFAULT
    metadata: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
