"""A database that a test has used, emptied for the next one.

Emptying takes some thirty milliseconds, cloning the template and dropping the clone a hundred
and more. Only what is as good as a new clone is used again: schema, settings and given rows
are, row for row, what the clone had. A test that changes the schema costs the next one a clone.
"""

from dataclasses import dataclass

from tallystick.db.engine import DatabaseUnavailable, Tx, connect
from tallystick.db.refusals import Contention

BYTES_MAX = 4 * 2**20
"""What a test leaves in the tables at most; beyond it, cloning is cheaper."""

CATALOGS = (
    *("pg_attrdef", "pg_attribute", "pg_constraint", "pg_enum", "pg_index", "pg_inherits"),
    *("pg_policy", "pg_proc", "pg_rewrite", "pg_sequence", "pg_statistic"),
    *("pg_statistic_ext", "pg_trigger", "pg_type"),
)
"""Where a schema is written down, and its statistics; each row names who wrote it last."""

OWN_TABLES = "select oid from pg_class where relkind = 'r' and oid >= 16384"

# Of a table only what does not change when it gets rows.
SHAPES = """
    select coalesce(sum(hashtextextended(concat_ws(' ', oid, relname, relnamespace, relowner,
        relpersistence, relkind, relchecks, relhastriggers, relrowsecurity, reloptions, relacl),
        0)), 0)
    from pg_class where oid >= 16384 and relpersistence <> 't'
"""
SETTINGS = """
    select count(*) from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
    where d.datname = current_database()
"""
FREED = """
    select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""
VACUUM = "vacuum (truncate on, index_cleanup on, skip_database_stats on)"
USED_SEQUENCES = """
    select count(setval(seqrelid, seqstart, false)) from pg_sequence
    where pg_sequence_last_value(seqrelid) is not null
"""


@dataclass(kw_only=True)
class Emptying:
    """What every clone of one template is when it is new."""

    given: frozenset[str] = frozenset()
    """The tables in which a new database has rows already."""
    looks: str = ""

    async def learn(self, dsn: str) -> None:
        """Look at a new clone, once."""
        if self.looks:
            return
        connection = await connect(dsn)
        try:
            self.given = frozenset(await _filled(connection))
            self.looks = await _look(connection, self.given)
        finally:
            await connection.close()

    async def empty(self, dsn: str) -> bool:
        """Make a database as it was when it was new; whether that could be done."""
        try:
            connection = await connect(dsn)
        except DatabaseUnavailable:
            # Renamed, closed or dropped by its test.
            return False
        try:
            # Who is still connected would see rows vanish, or write others.
            await connection.fetchval(FREED)
            if await _look(connection, self.given) != self.looks:
                return False
            filled = await _filled(connection)
            if sum(filled.values()) > BYTES_MAX:
                return False
            used = sorted(filled.keys() - self.given)
            # No trigger has a say here; and a server that is killed has this done.
            await connection.execute(
                "set session_replication_role = replica; set synchronous_commit = on;"
                + ";".join(f"delete from {table}" for table in used)
            )
            if used:
                # New rows then lie in the order in which they come, as in a new clone.
                await connection.execute(f"{VACUUM} {', '.join(used)}")
            await connection.fetchval(USED_SEQUENCES)
        except Contention:
            return False
        finally:
            await connection.close()
        return True


async def _look(connection: Tx, given: frozenset[str]) -> str:
    """Everything about a database but the rows of its tests."""
    counted = (f"(select {_versions(name)})" for name in (*CATALOGS, *sorted(given)))
    looks: str = await connection.fetchval(
        f"select concat_ws(' ', ({SETTINGS}), ({SHAPES}), {', '.join(counted)})"
    )
    return looks


def _versions(table: str) -> str:
    return f"count(*) || ' ' || coalesce(sum(xmin::text::bigint), 0) from {table}"


async def _filled(connection: Tx) -> dict[str, int]:
    """The tables that hold something, with their sizes."""
    rows = await connection.fetch(
        "select oid::regclass::text as name, pg_relation_size(oid) as size"
        f" from ({OWN_TABLES}) own where pg_relation_size(oid) > 0"
    )
    return {row["name"]: row["size"] for row in rows}
