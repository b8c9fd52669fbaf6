"""Consolidation: one customer's drafts that fall on one day become one invoice.

Only what one invoice can say at once is merged: one buyer and one seller, one date, currency
and term of payment, one way of being collected. The invoice carries the lines of its members as
they are, so nothing is priced, discounted or taxed again (reference rules of money and time,
section 7).
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from tallystick.domain.bill import TaxBreakdown
from tallystick.domain.coupons import AppliedCoupon
from tallystick.domain.invoice import CustomerSnapshot, SellerSnapshot
from tallystick.domain.money import AMOUNT_MAX, AmountTooLarge
from tallystick.domain.tax import ExemptionType

GRACE_HOURS_MIN = 1
"""How long drafts that may be merged wait at least, so that every subscription's is there."""


def merging_grace(hours: int) -> int:
    """The hours of grace of an entity that consolidates."""
    return max(hours, GRACE_HOURS_MIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The sums of an invoice, in minor units."""

    subtotal: int
    subtotal_recurring: int
    discount: int
    tax_amount: int
    total: int

    def __post_init__(self) -> None:
        """They add up."""
        assert self.subtotal - self.discount + self.tax_amount == self.total, "it adds up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card as its owner knows it, however often it was typed."""

    provider: str
    brand: str | None
    last4: str
    expiry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A draft that may be merged; `charges` says that it is collected automatically.

    `payment_method_id` is the method that its own checkout has saved, if any, and `card` what
    that shows where it is a card: each checkout keeps the same card anew. Debits have a mandate
    each, so theirs are the same only where they are one.
    """

    id: UUID
    customer_id: UUID
    invoicing_entity_id: UUID
    invoice_date: date
    net_terms: int
    currency: str
    tax_inclusive: bool
    charges: bool
    payment_method_id: UUID | None
    card: Card | None
    sums: Sums
    coupons: tuple[AppliedCoupon, ...]
    breakdown: tuple[TaxBreakdown, ...]
    customer: CustomerSnapshot
    seller: SellerSnapshot
    memo: str | None
    purchase_order: str | None

    @property
    def in_common(self) -> Hashable:
        """What the members of one invoice have in common."""
        return (
            self.customer_id,
            self.invoicing_entity_id,
            self.invoice_date,
            self.net_terms,
            self.currency,
            self.tax_inclusive,
            self.charges,
            self.card or self.payment_method_id,
            _party(self.customer),
            self.seller,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidated:
    """The one invoice of its members, in their order."""

    id: UUID
    members: tuple[Member, ...]
    sums: Sums
    coupons: tuple[AppliedCoupon, ...]
    breakdown: tuple[TaxBreakdown, ...]
    memo: str | None
    purchase_order: str | None

    def __post_init__(self) -> None:
        """It has members, which have everything in common, and is their sum."""
        assert len(self.members) > 1, "a single draft stays as it is"
        assert len({one.in_common for one in self.members}) == 1, "one invoice says one thing"
        assert self.sums.total == sum(one.sums.total for one in self.members), "their sum"

    @property
    def first(self) -> Member:
        """The member that speaks for all in what they have in common."""
        return self.members[0]


def groups(members: Iterable[Member]) -> list[tuple[Member, ...]]:
    """The members that become one invoice together, two at least, in their order."""
    found: dict[Hashable, list[Member]] = {}
    for one in members:
        found.setdefault(one.in_common, []).append(one)
    return [tuple(together) for together in found.values() if len(together) > 1]


def consolidated(members: Sequence[Member], *, invoice_id: UUID) -> Consolidated:
    """The one invoice of members that have everything in common.

    A memo or an order number that not all of them have is left out. Raises `AmountTooLarge`
    where a sum cannot be stored and sent exactly.
    """
    return Consolidated(
        id=invoice_id,
        members=tuple(members),
        sums=_summed([one.sums for one in members]),
        coupons=_coupons(members),
        breakdown=_breakdown(members),
        memo=_shared([one.memo for one in members]),
        purchase_order=_shared([one.purchase_order for one in members]),
    )


def _party(customer: CustomerSnapshot) -> Hashable:
    """The customer as it is named, whenever that was."""
    return (
        customer.name,
        customer.alias,
        customer.email,
        customer.billing_address,
        customer.vat_number,
    )


def _summed(sums: Sequence[Sums]) -> Sums:
    total = Sums(
        subtotal=sum(one.subtotal for one in sums),
        subtotal_recurring=sum(one.subtotal_recurring for one in sums),
        discount=sum(one.discount for one in sums),
        tax_amount=sum(one.tax_amount for one in sums),
        total=sum(one.total for one in sums),
    )
    for amount in (total.subtotal, total.total):
        if abs(amount) > AMOUNT_MAX:
            raise AmountTooLarge(amount)
    return total


def _coupons(members: Sequence[Member]) -> tuple[AppliedCoupon, ...]:
    """What each coupon takes off all members, in the order in which they name it."""
    found: dict[UUID, AppliedCoupon] = {}
    for coupon in (coupon for one in members for coupon in one.coupons):
        known = found.get(coupon.coupon_id)
        amount = coupon.amount + (0 if known is None else known.amount)
        found[coupon.coupon_id] = replace(known or coupon, amount=amount)
    return tuple(found.values())


def _breakdown(members: Sequence[Member]) -> tuple[TaxBreakdown, ...]:
    """One row per rate and per reason for no tax, as on every invoice."""
    rows: dict[tuple[str, Decimal, str | None, ExemptionType | None, str | None], TaxBreakdown]
    rows = {}
    for row in (row for one in members for row in one.breakdown):
        key = (row.name, row.rate, row.code, row.exemption, row.reason)
        known = rows.get(key)
        rows[key] = (
            row
            if known is None
            else replace(known, taxable=known.taxable + row.taxable, tax=known.tax + row.tax)
        )
    return tuple(rows.values())


def _shared(texts: Sequence[str | None]) -> str | None:
    """The text that all of them have, None where they differ."""
    return texts[0] if len(set(texts)) == 1 else None
