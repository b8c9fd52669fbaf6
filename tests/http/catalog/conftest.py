from collections.abc import Iterator

import pytest

from tests.http.catalog.shop import Served, Shop, open_shop, served


@pytest.fixture(scope="module")
def api(shared_dsn: str) -> Iterator[Served]:
    """The application, served for the tests of one module."""
    with served(shared_dsn) as running:
        yield running


@pytest.fixture
def shop(api: Served) -> Iterator[Shop]:
    """A tenant of this test alone."""
    with open_shop(api) as opened:
        yield opened


@pytest.fixture
def other_shop(api: Served) -> Iterator[Shop]:
    """Another tenant, whose things are none of the first one's."""
    with open_shop(api, "Rival Cloud") as opened:
        yield opened
