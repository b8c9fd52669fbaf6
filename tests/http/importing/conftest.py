from collections.abc import Iterator

import pytest

from tests.http.conftest import Served
from tests.http.importing.importer import Importer, open_importer


@pytest.fixture
def importer(api: Served, shared_dsn: str) -> Iterator[Importer]:
    """A tenant of this test alone, who imports files."""
    with open_importer(api, shared_dsn) as opened:
        yield opened
        # The next test finds nothing of this one that is due.
        opened.work()
