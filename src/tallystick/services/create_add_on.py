"""Create an add-on."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db import add_ons, prices, products
from tallystick.domain.catalog import AddOn
from tallystick.domain.catalog_entries import AddOnEntry
from tallystick.domain.errors import Fault, InvalidInput, NotFound, sentence
from tallystick.services.catalog_events import add_on_created
from tallystick.services.context import Context
from tallystick.services.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAddOn:
    """An add-on to be: one price of one product."""

    name: str
    product_id: UUID
    price_id: UUID
    description: str | None = None
    max_instances: int | None = None
    self_serviceable: bool = False


async def create_add_on(ctx: Context, new: NewAddOn) -> AddOnEntry:
    """Make a new add-on.

    Raises:
        NotFound: no such product or price.
        InvalidInput: the product is archived, or the price is another product's.
    """
    product = await products.load(ctx.transaction, ctx.tenant.id, new.product_id)
    price = await prices.load(ctx.transaction, ctx.tenant.id, new.price_id)
    if product is None or price is None:
        faults = []
        if product is None:
            faults.append(Fault("product_id", "unknown", "must be a product"))
        if price is None:
            faults.append(Fault("price_id", "unknown", "must be a price"))
        raise NotFound(sentence(faults), tuple(faults))
    faults = []
    if product.archived_at is not None:
        faults.append(Fault("product_id", "archived", "this product is archived"))
    if price.product_id != product.id:
        faults.append(Fault("price_id", "contradiction", "must be a price of the product"))
    if faults:
        raise InvalidInput(sentence(faults), tuple(faults))
    entry = AddOnEntry(
        add_on=AddOn(
            id=new_id(),
            name=new.name,
            product=product,
            price=price,
            max_instances=new.max_instances,
            self_serviceable=new.self_serviceable,
        ),
        description=new.description,
        created_at=ctx.now,
    )
    await add_ons.insert(ctx.transaction, ctx.tenant.id, entry)
    await add_on_created(ctx, entry)
    return entry
