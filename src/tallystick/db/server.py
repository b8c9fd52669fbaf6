"""The embedded PostgreSQL: a real server that belongs to one data directory.

`pg_ctl` is driven directly (`server_programs`), under a file lock, so that any number of
processes can share one directory.

Nobody owns the server. Whoever needs it first starts it, it outlives its starter, and it ends
with `stop` (or `tallystick db stop`). It listens on a Unix socket only, in a directory that
only its own user may enter.
"""

import fcntl
import hashlib
import os
import shlex
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import structlog

from tallystick.db.server_options import (
    CLUSTER_OPTIONS,
    SERVER_OPTIONS,
    SUPERUSER,
    TEST_OPTIONS,
)
from tallystick.db.server_programs import (
    ServerCannotRun,
    bin_dir,
    check_that_server_user_may_enter,
    give_to_server_user,
    is_live_postgres,
    run,
    server_user,
    words_of,
)

__all__ = [
    "EmbeddedServer",
    "ServerCannotRun",
    "ServerStatus",
    "bin_dir",
]

DATABASE = "tallystick"

SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_DIR_CHARS_MAX = 90
"""The kernel takes 107 characters for a whole socket path; this leaves room for its name."""

START_SECONDS_MAX = 120
"""Crash recovery of a busy server may take this long."""
RETRY_SECONDS_MAX = 30
"""How long the remains of a killed server may stand in the way of the next one."""
LOCK_SECONDS_MAX = START_SECONDS_MAX + RETRY_SECONDS_MAX
STOP_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 5
"""How long a server that listens may take to say whether it is ready, each time it is asked."""
POLL_SECONDS = 0.05

DEAD_PID = 2**30
"""No system gives out so high a process id."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """What is known about a server without asking it anything but whether it is there.

    Attributes:
        running: It accepts connections.
        pid: The process id of its postmaster while it runs.
        dsn: Where it is reached when it runs.
        data_dir: The data directory of Tallystick that it belongs to.
        log_file: Where PostgreSQL writes its messages.
    """

    running: bool
    pid: int | None
    dsn: str
    data_dir: Path
    log_file: Path


class EmbeddedServer:
    """The PostgreSQL server of one data directory.

    Args:
        data_dir: Tallystick's data directory; it is made when it is missing. The cluster lies
            in its folder `postgres`.
        tuned_for_tests: Give up durability for speed. Only the process that starts the server
            decides.
    """

    def __init__(self, data_dir: Path, *, tuned_for_tests: bool = False) -> None:
        self.data_dir = data_dir.expanduser().absolute()
        self.tuned_for_tests = tuned_for_tests
        self.started_here = False
        """Whether a call of `ensure_running` on this very object started the server."""
        self._cluster = self.data_dir / "postgres"
        self._stop_mark = self.data_dir / "postgres.stopped"

    @property
    def dsn(self) -> str:
        """Return where the server is reached: a URL for asyncpg, psql, pg_dump and pgbench."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """Return the URL of another database of the same server."""
        host = quote(str(self._socket_dir), safe="/")
        return f"postgresql://{SUPERUSER}@/{quote(database)}?host={host}"

    @property
    def holds_database(self) -> bool:
        """Whether the data directory holds a cluster, running or not."""
        try:
            return (self._cluster / "PG_VERSION").exists()
        except PermissionError:
            # Another user's: that is told where it is entered.
            return True

    def ensure_running(self) -> str:
        """Return the server's URL, after starting it when it does not accept connections.

        Safe to call at any time from any number of processes: one of them starts the server,
        the others wait for it. A server that was killed is started again.

        Raises:
            ServerCannotRun: With the reason and the way out.
        """
        self._make_data_dir()
        if self._answer() != "ready":
            with self._locked():
                self._start_unless_running()
        self._stop_mark.unlink(missing_ok=True)
        return self.dsn

    def is_running(self) -> bool:
        """Tell whether the server accepts connections."""
        return self._answer() == "ready"

    def stop(self, *, immediately: bool = False) -> bool:
        """Stop the server, for every process that uses it.

        Args:
            immediately: Do not finish what is running (the next start then recovers).

        Returns:
            Whether there was a server to stop.

        Raises:
            ServerCannotRun: It does not end.
        """
        if not self._cluster.exists():
            return False
        with self._locked():
            if self._answer() == "absent":
                return False
            # Watchers in other processes see that this end is meant and leave it alone.
            self._stop_mark.touch()
            mode = "immediate" if immediately else "fast"
            ended = run(
                "pg_ctl", "-D", self._cluster, "-m", mode, "-w", "-t", STOP_SECONDS_MAX, "stop"
            )
            if ended.returncode != 0 and self._answer() != "absent":
                raise ServerCannotRun(f"PostgreSQL does not end: {words_of(ended)}")
        log.info("database.stopped", data_dir=str(self.data_dir))
        return True

    def status(self) -> ServerStatus:
        """Describe the server without changing anything."""
        running = self.is_running()
        return ServerStatus(
            running=running,
            pid=self._noted_pid() if running else None,
            dsn=self.dsn,
            data_dir=self.data_dir,
            log_file=self._log_file,
        )

    def restart_if_killed(self) -> bool:
        """Start the server again if it is gone and nobody asked it to stop.

        Returns:
            Whether it was started by this call.
        """
        if self._stop_mark.exists() or _accepts(self._socket_dir / SOCKET_NAME):
            return False
        before = self.started_here
        self.started_here = False
        self.ensure_running()
        restarted, self.started_here = self.started_here, self.started_here or before
        return restarted

    @property
    def _log_file(self) -> Path:
        return self._cluster / "server.log"

    @property
    def _socket_dir(self) -> Path:
        if len(str(self._cluster)) <= SOCKET_DIR_CHARS_MAX:
            return self._cluster
        name = hashlib.sha256(str(self._cluster).encode()).hexdigest()[:16]
        # Not the caller's TMPDIR: each process must come to the same place.
        return Path("/tmp") / f"tallystick-{name}"  # noqa: S108 - checked in _make_socket_dir

    def _make_data_dir(self) -> None:
        if not self.data_dir.exists():
            check_that_server_user_may_enter(self.data_dir)
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as refused:
            raise ServerCannotRun(
                f"The data directory {self.data_dir} cannot be made ({refused.strerror}). "
                "Choose another with --data-dir or TALLYSTICK_DATA_DIR."
            ) from refused

    def _start_unless_running(self) -> None:
        if self._wait_while_rejecting() == "ready":
            return
        check_that_server_user_may_enter(self.data_dir)
        if not self.holds_database:
            self._create_cluster()
        self._make_socket_dir()
        deadline = time.monotonic() + RETRY_SECONDS_MAX
        while not self._started():
            # The remains of a killed server (a process not yet reaped, a backend that still
            # finishes its statement) go away by themselves, usually within a second.
            if time.monotonic() > deadline:
                raise ServerCannotRun(
                    f"PostgreSQL does not start in {self._cluster}. Its last words:\n"
                    f"{self._last_words()}"
                )
            time.sleep(POLL_SECONDS * 4)
        self.started_here = True
        log.info("database.started", data_dir=str(self.data_dir))

    def _started(self) -> bool:
        self._disown_foreign_pid()
        options = SERVER_OPTIONS | (TEST_OPTIONS if self.tuned_for_tests else {})
        settings = " ".join(f"-c {name}={value}" for name, value in options.items())
        launched = run(
            "pg_ctl",
            *("-D", self._cluster, "-l", self._log_file, "-w", "-t", START_SECONDS_MAX),
            *("-o", f"-k {shlex.quote(str(self._socket_dir))} -h '' {settings}"),
            "start",
        )
        return launched.returncode == 0 and self._wait_while_rejecting() == "ready"

    def _create_cluster(self) -> None:
        """Build the cluster beside its place and move it there whole.

        A cluster whose making was interrupted is never taken for one.
        """
        for leftover in self.data_dir.glob("postgres.new*"):
            shutil.rmtree(leftover)
        new = self.data_dir / "postgres.new"
        new.mkdir(mode=0o700)
        give_to_server_user(new)
        haste = ["--no-sync"] if self.tuned_for_tests else []
        made = run("initdb", *CLUSTER_OPTIONS, *haste, "-D", new)
        if made.returncode == 0:
            statement = f"create database {DATABASE}\n"
            made = run("postgres", "--single", "-D", new, SUPERUSER, stdin=statement)
        if made.returncode != 0:
            raise ServerCannotRun(f"The database cannot be created: {words_of(made)}")
        new.rename(self._cluster)

    def _make_socket_dir(self) -> None:
        folder = self._socket_dir
        if folder == self._cluster:
            return
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            give_to_server_user(folder)
        found = folder.lstat()
        user = server_user()
        owner = user.pw_uid if user else os.getuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise ServerCannotRun(
                f"{folder} is taken by somebody else. Remove it, or choose a data directory "
                f"with a path of at most {SOCKET_DIR_CHARS_MAX - len('/postgres')} characters."
            )

    def _answer(self) -> str:
        """Ask the server: 'ready', 'rejecting' or 'absent'.

        It rejects while it starts, recovers or stops, and when it listens but does not answer
        in time.
        """
        if not _accepts(self._socket_dir / SOCKET_NAME):
            return "absent"
        target = ("-h", self._socket_dir, "-U", SUPERUSER, "-d", DATABASE)
        asked = run("pg_isready", "-q", "-t", ANSWER_SECONDS_MAX, *target)
        return {0: "ready", 1: "rejecting", 2: "rejecting"}.get(asked.returncode, "absent")

    def _wait_while_rejecting(self) -> str:
        """Ask until it is 'ready' or 'absent'."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while (answer := self._answer()) == "rejecting":
            if time.monotonic() > deadline:
                raise ServerCannotRun(
                    f"PostgreSQL's process {self._noted_pid()} runs and does not answer. "
                    f"Look into {self._log_file}."
                )
            time.sleep(POLL_SECONDS)
        return answer

    def _noted_pid(self) -> int | None:
        try:
            return int((self._cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _disown_foreign_pid(self) -> None:
        """Make a process id that now belongs to another program harmless.

        PostgreSQL refuses to start while the id that its predecessor noted exists, and in a
        container ids are soon given out again, or stay as zombies for ever. Only the id is
        replaced: with the rest of the file PostgreSQL still finds the shared memory of
        surviving backends, and waits for them.
        """
        pid = self._noted_pid()
        if pid is None or pid == DEAD_PID or is_live_postgres(pid):
            return
        file = self._cluster / "postmaster.pid"
        rest = file.read_text().split("\n", 1)[1:]
        file.write_text("\n".join([str(DEAD_PID), *rest]))

    def _last_words(self) -> str:
        try:
            lines = self._log_file.read_text(errors="replace").splitlines()
        except OSError:
            return "(it wrote none)"
        return "\n".join(lines[-12:])

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the data directory's lock: one process at a time starts or stops the server."""
        try:
            file = (self.data_dir / "postgres.lock").open("a")
        except PermissionError as refused:
            raise ServerCannotRun(
                f"{self.data_dir} belongs to another user. Use it as that user, or choose "
                "another with --data-dir or TALLYSTICK_DATA_DIR."
            ) from refused
        with file:
            deadline = time.monotonic() + LOCK_SECONDS_MAX
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise ServerCannotRun(
                            f"Another process has been holding {file.name} for "
                            f"{LOCK_SECONDS_MAX} seconds. Look for one that hangs."
                        ) from None
                    time.sleep(POLL_SECONDS)
            yield


def _accepts(path: Path) -> bool:
    """Tell whether somebody listens on a Unix socket; costs no process."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(ANSWER_SECONDS_MAX)
        try:
            probe.connect(str(path))
        except (BlockingIOError, TimeoutError):
            # So many are waiting to be let in that nobody else may queue up.
            return True
        except OSError:
            return False
    return True
