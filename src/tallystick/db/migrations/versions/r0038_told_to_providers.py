"""What providers have yet to be told: removed methods, and changed customers."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0038"
down_revision = "0040"
upgrade = upgrade_from("0038_told_to_providers.sql")
