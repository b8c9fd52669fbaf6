"""`tallystick bench`: what it measures, and that its figures mean what they say."""

import json
import os
import sys
import tempfile
import time
from asyncio import to_thread
from asyncio.subprocess import create_subprocess_exec
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tallystick.cli import app
from tallystick.cli.bench import load, run
from tallystick.cli.bench.cpu import cpu_seconds
from tallystick.cli.bench.measured import BenchFailed, load_of

LINUX = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


@pytest.fixture
def own_tmp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder that no bench beside this one uses; its path fits a socket's."""
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        # PostgreSQL may run as somebody else, who has to come in.
        Path(folder).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.mark.timeout(300)
def test_everything_is_measured_in_one_run(
    monkeypatch: pytest.MonkeyPatch, own_tmp: Path
) -> None:
    """Two statements, each figure above zero, the ratio, and nothing left behind."""
    monkeypatch.setattr(run, "WARM_SECONDS", 0.1)
    # Our own generator, on every machine.
    monkeypatch.setattr(load, "has_wrk", lambda: False)

    said = CliRunner().invoke(
        app, ["bench", "--clients", "2", "--seconds", "1", "--checkouts", "3", "--json"]
    )

    assert said.exit_code == 0, said.stderr
    found = json.loads(said.stdout)
    assert found["statements"] == 2
    for name, count in {
        "bare": 1,
        "create": 1,
        "create_keyed": 1,
        "page": 1,
        "checkout": 3,
    }.items():
        assert len(found[name]) == count
        for one in found[name]:
            assert one["per_second"] > 0
            assert 0 < one["p50_ms"] <= one["p95_ms"] <= one["p99_ms"]
    assert found["ratio"]["2"] == pytest.approx(
        found["create"][0]["per_second"] / found["bare"][0]["per_second"]
    )
    assert [one["what"] for one in found["checkout"]] == ["create", "page", "confirm"]
    assert "fsync on" in found["circumstances"]["settings"]
    assert list(own_tmp.glob("tallystick-bench-*")) == []


@pytest.mark.parametrize("clients", ["none", "", "0", "8,-1"])
def test_numbers_of_clients_are_numbers(clients: str) -> None:
    """Anything else is refused before something is started."""
    assert CliRunner().invoke(app, ["bench", "--clients", clients]).exit_code == 2


@pytest.mark.timeout(300)
def test_ingestion_is_measured_beside_its_limit(own_tmp: Path) -> None:
    """Every event is taken, over the API and by COPY, and the ratio is of the two."""
    said = CliRunner().invoke(
        app, ["bench-events", "--events", "3999", "--clients", "2", "--json"]
    )

    assert said.exit_code == 0, said.stderr
    found = json.loads(said.stdout)
    assert (found["events"], found["clients"]) == (3000, 2)
    assert found["per_second"] == pytest.approx(3000 / found["seconds"])
    assert found["ratio"] == pytest.approx(found["per_second"] / found["bare_per_second"])
    assert found["ratio"] > 0
    assert "fsync on" in found["circumstances"]["settings"]
    assert list(own_tmp.glob("tallystick-bench-*")) == []


@pytest.mark.timeout(300)
def test_renewals_are_measured_beside_their_limit(own_tmp: Path) -> None:
    """A tenth is renewed, then all, by two workers; the ratio is of the large round."""
    said = CliRunner().invoke(app, ["bench-billing", "--subscriptions", "40", "--json"])

    assert said.exit_code == 0, said.stderr
    found = json.loads(said.stdout)
    assert (found["small"]["invoices"], found["large"]["invoices"]) == (4, 40)
    assert found["per_second"] == pytest.approx(40 / found["large"]["seconds"])
    assert found["per_second_per_worker"] == pytest.approx(found["per_second"] / 2)
    assert found["ratio"] == pytest.approx(found["bare_seconds"] / found["large"]["seconds"])
    assert found["growth"] > 0
    assert "fsync on" in found["circumstances"]["settings"]
    assert list(own_tmp.glob("tallystick-bench-*")) == []


def test_latencies_are_summed_up() -> None:
    """Of 1 to 101 milliseconds half took at most 51, and 99 in a hundred at most 100."""
    found = load_of([float(one) for one in range(1, 102)], seconds=2)

    assert (found.done, found.per_second) == (101, 50.5)
    assert (found.p50_ms, found.p95_ms, found.p99_ms) == (51, 96, 100)


def test_too_few_latencies_are_no_measurement() -> None:
    """One request says nothing about percentiles."""
    with pytest.raises(BenchFailed, match="Too few"):
        load_of([1.0], seconds=1)


@pytest.mark.timeout(300)
def test_lookups_are_measured_with_few_and_with_many(own_tmp: Path) -> None:
    """Each kind is asked with few entries and with all; the slowest is told first."""
    asked = [
        "bench-lists",
        "--entries",
        "200",
        "--requests",
        "2",
        "--only",
        "session",
        "--json",
    ]
    said = CliRunner().invoke(app, asked)

    assert said.exit_code == 0, said.stderr
    found = json.loads(said.stdout)
    kinds = found["kinds"]
    assert found["entries"] == 200
    assert {"sessions", "sessions that are EXPIRED", "a session"} < {
        kind["name"] for kind in kinds
    }
    assert [kind["p95"] for kind in kinds] == sorted(
        (one["p95"] for one in kinds), reverse=True
    )
    assert all(kind["growth"] == kind["median"] / kind["few"] for kind in kinds)
    assert "fsync on" in found["circumstances"]["settings"]
    assert list(own_tmp.glob("tallystick-bench-*")) == []


@LINUX
async def test_processor_time_of_children_counts() -> None:
    """What a child has used is counted while it runs and after it has ended."""
    busy = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    before = await to_thread(cpu_seconds, os.getpid())
    began = time.monotonic()
    child = await create_subprocess_exec(sys.executable, "-c", busy)
    await child.wait()
    after = await to_thread(cpu_seconds, os.getpid())

    assert before is not None
    assert after is not None
    # The kernel counts in hundredths.
    assert after - before > 0.28
    assert time.monotonic() - began >= 0.3


@LINUX
def test_processor_time_of_nobody_is_unknown() -> None:
    """No process has this id."""
    assert cpu_seconds(2**30) is None
