"""The whole tour: a merchant's first months, by every operation that the SDK has."""

from tallystick.db.due_deliveries import real_time
from tallystick.http.v1.import_rows import read_chunk
from tallystick.services.context import App
from tallystick.services.relay_events import relay_events
from tallystick.services.run_imports import run_imports
from tallystick.services.sequence_events import sequence_events
from tests.http.sdk.guide import Guide
from tests.http.sdk.tour_billing import bill, meet_customers, sell
from tests.http.sdk.tour_catalog import set_up
from tests.http.sdk.tour_files import deliver, listen, send_file
from tests.http.sdk.tour_rare import see_the_rest


async def take_tour(guide: Guide, app: App) -> None:
    """Set up a shop, sell, bill, listen and import; `app` does what a worker would."""
    hook = await listen(guide, "https://hooks.example/")
    catalog = await set_up(guide)
    customers = await meet_customers(guide)
    sold = await sell(guide, catalog, customers)
    await bill(guide, sold)
    await see_the_rest(guide, catalog, app.public_url)
    await _work(app)
    await deliver(guide, app, hook)
    await send_file(guide, lambda: _work(app))


async def _work(app: App) -> None:
    """What a worker does by itself: number events, pass them on, read files."""
    await sequence_events(app)
    async with app.database.connection() as tx:
        now = await real_time(tx)
    await relay_events(app, now)
    while await run_imports(app, now, read_chunk):
        pass
