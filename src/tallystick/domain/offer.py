"""The offer: what a checkout session promises, resolved from the catalog and frozen.

A later change of the catalog cannot alter it. It holds the priced items, the coupons' terms,
the trial, the schedule and the terms of billing; what depends on the buyer or on the day
(tax, balance, dates) is added by the quote.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal
from uuid import UUID

from tallystick.domain.charges import Item
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.periods import Cadence, shortest
from tallystick.domain.pricing import FeeStructure, FeeType, Price, costs_nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """A product that an offer brings along; made, outside the catalog, when it is bought."""

    id: UUID
    product_family_id: UUID
    name: str
    fee: FeeStructure


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A trial as offered.

    `once_per_customer` is true for the plan's own trial, which a customer gets once per plan; a
    trial that the request names is always granted. A trial that is not free is charged from its
    first day.
    """

    days: int
    is_free: bool
    once_per_customer: bool
    trialing_plan_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlinePayment:
    """Pay on the page: by card, by direct debit, or either."""

    card: bool = True
    direct_debit: bool = True
    type: Literal["online"] = "online"


@dataclass(frozen=True, slots=True, kw_only=True)
class BankTransfer:
    """Pay the invoice by bank transfer to one of the seller's accounts."""

    account_id: UUID | None = None
    type: Literal["bank_transfer"] = "bank_transfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalPayment:
    """Pay the invoice by means that the seller arranges outside."""

    type: Literal["external"] = "external"


PaymentConfig = OnlinePayment | BankTransfer | ExternalPayment


# Without slots, so that what every quote asks of it is worked out once.
@dataclass(frozen=True, kw_only=True)
class Offer:
    """Everything that a session promises, in one value.

    `created_on` is the tenant's day on which the session was created: a start that was not
    past then and is past at confirmation moves to the day of confirmation. `start_date` is
    None when the subscription begins on the day of confirmation. `anchor` is None when no one
    fixed the billing day. `end_date` is the first day not covered. `net_terms` are days from
    invoice to due date.
    """

    plan_id: UUID
    plan_version_id: UUID
    plan_name: str
    plan_version: int
    currency: str
    tax_inclusive: bool
    invoicing_entity_id: UUID
    items: tuple[Item, ...]
    coupons: tuple[CouponTerms, ...]
    payment: PaymentConfig
    created_on: date
    net_terms: int
    auto_advance_invoices: bool
    charge_automatically: bool
    trial: Trial | None = None
    start_date: date | None = None
    anchor: int | None = None
    end_date: date | None = None
    billing_cycles: int | None = None
    invoice_memo: str | None = None
    purchase_order: str | None = None
    invoice_threshold: Decimal | None = None
    new_products: tuple[NewProduct, ...] = ()
    new_prices: tuple[Price, ...] = ()
    minimum: MinimumCommitment | None = None

    @cached_property
    def recurring(self) -> tuple[Item, ...]:
        """The items with a period: all but the one-time ones."""
        return tuple(item for item in self.items if item.fee.type is not FeeType.ONE_TIME)

    @cached_property
    def one_time(self) -> tuple[Item, ...]:
        """The items billed once, on the first invoice."""
        return tuple(item for item in self.items if item.fee.type is FeeType.ONE_TIME)

    @cached_property
    def cadence(self) -> Cadence:
        """The subscription's cadence: its shortest fee's, monthly where there is none."""
        return shortest([item.cadence for item in self.recurring])

    @property
    def cycles_that_end_it(self) -> int | None:
        """The number of periods after which it ends, None where an end date or nothing does."""
        return self.billing_cycles if self.end_date is None else None

    @property
    def can_owe(self) -> bool:
        """Whether anything of it can ever cost something, coupons aside.

        Slots count whatever their number is today, for more can be added.
        """
        return self.minimum is not None or not all(
            costs_nothing(item.pricing) for item in self.items
        )
