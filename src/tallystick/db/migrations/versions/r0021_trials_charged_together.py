"""Ends of trials that are charged together."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0021"
down_revision = "0019"
upgrade = upgrade_from("0021_trials_charged_together.sql")
