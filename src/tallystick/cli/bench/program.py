"""Running somebody else's program to its end, and not beyond our own."""

import asyncio
from asyncio.subprocess import PIPE
from contextlib import suppress


async def run_program(*arguments: str) -> tuple[int, str, str]:
    """Run a program; its exit code, and what it wrote to standard output and standard error.

    It is killed when the caller is cancelled.
    """
    program = await asyncio.create_subprocess_exec(*arguments, stdout=PIPE, stderr=PIPE)
    try:
        said, complained = await program.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            program.kill()
        await program.wait()
        raise
    assert program.returncode is not None, "it has ended"
    return program.returncode, said.decode(), complained.decode().strip()
