"""Sum up what has been written about the length of lists."""

from tallystick.db import list_counts
from tallystick.services.context import App


async def compact_list_counts(app: App) -> int:
    """Sum up the differences of every long list; their sums stay what they are."""
    async with app.transaction() as tx:
        return await list_counts.compact(tx)
