"""Changes at the end of a period."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0018"
down_revision = "0015"
upgrade = upgrade_from("0018_scheduled_changes.sql")
