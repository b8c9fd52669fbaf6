"""Files that are imported, and how fast API keys ask."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0028"
down_revision = "0023"
upgrade = upgrade_from("0028_batch_jobs.sql")
