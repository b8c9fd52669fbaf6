"""Bringing a database to the schema that this program needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tallystick.db.engine import connect

MIGRATIONS = Path(__file__).parent / "migrations"

MIGRATION_LOCK = 7_102_511_484
"""The number of the advisory lock under which one process at a time migrates."""
WAIT_SECONDS_MAX = 3600
"""How long a process waits for another one's migrations."""


async def migrate(dsn: str) -> str:
    """Apply every revision that the database lacks; safe from several processes at once.

    Args:
        dsn: The database's `postgresql://` URL.

    Returns:
        The revision that the database now has.

    Raises:
        asyncpg.PostgresError: A revision failed; those before it stay applied, of the failing
            one nothing does.
        DatabaseUnavailable: The database cannot be reached.
    """
    if await current(dsn) == head():
        return head()
    lock = await connect(dsn)
    try:
        await lock.execute("set statement_timeout = 0; set lock_timeout = 0")
        await lock.execute(
            "select pg_advisory_lock($1)", MIGRATION_LOCK, timeout=WAIT_SECONDS_MAX
        )
        engine = create_async_engine(
            # Alembic needs SQLAlchemy; which database it is, only the driver is told.
            "postgresql+asyncpg://",
            async_creator=lambda: connect(dsn),
            poolclass=NullPool,
        )
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await lock.close()
    return head()


async def current(dsn: str) -> str | None:
    """Return the revision a database has, or None before the first.

    Raises:
        DatabaseUnavailable: The database cannot be reached.
    """
    connection = await connect(dsn)
    try:
        if not await connection.fetchval("select to_regclass('alembic_version')::text"):
            return None
        revision: str | None = await connection.fetchval(
            "select version_num from alembic_version"
        )
        return revision
    finally:
        await connection.close()


def head() -> str:
    """Return the revision that this program needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, "there is at least one revision"
    return revision


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    # Alembic expands % in its values.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config
