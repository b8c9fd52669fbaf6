"""Indexes from which due drafts are read in their order."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0015"
down_revision = "0017"
upgrade = upgrade_from("0015_due_in_order.sql")
