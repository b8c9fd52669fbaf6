"""Subscriptions on the wire."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field

from tallystick.domain.amended_items import Amendment
from tallystick.domain.billing_entries import (
    RedeemedCoupon,
    SubscriptionDetails,
    SubscriptionEntry,
)
from tallystick.domain.money import major
from tallystick.domain.periods import Cadence
from tallystick.domain.scheduled import Scheduled, ScheduledAmendment, ScheduledPlan
from tallystick.http.v1.checkout_answers import show_payment
from tallystick.http.v1.checkout_schemas import PaymentMethodsConfigIn
from tallystick.http.v1.coupon_schemas import DiscountSchema, show_discount
from tallystick.http.v1.entitlement_schemas import EntitlementOut, show_entitlement
from tallystick.http.v1.item_schemas import (
    SubscriptionAddOnOut,
    SubscriptionComponentOut,
    show_component,
    show_subscription_add_on,
)
from tallystick.http.v1.minimum_schemas import MinimumCommitmentSchema, show_optional
from tallystick.http.v1.paging import PaginationMeta
from tallystick.http.v1.scalars import (
    AnswerModel,
    AppliedCouponId,
    CheckoutSessionId,
    CouponId,
    CustomerId,
    Day,
    DecimalOut,
    Instant,
    PaymentMethodId,
    PlanId,
    PlanVersionId,
    SubscriptionAddOnId,
    SubscriptionComponentId,
    SubscriptionId,
)
from tallystick.services.context import Context
from tallystick.services.link import checkout_url

JsonValue = Annotated[object | None, Field(description="Any JSON value.")]


class SubscriptionStatusName(StrEnum):
    """Every status of the reference; PENDING_CHARGE, PAUSED, ABORTED, ERRORED never occur."""

    PENDING_ACTIVATION = "PENDING_ACTIVATION"
    PENDING_CHARGE = "PENDING_CHARGE"
    TRIAL_ACTIVE = "TRIAL_ACTIVE"
    ACTIVE = "ACTIVE"
    TRIAL_EXPIRED = "TRIAL_EXPIRED"
    PAUSED = "PAUSED"
    SUSPENDED = "SUSPENDED"
    CANCELLED = "CANCELLED"
    ABORTED = "ABORTED"
    COMPLETED = "COMPLETED"
    SUPERSEDED = "SUPERSEDED"
    ERRORED = "ERRORED"


class AppliedCouponOut(AnswerModel):
    """What a coupon has taken off so far; `applied_amount` in major units."""

    id: AppliedCouponId
    coupon_id: CouponId
    is_active: bool
    applied_amount: DecimalOut
    applied_count: int
    last_applied_at: Instant | None
    created_at: Instant


class SubscriptionCouponOut(AnswerModel):
    """The coupon: code, discount and number of invoices as redeemed, the rest as it is now."""

    id: CouponId
    code: str
    description: str
    discount: DiscountSchema
    disabled: bool
    reusable: bool
    expires_at: Instant | None
    recurring_value: int | None
    redemption_limit: int | None


class AppliedCouponDetailed(AnswerModel):
    """A coupon of a subscription."""

    applied_coupon: AppliedCouponOut
    coupon: SubscriptionCouponOut


class ScheduledChangeOut(AnswerModel):
    """What changes on `effective_on`, the end of the period, before it is billed."""

    type: Literal["PLAN"]
    effective_on: Day
    plan_id: PlanId
    plan_name: str
    plan_version_id: PlanVersionId
    plan_version: int


class ScheduledAmendmentOut(AnswerModel):
    """What changes on `effective_on`, the end of the period, before it is billed.

    `components` and `add_ons` are those that join then, the ones that replace another among
    them; `remove_components` and `remove_add_ons` those that leave or are replaced.
    """

    type: Literal["AMENDMENT"]
    effective_on: Day
    components: list[SubscriptionComponentOut]
    add_ons: list[SubscriptionAddOnOut]
    remove_components: list[SubscriptionComponentId]
    remove_add_ons: list[SubscriptionAddOnId]


class SubscriptionOut(AnswerModel):
    """A subscription. Amounts in minor units of `currency`, `invoice_threshold` in major."""

    id: SubscriptionId
    customer_id: CustomerId
    customer_name: str
    customer_alias: str | None
    plan_id: PlanId
    plan_name: str
    plan_description: str | None
    plan_version_id: PlanVersionId
    plan_version: int
    status: SubscriptionStatusName
    currency: str
    tax_inclusive: bool
    period: Cadence
    start_date: Day
    billing_start_date: Day
    billing_day_anchor: int
    trial_duration: int | None
    trial_end: Day | None
    end_date: Day | None
    current_period_start: Day
    current_period_end: Day | None
    net_terms: int
    auto_advance_invoices: bool
    charge_automatically: bool
    payment_methods_config: PaymentMethodsConfigIn
    payment_method_id: PaymentMethodId | None
    invoice_memo: str | None
    purchase_order: str | None
    invoice_threshold: DecimalOut | None
    metadata: JsonValue
    custom_properties: JsonValue
    mrr_cents: int
    checkout_session_id: CheckoutSessionId | None
    checkout_url: Annotated[
        str | None, Field(description="Where it is activated, while its checkout is open.")
    ]
    activated_at: Instant | None
    created_at: Instant
    cancelled_on: Annotated[
        Day | None, Field(description="The day on which a cancellation takes, or took, effect.")
    ]
    cancellation_reason: str | None
    billing_error: Annotated[
        str | None,
        Field(description="Why its next step cannot be billed; tried again every hour."),
    ]
    scheduled_change: (
        Annotated[ScheduledChangeOut | ScheduledAmendmentOut, Field(discriminator="type")]
        | None
    )


class SubscriptionDetailsOut(SubscriptionOut):
    """A subscription with what is billed on it. `entitlements` are those of it alone."""

    components: list[SubscriptionComponentOut]
    add_ons: list[SubscriptionAddOnOut]
    applied_coupons: list[AppliedCouponDetailed]
    entitlements: list[EntitlementOut]
    minimum_commitment: MinimumCommitmentSchema | None


class SubscriptionList(AnswerModel):
    """One page of subscriptions."""

    data: list[SubscriptionOut]
    pagination_meta: PaginationMeta


def show_subscription(ctx: Context, entry: SubscriptionEntry) -> SubscriptionOut:
    """A subscription as it is sent."""
    return SubscriptionOut(**_fields(ctx, entry))


def show_details(ctx: Context, details: SubscriptionDetails) -> SubscriptionDetailsOut:
    """A subscription with its items and coupons as it is sent."""
    currency = details.subscription.currency
    return SubscriptionDetailsOut(
        **_fields(ctx, details.subscription),
        components=[
            show_component(one, ctx.today) for one in details.items if one.kind == "COMPONENT"
        ],
        add_ons=[
            show_subscription_add_on(one, ctx.today)
            for one in details.items
            if one.kind == "ADD_ON"
        ],
        applied_coupons=[_coupon(one, currency) for one in details.coupons],
        entitlements=[show_entitlement(one) for one in details.entitlements],
        minimum_commitment=show_optional(details.minimum),
    )


def _fields(ctx: Context, entry: SubscriptionEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "customer_id": entry.customer_id,
        "customer_name": entry.customer_name,
        "customer_alias": entry.customer_alias,
        "plan_id": entry.plan_id,
        "plan_name": entry.plan_name,
        "plan_description": entry.plan_description,
        "plan_version_id": entry.plan_version_id,
        "plan_version": entry.plan_version,
        "status": SubscriptionStatusName(entry.status.value),
        "currency": entry.currency,
        "tax_inclusive": entry.tax_inclusive,
        "period": entry.cadence,
        "start_date": entry.start_date,
        "billing_start_date": entry.billing_start_date,
        "billing_day_anchor": entry.billing_day_anchor,
        "trial_duration": entry.trial_duration,
        "trial_end": entry.trial_end,
        "end_date": entry.end_date,
        "current_period_start": entry.current_period_start,
        "current_period_end": entry.current_period_end,
        "net_terms": entry.net_terms,
        "auto_advance_invoices": entry.auto_advance_invoices,
        "charge_automatically": entry.charge_automatically,
        "payment_methods_config": show_payment(entry.payment),
        "payment_method_id": entry.payment_method_id,
        "invoice_memo": entry.invoice_memo,
        "purchase_order": entry.purchase_order,
        "invoice_threshold": entry.invoice_threshold,
        "metadata": entry.metadata,
        "custom_properties": entry.custom_properties,
        "mrr_cents": entry.mrr,
        "checkout_session_id": entry.checkout_session_id,
        "checkout_url": None
        if entry.open_session_id is None
        else checkout_url(ctx.app.public_url, ctx.tenant.link_secret, entry.open_session_id),
        "activated_at": entry.activated_at,
        "created_at": entry.created_at,
        "cancelled_on": entry.cancelled_on,
        "cancellation_reason": entry.cancellation_reason,
        "billing_error": entry.billing_error,
        "scheduled_change": None
        if entry.scheduled is None
        else _scheduled(entry.scheduled, ctx.today),
    }


def _scheduled(change: Scheduled, today: date) -> ScheduledChangeOut | ScheduledAmendmentOut:
    match change:
        case ScheduledPlan():
            return ScheduledChangeOut(
                type=change.type,
                effective_on=change.effective_on,
                plan_id=change.plan.plan_id,
                plan_name=change.plan_name,
                plan_version_id=change.plan_version_id,
                plan_version=change.plan_version,
            )
        case ScheduledAmendment(amendment=amendment):
            return _amendment(change, amendment, today)
    assert_never(change)


def _amendment(
    change: ScheduledAmendment, made: Amendment, today: date
) -> ScheduledAmendmentOut:
    joining = (*(one.to for one in made.changed), *made.added)
    return ScheduledAmendmentOut(
        type=change.type,
        effective_on=change.effective_on,
        components=[show_component(one, today) for one in joining if one.kind == "COMPONENT"],
        add_ons=[
            show_subscription_add_on(one, today) for one in joining if one.kind == "ADD_ON"
        ],
        remove_components=[
            *(one.item_id for one in made.changed if one.to.kind == "COMPONENT"),
            *made.removed_components,
        ],
        remove_add_ons=[
            *(one.item_id for one in made.changed if one.to.kind == "ADD_ON"),
            *made.removed_add_ons,
        ],
    )


def _coupon(redeemed: RedeemedCoupon, currency: str) -> AppliedCouponDetailed:
    terms = redeemed.terms
    return AppliedCouponDetailed(
        applied_coupon=AppliedCouponOut(
            id=redeemed.id,
            coupon_id=terms.id,
            is_active=redeemed.is_active,
            applied_amount=major(redeemed.applied_amount, currency),
            applied_count=redeemed.applied_count,
            last_applied_at=redeemed.last_applied_at,
            created_at=redeemed.redeemed_at,
        ),
        coupon=SubscriptionCouponOut(
            id=terms.id,
            code=terms.code,
            description=redeemed.description or "",
            discount=show_discount(terms.discount),
            disabled=redeemed.disabled,
            reusable=not terms.once_per_customer,
            expires_at=redeemed.expires_at,
            recurring_value=terms.recurring_value,
            redemption_limit=redeemed.redemption_limit,
        ),
    )
