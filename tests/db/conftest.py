"""A server that a test may kill."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.db.server import EmbeddedServer


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the database's user may enter, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def own_server(open_folder: Path) -> Iterator[EmbeddedServer]:
    """A server of this test alone, not started."""
    server = EmbeddedServer(open_folder / "data", tuned_for_tests=True)
    yield server
    server.stop(immediately=True)
