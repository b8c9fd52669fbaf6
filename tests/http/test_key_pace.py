"""How fast a key may ask: one limit, however many processes answer, and what callers hear."""

from dataclasses import dataclass, field
from uuid import UUID

import httpx
import pytest

from tallystick.db.engine import Database
from tallystick.http.key_pace import KeyPace
from tallystick.services.ids import new_id
from tests.http.conftest import opened

TENANT, KEY, OTHER = new_id(), new_id(), new_id()
LIMIT = 100


@dataclass
class Clock:
    """Real time, in seconds, as a test lets it pass."""

    now: float = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@dataclass
class Process:
    """A process that answers requests, and how many it has let through."""

    pace: KeyPace
    passed: int = 0
    waits: list[int] = field(default_factory=list)

    def asked(self, times: int, key: UUID = KEY) -> int:
        """Ask so many times at once; how many were let through."""
        passed = 0
        for _ in range(times):
            _, refused = self.pace.take(TENANT, key)
            passed += refused is None
            if refused is not None:
                self.waits.append(refused.retry_after_seconds)
        self.passed += passed
        return passed


@pytest.fixture
def clock() -> Clock:
    """The clock of every process."""
    return Clock()


@pytest.fixture
def processes(db: Database, clock: Clock) -> list[Process]:
    """Four processes on one database, with a limit of a hundred requests a second."""
    return [Process(KeyPace(db, requests_per_second=LIMIT, clock=clock), 0) for _ in range(4)]


async def seconds(
    processes: list[Process], clock: Clock, count: int, *asks: int, key: UUID = KEY
) -> list[int]:
    """Let seconds pass, in each of which each process is asked so often, evenly."""
    for process in processes:
        process.passed = 0
    for _ in range(count):
        for _ in range(10):
            clock.now += 0.1
            for process, times in zip(processes, asks, strict=False):
                process.asked(times // 10, key)
        for process in processes:
            await process.pace.share()
    return [process.passed for process in processes]


def test_a_burst_and_its_end(processes: list[Process], clock: Clock) -> None:
    """Twice the limit at once, then as many as the time that passes brings."""
    one = processes[0]

    assert one.asked(500) == 200
    assert set(one.waits) == {1}
    clock.now += 0.5
    assert one.asked(500) == 50
    clock.now += 60
    assert one.asked(500) == 200


async def test_processes_do_not_multiply_the_limit(
    processes: list[Process], clock: Clock
) -> None:
    """Four of them, each asked for more than the limit: together they let it through once."""
    await seconds(processes, clock, 3, 200, 200, 200, 200)
    passed = await seconds(processes, clock, 10, 200, 200, 200, 200)

    assert sum(passed) == pytest.approx(10 * LIMIT, rel=0.1)
    assert max(passed) < 1.3 * min(passed)


async def test_a_key_on_one_process_has_all_of_it(
    processes: list[Process], clock: Clock
) -> None:
    """A caller whose connections end at one process is not told of the other three."""
    await seconds(processes, clock, 3, 500, 0, 0, 0)
    passed = await seconds(processes, clock, 10, 500, 0, 0, 0)

    assert passed == [pytest.approx(10 * LIMIT, rel=0.05), 0, 0, 0]


async def test_what_others_leave(processes: list[Process], clock: Clock) -> None:
    """One is asked for little and loses nothing of it; the rest is the other one's."""
    await seconds(processes, clock, 3, 30, 60)
    passed = await seconds(processes, clock, 10, 30, 60)

    assert passed[:2] == [300, 600]


async def test_the_limit_comes_back(processes: list[Process], clock: Clock) -> None:
    """When the others are silent again, one process may use all of it."""
    await seconds(processes, clock, 5, 200, 200, 200, 200)
    await processes[0].pace._database.pool.execute(
        "update api_key_paces set counted_at = counted_at - interval '4 seconds'"
    )
    await seconds(processes, clock, 2, 200)
    assert (await seconds(processes, clock, 5, 200))[0] == pytest.approx(500, rel=0.05)


async def test_quiet_keys_cost_nothing(
    processes: list[Process], clock: Clock, db: Database
) -> None:
    """A key below a tenth of the limit is never told of, and other keys are not affected."""
    for _ in range(3):
        clock.now += 1
        for process in processes:
            assert process.asked(9) == 9
            await process.pace.share()
    assert await db.pool.fetch("select * from api_key_paces") == []

    await seconds(processes, clock, 3, 200, 200)
    assert processes[0].asked(50, OTHER) == 50
    rows = await db.pool.fetch("select distinct api_key_id from api_key_paces")
    assert [row["api_key_id"] for row in rows] == [KEY]


async def test_old_counts_are_forgotten(
    processes: list[Process], clock: Clock, db: Database
) -> None:
    """What processes have told that are no more is gone after a minute."""
    await seconds(processes, clock, 1, 200, 200)
    await db.pool.execute("update api_key_paces set counted_at = now() - interval '2 minutes'")
    await seconds(processes[:1], clock, 1, 200)

    assert len(await db.pool.fetch("select * from api_key_paces")) == 1


async def test_without_the_database_each_counts_alone(
    processes: list[Process], clock: Clock, db: Database
) -> None:
    """The limit still holds, for each process by itself."""
    await seconds(processes, clock, 3, 200, 200)
    await db.close()
    processes[0].asked(200)
    with pytest.raises(Exception, match="connection"):
        await processes[0].pace.share()
    clock.now += 10

    assert processes[0].asked(500) == 200


async def test_callers_are_told(database_dsn: str) -> None:
    """Every answer to a key says how much is left; refusals say when to come back."""
    async with opened(database_dsn, requests_per_second=5) as shop:
        answers = [await shop.client.get("/customers") for _ in range(12)]
        unknown = await shop.client.get("/customers/nobody")
        stranger = await httpx.AsyncClient(transport=httpx.ASGITransport(shop.web)).get(
            "http://testserver/api/v1/customers"
        )

    first, last = answers[0], answers[-1]
    assert (first.status_code, last.status_code) == (200, 429)
    assert first.headers["ratelimit-limit"] == last.headers["ratelimit-limit"] == "10"
    assert (first.headers["ratelimit-remaining"], last.headers["ratelimit-remaining"]) == (
        "9",
        "0",
    )
    assert first.headers["ratelimit-reset"] == "1"
    assert int(last.headers["ratelimit-reset"]) == 2
    assert last.headers["retry-after"] == "1"
    assert last.json()["code"] == "TOO_MANY_REQUESTS"
    assert last.headers["request-id"] == last.json()["request_id"]
    assert "ratelimit-limit" in unknown.headers
    assert "ratelimit-limit" not in stranger.headers


async def test_no_limit(database_dsn: str) -> None:
    """Where there is none, nothing is counted and nothing told."""
    async with opened(database_dsn, requests_per_second=0) as shop:
        answer = await shop.client.get("/customers")

    assert answer.status_code == 200
    assert "ratelimit-limit" not in answer.headers
