"""Usage billed at a threshold, and minimum commitments."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0013"
down_revision = "0011"
upgrade = upgrade_from("0013_thresholds.sql")
