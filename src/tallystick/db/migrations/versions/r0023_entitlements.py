"""Features and entitlements."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0023"
down_revision = "0027"
upgrade = upgrade_from("0023_entitlements.sql")
