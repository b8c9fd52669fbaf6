from collections.abc import Iterator

import pytest

from tests.http.conftest import Served
from tests.http.usage.meter import Meter, open_meter


@pytest.fixture
def meter(api: Served, shared_dsn: str) -> Iterator[Meter]:
    """A tenant of this test alone, with one customer and one metric that counts."""
    with open_meter(api, shared_dsn) as opened:
        yield opened


@pytest.fixture
def other_meter(api: Served, shared_dsn: str) -> Iterator[Meter]:
    """Another tenant, whose customers and events are none of the first one's."""
    with open_meter(api, shared_dsn, "Rival Cloud") as opened:
        yield opened
