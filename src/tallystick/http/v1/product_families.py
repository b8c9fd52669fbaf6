"""Product families: `/product_families`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import product_families
from tallystick.db.paging import Page
from tallystick.domain.catalog_entries import ProductFamily
from tallystick.http.door import Entered, Route
from tallystick.http.v1.existing import existing
from tallystick.http.v1.paging import (
    NEWEST_FIRST,
    Order,
    OrderBy,
    PageQuery,
    PaginationMeta,
)
from tallystick.http.v1.scalars import (
    Alias,
    AnswerModel,
    Instant,
    Name,
    ProductFamilyId,
    ProductFamilyIdOrAlias,
    RequestModel,
    ShortText,
)
from tallystick.services.create_product_family import create_product_family

router = APIRouter(prefix="/product_families", tags=["Product families"], route_class=Route)


class ProductFamilyCreateRequest(RequestModel):
    """A family to be."""

    name: Annotated[Name, Field(description="What it is called; need not be unique.")]
    alias: Annotated[
        Alias | None,
        Field(
            description="What it can be found by beside its id. Left out, its name makes one"
            " where that is free: `Cloud Storage` is `cloud-storage`."
        ),
    ] = None


class ProductFamilyOut(AnswerModel):
    """A group of products, plans and metrics."""

    id: Annotated[ProductFamilyId, Field(description="Its id.")]
    name: Annotated[str, Field(description="What it is called.")]
    alias: Annotated[str | None, Field(description="What it can be found by beside its id.")]
    created_at: Annotated[Instant, Field(description="When it was made.")]


class ProductFamilyList(AnswerModel):
    """One page of families."""

    data: list[ProductFamilyOut]
    pagination_meta: PaginationMeta


class ProductFamilyQuery(PageQuery):
    """Filters and order of the list."""

    order_by: Annotated[
        Order, OrderBy("name", "created_at"), Field(description="Column and direction.")
    ] = NEWEST_FIRST
    search: Annotated[
        ShortText | None, Field(description="A part of the name, in any case of letters.")
    ] = None


def show_family(family: ProductFamily) -> ProductFamilyOut:
    """A family as it is sent."""
    return ProductFamilyOut(
        id=family.id, name=family.name, alias=family.alias, created_at=family.created_at
    )


@router.post("", status_code=201, response_model=ProductFamilyOut)
async def post_product_family(door: Entered, body: ProductFamilyCreateRequest) -> Response:
    """Create a product family."""
    return await door.write(
        lambda ctx: create_product_family(ctx, body.name, body.alias), show_family, status=201
    )


@router.get("", response_model=ProductFamilyList)
async def list_product_families(
    door: Entered, query: Annotated[ProductFamilyQuery, Query()]
) -> Response:
    """List product families."""

    def show(page: Page[ProductFamily]) -> ProductFamilyList:
        return ProductFamilyList(
            data=[show_family(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: product_families.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            search=query.search or None,
        ),
        show,
    )


@router.get("/{id_or_alias}", response_model=ProductFamilyOut)
async def get_product_family(door: Entered, id_or_alias: ProductFamilyIdOrAlias) -> Response:
    """Get a product family by its id or its alias."""
    return await door.read(
        lambda ctx: existing(
            product_families.load(ctx.transaction, ctx.tenant.id, id_or_alias),
            "product family",
        ),
        show_family,
    )
