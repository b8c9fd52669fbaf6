"""What documents say of a seller."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0025"
down_revision = "0024"
upgrade = upgrade_from("0025_documents.sql")
