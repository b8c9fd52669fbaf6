"""Say how a product is taxed."""

from uuid import UUID

from tallystick.db import products
from tallystick.domain.errors import Fault, NotFound, fail_if
from tallystick.domain.quote import ProductTax
from tallystick.services.catalog_events import product_updated
from tallystick.services.context import Context


async def set_product_taxes(ctx: Context, product_id: UUID, tax: ProductTax) -> ProductTax:
    """Replace a product's rules and its class; later quotes and invoices follow them.

    Raises:
        NotFound: no such product.
        InvalidInput: two rules for one place.
    """
    seen = set()
    faults = []
    for index, rule in enumerate(tax.rules):
        place = (rule.country, None if rule.region is None else rule.region.casefold())
        if place in seen:
            faults.append(Fault(f"taxes[{index}]", "duplicate", "repeats the place of a rule"))
        seen.add(place)
    fail_if(faults)
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    if not await products.hold(tx, tenant_id, product_id):
        raise NotFound("There is no such product.")
    before = await products.tax_settings(tx, tenant_id, [product_id])
    if before[product_id] != tax:
        await products.set_tax(tx, tenant_id, product_id, tax)
        product = await products.load_entry(tx, tenant_id, product_id)
        assert product is not None, "it is locked"
        await product_updated(ctx, product)
    return tax
