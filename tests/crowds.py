"""Many verbs at once, and what came of them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from typing import TypeVar
from uuid import UUID

from tallystick.services.confirm_result import ConfirmResult
from tests.world import VISA, World

Result = TypeVar("Result")


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
