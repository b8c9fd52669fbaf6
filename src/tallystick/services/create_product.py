"""Create a product."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db import products
from tallystick.domain.catalog import Product
from tallystick.domain.catalog_entries import ProductEntry
from tallystick.domain.pricing import FeeStructure
from tallystick.services.catalog_events import product_created
from tallystick.services.catalog_lookups import check_metric, family_of
from tallystick.services.context import Context
from tallystick.services.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCatalogProduct:
    """A product to be; one that is not `in_catalog` is sold but not listed."""

    product_family_id: UUID
    name: str
    fee: FeeStructure
    description: str | None = None
    in_catalog: bool = True


async def create_product(ctx: Context, new: NewCatalogProduct) -> ProductEntry:
    """Make a new product.

    Raises:
        NotFound: no such family.
        InvalidInput: the fee counts with an unknown metric.
    """
    await family_of(ctx, new.product_family_id)
    await check_metric(ctx, new.fee, "fee_structure")
    product = Product(
        id=new_id(),
        product_family_id=new.product_family_id,
        name=new.name,
        fee=new.fee,
        in_catalog=new.in_catalog,
        description=new.description,
    )
    entry = ProductEntry(product=product, created_at=ctx.now)
    await products.insert(ctx.transaction, ctx.tenant.id, product, ctx.now)
    await product_created(ctx, entry)
    return entry
