"""The whole request to create a checkout session: the offer, and what surrounds it."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.domain.offer_request import (
    ExistingPrice,
    ExistingProduct,
    NewPrice,
    NewProductEntry,
    OfferRequest,
    PriceEntry,
    PriceOverride,
)

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

    @property
    def price_ids(self) -> list[UUID]:
        """The catalog prices that the request names."""
        return [one.id for one in self._price_entries() if isinstance(one, ExistingPrice)]

    @property
    def product_ids(self) -> list[UUID]:
        """The catalog products that the request names."""
        return [
            extra.product.id
            for extra in self.offer.extra
            if isinstance(extra.product, ExistingProduct)
        ]

    @property
    def metric_ids(self) -> list[UUID]:
        """The metrics that new products of the request are measured by."""
        fees = [
            extra.product.fee
            for extra in self.offer.extra
            if isinstance(extra.product, NewProductEntry)
        ]
        found = [getattr(fee, "metric_id", None) for fee in fees]
        return [metric_id for metric_id in found if metric_id is not None]

    @property
    def currencies(self) -> list[str]:
        """The currencies of the prices made for the offer."""
        return [one.currency for one in self._price_entries() if isinstance(one, NewPrice)]

    def _price_entries(self) -> list[PriceEntry]:
        customized = [
            entry.customization.price
            for entry in self.offer.add_ons
            if isinstance(entry.customization, PriceOverride)
        ]
        return [
            *customized,
            *(one.price for one in self.offer.overridden),
            *(one.price for one in self.offer.extra),
        ]
