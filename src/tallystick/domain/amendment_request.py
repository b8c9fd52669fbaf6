"""What a merchant asks to be different about a running subscription, not yet resolved."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.domain.offer_request import ExistingPrice, OfferRequest, PriceEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentChange:
    """A component of the subscription with another price, another name, or both."""

    item_id: UUID
    name: str | None = None
    price: PriceEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityChange:
    """An add-on of the subscription, so many times from now on."""

    item_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentRequest:
    """What joins a subscription, what changes in it, and what leaves it.

    `sold` is what joins, as in a checkout: its `parameterized` are components of the plan that
    the subscription does not have. The other ids are those of the subscription's own items.
    """

    sold: OfferRequest
    components: tuple[ComponentChange, ...] = ()
    add_ons: tuple[QuantityChange, ...] = ()
    removed_components: tuple[UUID, ...] = ()
    removed_add_ons: tuple[UUID, ...] = ()

    @property
    def price_ids(self) -> list[UUID]:
        """The catalog prices that the request names."""
        changed = [
            one.price.id for one in self.components if isinstance(one.price, ExistingPrice)
        ]
        return [*self.sold.price_ids, *changed]
