"""Add-ons: what is sold beside a plan, each at one price."""

from collections.abc import Iterable
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.entitlements import attached_to
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.db.prices import PRICE_JSON
from tallystick.db.products import PRODUCT_JSON
from tallystick.domain.catalog import AddOn
from tallystick.domain.catalog_entries import AddOnEntry
from tallystick.domain.entitlement import HolderKind

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

ORDERS = {"name": "lower(add_on.name)", "created_at": "add_on.created_at"}

_ENTRY_JSON = f"""
    json_build_object('add_on', {ADD_ON_JSON}, 'description', add_on.description,
        'created_at', add_on.created_at,
        'entitlements', {attached_to(HolderKind.ADD_ON, "add_on")})
"""

_entry: Codec[AddOnEntry] = Codec(AddOnEntry)
_entries: Codec[tuple[AddOnEntry, ...]] = Codec(tuple[AddOnEntry, ...])
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


async def insert(tx: Tx, tenant_id: UUID, entry: AddOnEntry) -> None:
    """Write a new add-on; its product and price exist by then."""
    add_on = entry.add_on
    await tx.execute(
        """
        insert into add_ons (tenant_id, id, product_id, price_id, name, description,
            self_serviceable, max_instances_per_subscription, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        tenant_id,
        add_on.id,
        add_on.product.id,
        add_on.price.id,
        add_on.name,
        entry.description,
        add_on.self_serviceable,
        add_on.max_instances,
        entry.created_at,
    )


async def load_entry(tx: Tx, tenant_id: UUID, add_on_id: UUID) -> AddOnEntry | None:
    """The add-on as it is listed, or None where this tenant has none of that id."""
    text = await tx.fetchval(
        f"""
        select {_ENTRY_JSON} from {ADD_ON_TABLES}
        where add_on.tenant_id = $1 and add_on.id = $2
        """,
        tenant_id,
        add_on_id,
    )
    return _entry.load_optional(text)


async def hold(tx: Tx, tenant_id: UUID, add_on_id: UUID) -> bool:
    """Lock an add-on against other changes; False where this tenant has none of that id."""
    found = await tx.fetchval(
        "select true from add_ons where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        add_on_id,
    )
    return found is not None


async def save(tx: Tx, tenant_id: UUID, entry: AddOnEntry) -> None:
    """Write a changed add-on, whether it is archived included."""
    add_on = entry.add_on
    await tx.execute(
        """
        update add_ons set price_id = $3, name = $4, description = $5, self_serviceable = $6,
            max_instances_per_subscription = $7, archived_at = $8
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        add_on.id,
        add_on.price.id,
        add_on.name,
        entry.description,
        add_on.self_serviceable,
        add_on.max_instances,
        add_on.archived_at,
    )


async def plan_relying_on_price(
    tx: Tx, tenant_id: UUID, add_on_id: UUID, currency: str
) -> tuple[str, str] | None:
    """A plan that sells an add-on at the add-on's own price, and in another currency.

    Its name and its currency; of each unarchived plan, the version that is sold counts.
    """
    row = await tx.fetchrow(
        """
        select plan.name, version.currency from plan_add_ons entry
        join plan_versions version
            on version.tenant_id = entry.tenant_id and version.id = entry.plan_version_id
        join plans plan on plan.tenant_id = version.tenant_id and plan.id = version.plan_id
        where entry.tenant_id = $1 and entry.add_on_id = $2 and entry.price_id is null
          and version.currency <> $3 and version.published_at is not null
          and plan.archived_at is null and not exists (
            select from plan_versions later
            where later.tenant_id = version.tenant_id and later.plan_id = version.plan_id
              and later.published_at is not null and later.version > version.version)
        order by plan.id limit 1
        """,
        tenant_id,
        add_on_id,
        currency,
    )
    return None if row is None else (row["name"], row["currency"])


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    search: str | None = None,
    currency: str | None = None,
    include_archived: bool = False,
) -> Page[AddOnEntry]:
    """The window's add-ons; `search` is a part of the name, in any case of letters."""
    matching = Matching(tenant_id, "add_on")
    matching.only("strpos(lower(add_on.name), lower({})) > 0", search)
    matching.only("price.currency = {}", currency)
    if not include_archived:
        matching.always("add_on.archived_at is null")
    return await fetch_page(
        tx,
        _entries,
        item=_ENTRY_JSON,
        tables=ADD_ON_TABLES,
        matching=matching,
        orders=ORDERS,
        window=window,
    )
