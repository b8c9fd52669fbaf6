"""Slots that come, go and wait to be paid, counted by their ledger alone."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0019"
down_revision = "0018"
upgrade = upgrade_from("0019_slots.sql")
