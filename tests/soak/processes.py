"""The processes of one installation, which are killed and started again."""

import os
import signal
import socket
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from tallystick.db.server import EmbeddedServer
from tests.forked import Forked
from tests.outages.served import QUICK, backends

SERVERS = 2
WORKERS = 2
DEBITS = {"TALLYSTICK_SANDBOX_DEBIT_SECONDS": "2"}
"""A debit is decided soon."""
ONE_ADDRESS = {"TALLYSTICK_FAILED_PAYMENTS_PER_ADDRESS": "0"}
"""All buyers come from this machine, and some of their cards are declined."""
START_SECONDS_MAX = 300.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@dataclass(kw_only=True)
class Installation:
    """Two that answer requests and two that do what is due, on one embedded PostgreSQL.

    Whichever of them notices that the database was killed starts it again.
    """

    folder: Path
    ports: list[int] = field(default_factory=lambda: [free_port() for _ in range(SERVERS)])
    running: dict[str, Forked] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)

    @property
    def server(self) -> EmbeddedServer:
        """The database."""
        return EmbeddedServer(self.folder / "data")

    @property
    def said(self) -> str:
        """Everything that the processes have said."""
        return "\n".join(
            path.read_text(errors="replace") for path in sorted(self.folder.glob("said-*"))
        )

    @property
    def roles(self) -> list[str]:
        """The names of the processes."""
        return [f"serve-{n}" for n in range(SERVERS)] + [f"work-{n}" for n in range(WORKERS)]

    def start(self, role: str) -> None:
        """Start a process; what it says is added to what it has said before."""
        kind, _, number = role.partition("-")
        words = ["worker"]
        if kind == "serve":
            words = ["serve", "--port", str(self.ports[int(number)]), "--no-worker"]
        # Links lead to the first one, whoever gives them out.
        public = {"TALLYSTICK_PUBLIC_URL": f"http://127.0.0.1:{self.ports[0]}"}
        self.running[role] = Forked(
            [*words, "--data-dir", str(self.folder / "data")],
            self.folder / f"said-{role}",
            QUICK | public | DEBITS | ONE_ADDRESS | {"DATABASE_URL": ""},
        )

    def open(self) -> None:
        """Start everything, the database and its schema first."""
        self.start("serve-0")
        self.wait(0)
        for role in self.roles[1:]:
            self.start(role)
        self.wait(1)

    def wait(self, number: int) -> None:
        """Wait until one that answers does."""
        until = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{self.ports[number]}/health").is_success:
                    return
            time.sleep(0.1)
        raise AssertionError(f"it does not serve: {self.said[-3000:]}")

    def wait_for_any(self) -> None:
        """Wait until somebody answers again: on a slow machine nothing else would happen."""
        until = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < until:
            for port in self.ports:
                with suppress(httpx.TransportError):
                    if httpx.get(f"http://127.0.0.1:{port}/health").is_success:
                        return
            time.sleep(0.1)
        raise AssertionError(f"nobody serves any more: {self.said[-3000:]}")

    def kill_something(self, random: Random) -> str:
        """Kill a process, or the database, with SIGKILL, and start the process again."""
        what = random.choice([*self.roles, "database", "database", "a connection"])
        if what in self.running:
            self.running[what].kill()
            self.running[what].wait()
            self.start(what)
            self.killed["server" if what.startswith("serve") else "worker"] += 1
            return what
        with suppress(AssertionError, OSError):
            pids = backends(self.server)
            pid = pids[0] if what == "database" else random.choice(pids[1:])
            os.kill(pid, signal.SIGKILL)
            self.killed[what] += 1
        return what

    def died(self) -> list[str]:
        """Processes that have ended by themselves, which none may."""
        return [role for role, one in self.running.items() if one.poll() is not None]

    def close(self) -> None:
        """End everything."""
        for one in self.running.values():
            one.kill()
            one.wait()
        self.server.stop(immediately=True)
