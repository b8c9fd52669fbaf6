"""Webhooks: endpoints, their secrets, and what is sent to them."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0024"
down_revision = "0028"
upgrade = upgrade_from("0024_webhooks.sql")
