"""Product families: the groups that products, plans and metrics belong to."""

from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.catalog_entries import ProductFamily

FAMILY_JSON = """
    json_build_object('id', family.id, 'name', family.name, 'created_at', family.created_at,
        'alias', family.alias)
"""
"""A `ProductFamily` as JSON, in statements that have `product_families family`."""

ORDERS = {"name": "lower(family.name)", "created_at": "family.created_at"}

_family: Codec[ProductFamily] = Codec(ProductFamily)
_families: Codec[tuple[ProductFamily, ...]] = Codec(tuple[ProductFamily, ...])


async def insert(tx: Tx, tenant_id: UUID, family: ProductFamily) -> bool:
    """Write a new family; False, and nothing written, where another one has its alias."""
    written = await tx.fetchval(
        """
        insert into product_families (tenant_id, id, name, alias, created_at)
        values ($1, $2, $3, $4, $5)
        on conflict (tenant_id, alias) where alias is not null do nothing returning true
        """,
        tenant_id,
        family.id,
        family.name,
        family.alias,
        family.created_at,
    )
    return bool(written)


async def load(tx: Tx, tenant_id: UUID, id_or_alias: UUID | str) -> ProductFamily | None:
    """The family of an id (a UUID) or of an alias (a text), or None."""
    which = "family.id = $2" if isinstance(id_or_alias, UUID) else "family.alias = $2"
    text = await tx.fetchval(
        f"""
        select {FAMILY_JSON} from product_families family
        where family.tenant_id = $1 and {which}
        """,
        tenant_id,
        id_or_alias,
    )
    return _family.load_optional(text)


async def page(
    tx: Tx, tenant_id: UUID, window: Window, *, search: str | None = None
) -> Page[ProductFamily]:
    """The window's families; `search` is a part of the name, in any case of letters."""
    matching = Matching(tenant_id, "family")
    matching.only("strpos(lower(family.name), lower({})) > 0", search)
    return await fetch_page(
        tx,
        _families,
        item=FAMILY_JSON,
        tables="product_families family",
        matching=matching,
        orders=ORDERS,
        window=window,
    )
