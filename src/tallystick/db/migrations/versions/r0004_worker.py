"""The worker: starts of jobs, and when periodic work is due next."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0004"
down_revision = "0003"
upgrade = upgrade_from("0004_worker.sql")
