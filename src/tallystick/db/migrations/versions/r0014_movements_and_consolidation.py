"""Movements of recurring revenue, and recurring invoices of one customer made one."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0014"
down_revision = "0013"
upgrade = upgrade_from("0014_movements_and_consolidation.sql")
