"""Definitions of custom properties, and the values that new objects begin with."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.custom_properties import (
    PropertyConfig,
    PropertyDefinition,
    PropertyEntity,
)

KEY_TAKEN = "custom_property_key"
"""The constraint that gives a key to one unarchived definition of a kind of object."""

ORDERS = {"display_order": "definition.display_order"}

_JSON = """
    json_build_object('id', definition.id, 'entity', definition.entity_type,
        'key', definition.key, 'name', definition.name, 'type', definition.property_type,
        'description', definition.description, 'config', definition.config,
        'required', definition.required, 'default', definition.default_value,
        'display_order', definition.display_order, 'archived_at', definition.archived_at,
        'created_at', definition.created_at, 'updated_at', definition.updated_at)
"""

_definition: Codec[PropertyDefinition] = Codec(PropertyDefinition)
_definitions: Codec[tuple[PropertyDefinition, ...]] = Codec(tuple[PropertyDefinition, ...])
_config: Codec[PropertyConfig] = Codec(PropertyConfig)


async def insert(tx: Tx, tenant_id: UUID, made: PropertyDefinition) -> None:
    """Write a new definition.

    Raises:
        UniqueViolation: An unarchived one has its key (`KEY_TAKEN`).
    """
    await tx.execute(
        """
        insert into custom_property_definitions (tenant_id, id, entity_type, key,
            property_type, created_at, name, description, config, required, default_value,
            display_order, archived_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        tenant_id,
        made.id,
        made.entity.value,
        made.key,
        made.type.value,
        made.created_at,
        *_changeable(made),
    )


async def save(tx: Tx, tenant_id: UUID, changed: PropertyDefinition) -> None:
    """Write a changed definition; its key, its type and what it is kept with never change."""
    await tx.execute(
        """
        update custom_property_definitions
        set name = $3, description = $4, config = $5, required = $6, default_value = $7,
            display_order = $8, archived_at = $9, updated_at = $10
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        changed.id,
        *_changeable(changed),
    )


async def load(
    tx: Tx, tenant_id: UUID, definition_id: UUID, *, lock: bool = False
) -> PropertyDefinition | None:
    """The definition, archived or not, or None where this tenant has none of that id."""
    text = await tx.fetchval(
        f"""
        select {_JSON} from custom_property_definitions definition
        where definition.tenant_id = $1 and definition.id = $2
        {"for no key update" if lock else ""}
        """,
        tenant_id,
        definition_id,
    )
    return _definition.load_optional(text)


async def count(tx: Tx, tenant_id: UUID, entity: PropertyEntity) -> int:
    """How many are defined for a kind of object now; who adds one waits for who is adding."""
    await tx.execute("select from tenants where id = $1 for no key update", tenant_id)
    found: int = await tx.fetchval(
        """
        select count(*) from custom_property_definitions
        where tenant_id = $1 and entity_type = $2 and archived_at is null
        """,
        tenant_id,
        entity.value,
    )
    return found


async def unarchived(
    tx: Tx, tenant_id: UUID, entity: PropertyEntity
) -> tuple[PropertyDefinition, ...]:
    """What is defined for a kind of object now."""
    text = await tx.fetchval(
        f"""
        select coalesce(json_agg({_JSON} order by display_order, id), '[]')
        from custom_property_definitions definition
        where definition.tenant_id = $1 and definition.entity_type = $2
          and definition.archived_at is null
        """,
        tenant_id,
        entity.value,
    )
    return _definitions.load(text)


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    entity: PropertyEntity | None,
    include_archived: bool,
) -> Page[PropertyDefinition]:
    """The window's definitions, of one kind of object or of all."""
    matching = Matching(tenant_id, "definition")
    matching.only("definition.entity_type = {}", None if entity is None else entity.value)
    if not include_archived:
        matching.always("definition.archived_at is null")
    return await fetch_page(
        tx,
        _definitions,
        item=_JSON,
        tables="custom_property_definitions definition",
        matching=matching,
        orders=ORDERS,
        window=window,
    )


async def defaults(tx: Tx, tenant_id: UUID) -> Mapping[str, Mapping[str, Any]]:
    """What new objects of each kind begin with, as the schema fills it in."""
    text = await tx.fetchval(
        """
        select coalesce(json_object_agg(entity_type, filled), '{}') from (
            select entity_type, json_object_agg(key, default_value) as filled
            from custom_property_definitions
            where tenant_id = $1 and archived_at is null and default_value is not null
            group by entity_type) own
        """,
        tenant_id,
    )
    found: Mapping[str, Mapping[str, Any]] = json.loads(text)
    return {entity.value: found.get(entity.value, {}) for entity in PropertyEntity}


async def of_invoices(
    tx: Tx, tenant_id: UUID, invoice_ids: Iterable[UUID]
) -> Mapping[UUID, Mapping[str, object]]:
    """The values of invoices as they stand; of those that are not written yet, the defaults."""
    rows = await tx.fetch(
        """
        select asked.id, coalesce(i.custom_properties, (
            select coalesce(jsonb_object_agg(d.key, d.default_value), '{}')
            from custom_property_definitions d
            where d.tenant_id = $1 and d.entity_type = 'INVOICE' and d.archived_at is null
              and d.default_value is not null)) as kept
        from unnest($2::uuid[]) as asked (id)
        left join invoices i on i.tenant_id = $1 and i.id = asked.id
        """,
        tenant_id,
        list(invoice_ids),
    )
    return {row["id"]: json.loads(row["kept"]) for row in rows}


def _changeable(definition: PropertyDefinition) -> tuple[object, ...]:
    default = definition.default
    return (
        definition.name,
        definition.description,
        _config.dump(definition.config),
        definition.required,
        None if default is None else json.dumps(default),
        definition.display_order,
        definition.archived_at,
        definition.updated_at,
    )
