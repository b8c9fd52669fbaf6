"""The quote of a change of the plan: the invoice of the change, and the next one after it."""

from collections.abc import Sequence
from uuid import UUID

from tallystick.domain.bill import Bill, bill, settle
from tallystick.domain.charges import Charge
from tallystick.domain.contract import Contract, RunningCoupon
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.life import StepKind, next_day, step
from tallystick.domain.offer import OnlinePayment
from tallystick.domain.periods import Period
from tallystick.domain.plan_change import PlanChange
from tallystick.domain.quote import AttemptKind, ProductTax, Quote, QuoteFacts
from tallystick.domain.tax import TaxDecision, decide, needs_country
from tallystick.domain.upcoming import Upcoming, UpcomingReason

_NO_TAX_SETTINGS = ProductTax()


def quote_change(change: PlanChange, facts: QuoteFacts, *, is_first: bool) -> Quote:
    """What a change costs when it is confirmed today.

    `is_first`: it ends a free trial, so its invoice is the subscription's first, on which the
    coupons apply; on any other they do not.
    """
    after = change.step.contract
    running = [one for one in after.coupons if one.applies] if is_first else []
    today = _priced(after, change.step.charges, _terms(running), facts)
    met = settle(0 if today is None else today.total, facts.balance_available)
    is_online = isinstance(after.payment, OnlinePayment)
    too_small = is_online and met.amount_due > 0 and not facts.chargeable(met.amount_due)
    due = 0 if too_small else met.amount_due
    pays = is_online and due > 0
    # What is on file already is not asked for again where nothing is paid.
    wants_method = after.payment_method_id is None and after.can_owe
    saves = is_online and after.charge_automatically and (pays or wants_method)
    assert after.period_end is not None, "it is billed"
    return Quote(
        currency=after.currency,
        kind=AttemptKind.PAYMENT if pays else AttemptKind.SETUP if saves else AttemptKind.NONE,
        saves_method=saves,
        dates=after.schedule_on(facts.today),
        cadence=after.cadence,
        period=Period(after.period_start, after.period_end),
        bill=today,
        balance_applied=met.balance_applied,
        written_off=met.amount_due - due,
        amount_due=due,
        upcoming=_upcoming(after, {one.redemption_id for one in running}, facts),
        coupons=(),
        left_out=(),
        needs_country=needs_country(facts.seller, facts.buyer),
        minimum=after.minimum,
        adjusts=not is_first,
    )


def _terms(running: Sequence[RunningCoupon]) -> list[CouponTerms]:
    return [left for one in running if (left := one.left) is not None]


def _priced(
    contract: Contract,
    charges: Sequence[Charge],
    coupons: Sequence[CouponTerms],
    facts: QuoteFacts,
) -> Bill | None:
    def decision_of(product_id: UUID) -> TaxDecision:
        product = facts.product_taxes.get(product_id, _NO_TAX_SETTINGS)
        return decide(facts.seller, facts.buyer, product.rules, product.vat_class, facts.today)

    if not charges:
        return None
    return bill(
        charges,
        currency=contract.currency,
        coupons=coupons,
        decision_of=decision_of,
        inclusive=contract.tax_inclusive,
    )


def _upcoming(after: Contract, used: set[UUID], facts: QuoteFacts) -> tuple[Upcoming, ...]:
    """The invoice of the next boundary, as far as it is known; `used` applies today already."""
    day = next_day(after)
    if day is None:
        return ()
    later = step(after)
    applying = [
        one
        for one in after.coupons
        if one.terms.recurring_value is None
        or one.applied_count + (one.redemption_id in used) < one.terms.recurring_value
    ]
    priced = _priced(after, later.charges, _terms(applying), facts)
    if priced is None and not later.meters:
        return ()
    ends = later.kind in {StepKind.COMPLETED, StepKind.CANCELLED}
    return (
        Upcoming(
            due=day,
            reason=UpcomingReason.END if ends else UpcomingReason.RENEWAL,
            total=0 if priced is None else priced.total,
            has_usage=bool(later.meters),
        ),
    )
