"""From a request and the catalog to the offer: everything resolved, every fault found.

Whatever could make a later step fail is checked here, before any money moves: the order is
refused as a whole with all its faults together, or it becomes an offer that can be shown,
bought and billed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from tallystick.domain.catalog import PlanVersion
from tallystick.domain.charges import Item, charge_once, monthly_value
from tallystick.domain.coupons import CouponRefusal, CouponTerms, refusal
from tallystick.domain.errors import Fault, fail_if
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.money import AMOUNT_MAX, AmountTooLarge
from tallystick.domain.offer import (
    Offer,
    PaymentConfig,
    Trial,
)
from tallystick.domain.offer_request import CouponFacts, OfferFacts, OfferRequest
from tallystick.domain.pricing import FeeType, OneTimePricing
from tallystick.domain.resolve_add_ons import resolve_add_ons
from tallystick.domain.resolve_components import resolve_components
from tallystick.domain.resolve_payment import resolve_charging, resolve_payment
from tallystick.domain.resolve_prices import Resolution
from tallystick.domain.schedule import schedule

START_DAYS_BACK_MAX = 366
IMPORT_DAYS_BACK_MAX = 3660
START_DAYS_AHEAD_MAX = 3660
MONTHS_ON_ONE_INVOICE_MAX = 24
"""More months than a start in the past and an annual fee can bring onto one invoice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """How far back a start may lie, and what that means.

    `is_lived_through`: its dates are counted from the start as if today were that day, trial
    included, and what has fallen due since is caught up.
    """

    days_back_max: int
    is_lived_through: bool


AT_A_CHECKOUT = Past(days_back_max=START_DAYS_BACK_MAX, is_lived_through=False)
WITHOUT_CHECKOUT = Past(days_back_max=IMPORT_DAYS_BACK_MAX, is_lived_through=True)

_RESTS_ON = {
    "charge_automatically": ("payment_methods_config",),
    "end_date": ("billing_start_date", "trial_duration_days"),
}
"""Field -> others that decide whether it can be: what is said of it needs them, too."""

_COUPON_MESSAGES = {
    CouponRefusal.UNKNOWN: "there is no such coupon",
    CouponRefusal.EXPIRED: "this coupon has expired",
    CouponRefusal.DISABLED: "this coupon is disabled",
    CouponRefusal.ARCHIVED: "this coupon is archived",
    CouponRefusal.EXHAUSTED: "this coupon has been redeemed as often as it can be",
    CouponRefusal.WRONG_CURRENCY: "this coupon is in another currency than the plan",
    CouponRefusal.WRONG_PLAN: "this coupon is not for this plan",
    CouponRefusal.ALREADY_USED: "this customer has used this coupon already",
}


def resolve_offer(
    request: OfferRequest,
    facts: OfferFacts,
    *,
    now: datetime,
    today: date,
    new_id: Callable[[], UUID],
    trial_used: bool,
    past: Past = AT_A_CHECKOUT,
) -> Offer:
    """The offer that the request means, or `InvalidInput` with every fault and its path.

    `trial_used` says that the customer has had this plan's own trial before.
    """
    version = facts.version
    work = Resolution(currency=version.currency, new_id=new_id, prices=facts.prices)
    _sold(facts, work)
    items = (
        *resolve_components(request, version, facts.products, facts.metric_ids, work),
        *resolve_add_ons(request, version, facts.add_ons, work),
    )
    plan = (version.plan_id, version.currency)
    coupons = _coupons(request, facts.coupons, plan, now, work.faults)
    payment = _payment(request, facts, work)
    charged = resolve_charging(payment, work, asked=request.charge_automatically)
    _start(request, today, past, work.faults)
    offer = Offer(
        plan_id=version.plan_id,
        plan_version_id=version.id,
        plan_name=facts.plan_name,
        plan_version=version.version,
        currency=version.currency,
        tax_inclusive=version.tax_inclusive,
        invoicing_entity_id=facts.entity.id,
        items=items,
        coupons=coupons,
        payment=payment,
        created_on=today,
        net_terms=_first(request.net_terms, version.net_terms, facts.entity.net_terms),
        auto_advance_invoices=request.auto_advance_invoices is not False,
        charge_automatically=charged,
        trial=_trial(request, facts),
        start_date=request.billing_start_date,
        anchor=request.billing_day_anchor or version.period_start_day,
        end_date=request.end_date,
        billing_cycles=version.billing_cycles,
        invoice_memo=request.invoice_memo,
        purchase_order=request.purchase_order,
        invoice_threshold=request.invoice_threshold,
        new_products=tuple(work.new_products),
        new_prices=tuple(work.new_prices),
        minimum=_minimum(version, items),
    )
    seen_on = request.billing_start_date if past.is_lived_through else None
    _end(offer, seen_on or today, work, trial_used=trial_used)
    _size(offer, work)
    fail_if(request.unread.joined(work.faults, _RESTS_ON))
    return offer


def faults_apart(
    request: OfferRequest,
    coupons: CouponFacts,
    plan: tuple[UUID, str] | None,
    *,
    now: datetime,
    today: date,
    past: Past,
) -> list[Fault]:
    """What is wrong with a request whose customer or plan is unknown, as far as can be told.

    `plan` is the plan's id and currency where it is known.
    """
    faults: list[Fault] = []
    _coupons(request, coupons, plan, now, faults)
    _start(request, today, past, faults)
    return request.unread.joined(faults, _RESTS_ON)


def _payment(request: OfferRequest, facts: OfferFacts, work: Resolution) -> PaymentConfig:
    return resolve_payment(
        request.payment,
        facts.entity,
        work,
        takes_online=facts.takes_online,
        debits=facts.debits,
    )


def _sold(facts: OfferFacts, work: Resolution) -> None:
    if not facts.version.is_published:
        work.fault("plan_version_id", "draft", "must be published; this version is a draft")
    if not facts.plan_is_sold:
        work.fault("plan_version_id", "archived", "must belong to a plan that is not archived")


def _end(offer: Offer, today: date, work: Resolution, *, trial_used: bool) -> None:
    dates = schedule(offer, today, trial_used=trial_used)
    if dates.is_over:
        work.fault(
            "end_date",
            "too_early",
            f"must be after the first billed day, {dates.billing_start.isoformat()}",
        )


def _size(offer: Offer, work: Resolution) -> None:
    """What it costs must stay an amount with tax, over a year on one invoice, and without
    coupons.

    So that nothing that the buyer does on the page can take it past what can be charged.
    """
    within_reason(offer.items, offer.currency, offer.created_on, work)


def within_reason(items: tuple[Item, ...], currency: str, day: date, work: Resolution) -> None:
    """Note a fault where items can come to more on one invoice than can be charged."""
    if _at_most(items, currency, day) > AMOUNT_MAX // 4:
        dearest = max(items, key=lambda item: _at_most((item,), currency, day))
        message = f"must not cost more than can be charged; `{dearest.name}` costs the most"
        work.fault("components", "too_large", message)


def _at_most(items: tuple[Item, ...], currency: str, day: date) -> int:
    """What items can come to on one invoice, in minor units."""
    try:
        monthly = monthly_value(items, currency)
        once = sum(
            charge_once(item, day, currency).amount
            for item in items
            if isinstance(item.pricing, OneTimePricing)
        )
    except AmountTooLarge:
        return AMOUNT_MAX
    return max(monthly * MONTHS_ON_ONE_INVOICE_MAX, once)


def _minimum(version: PlanVersion, items: tuple[Item, ...]) -> MinimumCommitment | None:
    """The version's minimum, where anything of what it covers is sold."""
    minimum = version.minimum
    if minimum is None or not any(
        minimum.covers(item.product_id)
        for item in items
        if item.fee.type is not FeeType.ONE_TIME
    ):
        return None
    return minimum


def _first(*choices: int | None) -> int:
    """The first of the choices that anybody made; the last one always is."""
    return next(choice for choice in choices if choice is not None)


def _trial(request: OfferRequest, facts: OfferFacts) -> Trial | None:
    own = facts.version.trial
    days = request.trial_duration_days
    if days is None:
        if own is None or own.days == 0:
            return None
        return Trial(
            days=own.days,
            is_free=own.is_free,
            once_per_customer=True,
            trialing_plan_id=own.trialing_plan_id,
        )
    if days == 0:
        return None
    return Trial(
        days=days,
        is_free=own is None or own.is_free,
        once_per_customer=False,
        trialing_plan_id=None if own is None else own.trialing_plan_id,
    )


def _start(request: OfferRequest, today: date, past: Past, faults: list[Fault]) -> None:
    start = request.billing_start_date
    if start is None:
        return
    earliest = today - timedelta(days=past.days_back_max)
    latest = today + timedelta(days=START_DAYS_AHEAD_MAX)
    if not earliest <= start <= latest:
        bounds = f"{earliest.isoformat()} and {latest.isoformat()}"
        faults.append(Fault("billing_start_date", "out_of_bounds", f"must be between {bounds}"))


def _coupons(
    request: OfferRequest,
    facts: CouponFacts,
    plan: tuple[UUID, str] | None,
    now: datetime,
    faults: list[Fault],
) -> tuple[CouponTerms, ...]:
    wanted: list[tuple[str, UUID | None]] = []
    if request.coupon_code is not None:
        code = request.coupon_code
        wanted.append(("coupon_code", facts.ids_by_code.get(code)))
    wanted += [
        (f"coupon_codes[{index}]", facts.ids_by_code.get(code))
        for index, code in enumerate(request.coupon_codes)
    ]
    wanted += [
        (f"coupon_ids[{index}]", coupon_id)
        for index, coupon_id in enumerate(request.coupon_ids)
    ]
    found: dict[UUID, CouponTerms] = {}
    for path, coupon_id in wanted:
        known = None if coupon_id is None else facts.by_id.get(coupon_id)
        if known is None:
            reason: CouponRefusal | None = CouponRefusal.UNKNOWN
        else:
            terms, state = known
            plan_id, currency = plan or (None, None)
            reason = refusal(terms, state, plan_id=plan_id, currency=currency, now=now)
            found[terms.id] = terms
        if reason is not None:
            faults.append(Fault(path, reason.value.lower(), _COUPON_MESSAGES[reason]))
    return tuple(found.values())
