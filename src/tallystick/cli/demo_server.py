"""The demo's server: REST, pages and worker in this process, on a port that is free."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter

from tallystick.bootstrap import wired
from tallystick.cli.demo_api import DemoFailed
from tallystick.cli.http_server import BACKLOG, server_of
from tallystick.http.app import create_app
from tallystick.http.v1.import_rows import read_chunk
from tallystick.jobs.worker import worker_beside
from tallystick.services.context import App
from tallystick.settings import Settings

PORTS_TRIED = 100
PORT_MAX = 65535
START_POLL_SECONDS = 0.02
END_SECONDS = 3


def listen_near(host: str, port: int) -> socket.socket:
    """Listen on a port, or on the next one that is free; kept, so nobody else gets it.

    Raises:
        DemoFailed: None of a hundred ports is free, or the host is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    refused: OSError | None = None
    for candidate in range(port, min(port + PORTS_TRIED, PORT_MAX + 1)):
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, candidate))
            found.listen(BACKLOG)
        except OSError as reason:
            found.close()
            refused = reason
        else:
            return found
    raise DemoFailed(f"No port from {port} on can be listened on at {host}: {refused}.")


@asynccontextmanager
async def served(
    settings: Settings,
    dsn: str,
    listener: socket.socket,
    pages: APIRouter,
) -> AsyncIterator[App]:
    """Serve while the block runs, with a worker beside; end both afterwards.

    Args:
        settings: The settings of this process.
        dsn: The database's URL; its schema must be current.
        listener: The socket that is listened on already.
        pages: Served besides the product's own.

    Raises:
        DemoFailed: The server ended before it had begun.
        DatabaseUnavailable: The database cannot be reached.
    """
    async with wired(settings, dsn) as app, worker_beside(app, settings, read_chunk):
        web = create_app(app)
        web.include_router(pages)
        server = server_of(web, END_SECONDS)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                if serving.done():
                    raise DemoFailed("The server ended before it had begun.")
                await asyncio.sleep(START_POLL_SECONDS)
            yield app
        finally:
            server.should_exit = True
            await serving
