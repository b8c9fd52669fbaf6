"""`tallystick db` starts, shows, migrates and stops, and says what to do."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tallystick.cli import app
from tallystick.db.migrate import head
from tallystick.db.server import EmbeddedServer


@pytest.fixture
def data_dir() -> Iterator[str]:
    """A data directory of one test, whose server ends with it."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-"))
    folder.chmod(0o755)
    yield str(folder / "data")
    EmbeddedServer(folder / "data").stop(immediately=True)
    shutil.rmtree(folder)


def test_a_life(data_dir: str) -> None:
    """Status fails until the database runs and has its schema; each step says what it did."""
    terminal = CliRunner()
    steps = [
        terminal.invoke(app, ["db", *step.split(), "--data-dir", data_dir])
        for step in ("status", "start", "status", "migrate", "migrate", "status --json", "stop")
    ]

    assert [step.exit_code for step in steps] == [1, 0, 1, 0, 0, 0, 0]
    assert steps[1].stdout == EmbeddedServer(Path(data_dir)).dsn + "\n"
    assert f"from an empty database to {head()}" in steps[3].stderr
    assert "current" in steps[4].stderr
    assert json.loads(steps[5].stdout)["schema"] == head()
    assert "Stopped" in steps[6].stderr


def test_a_database_that_is_not_there(monkeypatch: pytest.MonkeyPatch, data_dir: str) -> None:
    """Who names a database that does not answer is told where to look."""
    monkeypatch.setenv("DATABASE_URL", f"postgresql://postgres@/none?host={data_dir}")
    refused = CliRunner().invoke(app, ["db", "migrate"])

    assert refused.exit_code == 1
    assert "DATABASE_URL" in refused.stderr


def test_a_setting_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting of the wrong kind is named, with what it should be."""
    monkeypatch.setenv("DATABASE_URL", "mysql://somewhere")
    refused = CliRunner().invoke(app, ["db", "status"])

    assert refused.exit_code == 2
    assert "must start with postgresql://" in refused.stderr
