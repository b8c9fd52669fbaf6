"""The list of the guards that the doctor looks for is that of a database just migrated."""

from tallystick.db.audit.guards import IN_PLACE, REQUIRED
from tallystick.db.engine import Database


async def test_the_list_of_guards_is_what_the_migrations_make(db: Database) -> None:
    """Every trigger, constraint and index is listed, and nothing that is not there."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            f"select format('%s, %s, %s', place, kind, name) as line from ({IN_PLACE}) g "
            "where kind <> 'trigger of a foreign key'"
        )

    made = sorted(row["line"] for row in rows)
    missing = "add to src/tallystick/db/audit/guards.txt, or take out"
    assert made == sorted(REQUIRED.splitlines()), missing
