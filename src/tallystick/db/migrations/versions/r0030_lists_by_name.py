"""Lists in the order of names."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0030"
down_revision = "0037"
upgrade = upgrade_from("0030_lists_by_name.sql")
