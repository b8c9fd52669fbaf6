"""A stocked shop that the tests of a module share; each test has customers of its own."""

from collections.abc import Iterator

import pytest
from meteroid import models as m

from tests.http.conftest import Served
from tests.http.purchase.market import Market, open_market
from tests.http.purchase.stock import stock


@pytest.fixture(scope="module")
def market(api: Served, shared_dsn: str) -> Iterator[Market]:
    """A tenant with everything to sell; today is 10 March 2026."""
    with open_market(api, shared_dsn) as opened:
        stock(opened)
        yield opened


@pytest.fixture(scope="module")
def rival(api: Served, shared_dsn: str) -> Iterator[Market]:
    """Another tenant of the same server, with a shop like it."""
    with open_market(api, shared_dsn, "Rival Cloud") as opened:
        stock(opened)
        yield opened


@pytest.fixture
def customer(market: Market) -> m.Customer:
    """A customer of this test alone."""
    return market.customer()


@pytest.fixture(scope="module")
def roomy(api: Served, shared_dsn: str) -> Iterator[Market]:
    """A tenant whose customers may have each plan twice."""
    with open_market(api, shared_dsn, "Roomy Cloud", places=2) as opened:
        stock(opened)
        yield opened
