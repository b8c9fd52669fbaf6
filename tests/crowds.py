"""Many verbs at once in a shop made for it, and what came of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from tallystick.db.engine import Database
from tallystick.providers.sandbox import Sandbox
from tallystick.services.confirm_result import ConfirmResult
from tests.world import PUBLIC_URL, VISA, World, open_world

BANK_CONNECTIONS = 6

Result = TypeVar("Result")


@asynccontextmanager
async def open_crowd(
    dsn: str, *, connections: int = 12, of_bank: int = BANK_CONNECTIONS
) -> AsyncIterator[World]:
    """A shop whose bank has connections of its own, as in the product."""
    database = await Database.open(dsn, max_size=connections)
    bank = await Database.open(dsn, max_size=of_bank)
    try:
        world = await open_world(database)
        sandbox = Sandbox(bank, public_url=PUBLIC_URL, debit_seconds=5)
        app = replace(world.app, providers={"sandbox": sandbox})
        yield replace(world, app=app, ctx=replace(world.ctx, app=app), sandbox=sandbox)
    finally:
        await database.close()
        await bank.close()


async def at_once(work: Sequence[Awaitable[Result]]) -> list[Result]:
    """Do all of it together, and fail if any of it does."""
    return await asyncio.gather(*work)


async def pressed(
    world: World, sessions: Sequence[UUID], times: int, number: str = VISA
) -> list[ConfirmResult]:
    """Press the button of each session so many times, all together, as shown before."""
    shown = {session: await world.shown(session) for session in sessions}
    cards = {session: await world.card(number) for session in sessions}
    return await at_once(
        [
            world.confirm(session, shown=shown[session], method=cards[session])
            for _ in range(times)
            for session in sessions
        ]
    )


def kinds(results: Sequence[object]) -> Counter[str]:
    """How many results there are of each kind."""
    return Counter(type(result).__name__ for result in results)
