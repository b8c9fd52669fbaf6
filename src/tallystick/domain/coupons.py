"""Coupons: what they take off, in which order, and why one may not be redeemed.

A checkout session freezes a coupon's terms (`CouponTerms`); whether it may still be redeemed
(`CouponState`) is asked when the session is created, at each quote, and under lock at the
claim. On one invoice percentages come first, then fixed amounts, by id within each kind, each
on what the ones before it left over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Literal, assert_never
from uuid import UUID

from tallystick.domain.currencies import EXPONENTS
from tallystick.domain.money import AMOUNT_MAX, allocate, minor, rounded

_PER_CENT_MAX = 100


class DiscountFault(ValueError):
    """A discount that cannot be given: `field` is the path below it, with a sentence."""

    def __init__(self, field: str, message: str) -> None:
        """Keep the path below the discount object and what would be accepted."""
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentage:
    """A share of what remains, in per cent: ``Decimal("20")`` takes off 20 %."""

    percentage: Decimal
    type: Literal["PERCENTAGE"] = "PERCENTAGE"

    def __post_init__(self) -> None:
        """More than nothing and at most everything."""
        if not (self.percentage.is_finite() and 0 < self.percentage <= _PER_CENT_MAX):
            raise DiscountFault("percentage", "must be above 0 and at most 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """An amount in major units of one currency, taken off each invoice it applies to."""

    amount: Decimal
    currency: str
    type: Literal["FIXED"] = "FIXED"

    def __post_init__(self) -> None:
        """A known currency, and a whole, positive number of its minor units."""
        if self.currency not in EXPONENTS:
            raise DiscountFault("currency", "must be an ISO 4217 currency code")
        if not (self.amount.is_finite() and self.amount > 0):
            raise DiscountFault("amount", "must be above 0")
        exact = minor(self.amount, self.currency)
        if exact.denominator != 1:
            raise DiscountFault("amount", f"has more decimals than {self.currency} knows")
        if exact > AMOUNT_MAX:
            raise DiscountFault("amount", "is too large")


Discount = Percentage | Fixed


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponTerms:
    """What a checkout session freezes of a coupon.

    `recurring_value` is the number of invoices it applies to (None: all of them); who bills
    counts them and leaves out a coupon that is used up.
    """

    id: UUID
    code: str
    discount: Discount
    recurring_value: int | None
    once_per_customer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponState:
    """What decides at one moment whether a coupon may be redeemed.

    `taken` counts redemptions and the reservations of payments under way; an empty `plan_ids`
    means every plan; `used_by_customer` tells of an earlier redemption or reservation.
    """

    expires_at: datetime | None
    disabled: bool
    archived: bool
    redemption_limit: int | None
    taken: int
    plan_ids: frozenset[UUID]
    used_by_customer: bool


class CouponRefusal(StrEnum):
    """Why a coupon may not be redeemed; UNKNOWN is a code or id that names no coupon."""

    UNKNOWN = "UNKNOWN"
    EXPIRED = "EXPIRED"
    DISABLED = "DISABLED"
    ARCHIVED = "ARCHIVED"
    EXHAUSTED = "EXHAUSTED"
    WRONG_CURRENCY = "WRONG_CURRENCY"
    WRONG_PLAN = "WRONG_PLAN"
    ALREADY_USED = "ALREADY_USED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCoupon:
    """What one coupon takes off one invoice, in minor units of the prices as quoted.

    Zero where nothing was left for it, so that the page can say so.
    """

    coupon_id: UUID
    code: str
    amount: int


def refusal(
    terms: CouponTerms,
    state: CouponState,
    *,
    plan_id: UUID | None,
    currency: str | None,
    now: datetime,
) -> CouponRefusal | None:
    """Why the coupon may not be redeemed for this plan and currency at `now`, or None.

    Where plan and currency are None they are not known, and no reason.

    The merchant's decisions come first, then what does not fit this purchase, then what is used
    up, so that the buyer is told the reason that is least likely to pass.
    """
    wrong_currency = isinstance(terms.discount, Fixed) and currency not in {
        None,
        terms.discount.currency,
    }
    wrong_plan = bool(state.plan_ids) and plan_id not in {None, *state.plan_ids}
    reasons = (
        (state.archived, CouponRefusal.ARCHIVED),
        (state.disabled, CouponRefusal.DISABLED),
        (state.expires_at is not None and state.expires_at <= now, CouponRefusal.EXPIRED),
        (wrong_currency, CouponRefusal.WRONG_CURRENCY),
        (wrong_plan, CouponRefusal.WRONG_PLAN),
        (terms.once_per_customer and state.used_by_customer, CouponRefusal.ALREADY_USED),
        (
            state.redemption_limit is not None and state.taken >= state.redemption_limit,
            CouponRefusal.EXHAUSTED,
        ),
    )
    return next((reason for holds, reason in reasons if holds), None)


def apply(
    subtotal: int, coupons: Sequence[CouponTerms], currency: str
) -> tuple[AppliedCoupon, ...]:
    """What each coupon takes off `subtotal` (minor units), in the order in which they act.

    Percentages first, then fixed amounts, by id within each kind, each rounded and capped at
    what remains; a coupon named twice acts once. A subtotal of zero or less gives nothing away.
    """
    distinct = {coupon.id: coupon for coupon in reversed(coupons)}
    ordered = sorted(distinct.values(), key=_order)
    remaining = max(subtotal, 0)
    applied = []
    for coupon in ordered:
        takes = rounded(exact_discount(coupon.discount, remaining, currency))
        amount = min(takes, remaining)
        applied.append(AppliedCoupon(coupon_id=coupon.id, code=coupon.code, amount=amount))
        remaining -= amount
    assert remaining >= 0, "coupons take off at most the subtotal"
    return tuple(applied)


def spread(discount: int, amounts: Sequence[int]) -> list[int]:
    """Split a discount over the positive lines by largest remainder, ties to the earlier line.

    One part per line, in the lines' order: zero for a line that is not positive, and never more
    than the line. `discount` must not exceed the sum of the positive lines.
    """
    weights = [max(amount, 0) for amount in amounts]
    assert 0 <= discount <= sum(weights), "a discount never exceeds the lines that bear it"
    parts = allocate(discount, weights)
    assert all(part <= weight for part, weight in zip(parts, weights, strict=True)), (
        "no line is discounted below zero"
    )
    return parts


def exact_discount(discount: Discount, remaining: int, currency: str) -> Fraction:
    """What a discount takes off `remaining` before rounding, in minor units, uncapped."""
    match discount:
        case Percentage(percentage=percentage):
            return remaining * Fraction(percentage) / _PER_CENT_MAX
        case Fixed(amount=amount):
            assert discount.currency == currency, "a coupon in another currency was refused"
            return minor(amount, currency)
    assert_never(discount)


def _order(coupon: CouponTerms) -> tuple[int, UUID]:
    match coupon.discount:
        case Percentage():
            return 0, coupon.id
        case Fixed():
            return 1, coupon.id
    assert_never(coupon.discount)
