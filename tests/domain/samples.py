"""Ready-made items, charges, coupons and bills, with what matters in a test named."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from tallystick.domain.bill import Bill, bill
from tallystick.domain.charges import Charge, Computation, Item
from tallystick.domain.coupons import CouponTerms, Discount, Fixed, Percentage
from tallystick.domain.periods import BilledPeriod, Cadence, Period, period
from tallystick.domain.pricing import (
    BillingType,
    CapacityFee,
    CapacityPricing,
    ExtraRecurringFee,
    ExtraRecurringPricing,
    FeeStructure,
    FeeType,
    OneTimeFee,
    OneTimePricing,
    Pricing,
    RateFee,
    RatePricing,
    SlotFee,
    SlotPricing,
    UsageFee,
    UsagePricing,
)
from tallystick.domain.tax import (
    REVERSE_CHARGE_NOTE,
    ExemptionType,
    TaxDecision,
    TaxRate,
    TaxWhy,
)

PRODUCT = UUID(int=1)
DAY = date(2024, 1, 1)

UNTAXED = TaxDecision(rates=(), exemption=None, reason=None, why=TaxWhy.NONE)
REVERSED = TaxDecision(
    rates=(),
    exemption=ExemptionType.REVERSE_CHARGE,
    reason=REVERSE_CHARGE_NOTE,
    why=TaxWhy.REVERSE_CHARGE,
)


@cache
def named(name: str) -> UUID:
    """An id that is the same wherever the name is."""
    return uuid5(NAMESPACE_OID, name)


def fee_for(pricing: Pricing, billing_type: BillingType = BillingType.ADVANCE) -> FeeStructure:
    """A fee structure that the pricing suits."""
    match pricing:
        case RatePricing():
            return RateFee()
        case SlotPricing():
            return SlotFee(unit_name="seat")
        case CapacityPricing():
            return CapacityFee(metric_id=UUID(int=9))
        case UsagePricing(model=model):
            return UsageFee(metric_id=UUID(int=9), model=model.type)
        case ExtraRecurringPricing():
            return ExtraRecurringFee(billing_type=billing_type)
        case OneTimePricing():
            return OneTimeFee()


def item(
    pricing: Pricing,
    cadence: Cadence = Cadence.MONTHLY,
    *,
    billing_type: BillingType = BillingType.ADVANCE,
    instances: int = 1,
    slots: int | None = None,
) -> Item:
    """A component priced so, or an add-on where there are several instances."""
    return Item(
        id=UUID(int=2),
        kind="COMPONENT" if instances == 1 else "ADD_ON",
        name="Item",
        product_id=PRODUCT,
        price_id=UUID(int=3),
        fee=fee_for(pricing, billing_type),
        cadence=cadence,
        pricing=pricing,
        instances=instances,
        slots=slots,
    )


def full(start: date, end: date) -> BilledPeriod:
    """A period that is billed in full."""
    return BilledPeriod(Period(start, end), Period(start, end))


def periods(
    start: date, anchor: int, cadence: Cadence, cut: date | None = None
) -> Iterator[BilledPeriod]:
    """All periods of a fee billed from `start`, in order; endless unless `cut` ends them."""
    index = 0
    while (one := period(start, anchor, cadence, index, cut)) is not None:
        yield one
        index += 1


def charge_of(amount: int, product: UUID = PRODUCT) -> Charge:
    """A charge of `amount` minor units, however it came about."""
    return Charge(
        item_id=UUID(int=2),
        product_id=product,
        name="Line",
        start=DAY,
        end=DAY,
        amount=amount,
        computation=Computation(
            fee=FeeType.RATE,
            unit_price=Decimal(amount).scaleb(-2),
            units=1,
            instances=1,
            days=1,
            full_days=1,
        ),
    )


def charges_of(*amounts: int) -> list[Charge]:
    """One charge per amount, all of one product."""
    return [charge_of(amount) for amount in amounts]


def coupon(discount: Discount, code: str = "CODE") -> CouponTerms:
    """A coupon without limits; its id follows from its code."""
    return CouponTerms(
        id=named(code),
        code=code,
        discount=discount,
        recurring_value=None,
        once_per_customer=False,
    )


def percent(percentage: str, code: str = "CODE") -> CouponTerms:
    """A coupon of so many per cent."""
    return coupon(Percentage(percentage=Decimal(percentage)), code)


def fixed(amount: str, code: str = "CODE", currency: str = "EUR") -> CouponTerms:
    """A coupon of a fixed amount in major units."""
    return coupon(Fixed(amount=Decimal(amount), currency=currency), code)


def golden_coupons(given: list[dict[str, Any]], currency: str) -> list[CouponTerms]:
    """The coupons of a golden case, numbered in the order given; one code is one coupon."""
    made = []
    for index, one in enumerate(given):
        code = one.get("code", f"coupon {index}")
        if one["type"] == "percentage":
            made.append(percent(one["value"], code))
        elif "amount_major" in one:
            made.append(fixed(one["amount_major"], code, currency))
        else:
            amount = Decimal(one["amount_minor"]).scaleb(-2)
            made.append(fixed(str(amount), code, currency))
    return made


def numbered(coupons: list[CouponTerms]) -> list[CouponTerms]:
    """The same coupons with ids in the order of the list."""
    return [replace(one, id=UUID(int=index)) for index, one in enumerate(coupons, start=1)]


def taxed_at(*rates: str) -> TaxDecision:
    """A decision for these rates, fractions, named by their place."""
    return TaxDecision(
        rates=tuple(
            TaxRate(name=f"Tax {index}", rate=Decimal(rate), code=f"T{index}")
            for index, rate in enumerate(rates)
        ),
        exemption=None,
        reason=None,
        why=TaxWhy.CUSTOM,
    )


def billed(
    charges: Sequence[Charge],
    decision: TaxDecision = UNTAXED,
    coupons: Sequence[CouponTerms] = (),
    *,
    inclusive: bool = False,
    currency: str = "EUR",
    decision_of: Callable[[UUID], TaxDecision] | None = None,
) -> Bill:
    """The bill of these charges, all taxed by one decision unless `decision_of` says more."""
    return bill(
        charges,
        currency=currency,
        coupons=coupons,
        decision_of=decision_of or (lambda _: decision),
        inclusive=inclusive,
    )


def sums(made: Bill) -> tuple[int, int, int, int]:
    """Subtotal, discount, tax and total."""
    return made.subtotal, made.discount, made.tax, made.total
