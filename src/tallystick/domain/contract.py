"""A contract: a subscription as billing sees it, its terms and how far it has come.

Read from where it is stored, moved one step at a time by `domain/life.py`, written back.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from tallystick.domain.charges import Item, is_in_advance
from tallystick.domain.coupons import CouponTerms, Fixed
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.money import major
from tallystick.domain.offer import OnlinePayment, PaymentConfig
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import CapacityPricing, FeeType, costs_nothing
from tallystick.domain.purchase import Activation, Subscription, SubscriptionStatus
from tallystick.domain.schedule import Schedule
from tallystick.domain.scheduled import Scheduled


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCoupon:
    """A redeemed coupon: its terms as redeemed, and to how many invoices it has applied.

    `ahead` is what a fixed one gave on threshold invoices of the current period, in minor
    units: it gives its amount once per period.
    """

    redemption_id: UUID
    terms: CouponTerms
    applied_count: int
    ahead: int = 0

    @property
    def applies(self) -> bool:
        """Whether it applies to the next recurring invoice."""
        limit = self.terms.recurring_value
        return limit is None or self.applied_count < limit

    @property
    def left(self) -> CouponTerms | None:
        """Its terms with what it has still to give in this period, None where none is left."""
        discount = self.terms.discount
        if not isinstance(discount, Fixed) or self.ahead == 0:
            return self.terms
        amount = discount.amount - major(self.ahead, discount.currency)
        assert amount >= 0, "it gives its amount once"
        if amount == 0:
            return None
        return replace(self.terms, discount=replace(discount, amount=amount))


# Without slots, so that what every step asks of it is worked out once.
@dataclass(frozen=True, kw_only=True)
class Contract:
    """A subscription's terms and its place in time.

    `billing_start` is the first billed day. `end_date` is the first day not covered, and
    `cancelled_on` the day on which a cancellation takes effect; the earlier one ends it.
    `period_end` is None before the start and after the end. `cycle_index` counts the complete
    periods, a first stub included. `fixed_anchor` is the billing day that somebody gave, None
    where it follows the first billed day; `billing_cycles` is None unless they make its
    `end_date`. `awaits_checkout`: made for a checkout that nobody has confirmed yet.
    `has_method`: a trial whose customer has a payment method on file. `scheduled` is what
    changes at the end of the period; `counted_from` is the day from which its periods count
    where their length has changed. Days are the tenant's.
    Usage that is not billed yet is billed when it reaches the `invoice_threshold`, in major
    units.
    """

    id: UUID
    customer_id: UUID
    plan_id: UUID
    invoicing_entity_id: UUID
    status: SubscriptionStatus
    currency: str
    tax_inclusive: bool
    items: tuple[Item, ...]
    coupons: tuple[RunningCoupon, ...]
    cadence: Cadence
    start: date
    billing_start: date
    anchor: int
    trial_end: date | None
    trial_is_free: bool
    end_date: date | None
    cancelled_on: date | None
    period_start: date
    period_end: date | None
    cycle_index: int
    mrr: int
    net_terms: int
    auto_advance_invoices: bool
    charge_automatically: bool
    payment: PaymentConfig
    payment_method_id: UUID | None
    invoice_memo: str | None
    purchase_order: str | None
    activation: Activation = Activation.CHECKOUT
    awaits_activation: bool = False
    awaits_checkout: bool = False
    has_method: bool = False
    fixed_anchor: int | None = None
    billing_cycles: int | None = None
    invoice_threshold: Decimal | None = None
    minimum: MinimumCommitment | None = None
    counted_from: date | None = None
    scheduled: Scheduled | None = None

    @cached_property
    def recurring(self) -> tuple[Item, ...]:
        """The items with a period: all but the one-time ones."""
        return tuple(item for item in self.items if item.fee.type is not FeeType.ONE_TIME)

    @cached_property
    def one_time(self) -> tuple[Item, ...]:
        """The items billed once, on the first invoice."""
        return tuple(item for item in self.items if item.fee.type is FeeType.ONE_TIME)

    @property
    def end(self) -> date | None:
        """The first day not covered: by contract, or by cancellation where that is earlier."""
        return min(
            (day for day in (self.end_date, self.cancelled_on) if day is not None), default=None
        )

    @property
    def ends_cancelled(self) -> bool:
        """Whether it ends by a cancellation; one on the day of its end counts."""
        return self.cancelled_on is not None and self.end == self.cancelled_on

    @property
    def is_billed(self) -> bool:
        """Whether its first billed day has come, and its end has not."""
        match self.status:
            case SubscriptionStatus.ACTIVE | SubscriptionStatus.SUSPENDED:
                return True
            case SubscriptionStatus.TRIAL_ACTIVE:
                return not self.trial_is_free
            case _:
                return False

    @property
    def can_owe(self) -> bool:
        """Whether anything of it can ever cost something, coupons aside."""
        return self.minimum is not None or any(self._may_cost(item) for item in self.items)

    def _may_cost(self, item: Item) -> bool:
        """Of what has left, only usage and arrears of billed days are still to be billed."""
        if costs_nothing(item.pricing):
            return False
        if item.ends_on is None:
            return True
        later = isinstance(item.pricing, CapacityPricing) or not is_in_advance(item)
        recurs = item.fee.type is not FeeType.ONE_TIME
        return recurs and later and item.ends_on > self.billing_start

    @property
    def is_charged(self) -> bool:
        """Whether its invoices are charged to a payment method by themselves."""
        return self.charge_automatically and isinstance(self.payment, OnlinePayment)

    @property
    def in_free_trial(self) -> bool:
        """Whether its free trial is running, or waits for what ends it."""
        return self.status is SubscriptionStatus.TRIAL_ACTIVE and self.trial_is_free

    def schedule_on(self, day: date) -> Schedule:
        """Its dates, seen from a day."""
        return Schedule(
            today=day,
            start=self.start,
            billing_start=self.billing_start,
            anchor=self.anchor,
            trial_end=self.trial_end,
            trial_is_free=self.trial_is_free,
            trial_days=None if self.trial_end is None else (self.trial_end - self.start).days,
            end=self.end,
            counted_from=self.counted_from,
        )


def contract_of(made: Subscription, coupons: tuple[RunningCoupon, ...] = ()) -> Contract:
    """The contract that a purchase makes."""
    offer, dates = made.offer, made.dates
    return Contract(
        id=made.id,
        customer_id=made.customer_id,
        plan_id=offer.plan_id,
        invoicing_entity_id=offer.invoicing_entity_id,
        status=made.status,
        currency=offer.currency,
        tax_inclusive=offer.tax_inclusive,
        items=offer.items,
        coupons=coupons,
        cadence=made.cadence,
        start=dates.start,
        billing_start=dates.billing_start,
        anchor=dates.anchor,
        trial_end=dates.trial_end,
        trial_is_free=dates.trial_is_free,
        end_date=dates.end,
        cancelled_on=None,
        period_start=made.current_period_start,
        period_end=made.current_period_end,
        cycle_index=made.cycle_index,
        mrr=made.mrr,
        net_terms=offer.net_terms,
        auto_advance_invoices=offer.auto_advance_invoices,
        charge_automatically=offer.charge_automatically,
        payment=offer.payment,
        payment_method_id=made.payment_method_id,
        invoice_memo=offer.invoice_memo,
        purchase_order=offer.purchase_order,
        activation=made.activation,
        awaits_activation=made.awaits_activation,
        awaits_checkout=made.awaits_checkout,
        fixed_anchor=offer.anchor,
        billing_cycles=offer.cycles_that_end_it,
        invoice_threshold=offer.invoice_threshold,
        minimum=offer.minimum,
    )
