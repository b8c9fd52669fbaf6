"""What a merchant asks for when a checkout session is created, parsed but not yet resolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from tallystick.domain.catalog import AddOn, PlanVersion, Product
from tallystick.domain.coupons import CouponState, CouponTerms
from tallystick.domain.debit_scheme import SEPA_ALONE, DebitScheme
from tallystick.domain.errors import ALL_READ, Unread
from tallystick.domain.offer import PaymentConfig
from tallystick.domain.parties import InvoicingEntity
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import FeeStructure, Price, Pricing


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingPrice:
    """A price of the catalog."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrice:
    """A price made for this offer."""

    cadence: Cadence
    currency: str
    pricing: Pricing


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyPrice:
    """A price that could not be read; what is wrong with it is among the request's faults."""


PriceEntry = ExistingPrice | NewPrice | FaultyPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingProduct:
    """A product of the catalog."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProductEntry:
    """A product made for this offer."""

    name: str
    fee: FeeStructure


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultyProduct:
    """A product that could not be read; what is wrong is among the request's faults."""


ProductEntry = ExistingProduct | NewProductEntry | FaultyProduct


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A choice among a component's prices, and its first number of slots."""

    billing_period: Cadence | None = None
    committed_capacity: int | None = None
    initial_slot_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOverride:
    """Another price, and perhaps another name, for an add-on."""

    price: PriceEntry
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOnEntry:
    """One wanted add-on."""

    add_on_id: UUID
    quantity: int = 1
    customization: PriceOverride | Parameters | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameterized:
    """A component of the plan with its parameters."""

    component_id: UUID
    parameters: Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """A component of the plan with another price and name."""

    component_id: UUID
    name: str
    price: PriceEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A component that the plan does not have."""

    name: str
    product: ProductEntry
    price: PriceEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRequest:
    """The part of the request that decides what is sold, when, and on which terms.

    `unread` was found when it was read: it is refused with that and all other faults together.
    """

    add_ons: tuple[AddOnEntry, ...] = ()
    parameterized: tuple[Parameterized, ...] = ()
    overridden: tuple[Overridden, ...] = ()
    extra: tuple[Extra, ...] = ()
    removed: tuple[UUID, ...] = ()
    coupon_code: str | None = None
    coupon_codes: tuple[str, ...] = ()
    coupon_ids: tuple[UUID, ...] = ()
    billing_start_date: date | None = None
    billing_day_anchor: int | None = None
    end_date: date | None = None
    trial_duration_days: int | None = None
    net_terms: int | None = None
    auto_advance_invoices: bool | None = None
    charge_automatically: bool | None = None
    payment: PaymentConfig | None = None
    invoice_memo: str | None = None
    purchase_order: str | None = None
    invoice_threshold: Decimal | None = None
    unread: Unread = ALL_READ

    @property
    def price_ids(self) -> list[UUID]:
        """The catalog prices that the request names."""
        return [one.id for one in self._price_entries() if isinstance(one, ExistingPrice)]

    @property
    def product_ids(self) -> list[UUID]:
        """The catalog products that the request names."""
        return [
            extra.product.id
            for extra in self.extra
            if isinstance(extra.product, ExistingProduct)
        ]

    @property
    def metric_ids(self) -> list[UUID]:
        """The metrics that new products of the request are measured by."""
        fees = [
            extra.product.fee
            for extra in self.extra
            if isinstance(extra.product, NewProductEntry)
        ]
        found = [getattr(fee, "metric_id", None) for fee in fees]
        return [metric_id for metric_id in found if metric_id is not None]

    def _price_entries(self) -> list[PriceEntry]:
        customized = [
            entry.customization.price
            for entry in self.add_ons
            if isinstance(entry.customization, PriceOverride)
        ]
        return [
            *customized,
            *(one.price for one in self.overridden),
            *(one.price for one in self.extra),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponFacts:
    """The coupons that the request names, as far as this tenant has them."""

    by_id: Mapping[UUID, tuple[CouponTerms, CouponState]]
    ids_by_code: Mapping[str, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFacts:
    """Everything of the catalog that the request names, as far as this tenant has it.

    `takes_online` says that the entity can be paid online: live ones only through a connection.
    `debits` are the schemes whose debits its payment provider collects.
    """

    version: PlanVersion
    plan_name: str
    plan_is_sold: bool
    entity: InvoicingEntity
    add_ons: Mapping[UUID, AddOn]
    products: Mapping[UUID, Product]
    prices: Mapping[UUID, Price]
    metric_ids: frozenset[UUID]
    coupons: CouponFacts
    takes_online: bool = True
    debits: frozenset[DebitScheme] = SEPA_ALONE
