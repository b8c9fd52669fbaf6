"""A set that fails is halved until the bad one is alone."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from tallystick.db.engine import DatabaseUnavailable, Tx
from tallystick.db.refusals import LockTimeout
from tallystick.services.ids import new_id
from tallystick.services.in_halves import DueSets, in_halves, set_by_set
from tests.world import World

IDS = sorted(new_id() for _ in range(9))


class Work:
    """Does every set without the bad one, and notes what was done and set aside."""

    def __init__(self, bad: UUID, failure: Exception) -> None:
        self.bad, self.failure = bad, failure
        self.done: list[UUID] = []
        self.aside: list[tuple[UUID, str]] = []

    async def verb(self, ids: Sequence[UUID]) -> int:
        """All or nothing."""
        if self.bad in ids:
            raise self.failure
        self.done.extend(ids)
        return len(ids)

    async def set_aside(self, one: UUID, reason: str) -> None:
        """Note it."""
        self.aside.append((one, reason))


@pytest.mark.parametrize("bad", IDS)
async def test_only_the_bad_one_is_set_aside(bad: UUID) -> None:
    """Wherever it stands, all others are done once."""
    work = Work(bad, ValueError("too much"))

    assert await in_halves(IDS, work.verb, work.set_aside) == len(IDS)

    assert work.done == [one for one in IDS if one != bad]
    assert work.aside == [(bad, "ValueError: too much")]


async def test_a_single_one_is_done_in_its_own_way(world: World) -> None:
    """What fails with others and by itself is done as it is done alone, and not set aside."""
    work, due, alone = Work(IDS[4], ValueError("too much")), list(IDS), list[UUID]()

    async def lock_due(_: Tx) -> list[UUID]:
        return [one for one in due if one not in work.done and one not in alone]

    async def do(_: Tx, ids: Sequence[UUID]) -> int:
        return await work.verb(ids)

    async def do_alone(_: Tx, ids: Sequence[UUID]) -> int:
        alone.extend(ids)
        return len(ids)

    await set_by_set(
        world.database,
        DueSets(lock_due=lock_due, do=do, count=int, set_aside=work.set_aside, alone=do_alone),
    )

    assert IDS[4] in alone
    assert sorted([*work.done, *alone]) == IDS
    assert work.aside == []


async def test_who_waited_in_vain_is_not_set_aside() -> None:
    """A row in other hands is due again by itself."""
    work = Work(IDS[3], LockTimeout("held"))

    assert await in_halves(IDS, work.verb, work.set_aside) == len(IDS) - 1

    assert work.aside == []


async def test_nothing_is_set_aside_because_the_database_is_away() -> None:
    """Its absence is nobody's fault."""
    work = Work(IDS[0], DatabaseUnavailable("away"))

    with pytest.raises(DatabaseUnavailable):
        await in_halves(IDS, work.verb, work.set_aside)

    assert (work.done, work.aside) == ([], [])
