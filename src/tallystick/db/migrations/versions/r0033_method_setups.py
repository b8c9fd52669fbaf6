"""Methods that customers add by themselves."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0033"
down_revision = "0032"
upgrade = upgrade_from("0033_method_setups.sql")
