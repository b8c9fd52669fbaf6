"""Where the one PostgreSQL of a run of the tests lives, and how it ends with the run.

The fixtures that use it are in `tests/database.py`, which is loaded with the first folder of
tests that may ask for them: those of the domain do not wait for the libraries of a database.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

CLUSTER_VARIABLE = "TALLYSTICK_TEST_CLUSTER"
CLUSTER_PREFIX = "tallystick-tests-"

_IN_MEMORY = Path("/dev/shm")
_ROOM = 4 * 2**30
"""Bytes that must be free in memory; a whole run has been seen to need a quarter of them."""

TESTS = Path(__file__).parent
WITHOUT_DATABASE = {"domain"}
"""Folders of tests that are about pure functions alone."""


# Some folders' conftest asks for it by name, before the folder brings it.
pytest.register_assert_rewrite("tests.database")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the folder of this run's server, in the process that the workers come from."""
    # Data directories and databases of the person at the keyboard are none of ours.
    for name in ("DATABASE_URL", "TALLYSTICK_DATABASE_URL", "TALLYSTICK_DATA_DIR"):
        os.environ.pop(name, None)
    if not hasattr(config, "workerinput"):
        _sweep_killed_runs(config)
        folder = place() / f"{CLUSTER_PREFIX}{os.getpid()}"
        os.environ[CLUSTER_VARIABLE] = str(folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End this run's server, if a test started it."""
    folder = Path(os.environ[CLUSTER_VARIABLE])
    if not hasattr(config, "workerinput") and folder.exists():
        _remove_cluster(config, folder)


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> None:
    """Bring the fixtures of the database to each folder of tests that may ask for them."""
    if path.parent == TESTS and path.name not in WITHOUT_DATABASE:
        parent.config.pluginmanager.import_plugin("tests.database")


def place() -> Path:
    """Where the cluster lies: in memory where there is room, since databases come and go.

    Making and removing their files, a thousand for each, takes a disk's file system longer than
    the tests. Not in pytest's own folder, which the database's user may not enter.
    """
    if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK):
        room = os.statvfs(_IN_MEMORY)
        if room.f_bavail * room.f_frsize >= _ROOM:
            return _IN_MEMORY
    return Path(tempfile.gettempdir())


def _remove_cluster(config: pytest.Config, folder: Path) -> None:
    config.pluginmanager.import_plugin("tests.database")
    database = config.pluginmanager.get_plugin("tests.database")
    assert database is not None, "it was imported"
    database.stop_server(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _sweep_killed_runs(config: pytest.Config) -> None:
    """Remove what runs left behind that were killed before they could."""
    for folder in place().glob(f"{CLUSTER_PREFIX}*"):
        pid = folder.name.removeprefix(CLUSTER_PREFIX)
        if folder.stat().st_uid == os.getuid() and pid.isdigit() and not _alive(int(pid)):
            _remove_cluster(config, folder)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
