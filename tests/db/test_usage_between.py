"""Usage between two instants: half-open, and whatever the metric tells apart together."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from tallystick.db import usage
from tallystick.db.engine import Database
from tallystick.domain.metrics import (
    Aggregation,
    FilterOperator,
    MetricDefinition,
    MetricFilter,
    SingleSegmentation,
    UnitConversion,
    UnitRounding,
)
from tallystick.domain.usage_window import Window
from tests.db.metered import Metered, metric_of, open_metered

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
async def metered(shared_dsn: str) -> AsyncIterator[Metered]:
    """A tenant of one test."""
    db = await Database.open(shared_dsn)
    yield await open_metered(db)
    await db.close()


def window(begins: datetime, ends: datetime | None) -> Window:
    """A window."""
    return Window(begins=begins, ends=ends, resets_at=ends)


async def test_windows_are_half_open(metered: Metered) -> None:
    """To the microsecond; without an end everything later counts, and another's never."""
    customer_id = await metered.customer()
    for n, at in enumerate((NOON - INSTANT, NOON, NOON + INSTANT)):
        await metered.used(customer_id, {"units": str(10**n)}, at=at)
    await metered.used(await metered.customer(), {"units": "1000"}, at=NOON)
    windows = [
        window(NOON, NOON + INSTANT),
        window(NOON - INSTANT, NOON),
        window(NOON, None),
        window(NOON + timedelta(days=1), None),
    ]

    async with metered.db.connection() as tx:
        found = await usage.usage_between(
            tx, metered.tenant_id, customer_id, metric_of(Aggregation.SUM), windows
        )

    assert found == [10, 1, 110, 0]


async def test_what_is_told_apart_counts_together(metered: Metered) -> None:
    """Groups and segments in one number, filtered, then converted once."""
    customer_id = await metered.customer()
    for zone, project in (("eu", "a"), ("us", "b"), ("eu", "b"), ("test", "a")):
        event = {"units": "700", "zone": zone, "project": project}
        await metered.used(customer_id, event, at=NOON)
    definition = MetricDefinition(
        filters=(MetricFilter(property="zone", op=FilterOperator.NOT_EQUAL, values=("test",)),),
        segmentation=SingleSegmentation(key="zone", values=("eu", "us")),
        unit_conversion=UnitConversion(factor=1000, rounding=UnitRounding.UP),
        usage_group_key="project",
    )
    metric = metric_of(Aggregation.SUM, definition)

    async with metered.db.connection() as tx:
        found = await usage.usage_between(
            tx, metered.tenant_id, customer_id, metric, [window(NOON, None)]
        )

    assert found == [Fraction(3)]
