"""What customers used, aggregated exactly."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tallystick.db import usage
from tallystick.db.engine import Database
from tallystick.domain.metering import (
    Metering,
    day_begins,
    metering_for,
    metering_in_detail,
)
from tallystick.domain.metrics import (
    Aggregation,
    FilterOperator,
    Metric,
    MetricDefinition,
    MetricFilter,
    SingleSegmentation,
    UnitConversion,
    UnitRounding,
)
from tallystick.domain.periods import Period
from tallystick.domain.pricing import (
    CapacityPricing,
    Matrix,
    MatrixDimension,
    MatrixRow,
    PerUnit,
    UsagePricing,
)
from tallystick.domain.usage_pricing import Measured
from tests.db.metered import NOW, Metered, metric_of, open_metered

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
ONE = Decimal(1)
PER_UNIT = UsagePricing(model=PerUnit(rate=ONE))
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
async def metered(shared_dsn: str) -> AsyncIterator[Metered]:
    """A tenant of one test."""
    db = await Database.open(shared_dsn)
    yield await open_metered(db)
    await db.close()


async def _asked(
    metered: Metered, wanted: Metering, zone: tzinfo = UTC
) -> tuple[Measured, ...]:
    async with metered.db.connection() as tx:
        return await usage.usage_of(tx, metered.tenant_id, zone, wanted)


async def _quantity(
    metered: Metered, customer_id: UUID, metric: Metric, window: Period = MARCH
) -> Fraction:
    wanted = Metering(customer_id=customer_id, metric=metric, window=window)
    (one,) = await _asked(metered, wanted)
    assert (one.group, one.dimensions) == (None, ())
    return one.quantity


def _units(*values: str) -> list[Mapping[str, str]]:
    return [{"units": value} for value in values]


@pytest.mark.parametrize(
    ("aggregation", "quantity"),
    [
        (Aggregation.COUNT, 6),
        (Aggregation.COUNT_DISTINCT, 5),
        (Aggregation.SUM, Fraction("8.3")),
        (Aggregation.MEAN, Fraction(83, 60)),
        (Aggregation.MIN, Fraction("-0.2")),
        (Aggregation.MAX, 4),
        (Aggregation.LATEST, Fraction("2.5")),
    ],
)
async def test_every_aggregation(
    metered: Metered, aggregation: Aggregation, quantity: Fraction
) -> None:
    """Of 0, 4, 1, 1, -0.2 and 2.5, exactly: their mean is no decimal. Of none, it is zero."""
    customer_id = await metered.customer()
    await metered.used(customer_id, *_units("4", "1", "1", "-0.2"), at=NOW)
    await metered.used(customer_id, *_units("2.5"), at=NOW + timedelta(hours=1))
    await metered.used(customer_id, *_units("0"), at=NOW - timedelta(hours=1))
    await metered.used(customer_id, *_units("1000"), code="other")
    await metered.used(await metered.customer(), *_units("1000"))
    metric = metric_of(aggregation)

    assert await _quantity(metered, customer_id, metric) == quantity
    assert await _quantity(metered, await metered.customer(), metric) == 0


async def test_sums_lose_nothing(metered: Metered) -> None:
    """The largest and the smallest number add up digit by digit, and a third is a third."""
    customer_id = await metered.customer()
    await metered.used(customer_id, *_units("999999999999999", "0.000000000001", "1"))
    assert await _quantity(metered, customer_id, metric_of(Aggregation.SUM)) == Fraction(
        "1000000000000000.000000000001"
    )
    mean = await _quantity(metered, customer_id, metric_of(Aggregation.MEAN))
    assert mean * 3 == Fraction("1000000000000000.000000000001")


async def test_the_latest_of_one_moment(metered: Metered) -> None:
    """Of events of one moment the last by id counts, whatever the order they are read in."""
    customer_id = await metered.customer()
    await metered.used(customer_id, *_units("1", "3", "2"))
    assert await _quantity(metered, customer_id, metric_of(Aggregation.LATEST)) == 2


async def test_what_is_no_number_is_not_aggregated(metered: Metered) -> None:
    """Values from before a metric was what it is cannot break it: they are passed over."""
    customer_id = await metered.customer()
    await metered.used(customer_id, *_units("1", "many", "NaN", "1e9", "", " 2"), {})
    for aggregation in (Aggregation.SUM, Aggregation.MEAN, Aggregation.MAX, Aggregation.LATEST):
        assert await _quantity(metered, customer_id, metric_of(aggregation)) == 1


@pytest.mark.parametrize(
    ("op", "values", "quantity"),
    [
        (FilterOperator.EQUAL, ("eu",), 1),
        (FilterOperator.NOT_EQUAL, ("eu",), 20),
        (FilterOperator.IN, ("eu", "asia"), 11),
        (FilterOperator.NOT_IN, ("eu", "us"), 10),
    ],
)
async def test_filters(
    metered: Metered, op: FilterOperator, values: tuple[str, ...], quantity: int
) -> None:
    """Only events that pass are counted; one without the property passes no filter."""
    customer_id = await metered.customer()
    await metered.used(
        customer_id,
        {"units": "1", "zone": "eu"},
        {"units": "10", "zone": "us"},
        {"units": "10", "zone": "asia"},
        {"units": "100"},
    )
    definition = MetricDefinition(
        filters=(MetricFilter(property="zone", op=op, values=values),)
    )
    metric = metric_of(Aggregation.SUM, definition)
    assert await _quantity(metered, customer_id, metric) == quantity


async def test_all_filters_must_hold(metered: Metered) -> None:
    """Two filters leave what both let through."""
    customer_id = await metered.customer()
    await metered.used(
        customer_id, {"a": "1", "b": "1"}, {"a": "1", "b": "2"}, {"a": "2", "b": "1"}
    )
    filters = tuple(
        MetricFilter(property=name, op=FilterOperator.EQUAL, values=("1",)) for name in "ab"
    )
    metric = metric_of(Aggregation.COUNT, MetricDefinition(filters=filters))
    assert await _quantity(metered, customer_id, metric) == 1


async def test_conversion_is_of_the_aggregate(metered: Metered) -> None:
    """Three times 600 bytes are 1800: two units of 1024 once rounded up, not three."""
    customer_id = await metered.customer()
    await metered.used(customer_id, *_units("600", "600", "600"))
    conversion = UnitConversion(factor=1024, rounding=UnitRounding.UP)
    metric = metric_of(Aggregation.SUM, MetricDefinition(unit_conversion=conversion))
    assert await _quantity(metered, customer_id, metric) == 2


def _measured(quantity: int, group: str | None = None, **values: str) -> Measured:
    dimensions = tuple(MatrixDimension(key=k, value=v) for k, v in values.items())
    return Measured(quantity=Fraction(quantity), group=group, dimensions=dimensions)


async def test_groups_and_dimensions(metered: Metered) -> None:
    """Each value of the group key and of a matrix's properties apart, missing ones as well."""
    customer_id = await metered.customer()
    await metered.used(
        customer_id,
        {"units": "1", "project": "a", "zone": "eu"},
        {"units": "2", "project": "a", "zone": "us"},
        {"units": "4", "project": "a", "zone": "eu"},
        {"units": "8", "project": "b"},
        {"units": "16", "zone": "eu"},
    )
    definition = MetricDefinition(
        usage_group_key="project",
        segmentation=SingleSegmentation(key="zone", values=("eu",)),
    )
    metric = metric_of(Aggregation.SUM, definition)
    row = MatrixRow(dimension1=MatrixDimension(key="zone", value="eu"), per_unit_price=ONE)
    by_matrix = metering_for(
        UsagePricing(model=Matrix(rates=(row,))), metric, customer_id, MARCH
    )
    apart = (
        _measured(5, "a", zone="eu"),
        _measured(2, "a", zone="us"),
        _measured(8, "b"),
        _measured(16, zone="eu"),
    )

    assert await _asked(metered, by_matrix) == apart
    assert await _asked(metered, metering_in_detail(metric, customer_id, MARCH)) == apart
    # A price that knows no dimensions is for each group as a whole.
    whole = metering_for(PER_UNIT, metric, customer_id, MARCH)
    assert await _asked(metered, whole) == (
        _measured(7, "a"),
        _measured(8, "b"),
        _measured(16),
    )
    # The allowance of a capacity was paid for once: it holds for all groups together.
    capacity = CapacityPricing(rate=ONE, included=1, overage_rate=ONE)
    once = metering_for(capacity, metric, customer_id, MARCH)
    assert await _asked(metered, once) == (_measured(31),)
    nobody = await metered.customer()
    assert await _asked(metered, replace(whole, customer_id=nobody)) == ()
    assert await _asked(metered, replace(once, customer_id=nobody)) == (_measured(0),)


@pytest.mark.parametrize(
    ("zone", "moment", "inside"),
    [
        (UTC, datetime(2026, 3, 1, tzinfo=UTC), True),
        (UTC, datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC), False),
        (UTC, datetime(2026, 4, 1, tzinfo=UTC), False),
        # In Berlin March begins at 23:00 UTC, and ends, in summer time, at 22:00.
        (BERLIN, datetime(2026, 2, 28, 23, tzinfo=UTC), True),
        (BERLIN, datetime(2026, 2, 28, 22, 59, 59, tzinfo=UTC), False),
        (BERLIN, datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC), True),
        (BERLIN, datetime(2026, 3, 31, 22, tzinfo=UTC), False),
    ],
)
async def test_windows_are_days_of_the_tenant(
    metered: Metered, zone: tzinfo, moment: datetime, inside: bool
) -> None:
    """A window is half-open and begins and ends with the days of the tenant's own zone."""
    customer_id = await metered.customer()
    await metered.used(customer_id, {}, at=moment)
    metric = metric_of(Aggregation.COUNT)
    wanted = Metering(customer_id=customer_id, metric=metric, window=MARCH)
    assert await _asked(metered, wanted, zone) == (_measured(int(inside)),)


@pytest.mark.parametrize(
    ("name", "day", "begins"),
    [
        ("UTC", date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)),
        # Midnight was skipped: the day began at one o'clock.
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        # Midnight came twice: the day began with the first of both.
        ("America/Havana", date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_day_begins_once(name: str, day: date, begins: datetime) -> None:
    """Whatever a clock does at midnight, a day has one beginning, and it is a moment of it."""
    assert day_begins(day, ZoneInfo(name)) == begins
    assert begins.astimezone(ZoneInfo(name)).date() == day


async def test_many_questions_are_answered_in_their_order(metered: Metered) -> None:
    """For many customers, metrics and windows at once: what each would be told alone."""
    customers = [await metered.customer() for _ in range(5)]
    for n, customer_id in enumerate(customers):
        await metered.used(customer_id, *_units(*["1"] * n))
        await metered.used(customer_id, *_units("7"), at=NOW - timedelta(days=30))
    metrics = [metric_of(Aggregation.SUM), metric_of(Aggregation.COUNT)]
    february = Period(date(2026, 2, 1), date(2026, 3, 1))
    wanted = [
        Metering(customer_id=customer_id, metric=metric, window=window)
        for customer_id in customers
        for window in (MARCH, february)
        for metric in metrics
    ]

    async with metered.db.connection() as tx:
        found = await usage.usage_of_many(tx, metered.tenant_id, UTC, wanted)

    assert [int(one.quantity) for (one,) in found] == [
        *(0, 0, 7, 1),
        *(1, 1, 7, 1),
        *(2, 2, 7, 1),
        *(3, 3, 7, 1),
        *(4, 4, 7, 1),
    ]
    assert [await _asked(metered, one) for one in wanted] == found


async def test_nobody_asks_nothing(metered: Metered) -> None:
    """No questions, no answers."""
    async with metered.db.connection() as tx:
        assert await usage.usage_of_many(tx, metered.tenant_id, UTC, []) == []


async def test_another_tenants_events_are_not_counted(metered: Metered) -> None:
    """The same customer's id under another tenant has used nothing."""
    customer_id = await metered.customer()
    await metered.used(customer_id, {}, {})
    other = replace(metered, tenant_id=(await open_metered(metered.db)).tenant_id)
    assert await _quantity(other, customer_id, metric_of(Aggregation.COUNT)) == 0


async def test_others_events_cost_nothing(metered: Metered) -> None:
    """A question reads no more pages after others used a hundred times as much beside it."""
    customer_id = await metered.customer()
    await metered.used(customer_id, *_units(*["1"] * 50))
    before = await _pages_read(metered, customer_id)
    place = await _partition_of(metered, customer_id)
    beside = 0
    while beside < 5:
        other = await metered.customer()
        await metered.used(other, {"units": "1"})
        if await _partition_of(metered, other) == place:
            await metered.used(other, *_units(*["1"] * 1000))
            beside += 1
    after = await _pages_read(metered, customer_id)

    # An index of more rows may be a level deeper.
    assert after <= before + 2


async def _partition_of(metered: Metered, customer_id: UUID) -> int:
    async with metered.db.connection() as tx:
        found: int = await tx.fetchval(
            "select tableoid from usage_events "
            "where tenant_id = $1 and customer_id = $2 limit 1",
            metered.tenant_id,
            customer_id,
        )
    return found


async def _pages_read(metered: Metered, customer_id: UUID) -> int:
    """How many pages of the events and their indexes one question touches."""
    sent: list[tuple[str, Sequence[Any]]] = []

    class Overheard:
        async def fetch(self, query: str, *values: object) -> list[Any]:
            sent.append((query, values))
            return []

    wanted = Metering(customer_id=customer_id, metric=metric_of(Aggregation.SUM), window=MARCH)
    await usage.usage_of(Overheard(), metered.tenant_id, UTC, wanted)  # type: ignore[arg-type]
    ((query, values),) = sent
    async with metered.db.connection() as tx:
        await tx.execute("analyze usage_events")
        plan = await tx.fetchval(
            f"explain (analyze, buffers, costs off, timing off, format json) {query}", *values
        )
    root = json.loads(plan)[0]["Plan"]
    pages: int = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
    return pages
