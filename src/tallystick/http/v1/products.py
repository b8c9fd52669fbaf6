"""Products: `/products`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import products
from tallystick.db.paging import Page
from tallystick.domain.catalog_entries import ProductEntry
from tallystick.domain.pricing import FeeType
from tallystick.http.door import Entered, Route
from tallystick.http.v1.existing import existing
from tallystick.http.v1.fee_schemas import (
    FeeStructureSchema,
    show_fee_structure,
    to_fee,
)
from tallystick.http.v1.kept import kept, said_in
from tallystick.http.v1.paging import BY_NAME, Order, OrderBy, PageQuery, PaginationMeta
from tallystick.http.v1.scalars import (
    AnswerModel,
    Flag,
    Instant,
    LongText,
    Name,
    ProductFamilyId,
    ProductId,
    RequestModel,
    ShortText,
)
from tallystick.services.create_product import NewCatalogProduct, create_product
from tallystick.services.edit_product import (
    archive_product,
    edit_product,
    unarchive_product,
)

router = APIRouter(prefix="/products", tags=["Products"], route_class=Route)


class CreateProductRequest(RequestModel):
    """A product to be; `catalog` false keeps it out of the list."""

    product_family_id: Annotated[
        ProductFamilyId, Field(description="The family it belongs to.")
    ]
    name: Annotated[Name, Field(description="What it is called in the catalog.")]
    fee_structure: Annotated[
        FeeStructureSchema,
        Field(description="What kind of fee its prices are; the kind never changes."),
    ]
    description: Annotated[LongText | None, Field(description="For the merchant.")] = None
    catalog: Annotated[Flag | None, Field(description="Whether it is listed; null: yes.")] = (
        None
    )


class UpdateProductRequest(RequestModel):
    """A change of a product: what is left out stays, null clears."""

    name: Name = kept("What it is called in the catalog.")
    description: Annotated[
        LongText | None, Field(description="For the merchant; null: none.")
    ] = None
    fee_structure: FeeStructureSchema = kept(
        "Of the same type; another one only as long as the product has no price."
    )


class ProductOut(AnswerModel):
    """Something that is sold, with the kind of its fee."""

    id: Annotated[ProductId, Field(description="Its id.")]
    product_family_id: Annotated[
        ProductFamilyId, Field(description="The family it belongs to.")
    ]
    name: Annotated[str, Field(description="What it is called in the catalog.")]
    description: Annotated[str | None, Field(description="For the merchant.")]
    fee_type: Annotated[FeeType, Field(description="The kind of its fee.")]
    fee_structure: Annotated[
        FeeStructureSchema, Field(description="What kind of fee its prices are.")
    ]
    catalog: Annotated[bool, Field(description="Whether it is listed.")]
    archived_at: Annotated[
        Instant | None,
        Field(description="From when on nothing new is made of it; null: it is not archived."),
    ]
    created_at: Annotated[Instant, Field(description="When it was made.")]


class ProductList(AnswerModel):
    """One page of products."""

    data: list[ProductOut]
    pagination_meta: PaginationMeta


class ProductQuery(PageQuery):
    """Filters and order of the list."""

    order_by: Annotated[
        Order, OrderBy("name", "created_at"), Field(description="Column and direction.")
    ] = BY_NAME
    product_family_id: Annotated[
        ProductFamilyId | None, Field(description="Only those of this family.")
    ] = None
    search: Annotated[
        ShortText | None, Field(description="A part of the name, in any case of letters.")
    ] = None


def show_product(entry: ProductEntry) -> ProductOut:
    """A product as it is sent."""
    product = entry.product
    return ProductOut(
        id=product.id,
        product_family_id=product.product_family_id,
        name=product.name,
        description=product.description,
        fee_type=product.fee.type,
        fee_structure=show_fee_structure(product.fee),
        catalog=product.in_catalog,
        archived_at=product.archived_at,
        created_at=entry.created_at,
    )


@router.post("", status_code=201, response_model=ProductOut)
async def post_product(door: Entered, body: CreateProductRequest) -> Response:
    """Create a product."""
    new = NewCatalogProduct(
        product_family_id=body.product_family_id,
        name=body.name,
        fee=to_fee(body.fee_structure),
        description=body.description,
        in_catalog=body.catalog is not False,
    )
    return await door.write(lambda ctx: create_product(ctx, new), show_product, status=201)


@router.get("", response_model=ProductList)
async def list_products(door: Entered, query: Annotated[ProductQuery, Query()]) -> Response:
    """List the unarchived products of the catalog."""

    def show(page: Page[ProductEntry]) -> ProductList:
        return ProductList(
            data=[show_product(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: products.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            product_family_id=query.product_family_id,
            search=query.search or None,
        ),
        show,
    )


@router.get("/{product_id}", response_model=ProductOut)
async def get_product(door: Entered, product_id: ProductId) -> Response:
    """Get a product."""
    return await door.read(
        lambda ctx: existing(
            products.load_entry(ctx.transaction, ctx.tenant.id, product_id), "product"
        ),
        show_product,
    )


@router.patch("/{product_id}", response_model=ProductOut)
async def patch_product(
    door: Entered, product_id: ProductId, body: UpdateProductRequest
) -> Response:
    """Change a product: what is left out stays, null clears."""
    said = said_in(body, "name", "description")
    fee = to_fee(body.fee_structure) if "fee_structure" in body.model_fields_set else None
    return await door.write(lambda ctx: edit_product(ctx, product_id, said, fee), show_product)


@router.post("/{product_id}/archive", status_code=204)
async def post_product_archive(door: Entered, product_id: ProductId) -> Response:
    """Archive a product.

    No price, component or add-on can be made of it. What sells it already goes on.
    """
    return await door.write(lambda ctx: archive_product(ctx, product_id), None, status=204)


@router.post("/{product_id}/unarchive", status_code=204)
async def post_product_unarchive(door: Entered, product_id: ProductId) -> Response:
    """Unarchive a product."""
    return await door.write(lambda ctx: unarchive_product(ctx, product_id), None, status=204)
