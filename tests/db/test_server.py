"""The embedded PostgreSQL starts, is shared, survives being killed, and stops."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer

import pytest

from tallystick.db import server as server_module
from tallystick.db.engine import connect
from tallystick.db.server import EmbeddedServer, ServerCannotRun, bin_dir
from tallystick.db.server_programs import is_live_postgres

START = """
import sys, pathlib
from tallystick.db.server import EmbeddedServer
server = EmbeddedServer(pathlib.Path(sys.argv[1]), tuned_for_tests=True)
server.ensure_running()
sys.stderr.write(f"{server.started_here} {server.status().pid}")
"""


def start_in_a_process(data_dir: Path) -> tuple[bool, int]:
    """Start the server from a process of its own: did that one start it, and its id."""
    done = subprocess.run(
        [sys.executable, "-c", START, str(data_dir)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    started, pid = done.stderr.split()
    return started == "True", int(pid)


def ask(dsn: str, query: str) -> object:
    """Ask a database one thing."""

    async def asked() -> object:
        connection = await connect(dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(asked())


def kill(server: EmbeddedServer) -> None:
    """Kill the postmaster as a person or the system would."""
    pid = server.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server.is_running():
        time.sleep(0.01)


def test_two_processes_start_one_server(own_server: EmbeddedServer) -> None:
    """Of two processes that start at once, one starts the server and both use it."""
    with ThreadPoolExecutor(2) as threads:
        (first, pid), (second, same_pid) = threads.map(
            start_in_a_process, [own_server.data_dir] * 2
        )

    assert sorted([first, second]) == [False, True]
    assert pid == same_pid
    assert ask(own_server.ensure_running(), "select current_database()") == "tallystick"


def test_it_outlives_its_starter(own_server: EmbeddedServer) -> None:
    """The process that started the server may end."""
    _, pid = start_in_a_process(own_server.data_dir)

    assert own_server.status().running
    assert own_server.status().pid == pid
    assert not own_server.started_here


def test_a_killed_server_is_started_again(open_folder: Path) -> None:
    """After a kill -9 the next caller gets a running server with all that was committed."""
    durable = EmbeddedServer(open_folder / "data")
    dsn = durable.ensure_running()
    ask(dsn, "create table kept (id int)")
    kill(durable)

    assert durable.ensure_running() == dsn
    assert ask(dsn, "select count(*) from kept") == 0
    durable.stop(immediately=True)


@pytest.mark.parametrize("foreign", [1, os.getpid()], ids=["init", "ours"])
def test_a_process_id_given_to_another_program(
    own_server: EmbeddedServer, foreign: int
) -> None:
    """A process id in the killed server's file that is now somebody else's is no obstacle."""
    own_server.ensure_running()
    kill(own_server)
    note = own_server.data_dir / "postgres" / "postmaster.pid"
    note.write_text("\n".join([str(foreign), *note.read_text().split("\n")[1:]]))

    own_server.ensure_running()

    assert own_server.is_running()


def test_a_killed_creation_is_no_cluster(own_server: EmbeddedServer) -> None:
    """What an interrupted first start left behind is swept away."""
    leftover = own_server.data_dir / "postgres.new"
    leftover.mkdir(parents=True)
    (leftover / "PG_VERSION").write_text("18")

    own_server.ensure_running()

    assert not leftover.exists()


def test_a_long_path(open_folder: Path) -> None:
    """A data directory whose socket path the kernel would refuse works all the same."""
    server = EmbeddedServer(open_folder / ("long" * 30), tuned_for_tests=True)
    dsn = server.ensure_running()
    try:
        assert ask(dsn, "select 1") == 1
    finally:
        server.stop(immediately=True)


def test_stop_and_status(own_server: EmbeddedServer) -> None:
    """Stopping says whether there was anything to stop; status changes nothing."""
    assert not own_server.stop()
    assert not own_server.status().running
    assert not own_server.data_dir.exists()

    own_server.ensure_running()

    assert own_server.status().running
    assert own_server.stop()
    assert not own_server.status().running
    assert own_server.status().pid is None


@pytest.fixture
def hold_up(
    own_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], int]]:
    """Holds the server up for three times as long as its answer may take."""
    monkeypatch.setattr(server_module, "ANSWER_SECONDS_MAX", 1)
    timers = []

    def hold() -> int:
        pid = own_server.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        timers.append(Timer(3, os.kill, (pid, signal.SIGCONT)))
        timers[-1].start()
        return pid

    yield hold
    for timer in timers:
        timer.join()


def test_a_slow_server_is_waited_for(
    own_server: EmbeddedServer, hold_up: Callable[[], int]
) -> None:
    """A server that listens and does not answer in time is there, and no other is started."""
    dsn = own_server.ensure_running()
    pid = hold_up()
    another = EmbeddedServer(own_server.data_dir, tuned_for_tests=True)
    assert not another.is_running()

    assert another.ensure_running() == dsn

    assert not another.started_here
    assert own_server.status().pid == pid


def test_a_slow_server_is_stopped(
    own_server: EmbeddedServer, hold_up: Callable[[], int]
) -> None:
    """Stopping ends a server that is slow to answer, instead of taking it for gone."""
    own_server.ensure_running()
    pid = hold_up()

    assert own_server.stop()

    assert not is_live_postgres(pid)


def test_a_server_that_never_answers_is_named(
    own_server: EmbeddedServer, hold_up: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has waited long enough is told that it runs and does not answer."""
    own_server.ensure_running()
    monkeypatch.setattr(server_module, "START_SECONDS_MAX", 1)
    pid = hold_up()

    with pytest.raises(ServerCannotRun, match=f"process {pid} runs and does not answer"):
        own_server.ensure_running()


def test_a_server_told_to_stop_is_left_alone(own_server: EmbeddedServer) -> None:
    """The watcher starts a killed server again, and not one that was stopped on purpose."""
    own_server.ensure_running()
    kill(own_server)
    assert own_server.restart_if_killed()

    own_server.stop()
    assert not own_server.restart_if_killed()


def test_one_sort_order_everywhere(
    own_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's language neither stops the server nor changes how text is sorted."""
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("LC_ALL", "xx_XX")
    dsn = own_server.ensure_running()

    found = ask(dsn, "select datlocale from pg_database where datname = 'tallystick'")
    assert found == "C.UTF-8"


@pytest.mark.skipif(os.getuid() != 0, reason="only root's server runs as somebody else")
def test_a_folder_that_its_user_may_not_enter(tmp_path: Path) -> None:
    """Root is told which folder stands in the way, and no folder's mode is changed."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(ServerCannotRun, match="may not enter") as refusal:
        EmbeddedServer(closed / "data").ensure_running()

    assert "--data-dir" in str(refusal.value)
    assert not (closed / "data").exists()
    assert closed.stat().st_mode & 0o777 == 0o700


def test_its_programs_speak_to_it(own_server: EmbeddedServer) -> None:
    """The URL works for PostgreSQL's own programs, too."""
    dsn = own_server.ensure_running()
    shown = subprocess.run(
        [bin_dir() / "psql", "-Atc", "select 6 * 7", dsn],
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout == "42\n"
