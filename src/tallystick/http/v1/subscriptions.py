"""Subscriptions: `/subscriptions`."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import subscriptions
from tallystick.db.paging import Page
from tallystick.domain.billing_entries import SubscriptionDetails, SubscriptionEntry
from tallystick.http.door import Entered, Route
from tallystick.http.v1.amendment_schemas import (
    AmendSubscriptionRequest,
    AmendSubscriptionResponse,
    to_amendment,
)
from tallystick.http.v1.checkout_answers import show_session
from tallystick.http.v1.credit_note_schemas import show_credit_note
from tallystick.http.v1.existing import existing
from tallystick.http.v1.invoice_schemas import show_invoice
from tallystick.http.v1.paging import NEWEST_FIRST, Order, OrderBy, PageQuery
from tallystick.http.v1.scalars import CustomerIdOrAlias, PlanId, SubscriptionId
from tallystick.http.v1.slot_schemas import (
    ChangeSlotsRequest,
    ChangeSlotsResponse,
    to_slots_request,
)
from tallystick.http.v1.subscription_requests import (
    ActivateSubscriptionRequest,
    ActivateSubscriptionResponse,
    CancelSubscriptionRequest,
    CancelSubscriptionResponse,
    ChangeAt,
    ChangePlanRequest,
    ChangePlanResponse,
    ReactivateSubscriptionRequest,
    ReactivateSubscriptionResponse,
    SubscriptionCreateRequest,
    SubscriptionUpdateRequest,
    SubscriptionUpdateResponse,
    plan_change_echo,
    to_plan_change,
    to_subscription_request,
    to_terms_change,
)
from tallystick.http.v1.subscription_schemas import (
    SubscriptionDetailsOut,
    SubscriptionList,
    SubscriptionOut,
    SubscriptionStatusName,
    show_details,
    show_subscription,
)
from tallystick.services.activate_subscription import Activated, activate_subscription
from tallystick.services.amend import amend
from tallystick.services.amendment_wanted import SubscriptionAmended
from tallystick.services.cancel_subscription import (
    cancel_subscription,
    reactivate_subscription,
)
from tallystick.services.change_plan import change_plan
from tallystick.services.change_slots import SlotsAfter, change_slots
from tallystick.services.changing_plan import open_plan_change
from tallystick.services.context import Context
from tallystick.services.create_subscription import create_subscription
from tallystick.services.edit_subscription import edit_subscription
from tallystick.services.plan_wanted import PlanChanged
from tallystick.services.schedule_amendment import schedule_amendment
from tallystick.services.schedule_plan import drop_scheduled, schedule_plan

router = APIRouter(prefix="/subscriptions", tags=["Subscriptions"], route_class=Route)


class SubscriptionQuery(PageQuery):
    """Filters and order of the list; `statuses` can be repeated."""

    order_by: Annotated[Order, OrderBy(*subscriptions.ORDERS)] = NEWEST_FIRST
    customer_id: CustomerIdOrAlias | None = None
    plan_id: PlanId | None = None
    statuses: Annotated[
        list[SubscriptionStatusName],
        Field(default_factory=list, max_length=len(SubscriptionStatusName)),
    ]


@router.post("", status_code=201, response_model=SubscriptionDetailsOut)
async def post_subscription(door: Entered, body: SubscriptionCreateRequest) -> Response:
    """Create a subscription; ON_CHECKOUT answers with the link to its checkout."""
    request = to_subscription_request(body)
    return await door.write(
        lambda ctx: create_subscription(ctx, request),
        partial(show_details, door.context()),
        status=201,
    )


@router.get("", response_model=SubscriptionList)
async def list_subscriptions(
    door: Entered, query: Annotated[SubscriptionQuery, Query()]
) -> Response:
    """List subscriptions."""

    def show(page: Page[SubscriptionEntry]) -> SubscriptionList:
        return SubscriptionList(
            data=[show_subscription(door.context(), one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: subscriptions.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            customer=query.customer_id,
            plan_id=query.plan_id,
            statuses=query.statuses,
        ),
        show,
    )


@router.get("/{subscription_id}", response_model=SubscriptionDetailsOut)
async def get_subscription(door: Entered, subscription_id: SubscriptionId) -> Response:
    """Get a subscription with its components, add-ons and coupons."""
    return await door.read(
        lambda ctx: existing(
            subscriptions.load(ctx.transaction, ctx.tenant.id, subscription_id),
            "subscription",
        ),
        partial(show_details, door.context()),
    )


@router.get("/{subscription_id}/summary", response_model=SubscriptionOut)
async def get_subscription_summary(door: Entered, subscription_id: SubscriptionId) -> Response:
    """Get a subscription as lists show it, without its items and coupons."""
    return await door.read(
        lambda ctx: existing(
            subscriptions.load(ctx.transaction, ctx.tenant.id, subscription_id),
            "subscription",
        ),
        lambda details: show_subscription(door.context(), details.subscription),
    )


@router.patch("/{subscription_id}", response_model=SubscriptionUpdateResponse)
async def patch_subscription(
    door: Entered, subscription_id: SubscriptionId, body: SubscriptionUpdateRequest
) -> Response:
    """Change how a subscription is billed from now on."""
    change = to_terms_change(body)
    return await door.write(
        lambda ctx: edit_subscription(ctx, subscription_id, change),
        lambda details: SubscriptionUpdateResponse(
            subscription=show_details(door.context(), details)
        ),
    )


@router.post("/{subscription_id}/cancel", response_model=CancelSubscriptionResponse)
async def cancel(
    door: Entered,
    subscription_id: SubscriptionId,
    body: CancelSubscriptionRequest | None = None,
) -> Response:
    """Cancel a subscription; nothing that was billed in advance is given back."""
    asked = body or CancelSubscriptionRequest()
    return await door.write(
        lambda ctx: cancel_subscription(
            ctx, subscription_id, asked.effective_date, asked.reason
        ),
        partial(_show_cancelled, door.context()),
    )


@router.post("/{subscription_id}/reactivate", response_model=ReactivateSubscriptionResponse)
async def reactivate(
    door: Entered,
    subscription_id: SubscriptionId,
    body: ReactivateSubscriptionRequest | None = None,
) -> Response:
    """Take a scheduled cancellation back before it takes effect, or show what comes of that."""
    asked = body or ReactivateSubscriptionRequest()
    return await door.write(
        lambda ctx: reactivate_subscription(ctx, subscription_id, preview=asked.preview),
        lambda details: ReactivateSubscriptionResponse(
            subscription=show_subscription(door.context(), details.subscription), invoice=None
        ),
    )


@router.post("/{subscription_id}/activate", response_model=ActivateSubscriptionResponse)
async def activate(
    door: Entered,
    subscription_id: SubscriptionId,
    body: ActivateSubscriptionRequest | None = None,
) -> Response:
    """Activate a subscription that waits for it, or show what that would bill."""
    asked = body or ActivateSubscriptionRequest()

    def show(activated: Activated) -> ActivateSubscriptionResponse:
        invoice = activated.invoice
        return ActivateSubscriptionResponse(
            subscription=show_details(door.context(), activated.details),
            invoice=None if invoice is None else show_invoice(invoice, door),
        )

    return await door.write(
        lambda ctx: activate_subscription(ctx, subscription_id, preview=asked.preview), show
    )


@router.post("/{subscription_id}/change-plan", response_model=ChangePlanResponse)
async def post_plan_change(
    door: Entered, subscription_id: SubscriptionId, body: ChangePlanRequest
) -> Response:
    """Change the plan of a running subscription, or show what that would bill."""
    request = to_plan_change(body)
    verb = change_plan if body.at is ChangeAt.NOW else schedule_plan
    by_customer = body.checkout and not body.preview

    def show(changed: PlanChanged) -> ChangePlanResponse:
        invoice = changed.invoice
        return ChangePlanResponse(
            subscription=show_details(door.context(), changed.details),
            invoice=None if invoice is None else show_invoice(invoice, door),
            matched=changed.matched,
            added=changed.added,
            removed=changed.removed,
            session=None
            if changed.session is None
            else show_session(door.context(), changed.session),
        )

    if by_customer:
        return await door.write(
            lambda ctx: open_plan_change(ctx, subscription_id, request, plan_change_echo(body)),
            show,
        )
    return await door.write(
        lambda ctx: verb(ctx, subscription_id, request, preview=body.preview), show
    )


@router.post("/{subscription_id}/amend", response_model=AmendSubscriptionResponse)
async def post_amendment(
    door: Entered, subscription_id: SubscriptionId, body: AmendSubscriptionRequest
) -> Response:
    """Add, change and remove components and add-ons, or show what that would bill."""
    request = to_amendment(body)
    verb = amend if body.at is ChangeAt.NOW else schedule_amendment

    def show(amended: SubscriptionAmended) -> AmendSubscriptionResponse:
        invoice = amended.invoice
        return AmendSubscriptionResponse(
            subscription=show_details(door.context(), amended.details),
            invoice=None if invoice is None else show_invoice(invoice, door),
            credit_notes=[show_credit_note(one) for one in amended.credit_notes],
        )

    return await door.write(
        lambda ctx: verb(ctx, subscription_id, request, preview=body.preview), show
    )


@router.delete("/{subscription_id}/scheduled-change", response_model=CancelSubscriptionResponse)
async def delete_scheduled_change(door: Entered, subscription_id: SubscriptionId) -> Response:
    """Drop what is scheduled for the end of the period."""
    return await door.write(
        lambda ctx: drop_scheduled(ctx, subscription_id),
        partial(_show_cancelled, door.context()),
    )


@router.post("/{subscription_id}/slots", response_model=ChangeSlotsResponse)
async def post_slots(
    door: Entered, subscription_id: SubscriptionId, body: ChangeSlotsRequest
) -> Response:
    """Add slots to a running subscription or give some up, or show what that would bill."""
    request = to_slots_request(body)

    def show(changed: SlotsAfter) -> ChangeSlotsResponse:
        invoice = changed.invoice
        return ChangeSlotsResponse(
            subscription=show_details(door.context(), changed.details),
            invoice=None if invoice is None else show_invoice(invoice, door),
            delta=changed.delta,
            slots=changed.slots,
            effective_on=changed.effective_on,
        )

    return await door.write(
        lambda ctx: change_slots(ctx, subscription_id, request, preview=body.preview), show
    )


def _show_cancelled(ctx: Context, details: SubscriptionDetails) -> CancelSubscriptionResponse:
    return CancelSubscriptionResponse(subscription=show_subscription(ctx, details.subscription))
