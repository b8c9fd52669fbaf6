"""Which direct debits an account at a payment provider takes."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0041"
down_revision = "0036"
upgrade = upgrade_from("0041_debits_of_connections.sql")
