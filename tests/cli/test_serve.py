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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner
from typing_extensions import override

from tallystick.cli import app
from tallystick.db.server import EmbeddedServer
from tests.forked import Forked

COMMAND = [sys.executable, "-c", "from tallystick.cli import app; app()"]
PATIENCE = 60


class Serving:
    """A process that serves, and what it says."""

    def __init__(self, said: Path, *words: str, **environment: str) -> None:
        self.said = said
        said.write_text("")
        self.process = self.started(["serve", "--port", "0", *words], environment)

    def started(
        self, command: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes] | Forked:
        """Start the command."""
        with self.said.open("w") as file:
            return subprocess.Popen(
                [*COMMAND, *command],
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

    def lines_since(self, position: int, *words: str) -> list[str]:
        """The lines with all of these words that it has said since then, at least one."""
        found: list[str] = []

        def says() -> bool:
            lines = self.said.read_text()[position:].splitlines()
            found[:] = [line for line in lines if all(word in line for word in words)]
            return bool(found)

        self.wait_until(says)
        return found

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


class ServingAtOnce(Serving):
    """The same, forked from a process that has loaded the product."""

    @override
    def started(self, command: Sequence[str], environment: Mapping[str, str]) -> Forked:
        return Forked(command, self.said, environment)


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


@pytest.fixture(scope="module")
def served(shared_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A process that only answers, and logs as JSON, for the tests that only ask."""
    said = tmp_path_factory.mktemp("served") / "said"
    serving = Serving(
        said, "--no-worker", DATABASE_URL=shared_dsn, TALLYSTICK_LOG_FORMAT="json"
    )
    yield serving
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


def exchange(url: str, *pieces: bytes) -> tuple[int, dict[str, str], str]:
    """Send bytes to a server and read its answer to the end: status, headers, body."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        with suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
        read = b""
        with suppress(ConnectionError):
            while piece := connection.recv(65536):
                read += piece
    head, _, body = read.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}
    return int(status.split()[1]), headers, body


GARBAGE = b"GET /health HTTP/1.1\r\nHost: a\r\nbad header\x00\r\n\r\n"
HEAD = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"


UNREADABLE: list[tuple[int, list[bytes]]] = [
    (400, [GARBAGE]),
    (400, [b"\x16\x03\x01\x02\x00"]),
    (400, [b"GET /health HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"]),
    (431, [HEAD, *[b"X-%d: %s\r\n" % (n, b"a" * 900) for n in range(80)], b"\r\n"]),
    (431, [HEAD, b"Cookie: ", *[b"a" * 8192] * 40]),
    (431, [b"GET /", *[b"a" * 8192] * 40]),
]


def test_what_cannot_be_read(served: Serving) -> None:
    """What is no request, or has too large a head, gets the one error shape and an id."""
    url = served.url
    position = len(served.said.read_text())
    ids = []
    for status, pieces in UNREADABLE:
        answered, headers, body = exchange(url, *pieces)
        told = json.loads(body)
        assert answered == status
        assert (told["code"], told["errors"]) == ("BAD_REQUEST", [])
        assert told["message"]
        assert told["request_id"] == headers["request-id"]
        assert headers["content-type"] == "application/json"
        assert headers["connection"] == "close"
        ids.append(told["request_id"])
    served.lines_since(position, "http.unreadable", ids[-1])

    logged = [json.loads(line) for line in served.lines_since(position, "http.unreadable")]
    assert [line["request_id"] for line in logged] == ids


def test_a_large_head_within_the_limit(served: Serving) -> None:
    """A head that is large and comes in pieces is read, request after request."""
    cookie = b"Cookie: " + b"a" * 30_000 + b"\r\n"
    plain = HEAD.replace(b"Connection: close\r\n", b"")
    answered, headers, body = exchange(
        served.url, plain, cookie, b"\r\n", plain, cookie, b"\r\n", HEAD, cookie, b"\r\n"
    )

    assert (answered, body.count("HTTP/1.1 200 OK")) == (200, 2)
    assert "server" not in headers


def test_lines_of_libraries(served: Serving) -> None:
    """Whatever is logged is JSON when that is asked for; another protocol is no news."""
    url = served.url
    position = len(served.said.read_text())
    answered = httpx.get(
        f"{url}/health", headers={"Connection": "upgrade", "Upgrade": "websocket"}
    )
    exchange(url, GARBAGE)
    logged = served.lines_since(position, "nvalid HTTP request")
    said = served.said.read_text()[position:]

    assert answered.status_code == 200
    assert [json.loads(line)["logger"] for line in logged] == ["uvicorn.error"]
    assert "WebSocket" not in said
    assert "pgrade" not in said


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
