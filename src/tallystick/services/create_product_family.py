"""Create a product family."""

from tallystick.db import product_families
from tallystick.domain.catalog_entries import ProductFamily
from tallystick.services.context import Context
from tallystick.services.ids import new_id


async def create_product_family(ctx: Context, name: str) -> ProductFamily:
    """Make a new family; names need not be unique."""
    family = ProductFamily(id=new_id(), name=name, created_at=ctx.now)
    await product_families.insert(ctx.transaction, ctx.tenant.id, family)
    return family
