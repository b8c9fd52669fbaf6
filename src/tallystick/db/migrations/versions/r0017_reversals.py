"""Money that providers took back of payments."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0017"
down_revision = "0016"
upgrade = upgrade_from("0017_reversals.sql")
