"""Credit notes and refunds."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0011"
down_revision = "0009"
upgrade = upgrade_from("0011_credit_notes.sql")
