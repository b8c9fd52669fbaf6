"""Forget idempotency keys that are older than their day."""

from tallystick.db import idempotency
from tallystick.services.context import App

KEYS_AT_ONCE = 5_000


async def purge_idempotency_keys(app: App) -> int:
    """Delete every row past its life, batch by batch, and return how many there were."""
    total = 0
    while True:
        async with app.transaction() as tx:
            purged = await idempotency.purge(tx, KEYS_AT_ONCE)
        total += purged
        if purged < KEYS_AT_ONCE:
            return total
