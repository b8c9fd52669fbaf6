"""A revision that consists of one file of SQL."""

from collections.abc import Callable
from pathlib import Path

from alembic import op

FOLDER = Path(__file__).parent / "sql"


def upgrade_from(name: str) -> Callable[[], None]:
    """Return the `upgrade` of a revision: run the file as it is, in its transaction."""

    def upgrade() -> None:
        # The driver prepares what it is given, and a prepared statement is one statement:
        # a whole file goes past it, to the same connection in the same transaction. The
        # statements before it are what opens that transaction.
        op.execute("set local lock_timeout = '2s'")
        op.execute("set local statement_timeout = 0")
        statements = (FOLDER / name).read_text(encoding="utf-8")
        driver = op.get_bind().connection.dbapi_connection
        assert driver is not None, "Alembic runs on a live connection"
        driver.run_async(lambda connection: connection.execute(statements, timeout=3600))

    return upgrade
