"""Which price an item gets: chosen by parameters, replaced by an override, or made for the
offer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import assert_never
from uuid import UUID

from tallystick.domain.errors import Fault
from tallystick.domain.offer import NewProduct
from tallystick.domain.offer_request import (
    ExistingPrice,
    FaultyPrice,
    NewPrice,
    Parameters,
    PriceEntry,
)
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    CapacityPricing,
    FeeStructure,
    FeeType,
    OneTimePricing,
    Price,
    SlotPricing,
    suits,
)


@dataclass(slots=True)
class Resolution:
    """What resolving one request has gathered so far: faults, and what the offer brings along.

    The one mutable value of the resolution; it does not leave `resolve_offer`.
    """

    currency: str
    new_id: Callable[[], UUID]
    prices: Mapping[UUID, Price]
    faults: list[Fault] = field(default_factory=list)
    new_products: list[NewProduct] = field(default_factory=list)
    new_prices: list[Price] = field(default_factory=list)

    def fault(self, path: str, code: str, message: str) -> None:
        """Note one thing wrong with one field."""
        self.faults.append(Fault(path, code, message))

    def entered(
        self, entry: PriceEntry, product_id: UUID, fee: FeeStructure, path: str
    ) -> Price | None:
        """The price that an entry means for a product, or None where a fault is noted."""
        match entry:
            case ExistingPrice(id=price_id):
                price = self.prices.get(price_id)
                if price is None or price.product_id != product_id:
                    self.fault(f"{path}.id", "unknown", "must be a price of this product")
                    return None
                if price.currency != self.currency:
                    self._wrong_currency(f"{path}.id", price.currency)
                    return None
                return price
            case NewPrice(cadence=cadence, currency=currency, pricing=pricing):
                sound = True
                if currency != self.currency:
                    self._wrong_currency(f"{path}.currency", currency)
                    sound = False
                if not suits(pricing, fee):
                    self.fault(f"{path}.pricing", "wrong_fee_type", _expected(fee))
                    sound = False
                if not sound:
                    return None
                price = Price(
                    id=self.new_id(),
                    product_id=product_id,
                    cadence=cadence,
                    currency=currency,
                    pricing=pricing,
                )
                self.new_prices.append(price)
                return price
            case FaultyPrice():
                return None
        assert_never(entry)

    def chosen(
        self, prices: tuple[Price, ...], wanted: Parameters, path: str, subject: str
    ) -> Price | None:
        """The one price left by the parameters, or None with a fault that lists the choices."""
        if wanted.committed_capacity is not None and not any(
            isinstance(price.pricing, CapacityPricing) for price in prices
        ):
            self.fault(
                f"{path}.committed_capacity",
                "not_applicable",
                f"{subject} has no capacity to choose; leave it out",
            )
            return None
        left = [
            price
            for price in prices
            if has_period(price, wanted.billing_period)
            and (
                wanted.committed_capacity is None
                or (
                    isinstance(price.pricing, CapacityPricing)
                    and price.pricing.included == wanted.committed_capacity
                )
            )
        ]
        if len(left) == 1:
            return left[0]
        self.fault(
            path, "ambiguous_price" if left else "no_such_price", _choices(prices, subject)
        )
        return None

    def slots(
        self, price: Price, fee: FeeStructure, wanted: int | None, path: str
    ) -> int | None:
        """The first number of slots of one instance; None for a fee without slots."""
        if fee.type is not FeeType.SLOT:
            if wanted is not None:
                self.fault(
                    f"{path}.initial_slot_count",
                    "not_applicable",
                    "this fee has no slots; leave it out",
                )
            return None
        pricing = price.pricing
        assert isinstance(pricing, SlotPricing), "a slot product has slot prices"
        count = wanted if wanted is not None else pricing.min_slots or 0
        least, most = pricing.min_slots or 0, pricing.max_slots
        if count < least or (most is not None and count > most):
            bounds = f"at least {least}" if most is None else f"between {least} and {most}"
            self.fault(f"{path}.initial_slot_count", "out_of_bounds", f"must be {bounds}")
        return count

    def _wrong_currency(self, path: str, currency: str) -> None:
        self.fault(
            path, "wrong_currency", f"is in {currency}, but the plan is sold in {self.currency}"
        )


def has_period(price: Price, wanted: Cadence | None) -> bool:
    """Whether a price is of the billing period that was asked for.

    A one-time price is stored with a cadence that means nothing: asking for any is fine.
    """
    is_once = isinstance(price.pricing, OneTimePricing)
    return is_once or wanted is None or wanted is price.cadence


def _expected(fee: FeeStructure) -> str:
    model = getattr(fee, "model", None)
    detail = "" if model is None else f" with a {model.value} model"
    return f"must be {fee.type.value} pricing{detail}, as the fee of the product says"


def _choices(prices: tuple[Price, ...], subject: str) -> str:
    described = []
    for price in prices:
        text = price.cadence.value
        if isinstance(price.pricing, CapacityPricing):
            text += f" with {price.pricing.included} included"
        described.append(text)
    return f"{subject} needs exactly one price; choose among: {', '.join(described)}"
