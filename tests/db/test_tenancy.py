"""No row can point into another tenant."""

import pytest

from tallystick.db.engine import Database

EXEMPT = {
    "tenants": "is the tenant",
    "alembic_version": "belongs to Alembic",
    "pgqueuer": "belongs to PgQueuer; its payload names the tenant",
    "pgqueuer_log": "belongs to PgQueuer",
    "pgqueuer_schedules": "belongs to PgQueuer",
    "pgqueuer_statistics": "belongs to PgQueuer",
    "periodic_work": "says when the work of all tenants is due",
}

TABLES = """
    select relname from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
"""

KEYS = """
    select t.relname as table, c.contype::text as kind, c.conname as name, a.attname as first,
           r.relname as target, f.attname as target_first
    from pg_constraint c
    join pg_class t on t.oid = c.conrelid and not t.relispartition
    join pg_attribute a on a.attrelid = t.oid and a.attnum = c.conkey[1]
    left join pg_class r on r.oid = c.confrelid
    left join pg_attribute f on f.attrelid = r.oid and f.attnum = c.confkey[1]
    where c.connamespace = 'public'::regnamespace and c.contype in ('p', 'f')
"""


@pytest.fixture
async def breaches(db: Database) -> list[str]:
    """Each way in which a table of the schema breaks the rule, in words."""
    async with db.connection() as connection:
        tables = {row["relname"] for row in await connection.fetch(TABLES)}
        keys = await connection.fetch(KEYS)
    keyless = tables - {key["table"] for key in keys if key["kind"] == "p"}
    found = [f"{table} has no primary key" for table in sorted(keyless)]
    for key in keys:
        target_first = "id" if key["target"] == "tenants" else "tenant_id"
        if key["first"] != "tenant_id":
            found.append(f"{key['table']}: {key['name']} does not begin with tenant_id")
        elif key["kind"] == "f" and key["target_first"] != target_first:
            found.append(f"{key['table']}: {key['name']} does not point at {target_first}")
    return found


async def test_every_key_begins_with_the_tenant(breaches: list[str]) -> None:
    """The tenant comes first in every primary key and in every foreign key."""
    assert [b for b in breaches if b.split(":")[0].split()[0] not in EXEMPT] == []


async def test_every_exemption_is_needed(breaches: list[str]) -> None:
    """A table that follows the rule, or is gone, is not on the list of exemptions."""
    assert {b.split(":")[0].split()[0] for b in breaches} >= set(EXEMPT)
