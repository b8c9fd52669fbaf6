"""Connections to payment providers, whom they know, and what they tell us."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0032"
down_revision = "0031"
upgrade = upgrade_from("0032_provider_connections.sql")
