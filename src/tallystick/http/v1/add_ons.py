"""Add-ons: `/addons`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import add_ons
from tallystick.db.paging import Page
from tallystick.domain.catalog_entries import AddOnEntry
from tallystick.domain.pricing import COUNT_MAX, FeeType
from tallystick.http.door import Entered, Route
from tallystick.http.v1.entitlement_schemas import EntitlementOut, show_entitlement
from tallystick.http.v1.existing import existing
from tallystick.http.v1.paging import (
    NEWEST_FIRST,
    Order,
    OrderBy,
    PageQuery,
    PaginationMeta,
)
from tallystick.http.v1.scalars import (
    AddOnId,
    AnswerModel,
    Currency,
    Flag,
    Instant,
    LongText,
    Name,
    PriceId,
    ProductId,
    RequestModel,
    ShortText,
    WholeNumber,
)
from tallystick.services.create_add_on import NewAddOn, create_add_on

router = APIRouter(prefix="/addons", tags=["Add-ons"], route_class=Route)


class CreateAddOnRequest(RequestModel):
    """An add-on to be: one price of one product."""

    name: Name
    product_id: ProductId
    price_id: PriceId
    description: LongText | None = None
    max_instances_per_subscription: Annotated[WholeNumber, Field(ge=1, le=COUNT_MAX)] | None = (
        None
    )
    self_serviceable: Flag | None = None


class AddOnOut(AnswerModel):
    """Something sold beside a plan. `entitlements` are those that were attached to it."""

    id: AddOnId
    name: str
    description: str | None
    product_id: ProductId
    price_id: PriceId
    fee_type: FeeType
    self_serviceable: bool
    max_instances_per_subscription: int | None
    entitlements: list[EntitlementOut]
    archived_at: Instant | None
    created_at: Instant


class AddOnList(AnswerModel):
    """One page of add-ons."""

    data: list[AddOnOut]
    pagination_meta: PaginationMeta


class AddOnQuery(PageQuery):
    """Filters and order of the list."""

    order_by: Annotated[Order, OrderBy("name", "created_at")] = NEWEST_FIRST
    search: ShortText | None = None
    currency: Currency | None = None
    include_archived: bool = False


def show_add_on(entry: AddOnEntry) -> AddOnOut:
    """An add-on as it is sent."""
    add_on = entry.add_on
    return AddOnOut(
        id=add_on.id,
        name=add_on.name,
        description=entry.description,
        product_id=add_on.product.id,
        price_id=add_on.price.id,
        fee_type=add_on.product.fee.type,
        self_serviceable=add_on.self_serviceable,
        max_instances_per_subscription=add_on.max_instances,
        entitlements=[show_entitlement(one) for one in entry.entitlements],
        archived_at=add_on.archived_at,
        created_at=entry.created_at,
    )


@router.post("", status_code=201, response_model=AddOnOut)
async def post_add_on(door: Entered, body: CreateAddOnRequest) -> Response:
    """Create an add-on."""
    new = NewAddOn(
        name=body.name,
        product_id=body.product_id,
        price_id=body.price_id,
        description=body.description,
        max_instances=body.max_instances_per_subscription,
        self_serviceable=bool(body.self_serviceable),
    )
    return await door.write(lambda ctx: create_add_on(ctx, new), show_add_on, status=201)


@router.get("", response_model=AddOnList)
async def list_add_ons(door: Entered, query: Annotated[AddOnQuery, Query()]) -> Response:
    """List add-ons."""

    def show(page: Page[AddOnEntry]) -> AddOnList:
        return AddOnList(
            data=[show_add_on(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: add_ons.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            search=query.search or None,
            currency=query.currency,
            include_archived=query.include_archived,
        ),
        show,
    )


@router.get("/{add_on_id}", response_model=AddOnOut)
async def get_add_on(door: Entered, add_on_id: AddOnId) -> Response:
    """Get an add-on."""
    return await door.read(
        lambda ctx: existing(
            add_ons.load_entry(ctx.transaction, ctx.tenant.id, add_on_id), "add-on"
        ),
        show_add_on,
    )
