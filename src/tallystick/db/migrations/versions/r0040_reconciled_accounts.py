"""How far accounts are reconciled; trials that cannot be charged; lists of one customer."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0040"
down_revision = "0039"
upgrade = upgrade_from("0040_reconciled_accounts.sql")
