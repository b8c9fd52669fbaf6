"""A merchant who listens to what happens."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from tallystick.bootstrap import wired
from tallystick.db.due_deliveries import real_time
from tallystick.services.context import App
from tallystick.services.relay_events import relay_events
from tallystick.services.sequence_events import sequence_events
from tallystick.settings import Settings
from tests.database import in_own_loop
from tests.http.conftest import Served
from tests.http.purchase.market import Market, open_market

Result = TypeVar("Result")


@pytest.fixture
def market(api: Served, shared_dsn: str) -> Iterator[Market]:
    """A tenant of this test alone."""
    with open_market(api, shared_dsn) as opened:
        yield opened


def behind(market: Market, work: Callable[[App], Coroutine[Any, Any, Result]]) -> Result:
    """Do what a worker does, on the market's database."""

    async def do() -> Result:
        async with wired(Settings(), market.dsn) as app:
            return await work(app)

    return in_own_loop(do())


async def pass_on(app: App) -> None:
    """Number what happened, and pass it on to those who listen."""
    await sequence_events(app)
    async with app.database.connection() as tx:
        now = await real_time(tx)
    await relay_events(app, now)


def relayed(market: Market, endpoint_id: str) -> str:
    """The id of a delivery to an endpoint, of something that happened."""
    behind(market, pass_on)
    found = market.raw.get(f"/webhooks/endpoints/{endpoint_id}/deliveries").json()
    name: str = found["data"][0]["id"]
    return name
