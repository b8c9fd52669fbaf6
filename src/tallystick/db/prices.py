"""Prices: immutable rows, each of one product."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.pricing import Price, Pricing

PRICE_JSON = """
    json_build_object('id', price.id, 'product_id', price.product_id, 'cadence', price.cadence,
        'currency', price.currency, 'pricing', price.pricing)
"""
"""A `Price` as JSON, for statements that have `prices price` among their tables."""

ORDERS = {"created_at": "price.created_at"}

_prices: Codec[tuple[Price, ...]] = Codec(tuple[Price, ...])
_pricing: Codec[Pricing] = Codec(Pricing)


async def load(tx: Tx, tenant_id: UUID, price_id: UUID) -> Price | None:
    """The price, or None where this tenant has none of that id."""
    return (await load_many(tx, tenant_id, [price_id])).get(price_id)


async def load_many(tx: Tx, tenant_id: UUID, ids: Iterable[UUID]) -> dict[UUID, Price]:
    """The prices that exist among `ids`, by id."""
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({PRICE_JSON}), '[]')
        from prices price where price.tenant_id = $1 and price.id = any($2)
        """,
        tenant_id,
        list(ids),
    )
    return {price.id: price for price in _prices.load(text)}


async def page_of_product(
    tx: Tx, tenant_id: UUID, product_id: UUID, window: Window
) -> Page[Price]:
    """The window's prices of a product, those made for single offers included."""
    matching = Matching(tenant_id, "price")
    matching.only("price.product_id = {}", product_id)
    return await fetch_page(
        tx,
        _prices,
        item=PRICE_JSON,
        tables="prices price",
        matching=matching,
        orders=ORDERS,
        window=window,
    )


async def insert_many(tx: Tx, tenant_id: UUID, prices: Iterable[Price], now: datetime) -> None:
    """Write new prices; their products exist by then."""
    rows = list(prices)
    if not rows:
        return
    await tx.execute(
        """
        insert into prices (tenant_id, id, product_id, cadence, currency, pricing, created_at)
        select $1, id, product_id, cadence, currency, pricing, $7
        from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[])
            as new (id, product_id, cadence, currency, pricing)
        """,
        tenant_id,
        [price.id for price in rows],
        [price.product_id for price in rows],
        [price.cadence.value for price in rows],
        [price.currency for price in rows],
        [_pricing.dump(price.pricing) for price in rows],
        now,
    )
