"""Entitlements: what is granted of features, each attached to one thing or a default."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.entitlement import (
    Entitlement,
    EntitlementValue,
    Holder,
    HolderKind,
)

ENTITLEMENT_JSON = """
    json_build_object('id', entitlement.id, 'feature_id', entitlement.feature_id,
        'holder', json_build_object(
            'kind', case when entitlement.plan_version_id is not null then 'PLAN_VERSION'
                when entitlement.add_on_id is not null then 'ADD_ON'
                when entitlement.subscription_id is not null then 'SUBSCRIPTION'
                else 'FEATURE' end,
            'id', coalesce(entitlement.plan_version_id, entitlement.add_on_id,
                entitlement.subscription_id, entitlement.feature_id)),
        'value', entitlement.value, 'created_at', entitlement.created_at,
        'updated_at', entitlement.updated_at)
"""
"""An `Entitlement` as JSON, in statements that have `entitlements entitlement`."""

_COLUMNS = {
    HolderKind.PLAN_VERSION: "plan_version_id",
    HolderKind.ADD_ON: "add_on_id",
    HolderKind.SUBSCRIPTION: "subscription_id",
}

_entitlement: Codec[Entitlement] = Codec(Entitlement)
_entitlements: Codec[tuple[Entitlement, ...]] = Codec(tuple[Entitlement, ...])
_value: Codec[EntitlementValue] = Codec(EntitlementValue)


def attached_to(kind: HolderKind, alias: str) -> str:
    """SQL of a JSON array: what is attached to the row of an alias, in the order of making."""
    return f"""
        (select coalesce(json_agg({ENTITLEMENT_JSON}
            order by entitlement.created_at, entitlement.position, entitlement.id), '[]')
        from entitlements entitlement where entitlement.tenant_id = {alias}.tenant_id
            and entitlement.{_COLUMNS[kind]} = {alias}.id)
    """


async def insert_missing(
    tx: Tx, tenant_id: UUID, made: Sequence[Entitlement]
) -> tuple[Entitlement, ...]:
    """Write entitlements whose place is free; returns those that were written.

    A place is one feature of one thing; what is there already stays as it is.
    """
    rows = await tx.fetch(
        """
        insert into entitlements (tenant_id, id, feature_id, feature_type, plan_version_id,
            add_on_id, subscription_id, value, created_at, updated_at, position)
        select $1, id, feature_id, value ->> 'type', plan_version_id, add_on_id,
            subscription_id, value, created_at, updated_at, position
        from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::jsonb[],
            $8::timestamptz[], $9::timestamptz[])
            with ordinality as new (id, feature_id, plan_version_id, add_on_id, subscription_id,
                value, created_at, updated_at, position)
        order by feature_id
        on conflict on constraint one_value_each do nothing returning id
        """,
        tenant_id,
        [one.id for one in made],
        [one.feature_id for one in made],
        *(
            [one.holder.id if one.holder.kind is kind else None for one in made]
            for kind in _COLUMNS
        ),
        [_value.dump(one.value) for one in made],
        [one.created_at for one in made],
        [one.updated_at for one in made],
    )
    written = {row["id"] for row in rows}
    return tuple(one for one in made if one.id in written)


async def load(
    tx: Tx, tenant_id: UUID, entitlement_id: UUID, *, lock: bool = False
) -> Entitlement | None:
    """The entitlement, or None where this tenant has none of that id.

    `lock` keeps it from other changes until the transaction ends.
    """
    text = await tx.fetchval(
        f"""
        select {ENTITLEMENT_JSON} from entitlements entitlement
        where entitlement.tenant_id = $1 and entitlement.id = $2
        {"for update" if lock else ""}
        """,
        tenant_id,
        entitlement_id,
    )
    return _entitlement.load_optional(text)


async def of_holders(
    tx: Tx, tenant_id: UUID, holders: Iterable[Holder]
) -> tuple[Entitlement, ...]:
    """Everything that is attached to these things."""
    ids: dict[HolderKind, list[UUID]] = {kind: [] for kind in _COLUMNS}
    for one in holders:
        ids[one.kind].append(one.id)
    each = " union all ".join(
        f"""
        select {ENTITLEMENT_JSON} as item from entitlements entitlement
        where entitlement.tenant_id = $1 and entitlement.{column} = any(${number})
        """
        for number, column in enumerate(_COLUMNS.values(), start=2)
    )
    text = await tx.fetchval(
        f"select coalesce(json_agg(item), '[]') from ({each}) as found",
        tenant_id,
        *ids.values(),
    )
    return _entitlements.load(text)


async def save(tx: Tx, tenant_id: UUID, entitlement: Entitlement) -> None:
    """Write an entitlement's value."""
    await tx.execute(
        """
        update entitlements set value = $3, updated_at = $4
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        entitlement.id,
        _value.dump(entitlement.value),
        entitlement.updated_at,
    )


async def delete(tx: Tx, tenant_id: UUID, entitlement_id: UUID) -> None:
    """Take an entitlement away."""
    await tx.execute(
        "delete from entitlements where tenant_id = $1 and id = $2", tenant_id, entitlement_id
    )
