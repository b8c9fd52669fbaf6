"""Products: what is sold, with the kind of its fee and how it is taxed."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.catalog import Product
from tallystick.domain.catalog_entries import ProductEntry
from tallystick.domain.offer import NewProduct
from tallystick.domain.pricing import FeeStructure
from tallystick.domain.quote import ProductTax
from tallystick.domain.tax import ProductTaxRule

PRODUCT_JSON = """
    json_build_object('id', product.id, 'product_family_id', product.product_family_id,
        'name', product.name, 'fee', product.fee_structure, 'in_catalog', product.in_catalog,
        'description', product.description, 'archived_at', product.archived_at)
"""
"""A `Product` as JSON, for statements that have `products product` among their tables."""

ORDERS = {"name": "lower(product.name)", "created_at": "product.created_at"}

_ENTRY_JSON = f"""
    json_build_object('product', {PRODUCT_JSON}, 'created_at', product.created_at)
"""

_entry: Codec[ProductEntry] = Codec(ProductEntry)
_entries: Codec[tuple[ProductEntry, ...]] = Codec(tuple[ProductEntry, ...])
_rules: Codec[tuple[ProductTaxRule, ...]] = Codec(tuple[ProductTaxRule, ...])
_products: Codec[tuple[Product, ...]] = Codec(tuple[Product, ...])
_fee: Codec[FeeStructure] = Codec(FeeStructure)
_taxes: Codec[dict[UUID, ProductTax]] = Codec(dict[UUID, ProductTax])


async def load(tx: Tx, tenant_id: UUID, product_id: UUID) -> Product | None:
    """The product, archived or not, or None where this tenant has none of that id."""
    return (await load_many(tx, tenant_id, [product_id])).get(product_id)


async def load_many(tx: Tx, tenant_id: UUID, ids: Iterable[UUID]) -> dict[UUID, Product]:
    """The products that exist among `ids`, by id, archived ones included."""
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({PRODUCT_JSON}), '[]')
        from products product where product.tenant_id = $1 and product.id = any($2)
        """,
        tenant_id,
        list(ids),
    )
    return {product.id: product for product in _products.load(text)}


async def tax_settings(tx: Tx, tenant_id: UUID, ids: Iterable[UUID]) -> dict[UUID, ProductTax]:
    """How each product that exists among `ids` is taxed, by id."""
    text = await tx.fetchval(
        """
        select coalesce(json_object_agg(product.id,
            json_build_object('rules', product.taxes, 'vat_class', product.vat_class)), '{}')
        from products product where product.tenant_id = $1 and product.id = any($2)
        """,
        tenant_id,
        list(ids),
    )
    return _taxes.load(text)


async def insert_many(
    tx: Tx, tenant_id: UUID, products: Iterable[NewProduct], now: datetime
) -> None:
    """Write the products that an offer brings along: sold, but not listed in the catalog."""
    rows = list(products)
    if not rows:
        return
    await tx.execute(
        """
        insert into products (tenant_id, id, product_family_id, name, fee_type, fee_structure,
            in_catalog, created_at)
        select $1, id, family_id, name, fee_type, fee_structure, false, $7
        from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[])
            as new (id, family_id, name, fee_type, fee_structure)
        """,
        tenant_id,
        [product.id for product in rows],
        [product.product_family_id for product in rows],
        [product.name for product in rows],
        [product.fee.type.value for product in rows],
        [_fee.dump(product.fee) for product in rows],
        now,
    )


async def insert(tx: Tx, tenant_id: UUID, product: Product, now: datetime) -> None:
    """Write one new product, in the catalog or outside it."""
    await tx.execute(
        """
        insert into products (tenant_id, id, product_family_id, name, description, fee_type,
            fee_structure, in_catalog, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        tenant_id,
        product.id,
        product.product_family_id,
        product.name,
        product.description,
        product.fee.type.value,
        _fee.dump(product.fee),
        product.in_catalog,
        now,
    )


async def hold(tx: Tx, tenant_id: UUID, product_id: UUID) -> bool:
    """Lock a product against other changes; False where this tenant has none of that id."""
    found = await tx.fetchval(
        "select true from products where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        product_id,
    )
    return found is not None


async def keep_as_they_are(tx: Tx, tenant_id: UUID, ids: Iterable[UUID]) -> None:
    """Hold products as they are until the transaction ends, for prices that are made."""
    await tx.execute(
        "select from products where tenant_id = $1 and id = any($2) order by id for share",
        tenant_id,
        list(ids),
    )


async def is_priced(tx: Tx, tenant_id: UUID, product_id: UUID) -> bool:
    """Whether the product has a price, of a plan, an add-on or a single offer."""
    found: bool = await tx.fetchval(
        "select exists (select from prices where tenant_id = $1 and product_id = $2)",
        tenant_id,
        product_id,
    )
    return found


async def save(tx: Tx, tenant_id: UUID, product: Product, *, fee: FeeStructure | None) -> None:
    """Write a changed product, whether it is archived included; None keeps its fee."""
    await tx.execute(
        """
        update products set name = $3, description = $4, archived_at = $5,
            fee_structure = coalesce($6, fee_structure)
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        product.id,
        product.name,
        product.description,
        product.archived_at,
        None if fee is None else _fee.dump(fee),
    )


async def load_entry(tx: Tx, tenant_id: UUID, product_id: UUID) -> ProductEntry | None:
    """The product as it is listed, or None where this tenant has none of that id."""
    text = await tx.fetchval(
        f"""
        select {_ENTRY_JSON} from products product
        where product.tenant_id = $1 and product.id = $2
        """,
        tenant_id,
        product_id,
    )
    return _entry.load_optional(text)


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    product_family_id: UUID | None = None,
    search: str | None = None,
) -> Page[ProductEntry]:
    """The window's unarchived products of the catalog.

    `search` is a part of the name, in any case of letters.
    """
    matching = Matching(tenant_id, "product")
    matching.always("product.in_catalog and product.archived_at is null")
    matching.only("product.product_family_id = {}", product_family_id)
    matching.only("strpos(lower(product.name), lower({})) > 0", search)
    return await fetch_page(
        tx,
        _entries,
        item=_ENTRY_JSON,
        tables="products product",
        matching=matching,
        orders=ORDERS,
        window=window,
    )


async def set_tax(tx: Tx, tenant_id: UUID, product_id: UUID, tax: ProductTax) -> None:
    """Replace how a product is taxed."""
    await tx.execute(
        """
        update products set taxes = $3, vat_class = $4
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        product_id,
        _rules.dump(tax.rules),
        tax.vat_class.value,
    )
