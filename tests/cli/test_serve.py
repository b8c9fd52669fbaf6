"""`tallystick serve` as a process: it starts, answers, survives, and ends in order."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tallystick.cli import app
from tallystick.db.server import EmbeddedServer

COMMAND = [sys.executable, "-c", "from tallystick.cli import app; app()"]
PATIENCE = 60


class Serving:
    """A process that serves, and what it says."""

    def __init__(self, said: Path, *words: str, **environment: str) -> None:
        self.said = said
        with said.open("w") as file:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", "--port", "0", *words],
                stderr=file,
                stdin=subprocess.DEVNULL,
                env=os.environ | environment,
            )

    @property
    def url(self) -> str:
        """Where it serves, once it does."""
        found: list[str] = []

        def answers() -> bool:
            found[:] = re.findall(r"http://127\.0\.0\.1:\d+", self.said.read_text())
            return bool(found) and self.status(found[0]) == 200

        self.wait_until(answers)
        return found[0]

    def status(self, url: str) -> int:
        """What its health is answered with, 0 when nothing answers."""
        try:
            return httpx.get(f"{url}/health").status_code
        except httpx.TransportError:
            return 0

    def wait_until(self, claim: Callable[[], bool]) -> None:
        """Wait for something to become true while the process lives."""
        until = time.monotonic() + PATIENCE
        while not claim():
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < until, self.said.read_text()
            time.sleep(0.1)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)

    def children(self) -> list[int]:
        """The ids of the processes that it started."""
        pid = self.process.pid
        return [
            int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]


@pytest.fixture
def serve(database_dsn: str, tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    """Starts processes that serve, on a database of this test."""
    started: list[Serving] = []

    def start(*words: str, **environment: str) -> Serving:
        said = tmp_path / f"said-{len(started)}"
        wanted = {"DATABASE_URL": database_dsn} | environment
        started.append(Serving(said, *words, **wanted))
        return started[-1]

    yield start
    for serving in started:
        if serving.process.poll() is None:
            serving.process.kill()
            serving.process.wait()


Serve = Callable[..., Serving]


def test_a_life(serve: Serve) -> None:
    """It says where it serves and what comes first, and ends in order with code 0."""
    serving = serve()
    url = serving.url

    assert httpx.get(f"{url}/api/v1/customers").status_code == 401
    assert "tallystick tenant create" in serving.said.read_text()
    assert serving.end(signal.SIGTERM) == 0
    said = serving.said.read_text()
    assert said.endswith("Stopped.\n")
    assert "worker.stopped" in said
    assert "Traceback" not in said


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_several_processes(serve: Serve) -> None:
    """Several processes answer on one port; one that dies is replaced; all end together."""
    serving = serve("--workers", "2", "--no-worker")
    url = serving.url
    first = serving.children()
    assert len(first) == 2

    os.kill(first[0], signal.SIGKILL)
    serving.wait_until(lambda: len(set(serving.children()) - {first[0]}) == 2)
    assert serving.status(url) == 200
    last = serving.children()
    assert serving.end(signal.SIGINT) == 0
    assert not any(is_running(pid) for pid in last)
    said = serving.said.read_text()
    assert said.endswith("Stopped.\n")
    assert "worker" not in said
    assert "Traceback" not in said


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_children_end_with_their_parent(serve: Serve) -> None:
    """When the parent is killed, no process keeps the port."""
    serving = serve("--workers", "2", "--no-worker")
    url, children = serving.url, serving.children()
    serving.process.kill()
    serving.process.wait()

    until = time.monotonic() + PATIENCE
    while any(is_running(pid) for pid in children):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert serving.status(url) == 0


def test_a_taken_port() -> None:
    """A port that is taken is told, with what to do, before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = CliRunner().invoke(app, ["serve", "--port", str(port)])

    assert refused.exit_code == 1
    assert "--port 0 takes a free one" in refused.stderr


def test_a_port_that_is_none() -> None:
    """A port out of range is refused by the name of its option."""
    refused = CliRunner().invoke(app, ["serve", "--port", "99999"])

    assert refused.exit_code == 2
    assert "--port" in refused.stderr
    assert "TALLYSTICK_PORT" not in refused.stderr


def test_the_embedded_database() -> None:
    """It starts the embedded PostgreSQL, and starts it again when it is killed."""
    folder = Path(tempfile.mkdtemp(prefix="tallystick-"))
    folder.chmod(0o755)
    data_dir = folder / "data"
    # Only for speed: a server that runs already is used as it is.
    server = EmbeddedServer(data_dir, tuned_for_tests=True)
    server.ensure_running()
    words = ("--data-dir", str(data_dir))
    serving = Serving(folder / "said", *words)
    try:
        url = serving.url
        made = subprocess.run(
            [*COMMAND, *["tenant", "create", "Acme", "--currency", "EUR", "--json"], *words],
            check=True,
            capture_output=True,
        )
        key = json.loads(made.stdout)["api_key"]
        headers = {"Authorization": f"Bearer {key}"}
        pid = server.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

        def answers() -> bool:
            answer = httpx.get(f"{url}/api/v1/customers", headers=headers)
            assert answer.status_code in {200, 503}
            return answer.status_code == 200 and server.status().pid not in {None, pid}

        serving.wait_until(answers)
        assert serving.end() == 0
    finally:
        serving.process.kill()
        serving.process.wait()
        server.stop(immediately=True)
        shutil.rmtree(folder)


def is_running(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
