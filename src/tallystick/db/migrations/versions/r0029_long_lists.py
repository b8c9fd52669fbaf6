"""Lists of a million rows."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0029"
down_revision = "0021"
upgrade = upgrade_from("0029_long_lists.sql")
