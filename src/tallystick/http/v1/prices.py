"""The prices and the taxes of a product: `/products/{id}/prices`, `/products/{id}/taxes`.

Ours: the reference has no operation that makes a price, which an add-on needs.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import prices, products
from tallystick.db.paging import Page
from tallystick.domain.errors import Fault, NotFound, fail_if
from tallystick.domain.offer_request import NewPrice
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import Price
from tallystick.domain.quote import ProductTax
from tallystick.domain.tax import ProductTaxRule, VatClass
from tallystick.http.door import Entered, Route
from tallystick.http.v1.existing import existing
from tallystick.http.v1.paging import (
    NEWEST_FIRST,
    Order,
    OrderBy,
    PageQuery,
    PaginationMeta,
)
from tallystick.http.v1.pricing_schemas import PricingSchema, show_pricing, to_pricing
from tallystick.http.v1.scalars import (
    LIST_MAX,
    AnswerModel,
    Country,
    Currency,
    Name,
    PriceId,
    ProductId,
    RequestModel,
    TaxFraction,
)
from tallystick.services.context import Context
from tallystick.services.create_price import create_price
from tallystick.services.set_product_taxes import set_product_taxes

router = APIRouter(prefix="/products", tags=["Products"], route_class=Route)


class PriceCreateRequest(RequestModel):
    """A price to be. `cadence` is ignored for a one-time fee."""

    cadence: Cadence
    currency: Currency
    pricing: PricingSchema


class PriceOut(AnswerModel):
    """A price, which never changes."""

    id: PriceId
    product_id: ProductId
    cadence: Cadence
    currency: str
    pricing: PricingSchema


class PriceList(AnswerModel):
    """One page of a product's prices, those made for single offers included."""

    data: list[PriceOut]
    pagination_meta: PaginationMeta


class PriceQuery(PageQuery):
    """Order of the list."""

    order_by: Annotated[Order, OrderBy("created_at")] = NEWEST_FIRST


class TaxRuleSchema(RequestModel):
    """A rate, as a fraction, where the seller's address is in this country and region."""

    country: Country
    region: Name | None = None
    rate: TaxFraction


class ProductTaxesSchema(RequestModel):
    """How a product is taxed: its own rules, and its class for the EU's VAT."""

    taxes: Annotated[list[TaxRuleSchema], Field(max_length=LIST_MAX)]
    vat_class: VatClass = VatClass.STANDARD


def show_price(price: Price) -> PriceOut:
    """A price as it is sent."""
    return PriceOut(
        id=price.id,
        product_id=price.product_id,
        cadence=price.cadence,
        currency=price.currency,
        pricing=show_pricing(price.pricing),
    )


@router.get("/{product_id}/prices", response_model=PriceList)
async def list_prices(
    door: Entered, product_id: ProductId, query: Annotated[PriceQuery, Query()]
) -> Response:
    """List the prices of a product."""

    async def find(ctx: Context) -> Page[Price]:
        await existing(products.load(ctx.transaction, ctx.tenant.id, product_id), "product")
        return await prices.page_of_product(
            ctx.transaction, ctx.tenant.id, product_id, query.window(query.order_by)
        )

    def show(page: Page[Price]) -> PriceList:
        return PriceList(
            data=[show_price(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(find, show)


@router.post("/{product_id}/prices", status_code=201, response_model=PriceOut)
async def post_price(
    door: Entered, product_id: ProductId, body: PriceCreateRequest
) -> Response:
    """Give a product a price."""
    new = _new_price(body)
    return await door.write(
        lambda ctx: create_price(ctx, product_id, new), show_price, status=201
    )


@router.put("/{product_id}/taxes", response_model=ProductTaxesSchema)
async def put_taxes(door: Entered, product_id: ProductId, body: ProductTaxesSchema) -> Response:
    """Replace how a product is taxed."""
    tax = ProductTax(
        rules=tuple(
            ProductTaxRule(country=one.country, region=one.region, rate=one.rate)
            for one in body.taxes
        ),
        vat_class=body.vat_class,
    )
    return await door.write(lambda ctx: set_product_taxes(ctx, product_id, tax), _show_taxes)


@router.get("/{product_id}/taxes", response_model=ProductTaxesSchema)
async def get_taxes(door: Entered, product_id: ProductId) -> Response:
    """Say how a product is taxed."""
    return await door.read(lambda ctx: _tax(ctx, product_id), _show_taxes)


async def _tax(ctx: Context, product_id: UUID) -> ProductTax:
    found = await products.tax_settings(ctx.transaction, ctx.tenant.id, [product_id])
    if product_id not in found:
        raise NotFound("There is no such product.")
    return found[product_id]


def _show_taxes(tax: ProductTax) -> ProductTaxesSchema:
    return ProductTaxesSchema(
        taxes=[
            TaxRuleSchema(country=rule.country, region=rule.region, rate=rule.rate)
            for rule in tax.rules
        ],
        vat_class=tax.vat_class,
    )


def _new_price(body: PriceCreateRequest) -> NewPrice:
    faults: list[Fault] = []
    pricing = to_pricing(body.pricing, "pricing", faults)
    fail_if(faults)
    assert pricing is not None, "a pricing without a fault is one"
    return NewPrice(cadence=body.cadence, currency=body.currency, pricing=pricing)
