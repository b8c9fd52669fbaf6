"""Subscriptions that no checkout made, and cancellations with their reason."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0009"
down_revision = "0008"
upgrade = upgrade_from("0009_subscriptions.sql")
