"""Trials that are charged before they go on, and subscriptions that a checkout activates."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0012"
down_revision = "0014"
upgrade = upgrade_from("0012_activation.sql")
