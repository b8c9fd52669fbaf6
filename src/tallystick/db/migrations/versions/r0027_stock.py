"""What may still change of the catalog, and the aliases of families."""

from tallystick.db.migrations.sql_file import upgrade_from

revision = "0027"
down_revision = "0022"
upgrade = upgrade_from("0027_stock.sql")
