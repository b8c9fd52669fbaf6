"""Invoices below zero, which changes of a subscription make."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0010"
down_revision = "0009"
upgrade = upgrade_from("0010_changes.sql")
