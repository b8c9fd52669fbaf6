"""Invoices below zero, which changes of a subscription make."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0016"
down_revision = "0012"
upgrade = upgrade_from("0016_changes.sql")
