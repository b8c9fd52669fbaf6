"""Portal tokens that are revoked, and secrets that are forgotten."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0031"
down_revision = "0030"
upgrade = upgrade_from("0031_revoked_secrets.sql")
