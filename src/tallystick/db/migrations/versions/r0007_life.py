"""The life of a subscription: its next step, and drafts that are finalized later."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0007"
down_revision = "0005"
upgrade = upgrade_from("0007_life.sql")
