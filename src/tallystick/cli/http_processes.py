"""Serving HTTP in several processes that share one socket, under the process that started them.

A process that dies is started again. When the parent dies, its children find the pipe to it
closed and end.
"""

import asyncio
import os
import socket
import sys
from contextlib import suppress

import structlog

from tallystick.cli.http_server import GRACE_SECONDS, Ending
from tallystick.settings import Settings

AGAIN_SECONDS = 1.0
CHILD = "from tallystick.cli import app; app(['serve-process', '--fd', '{fd}'])"

log = structlog.get_logger(__name__)


async def serve_in_processes(
    count: int, settings: Settings, dsn: str, listener: socket.socket, ending: Ending
) -> None:
    """Keep so many processes answering until this one is asked to end."""
    ending.is_minded()
    listener.set_inheritable(True)
    environment = os.environ | {
        "TALLYSTICK_DATABASE_URL": dsn,
        "TALLYSTICK_PUBLIC_URL": settings.base_url,
        "TALLYSTICK_LOG_LEVEL": settings.log_level,
        "TALLYSTICK_LOG_FORMAT": settings.log_format,
    }
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(_keep_one(environment, listener.fileno(), ending))


async def _keep_one(environment: dict[str, str], fd: int, ending: Ending) -> None:
    while not ending.asked.is_set():
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            CHILD.format(fd=fd),
            stdin=asyncio.subprocess.PIPE,
            env=environment,
            pass_fds=[fd],
            # Ctrl-C goes to the parent, which ends its children in order.
            start_new_session=True,
        )
        ended = asyncio.create_task(child.wait())
        asked = asyncio.create_task(ending.asked.wait())
        await asyncio.wait((ended, asked), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if ending.asked.is_set():
            await _end(child)
            await ended
            return
        log.warning("http.process_died", code=child.returncode)
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.asked.wait(), AGAIN_SECONDS)


async def _end(child: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), GRACE_SECONDS + 5)
    except TimeoutError:
        child.kill()
