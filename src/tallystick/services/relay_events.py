"""Pass events that have their number on to the endpoints that want them."""

from datetime import datetime

from tallystick.db import due_deliveries
from tallystick.services.context import App
from tallystick.services.ids import new_id

NUMBERS_AT_ONCE = 200
ENDPOINTS_AT_ONCE = 20
BATCHES_MAX = 10
"""Then what has been passed on is sent, before more is."""


async def relay_events(app: App, now: datetime) -> int:
    """Write the deliveries of what happened since the last time; return how many those were.

    After a long pause that takes several rounds.

    A long verb: each batch is its own transaction. Nothing of this is done where events are
    written; there, not a single statement more is spent on webhooks.

    Args:
        app: What is wired once per process.
        now: Real time.
    """
    total = 0
    for _ in range(BATCHES_MAX):
        async with app.transaction() as tx:
            endpoints = await due_deliveries.behind(tx, NUMBERS_AT_ONCE, ENDPOINTS_AT_ONCE)
            if not endpoints:
                break
            wanted = [(new_id(), one) for one in await due_deliveries.news(tx, endpoints)]
            await due_deliveries.relay(tx, endpoints, wanted, now)
        total += len(wanted)
    return total
