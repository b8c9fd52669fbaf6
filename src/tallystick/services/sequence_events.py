"""Give committed events their tenant's gapless numbers, for readers and webhooks."""

from tallystick.db import event_sequence
from tallystick.services.context import App

EVENTS_AT_ONCE = 500
"""Numbered in one statement and committed together: so few that no other commit waits."""


async def sequence_events(app: App) -> int:
    """Number everything that is committed, and return how many events that were.

    A long verb: each batch is its own transaction. Of several processes one does the work, the
    others return 0 at once.
    """
    total = 0
    while True:
        async with app.transaction() as tx:
            numbered = await event_sequence.number(tx, EVENTS_AT_ONCE)
        total += numbered or 0
        if numbered is None or numbered < EVENTS_AT_ONCE:
            return total
