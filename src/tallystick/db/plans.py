"""Plans, each with its versions: a version that is a draft may still be published."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from tallystick.db import plan_drafts
from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.entitlements import attached_to
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.db.plan_versions import VERSION_JSON
from tallystick.db.product_families import FAMILY_JSON
from tallystick.domain.catalog import PlanStatus, PlanType
from tallystick.domain.catalog_entries import PlanEntry
from tallystick.domain.entitlement import HolderKind

ORDERS = {
    "name": "lower(plan.name)",
    "status": "plan.status",
    "plan_type": "plan.plan_type",
    "created_at": "plan.created_at",
}

WhichVersion = int | Literal["draft", "active"]
"""A version by number, the draft, or the published one (the draft where there is none)."""

_WHICH: Mapping[Literal["draft", "active"], str] = {
    "active": "true",
    "draft": "one.published_at is null",
}

_ENTRY_JSON = f"""
    json_build_object('id', plan.id, 'family', {FAMILY_JSON}, 'description', plan.description,
        'plan_type', plan.plan_type, 'status', plan.status,
        'self_service_rank', plan.self_service_rank, 'version', {VERSION_JSON},
        'net_terms', coalesce(version.net_terms, seller.net_terms, 0),
        'archived_at', plan.archived_at, 'created_at', plan.created_at,
        'entitlements', {attached_to(HolderKind.PLAN_VERSION, "version")})
"""

_TABLES = """
    plans plan
    join product_families family
        on family.tenant_id = plan.tenant_id and family.id = plan.product_family_id
    join lateral (
        select * from plan_versions one
        where one.tenant_id = plan.tenant_id and one.plan_id = plan.id and {which}
        order by one.published_at is null, one.version desc limit 1) version on true
    left join invoicing_entities seller
        on seller.tenant_id = plan.tenant_id and seller.is_default
"""

_entry: Codec[PlanEntry] = Codec(PlanEntry)
_entries: Codec[tuple[PlanEntry, ...]] = Codec(tuple[PlanEntry, ...])


async def insert(tx: Tx, tenant_id: UUID, entry: PlanEntry) -> None:
    """Write a new plan and its first version as a draft; what it names exists by then."""
    await tx.execute(
        """
        insert into plans (tenant_id, id, product_family_id, name, description, plan_type,
            status, self_service_rank, created_at)
        values ($1, $2, $3, $4, $5, $6, 'DRAFT', $7, $8)
        """,
        tenant_id,
        entry.id,
        entry.family.id,
        entry.version.plan_name,
        entry.description,
        entry.plan_type.value,
        entry.self_service_rank,
        entry.created_at,
    )
    await plan_drafts.insert(tx, tenant_id, entry.version, entry.created_at)


async def named(tx: Tx, tenant_id: UUID, name: str) -> list[UUID]:
    """The unarchived plans of exactly this name, oldest first."""
    rows = await tx.fetch(
        """
        select id from plans
        where tenant_id = $1 and lower(name) = lower($2) and name = $2 and archived_at is null
        order by id
        """,
        tenant_id,
        name,
    )
    return [row["id"] for row in rows]


async def lock(tx: Tx, tenant_id: UUID, plan_id: UUID) -> bool:
    """Lock a plan against other changes of it and of its draft; False where there is none."""
    found = await tx.fetchval(
        "select true from plans where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        plan_id,
    )
    return found is not None


async def describe(
    tx: Tx,
    tenant_id: UUID,
    plan_id: UUID,
    *,
    name: str,
    description: str | None,
    self_service_rank: int | None,
) -> None:
    """Write what is said about a plan, whatever its versions sell."""
    await tx.execute(
        """
        update plans set name = $3, description = $4, self_service_rank = $5
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        plan_id,
        name,
        description,
        self_service_rank,
    )


async def set_archived(tx: Tx, tenant_id: UUID, plan_id: UUID, at: datetime | None) -> None:
    """Archive a plan; at None it is what its versions make it: ACTIVE, or a DRAFT."""
    await tx.execute(
        """
        update plans plan set archived_at = $3, status = case
            when $3::timestamptz is not null then 'ARCHIVED'
            when exists (
                select from plan_versions version
                where version.tenant_id = plan.tenant_id and version.plan_id = plan.id
                  and version.published_at is not null) then 'ACTIVE'
            else 'DRAFT' end
        where plan.tenant_id = $1 and plan.id = $2
        """,
        tenant_id,
        plan_id,
        at,
    )


async def publish(tx: Tx, tenant_id: UUID, plan_id: UUID, now: datetime) -> bool:
    """Publish the plan's draft and make the plan ACTIVE; False where there is no draft."""
    published = await tx.fetchval(
        """
        update plan_versions set published_at = $3
        where tenant_id = $1 and plan_id = $2 and published_at is null returning true
        """,
        tenant_id,
        plan_id,
        now,
    )
    if not published:
        return False
    await tx.execute(
        "update plans set status = 'ACTIVE' where tenant_id = $1 and id = $2",
        tenant_id,
        plan_id,
    )
    return True


async def load_entry(
    tx: Tx, tenant_id: UUID, plan_id: UUID, which: WhichVersion = "active"
) -> PlanEntry | None:
    """The plan with one version, or None where this tenant has no such plan or version."""
    numbers = [which] if isinstance(which, int) else []
    condition = "one.version = $3" if isinstance(which, int) else _WHICH[which]
    text = await tx.fetchval(
        f"""
        select {_ENTRY_JSON} from {_TABLES.format(which=condition)}
        where plan.tenant_id = $1 and plan.id = $2
        """,
        tenant_id,
        plan_id,
        *numbers,
    )
    return _entry.load_optional(text)


async def known_ids(tx: Tx, tenant_id: UUID, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Those of `ids` that are unarchived plans of this tenant."""
    rows = await tx.fetch(
        """
        select id from plans
        where tenant_id = $1 and id = any($2) and archived_at is null
        """,
        tenant_id,
        list(ids),
    )
    return frozenset(row["id"] for row in rows)


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    product_family_id: UUID | None = None,
    statuses: Sequence[PlanStatus] = (),
    plan_types: Sequence[PlanType] = (),
    search: str | None = None,
) -> Page[PlanEntry]:
    """The window's plans, each with its published version, or its draft where it has none.

    No statuses and no types mean all of them. `search` is a part of the name.
    """
    matching = Matching(tenant_id, "plan")
    matching.only("plan.product_family_id = {}", product_family_id)
    matching.only("plan.status = any({})", [one.value for one in statuses] or None)
    matching.only("plan.plan_type = any({})", [one.value for one in plan_types] or None)
    matching.only("strpos(lower(plan.name), lower({})) > 0", search)
    return await fetch_page(
        tx,
        _entries,
        item=_ENTRY_JSON,
        tables=_TABLES.format(which="true"),
        matching=matching,
        orders=ORDERS,
        window=window,
    )
