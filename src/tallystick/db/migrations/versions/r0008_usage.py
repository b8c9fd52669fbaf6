"""Usage events: what customers used, kept as it was reported."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0008"
down_revision = "0007"
upgrade = upgrade_from("0008_usage.sql")
