"""An amendment as it was resolved: what joins a subscription, what changes, what leaves."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.domain.charges import Item
from tallystick.domain.offer import NewProduct
from tallystick.domain.pricing import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """An item of a subscription, and what takes its place."""

    item_id: UUID
    to: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """An item of a subscription that is called otherwise, and costs what it did."""

    item_id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What is different about a subscription from a day on, and what it brings along."""

    added: tuple[Item, ...] = ()
    changed: tuple[Changed, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    removed_components: tuple[UUID, ...] = ()
    removed_add_ons: tuple[UUID, ...] = ()
    new_products: tuple[NewProduct, ...] = ()
    new_prices: tuple[Price, ...] = ()

    @property
    def removed(self) -> tuple[UUID, ...]:
        """The items that leave, of either kind."""
        return (*self.removed_components, *self.removed_add_ons)
