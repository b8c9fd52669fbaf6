"""Tenants: the merchants whose data everything else is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Row, Tx
from tallystick.db.provider_connections import CONNECTIONS, OF_TENANT
from tallystick.domain.provider_connection import ProviderConnection

_INSERT = """
    insert into tenants (id, name, currency, is_test, clock, link_secret, orphan_policy)
    values ($1, $2, $3, $4, $5, $6, $7)
"""

COLUMNS = f"t.*, {OF_TENANT} as connections"
"""What `tenant_of` reads of the tenant `t`."""

_FIND = f"select {COLUMNS} from tenants t where t.id = $1"

_ALL = f"select {COLUMNS} from tenants t order by t.created_at, t.id"

_CLOCK = "select clock from tenants where id = $1"

_CHANGEABLE = (
    "name",
    "time_zone",
    "places_per_plan",
    "dunning_days",
    "reminder_days_before",
    "reminder_days_after",
    "card_notice_days",
    "orphan_policy",
)

_ANNOUNCE = "select pg_notify('tallystick_api_keys', 'tenant:' || $1::uuid)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRow:
    """A tenant as it is stored; `clock` is its frozen business time, None for real time.

    `connections` are its accounts at payment providers, also those that are disconnected.
    """

    id: UUID
    name: str
    currency: str
    is_test: bool
    clock: datetime | None
    time_zone: str
    places_per_plan: int
    dunning_days: tuple[int, ...]
    link_secret: bytes
    reminder_days_before: int = 3
    reminder_days_after: tuple[int, ...] = (1, 7, 14)
    card_notice_days: int = 30
    orphan_policy: str = "ATTACH_OR_REFUND"
    connections: tuple[ProviderConnection, ...] = ()


async def insert(
    tx: Tx,
    tenant_id: UUID,
    *,
    name: str,
    currency: str,
    is_test: bool,
    clock: datetime | None,
    link_secret: bytes,
    orphan_policy: str = "ATTACH_OR_REFUND",
) -> None:
    """Store a new tenant."""
    await tx.execute(
        _INSERT, tenant_id, name, currency, is_test, clock, link_secret, orphan_policy
    )


async def find(tx: Tx, tenant_id: UUID) -> TenantRow | None:
    """The tenant, None when there is none."""
    row = await tx.fetchrow(_FIND, tenant_id)
    return None if row is None else tenant_of(row)


async def every(tx: Tx) -> list[TenantRow]:
    """Every tenant of the installation, oldest first."""
    return [tenant_of(row) for row in await tx.fetch(_ALL)]


async def clock(tx: Tx, tenant_id: UUID) -> datetime | None:
    """The tenant's frozen business time, None when it runs on real time."""
    value: datetime | None = await tx.fetchval(_CLOCK, tenant_id)
    return value


async def real_now(tx: Tx, tenant_id: UUID) -> datetime:
    """Real time, as the database of this tenant has it."""
    value: datetime = await tx.fetchval(
        "select clock_timestamp() from tenants where id = $1", tenant_id
    )
    return value


async def update(tx: Tx, tenant_id: UUID, changes: Mapping[str, object]) -> None:
    """Change columns of a tenant and tell every process that has it in memory."""
    assert changes.keys() <= set(_CHANGEABLE), "only what may change"
    if changes:
        sets = ", ".join(f"{column} = ${n}" for n, column in enumerate(changes, start=2))
        statement = f"update tenants set {sets} where id = $1"
        await tx.execute(statement, tenant_id, *changes.values())
    await tx.execute(_ANNOUNCE, tenant_id)


async def set_clock(tx: Tx, tenant_id: UUID, now: datetime) -> None:
    """Freeze a tenant's business time at an instant, and tell every process."""
    await tx.execute("update tenants set clock = $2 where id = $1", tenant_id, now)
    await tx.execute(_ANNOUNCE, tenant_id)


def tenant_of(row: Row) -> TenantRow:
    """The tenant in a row that has `COLUMNS`."""
    return TenantRow(
        id=row["id"],
        name=row["name"],
        currency=row["currency"],
        is_test=row["is_test"],
        clock=row["clock"],
        time_zone=row["time_zone"],
        places_per_plan=row["places_per_plan"],
        dunning_days=tuple(row["dunning_days"]),
        link_secret=row["link_secret"],
        reminder_days_before=row["reminder_days_before"],
        reminder_days_after=tuple(row["reminder_days_after"]),
        card_notice_days=row["card_notice_days"],
        orphan_policy=row["orphan_policy"],
        connections=CONNECTIONS.load(row["connections"]),
    )
