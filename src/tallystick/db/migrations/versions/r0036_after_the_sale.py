"""After the sale: the end of dunning, reminders, pages of invoices, orphans."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0036"
down_revision = "0033"
upgrade = upgrade_from("0036_after_the_sale.sql")
