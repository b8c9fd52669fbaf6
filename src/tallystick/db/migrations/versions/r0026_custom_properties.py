"""Custom properties, and customers that are archived."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0026"
down_revision = "0025"
upgrade = upgrade_from("0026_custom_properties.sql")
