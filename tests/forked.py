"""Processes of the product that start at once: forked from one that has loaded everything.

Loading the product takes seconds of a processor, and tests that kill processes start dozens of
them. What starts here is a process of the operating system like any other, with its own
connections, and dies of a SIGKILL like any other; how the command itself starts is tried in
`tests/cli/`.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from tallystick.cli import app

LOADED = (
    *("tallystick.cli.serve", "tallystick.cli.worker", "tallystick.bootstrap"),
    *("tallystick.http.app", "tests.faults.killed_child"),
)
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(list(LOADED))


class Forked:
    """A process that runs a command, as far as tests use those of `subprocess`."""

    def __init__(
        self, words: Sequence[str], said: Path, environment: Mapping[str, str]
    ) -> None:
        self._process: BaseProcess = CONTEXT.Process(
            target=_run, args=(list(words), str(said), dict(os.environ | environment))
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """Its id."""
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    def poll(self) -> int | None:
        """How it ended, None while it runs."""
        return self._process.exitcode

    def send_signal(self, how: int) -> None:
        """Send it a signal."""
        if self.poll() is None:
            os.kill(self.pid, how)

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and tell how."""
        self._process.join(timeout)
        ended = self.poll()
        assert ended is not None, "it does not end"
        return ended


def _run(words: Sequence[str], said: str, environment: Mapping[str, str]) -> None:
    """Be the command: with its environment, and what it says in a file."""
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    sys.argv = ["tallystick", *words]
    app(list(words))
