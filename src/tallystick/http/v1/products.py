"""Products: `/products`."""

from typing import Annotated

from fastapi import APIRouter, Query
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

router = APIRouter(prefix="/products", tags=["Products"], route_class=Route)


class CreateProductRequest(RequestModel):
    """A product to be; `catalog` false keeps it out of the list."""

    product_family_id: ProductFamilyId
    name: Name
    fee_structure: FeeStructureSchema
    description: LongText | None = None
    catalog: Flag | None = None


class ProductOut(AnswerModel):
    """Something that is sold, with the kind of its fee."""

    id: ProductId
    product_family_id: ProductFamilyId
    name: str
    description: str | None
    fee_type: FeeType
    fee_structure: FeeStructureSchema
    catalog: bool
    archived_at: Instant | None
    created_at: Instant


class ProductList(AnswerModel):
    """One page of products."""

    data: list[ProductOut]
    pagination_meta: PaginationMeta


class ProductQuery(PageQuery):
    """Filters and order of the list."""

    order_by: Annotated[Order, OrderBy("name", "created_at")] = BY_NAME
    product_family_id: ProductFamilyId | None = None
    search: ShortText | None = None


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
