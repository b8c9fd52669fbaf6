"""What the fees of a subscription come to for given days: the one computation behind
everything.

The preview, the page, the first invoice, the renewal and the explanation of each all price
through `charge`. Advance fees are prorated in a first stub and in a period cut by an end
date; the base of a capacity is not; a one-time fee never is (reference rules of money and
time, sections 2 and 3).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, assert_never
from uuid import UUID

from tallystick.domain.money import exponent, rounded_ratio
from tallystick.domain.periods import BilledPeriod, Cadence, Period, priced_days
from tallystick.domain.pricing import (
    BillingType,
    CapacityPricing,
    ExtraRecurringFee,
    ExtraRecurringPricing,
    FeeStructure,
    FeeType,
    OneTimePricing,
    Pricing,
    RatePricing,
    SlotPricing,
    UsagePricing,
)
from tallystick.domain.tax import TaxDecision
from tallystick.domain.usage_pricing import UsageLine


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotChange:
    """An entry of an item's ledger: so many slots more or fewer from a day on.

    Without a day they wait until the invoice is paid.
    """

    delta: int
    on: date | None
    invoice_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One priced thing in an offer or a subscription: a component of the plan or an add-on.

    `id` is the id of the subscription's component or add-on. `component_id` is the plan's
    component it came from (None for an extra one), `add_on_id` the add-on (None for a
    component). `instances` is the add-on's quantity, 1 for a component. `slots` counts the
    slots of one instance, of a subscription those with which its current period began;
    `slot_changes` are what came, comes or may come to them later.

    An item that joined a running subscription, or left it, has a life of its own: `starts_on`
    is its first day, `ends_on` the first day after it. Joining was charged up to `billed_from`,
    where its own regular periods begin. None is the subscription's day. `replaces` is the item
    in whose place an amendment put it.
    """

    id: UUID
    kind: Literal["COMPONENT", "ADD_ON"]
    name: str
    product_id: UUID
    price_id: UUID
    fee: FeeStructure
    cadence: Cadence
    pricing: Pricing
    component_id: UUID | None = None
    add_on_id: UUID | None = None
    instances: int = 1
    slots: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    billed_from: date | None = None
    replaces: UUID | None = None
    slot_changes: tuple[SlotChange, ...] = ()

    def slots_on(self, day: date) -> int:
        """How many slots an instance has on a day of its current period, or later."""
        dated = (one.delta for one in self.slot_changes if one.on is not None and one.on <= day)
        return (self.slots or 0) + sum(dated)

    def lived(self, span: Period) -> Period | None:
        """The part of a span in which the item is there, None where it is not."""
        start = span.start if self.starts_on is None else max(span.start, self.starts_on)
        end = span.end if self.ends_on is None else min(span.end, self.ends_on)
        return Period(start, end) if start < end else None

    def counts_from(self, first: date) -> date:
        """From where its windows count: the subscription's first billed day, or its own where
        it joined at the end of a period.
        """
        if self.starts_on is not None and self.starts_on == self.billed_from:
            return self.starts_on
        return first


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """How a line's amount came about, as data that every language can turn into sentences.

    amount = rounded(quantity x unit_price x days / full_days). `quantity` = units x
    instances, where units are slots or a price's own quantity. `days` and `full_days` are
    equal where nothing is prorated. `unit_price` is in major units.
    """

    fee: FeeType
    unit_price: Decimal
    units: int
    instances: int
    days: int
    full_days: int
    unit_name: str | None = None
    included: int | None = None
    overage_rate: Decimal | None = None

    @property
    def quantity(self) -> int:
        """How many units the unit price is multiplied with."""
        return self.units * self.instances


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What earlier invoices have billed of the same usage: minor units as quoted, and units."""

    amount: int
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """How a true-up came about: amount = least - cost, all in minor units.

    `minimum` is that of a full period, in major units, and `least` its part for the window's
    days; `cost` is what the service of the window cost.
    """

    minimum: Decimal
    full_days: int
    least: int
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What a charge takes the place of, for the same days: `credit` is taken off it.

    `amount` = rounded(unit_price x units x instances x days / full_days), with the days of the
    charge; `credit` is what had been paid of it, at most that, in minor units.
    """

    unit_price: Decimal
    units: int
    instances: int
    amount: int
    credit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """An amount owed for one item and one span of days, before discount and tax.

    `amount` is in minor units, as quoted: with tax included where the plan's prices include
    it. A one-time charge starts and ends on its day, so `end` may equal `start`. `usage` is how
    metered usage was priced, None for a fixed fee; `before` is what was billed of it on earlier
    invoices and is not part of `amount`. `shortfall` makes it the true-up of a minimum.
    `decided` is the tax of the line that it gives back, None for what is charged. `replaced`
    is what it replaces, whose credit is taken off `amount`.
    """

    item_id: UUID
    product_id: UUID
    name: str
    start: date
    end: date
    amount: int
    computation: Computation
    usage: UsageLine | None = None
    before: Before | None = None
    shortfall: Shortfall | None = None
    decided: TaxDecision | None = None
    replaced: Replaced | None = None

    @property
    def is_prorated(self) -> bool:
        """Whether fewer days than the full period are billed."""
        return self.computation.days != self.computation.full_days


def billing_type(item: Item) -> BillingType:
    """Whether the item's recurring fee is billed in advance or in arrears."""
    match item.fee.type:
        case FeeType.USAGE:
            return BillingType.ARREARS
        case FeeType.EXTRA_RECURRING:
            assert isinstance(item.fee, ExtraRecurringFee), "the type names the structure"
            return item.fee.billing_type
        case FeeType.RATE | FeeType.SLOT | FeeType.CAPACITY | FeeType.ONE_TIME:
            return BillingType.ADVANCE
    assert_never(item.fee.type)


def is_in_advance(item: Item) -> bool:
    """Whether a recurring fee of the item is billed in advance."""
    recurs = item.fee.type is not FeeType.ONE_TIME
    return recurs and billing_type(item) is BillingType.ADVANCE


def charge(item: Item, period: BilledPeriod, currency: str) -> Charge | None:
    """What a recurring item costs for a period, or None for metered usage, which has no fixed
    part, and for an item that was not there.

    A capacity's base and an arrears fee over its whole first window are not prorated by a
    stub; an arrears fee is "prorated only if the component lived for part of the window",
    which a stub is not: the window itself is short, so its days are its full days.
    """
    billed = item.lived(period.billed)
    if billed is None:
        return None
    match item.pricing:
        case UsagePricing():
            return None
        case OneTimePricing():
            raise AssertionError("a one-time fee has no period")
        case RatePricing(rate=rate):
            return _line(item, period.billed, currency, rate, 1, _by_days(period))
        case SlotPricing(unit_rate=rate):
            slots = item.slots_on(period.billed.start)
            return _line(item, period.billed, currency, rate, slots, _by_days(period))
        case CapacityPricing(rate=rate):
            return _line(item, period.billed, currency, rate, 1, _in_full(period))
        case ExtraRecurringPricing(unit_price=rate, quantity=quantity):
            if billing_type(item) is BillingType.ADVANCE:
                return _line(item, period.billed, currency, rate, quantity, _by_days(period))
            days = billed.days, period.billed.days
            return _line(item, billed, currency, rate, quantity, days)
    assert_never(item.pricing)


def charge_once(item: Item, day: date, currency: str) -> Charge:
    """What a one-time item costs, billed on `day` and never prorated."""
    pricing = item.pricing
    assert isinstance(pricing, OneTimePricing), "only a one-time fee is charged once"
    return _charge(item, day, day, currency, pricing.unit_price, pricing.quantity, (1, 1))


def charge_in_part(item: Item, span: Period, days: tuple[int, int], currency: str) -> Charge:
    """What an advance fee, a capacity's base among them, comes to for a part of its period.

    `days` are those of the span, and of what its price is for.
    """
    match item.pricing:
        case RatePricing(rate=rate) | CapacityPricing(rate=rate):
            return _line(item, span, currency, rate, 1, days)
        case SlotPricing(unit_rate=rate):
            return _line(item, span, currency, rate, item.slots_on(span.start), days)
        case ExtraRecurringPricing(unit_price=rate, quantity=quantity):
            return _line(item, span, currency, rate, quantity, days)
        case UsagePricing() | OneTimePricing():
            raise AssertionError("only a fee by the period is charged in part")
    assert_never(item.pricing)


def days_of_price(item: Item, window: BilledPeriod) -> int:
    """How many days the price of an advance fee is for, for a part of a window.

    As the window was billed: a stub or cut one by the days of its full period, except that the
    base of a capacity was billed in full for the days there are. Nominal ones, where the
    window is not the fee's own.
    """
    full = priced_days(item.cadence, window.full.days)
    is_own = full == window.full.days
    return window.billed.days if is_own and isinstance(item.pricing, CapacityPricing) else full


def monthly_value(items: tuple[Item, ...], currency: str, on: date | None = None) -> int:
    """Monthly recurring revenue in minor units: fixed fees by the months of their cadence.

    Usage, one-time fees, coupons and items that have left are left out; one rounding of the
    exact sum. `on` is the day of a running subscription: slots that are taken away later count.
    """
    exact, parts = 0, 1
    for item in items:
        if item.ends_on is not None:
            continue
        value, of = _monthly(item, on)
        exact, parts = exact * of + value * parts, parts * of
    scale: int = 10 ** exponent(currency)
    return rounded_ratio(exact * scale, parts)


def _monthly(item: Item, on: date | None) -> tuple[int, int]:
    """What an item comes to in a month, in major units: a fraction's two parts."""
    match item.pricing:
        case UsagePricing() | OneTimePricing():
            return 0, 1
        case RatePricing(rate=rate) | CapacityPricing(rate=rate):
            units = 1
        case SlotPricing(unit_rate=rate):
            units = (item.slots or 0) + _changed(item, on)
        case ExtraRecurringPricing(unit_price=rate, quantity=units):
            pass
        case _:
            assert_never(item.pricing)
    value, of = rate.as_integer_ratio()
    return value * units * item.instances, of * item.cadence.months


def _changed(item: Item, on: date | None) -> int:
    """What has come to an item's slots, and is taken from them up to a day.

    What comes has come already, though a step that was due before may be taken after it.
    """
    return sum(
        one.delta
        for one in item.slot_changes
        if one.on is not None and (one.delta > 0 or (on is not None and one.on <= on))
    )


def _by_days(period: BilledPeriod) -> tuple[int, int]:
    return period.billed.days, period.full.days


def _in_full(period: BilledPeriod) -> tuple[int, int]:
    return period.billed.days, period.billed.days


def _line(
    item: Item,
    span: Period,
    currency: str,
    unit_price: Decimal,
    units: int,
    days: tuple[int, int],
) -> Charge:
    return _charge(item, span.start, span.end, currency, unit_price, units, days)


def _charge(
    item: Item,
    start: date,
    end: date,
    currency: str,
    unit_price: Decimal,
    units: int,
    days: tuple[int, int],
) -> Charge:
    billed, full = days
    computation = Computation(
        fee=item.fee.type,
        unit_price=unit_price,
        units=units,
        instances=item.instances,
        days=billed,
        full_days=full,
        unit_name=getattr(item.fee, "unit_name", None),
        included=getattr(item.pricing, "included", None),
        overage_rate=getattr(item.pricing, "overage_rate", None),
    )
    price, parts = unit_price.as_integer_ratio()
    scale: int = 10 ** exponent(currency)
    return Charge(
        item_id=item.id,
        product_id=item.product_id,
        name=item.name,
        start=start,
        end=end,
        amount=rounded_ratio(price * scale * computation.quantity * billed, parts * full),
        computation=computation,
    )
