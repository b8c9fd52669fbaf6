from collections.abc import Iterator

import pytest

from tests.http.catalog.shop import Shop, open_shop
from tests.http.conftest import Served


@pytest.fixture
def shop(api: Served, shared_dsn: str) -> Iterator[Shop]:
    """A tenant of this test alone."""
    with open_shop(api, shared_dsn) as opened:
        yield opened


@pytest.fixture
def other_shop(api: Served, shared_dsn: str) -> Iterator[Shop]:
    """Another tenant, whose things are none of the first one's."""
    with open_shop(api, shared_dsn, "Rival Cloud") as opened:
        yield opened
