"""Add-ons: what is sold beside a plan, each at one price."""

from collections.abc import Iterable
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.prices import PRICE_JSON
from tallystick.db.products import PRODUCT_JSON
from tallystick.domain.catalog import AddOn

ADD_ON_JSON = f"""
    json_build_object('id', add_on.id, 'name', add_on.name, 'product', {PRODUCT_JSON},
        'price', {PRICE_JSON}, 'max_instances', add_on.max_instances_per_subscription,
        'self_serviceable', add_on.self_serviceable, 'archived_at', add_on.archived_at)
"""
"""An `AddOn` as JSON, for statements that select from `ADD_ON_TABLES`."""

ADD_ON_TABLES = """
    add_ons add_on
    join products product
        on product.tenant_id = add_on.tenant_id and product.id = add_on.product_id
    join prices price on price.tenant_id = add_on.tenant_id and price.id = add_on.price_id
"""

_add_ons: Codec[tuple[AddOn, ...]] = Codec(tuple[AddOn, ...])


async def load_many(tx: Tx, tenant_id: UUID, ids: Iterable[UUID]) -> dict[UUID, AddOn]:
    """The add-ons that exist among `ids`, by id, archived ones included."""
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({ADD_ON_JSON}), '[]') from {ADD_ON_TABLES}
        where add_on.tenant_id = $1 and add_on.id = any($2)
        """,
        tenant_id,
        list(ids),
    )
    return {add_on.id: add_on for add_on in _add_ons.load(text)}
