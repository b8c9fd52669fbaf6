"""Subscriptions: `/subscriptions`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import subscriptions
from tallystick.db.paging import Page
from tallystick.domain.billing_entries import SubscriptionEntry
from tallystick.http.door import Entered, Route
from tallystick.http.v1.existing import existing
from tallystick.http.v1.paging import NEWEST_FIRST, Order, OrderBy, PageQuery
from tallystick.http.v1.scalars import CustomerIdOrAlias, PlanId, SubscriptionId
from tallystick.http.v1.subscription_schemas import (
    SubscriptionDetailsOut,
    SubscriptionList,
    SubscriptionStatusName,
    show_details,
    show_subscription,
)

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


@router.get("", response_model=SubscriptionList)
async def list_subscriptions(
    door: Entered, query: Annotated[SubscriptionQuery, Query()]
) -> Response:
    """List subscriptions."""

    def show(page: Page[SubscriptionEntry]) -> SubscriptionList:
        return SubscriptionList(
            data=[show_subscription(one) for one in page.items],
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
        show_details,
    )
