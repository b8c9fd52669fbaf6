"""How the monthly value of a subscription has moved: `/subscriptions/{id}/mrr-movements`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from tallystick.db import mrr_movements, subscriptions
from tallystick.db.paging import Page
from tallystick.domain.mrr import Movement, MovementKind
from tallystick.http.door import Entered, Route
from tallystick.http.v1.existing import existing
from tallystick.http.v1.paging import Order, OrderBy, PageQuery, PaginationMeta
from tallystick.http.v1.scalars import AnswerModel, Day, Instant, SubscriptionId
from tallystick.services.context import Context

router = APIRouter(prefix="/subscriptions", tags=["Subscriptions"], route_class=Route)


class MrrMovementQuery(PageQuery):
    """Order of the list; the oldest movement comes first."""

    order_by: Annotated[Order, OrderBy(*mrr_movements.ORDERS)] = Order("date")


class MrrMovementOut(AnswerModel):
    """A change of a subscription's monthly value: before + amount = after.

    Amounts are in the currency's minor unit, like `mrr_cents` of the subscription, which is the
    sum of them all.
    """

    movement_type: MovementKind
    date: Day
    currency: str
    amount_cents: int
    mrr_before_cents: int
    mrr_after_cents: int
    created_at: Instant


class MrrMovementList(AnswerModel):
    """One page of movements."""

    data: list[MrrMovementOut]
    pagination_meta: PaginationMeta


@router.get("/{subscription_id}/mrr-movements", response_model=MrrMovementList)
async def list_mrr_movements(
    door: Entered,
    subscription_id: SubscriptionId,
    query: Annotated[MrrMovementQuery, Query()],
) -> Response:
    """List how a subscription's monthly value came to be what it is."""

    async def find(ctx: Context) -> Page[Movement]:
        tx, tenant_id = ctx.transaction, ctx.tenant.id
        await existing(subscriptions.load(tx, tenant_id, subscription_id), "subscription")
        return await mrr_movements.page(
            tx, tenant_id, query.window(query.order_by), subscription_id
        )

    def show(page: Page[Movement]) -> MrrMovementList:
        return MrrMovementList(
            data=[_show(one) for one in page.items], pagination_meta=query.meta(page.total)
        )

    return await door.read(find, show)


def _show(one: Movement) -> MrrMovementOut:
    return MrrMovementOut(
        movement_type=one.kind,
        date=one.day,
        currency=one.currency,
        amount_cents=one.amount,
        mrr_before_cents=one.before,
        mrr_after_cents=one.after,
        created_at=one.created_at,
    )
