"""Serving HTTP in this process: the socket, the server, and its end."""

import asyncio
import gc
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from tallystick.cli.http_protocol import Protocol
from tallystick.cli.terminal import fail
from tallystick.http.app import create_app
from tallystick.services.context import App
from tallystick.settings import Settings

BACKLOG = 2048
GRACE_SECONDS = 25
"""How long requests under way may take to end: a little more than a provider's call."""
KEEP_ALIVE_SECONDS = 75
ENDINGS = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """A server in a program that minds the signals itself."""

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Ending:
    """How a process is asked to end: by the first signal in order, by the second at once.

    Made in the event loop of the task that it may cancel.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._server: uvicorn.Server | None = None
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for ending in ENDINGS:
            loop.add_signal_handler(ending, self.ask)

    def ask(self) -> None:
        """End in order; asked again, at once. What has not begun to serve is cancelled."""
        if self._server is not None:
            self._server.force_exit = self.asked.is_set()
            self._server.should_exit = True
        elif self._task is not None:
            self._task.cancel()
        self.asked.set()

    def is_minded(self, server: uvicorn.Server | None = None) -> None:
        """From now on nothing is cancelled: somebody watches `asked`, or the server ends."""
        self._server, self._task = server, None


def listen(settings: Settings) -> socket.socket:
    """Listen on the host and port of the settings; ends the command when that cannot be."""
    host, port = settings.host, settings.port
    found = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM
    )
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(BACKLOG)
    except OSError as reason:
        found.close()
        fail(
            f"{host}:{port} cannot be listened on: {reason.strerror}.\n"
            "Choose another address with --host and --port; --port 0 takes a free one."
        )
    found.setblocking(False)  # noqa: FBT003 - the standard library's own
    return found


def server_of(web: FastAPI, grace_seconds: int) -> Server:
    """A server of an application, the same for every command that serves.

    Args:
        web: The application.
        grace_seconds: How long requests under way may take to end.
    """
    return Server(
        uvicorn.Config(
            web,
            http=Protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=grace_seconds,
        )
    )


async def serve_http(
    app: App, settings: Settings, listener: socket.socket, ending: Ending
) -> None:
    """Answer requests until the process is asked to end, and finish those under way."""
    web = create_app(
        app,
        requests_per_second=settings.requests_per_second,
        page_posts_per_minute=settings.page_posts_per_minute,
        import_bytes_max=settings.import_bytes_max,
    )
    server = server_of(web, GRACE_SECONDS)
    ending.is_minded(server)
    # What is loaded by now stays loaded. Looking through it for garbage, as often as requests
    # leave enough behind, would stop every answer for tens of milliseconds.
    gc.collect()
    gc.freeze()
    await server.serve(sockets=[listener])
