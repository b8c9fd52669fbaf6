"""The job queue: PgQueuer's own schema, as it prints it."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0002"
down_revision = "0001"
upgrade = upgrade_from("0002_job_queue.sql")
