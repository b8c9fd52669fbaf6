"""Watching over the embedded PostgreSQL: a killed server is started again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from tallystick.db.server import EmbeddedServer
from tallystick.db.server_programs import ServerCannotRun

WATCH_SECONDS = 1.0
"""One look costs a connect to a local socket: no process, no query."""

log = structlog.get_logger(__name__)


async def keep_running(server: EmbeddedServer, interval: float = WATCH_SECONDS) -> None:
    """Start a killed server again, for as long as this runs; ends when it is cancelled.

    Args:
        server: The server to watch; one that was told to stop is left alone.
        interval: Seconds of real time between two looks.
    """
    while True:
        await asyncio.sleep(interval)
        try:
            if await asyncio.to_thread(server.restart_if_killed):
                log.warning("database.restarted", data_dir=str(server.data_dir))
        except (ServerCannotRun, OSError) as reason:
            log.exception("database.cannot_restart", reason=str(reason))


@asynccontextmanager
async def kept_running(
    server: EmbeddedServer, interval: float = WATCH_SECONDS
) -> AsyncIterator[str]:
    """Run the server and watch over it; yields its URL, and leaves it running."""
    dsn = await asyncio.to_thread(server.ensure_running)
    watcher = asyncio.create_task(keep_running(server, interval))
    try:
        yield dsn
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher
