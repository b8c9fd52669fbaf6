"""The sandbox: the test bank's methods, intents, remembered calls and ledger."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0003"
down_revision = "0002"
upgrade = upgrade_from("0003_sandbox_bank.sql")
