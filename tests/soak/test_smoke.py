"""A soak of some seconds: what `make soak` does for minutes."""

from pathlib import Path

import pytest

from tests.soak.soaking import Plan, soak

SECONDS = 5


@pytest.mark.timeout(400)
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
async def test_some_seconds_of_everything() -> None:
    """Processes and database are killed, and everything that clients were told is true."""
    plan = Plan(
        seconds=SECONDS,
        seed=3,
        buyers=2,
        merchants=1,
        kill_every_seconds=1.5,
        travel_every_seconds=2,
        # A payment whose answer was lost waits for its lease at each renewal.
        moves=1,
    )
    report = await soak(plan, lambda _: None)

    assert report.wrong == []
    assert sum(report.killed.values()) > 0
