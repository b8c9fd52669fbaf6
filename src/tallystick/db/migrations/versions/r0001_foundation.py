"""The foundation: tenants, catalog, sessions, subscriptions, invoices, payments, events."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0001"
down_revision = None
upgrade = upgrade_from("0001_foundation.sql")
