"""Forget deliveries of webhooks that ended long ago."""

from tallystick.db import webhook_deliveries
from tallystick.services.context import App

DELIVERIES_AT_ONCE = 2_000


async def purge_deliveries(app: App) -> int:
    """Delete every delivery that ended 30 days ago, batch by batch; return how many."""
    total = 0
    while True:
        async with app.transaction() as tx:
            purged = await webhook_deliveries.forget_ended(tx, DELIVERIES_AT_ONCE)
        total += purged
        if purged < DELIVERIES_AT_ONCE:
            return total
