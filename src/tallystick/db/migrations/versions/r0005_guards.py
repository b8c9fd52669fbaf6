"""Guards: what the schema did not refuse, and what could not be seen from it."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0005"
down_revision = "0004"
upgrade = upgrade_from("0005_guards.sql")
