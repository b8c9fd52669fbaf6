"""What came back to spare kept apart, and notes on what was written off."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0022"
down_revision = "0029"
upgrade = upgrade_from("0022_kept_apart.sql")
