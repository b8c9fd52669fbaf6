"""What an API key may do, when it was last used, and who has tried to pay."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0037"
down_revision = "0026"
upgrade = upgrade_from("0037_who_may_do_what.sql")
