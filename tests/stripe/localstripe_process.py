"""Starts localstripe in a process of its own, on loopback only.

    python tests/stripe/localstripe_process.py    # prints its port, ends with its input

localstripe is GPL-3: nothing of ours imports it but this program, and nothing of it is copied.
Its own starter listens on every interface and keeps its objects in a file that all its
processes share; neither happens here.
"""

import os
import socket
import sys
import threading

from aiohttp import web
from localstripe.resources import store  # type: ignore[import-untyped]
from localstripe.server import app  # type: ignore[import-untyped]


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    """Serve until standard input is closed."""
    store.dump_to_disk = lambda: None
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    web.run_app(app, sock=listening, print=None, access_log=None)


if __name__ == "__main__":
    main()
