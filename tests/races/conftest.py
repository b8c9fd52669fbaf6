from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from tallystick.db import engine
from tests.crowds import open_crowd
from tests.races.racing import CONNECTIONS, FIGURES, SEED, Race
from tests.world import World

PATIENCE_SECONDS = 120.0


@pytest.fixture
def race(request: pytest.FixtureRequest) -> Iterator[Race]:
    """A race, named by the first line of its test; its figures are kept where that is asked."""
    name = (request.function.__doc__ or "").partition("\n")[0].partition(":")[0]
    race = Race(name=name, random=Random(f"{SEED} {request.node.name}"))
    yield race
    if FIGURES:
        race.note(Path(FIGURES))


@pytest.fixture
async def shop(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A shop for hundreds: it and its bank have many connections, and wait for a free one.

    What becomes of those who find none in time is tried in `tests/outages/`; here a slow
    machine must not make it the end of a race.
    """
    monkeypatch.setattr(engine, "ACQUIRE_SECONDS_MAX", PATIENCE_SECONDS)
    async with open_crowd(database_dsn, connections=CONNECTIONS, of_bank=CONNECTIONS) as world:
        yield world
