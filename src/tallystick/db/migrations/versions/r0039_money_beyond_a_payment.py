"""Money that is taken beyond a payment, and refunds that came back."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0039"
down_revision = "0041"
upgrade = upgrade_from("0039_money_beyond_a_payment.sql")
