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
from tallystick.http.v1.kept import kept, said_in
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
from tallystick.services.edit_add_on import archive_add_on, edit_add_on, unarchive_add_on

router = APIRouter(prefix="/addons", tags=["Add-ons"], route_class=Route)


class CreateAddOnRequest(RequestModel):
    """An add-on to be: one price of one product."""

    name: Annotated[Name, Field(description="What buyers read.")]
    product_id: Annotated[
        ProductId, Field(description="What is sold; it says the kind of the fee.")
    ]
    price_id: Annotated[PriceId, Field(description="Its price, one of that product.")]
    description: Annotated[
        LongText | None, Field(description="For the merchant; up to 10,000 characters.")
    ] = None
    max_instances_per_subscription: Annotated[
        Annotated[WholeNumber, Field(ge=1, le=COUNT_MAX)] | None,
        Field(
            description="How many a subscription may have, over all of its entries; null: any."
        ),
    ] = None
    self_serviceable: Annotated[
        Flag | None,
        Field(
            description="For your own pages: whether customers may add it themselves; "
            "null: no. It is kept and shown."
        ),
    ] = None


class UpdateAddOnRequest(RequestModel):
    """A change of an add-on: what is left out stays, null clears.

    Who has it keeps the price and the name at which it was bought.
    """

    name: Name = kept("What buyers read.")
    description: Annotated[
        LongText | None, Field(description="For the merchant; null: none.")
    ] = None
    price_id: PriceId = kept("Another price of its product, for who buys it from now on.")
    max_instances_per_subscription: Annotated[
        WholeNumber | None,
        Field(ge=1, le=COUNT_MAX, description="How many a subscription may have; null: any."),
    ] = None
    self_serviceable: Annotated[
        Flag | None,
        Field(
            description="For your own pages: whether customers may add it themselves; "
            "null: no. It is kept and shown."
        ),
    ] = None


class AddOnOut(AnswerModel):
    """Something sold beside a plan. `entitlements` are those that were attached to it."""

    id: Annotated[AddOnId, Field(description="Its id.")]
    name: Annotated[str, Field(description="What buyers read.")]
    description: Annotated[str | None, Field(description="For the merchant.")]
    product_id: Annotated[ProductId, Field(description="What is sold.")]
    price_id: Annotated[
        PriceId, Field(description="At what price, where a plan has none of its own for it.")
    ]
    fee_type: Annotated[FeeType, Field(description="The kind of the product's fee.")]
    self_serviceable: Annotated[
        bool, Field(description="For your own pages: whether customers may add it themselves.")
    ]
    max_instances_per_subscription: Annotated[
        int | None, Field(description="How many a subscription may have; null: any.")
    ]
    entitlements: Annotated[
        list[EntitlementOut], Field(description="What comes with each of it.")
    ]
    archived_at: Annotated[
        Instant | None,
        Field(description="From when on nobody new can have it; null: it is sold."),
    ]
    created_at: Annotated[Instant, Field(description="When it was made.")]


class AddOnList(AnswerModel):
    """One page of add-ons."""

    data: list[AddOnOut]
    pagination_meta: PaginationMeta


class AddOnQuery(PageQuery):
    """Filters and order of the list."""

    order_by: Annotated[
        Order, OrderBy("name", "created_at"), Field(description="Column and direction.")
    ] = NEWEST_FIRST
    search: Annotated[
        ShortText | None, Field(description="A part of the name, in any case of letters.")
    ] = None
    currency: Annotated[
        Currency | None, Field(description="Only add-ons whose own price is in it.")
    ] = None
    include_archived: Annotated[
        bool, Field(description="Whether to list those that are archived as well.")
    ] = False


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


@router.patch("/{add_on_id}", response_model=AddOnOut)
async def patch_add_on(door: Entered, add_on_id: AddOnId, body: UpdateAddOnRequest) -> Response:
    """Change an add-on: what is left out stays, null clears."""
    sold_as = said_in(body, "name")
    if "max_instances_per_subscription" in body.model_fields_set:
        sold_as["max_instances"] = body.max_instances_per_subscription
    if "self_serviceable" in body.model_fields_set:
        sold_as["self_serviceable"] = bool(body.self_serviceable)
    return await door.write(
        lambda ctx: edit_add_on(
            ctx, add_on_id, said_in(body, "description"), sold_as, price_id=body.price_id
        ),
        show_add_on,
    )


@router.post("/{add_on_id}/archive", status_code=204)
async def post_add_on_archive(door: Entered, add_on_id: AddOnId) -> Response:
    """Archive an add-on.

    Nobody new can have it. Who has it keeps it, and open checkouts that offer it are completed.
    """
    return await door.write(lambda ctx: archive_add_on(ctx, add_on_id), None, status=204)


@router.post("/{add_on_id}/unarchive", status_code=204)
async def post_add_on_unarchive(door: Entered, add_on_id: AddOnId) -> Response:
    """Unarchive an add-on."""
    return await door.write(lambda ctx: unarchive_add_on(ctx, add_on_id), None, status=204)
