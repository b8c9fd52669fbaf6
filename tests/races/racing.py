"""Races: many at the same things at once, and what each of them heard.

A race is a test with the fixture `race`, which says how many run, how often, and by which
chance. The tests run a few, always the same; `make races` runs hundreds, several times, from a
seed that it draws and prints:

    async def test_something(race: Race, shop: World) -> None:
        for _ in race.rounds():
            heard = await race.run([partial(verb, one) for one in race.racers])

Whoever loses must hear a refusal of our own, or that it is to ask again, and then it does.
A deadlock or a serialization failure that comes as far as this fails the race.
"""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeAlias, TypeVar

from tallystick.db.engine import DatabaseUnavailable, Tx, retrying
from tallystick.db.refusals import LockTimeout
from tallystick.domain.errors import Busy, TallystickError
from tallystick.services.context import Context
from tests.world import World

Result = TypeVar("Result")
Runner: TypeAlias = Callable[[], Awaitable[Result]]

RACERS = int(os.environ.get("TALLYSTICK_RACES_RACERS", "10"))
ROUNDS = int(os.environ.get("TALLYSTICK_RACES_ROUNDS", "1"))
SEED = os.environ.get("TALLYSTICK_RACES_SEED", "1")
FIGURES = os.environ.get("TALLYSTICK_RACES_FIGURES")
"""A file to which each race adds what came of it, as a line of JSON."""

CONNECTIONS = 40
"""Of a shop to the database: so many statements really run at once."""
SPREAD_SECONDS = 0.05
"""Within how short a time all of them start."""
PAUSE_SECONDS = 0.2
ASKS_MAX = 200
"""Nobody who is told to ask again needs to do so for longer."""


@dataclass(kw_only=True)
class Race:
    """How many run, how often, and what all of them have heard so far."""

    name: str
    racers: int = RACERS
    times: int = ROUNDS
    random: Random = field(default_factory=lambda: Random(SEED))
    heard: Counter[str] = field(default_factory=Counter)
    run_in_all: int = 0
    seconds: float = 0.0

    def rounds(self) -> Iterator[int]:
        """The numbers of the rounds, from 0."""
        yield from range(self.times)

    async def run(self, runners: Sequence[Runner[Result]]) -> list[Result | TallystickError]:
        """Start all of them in a drawn order within a moment; what each heard, in their order.

        Who is told to ask again, because somebody has the rows or the connections, does so.
        """
        began = time.monotonic()
        pauses = [self.random.uniform(0, SPREAD_SECONDS) for _ in runners]
        heard = await asyncio.gather(
            *(self._one(one, pause) for one, pause in zip(runners, pauses, strict=True))
        )
        self.seconds += time.monotonic() - began
        self.run_in_all += len(runners)
        self.heard.update(type(one).__name__ for one in heard)
        return heard

    async def _one(self, runner: Runner[Result], pause: float) -> Result | TallystickError:
        await asyncio.sleep(pause)
        for _ in range(ASKS_MAX):
            try:
                return await runner()
            except (DatabaseUnavailable, LockTimeout) as away:
                self.heard[f"asked again: {type(away).__name__}"] += 1
            except Busy:
                self.heard["asked again: Busy"] += 1
            except TallystickError as refused:
                return refused
            await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError(f"{self.name}: asked {ASKS_MAX} times, and it is still busy")

    def note(self, path: Path) -> None:
        """Add what came of the race to the file of figures."""
        line = {
            "race": self.name,
            "rounds": self.times,
            "runs": self.run_in_all,
            "seconds": round(self.seconds, 1),
            "heard": dict(self.heard.most_common()),
        }
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


async def written(world: World, verb: Callable[[Context], Awaitable[Result]]) -> Result:
    """Run a plain verb as its door does: in a transaction, again where it met another one."""

    async def within(tx: Tx) -> Result:
        return await verb(world.ctx.within(tx))

    return await retrying(world.app.database, within)
