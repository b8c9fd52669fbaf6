"""A merchant who listens to what happens."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from tallystick.bootstrap import wired
from tallystick.services.context import App
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
