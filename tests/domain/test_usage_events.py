"""Which usage events are taken, which are not and why; and what is asked of those taken."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tallystick.domain.errors import Fault
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
    faults_of_definition,
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
from tallystick.domain.usage_events import (
    IncomingEvent,
    Judged,
    RefusedEvent,
    UsageEvent,
    judge,
    passes,
)
from tests.domain.samples import named

NOW = datetime(2024, 1, 15, 12, tzinfo=UTC)
GLOBEX = named("globex")
JANUARY = Period(date(2024, 1, 1), date(2024, 2, 1))
EU = MetricFilter(property="region", op=FilterOperator.EQUAL, values=("eu",))


def metric(
    aggregation: Aggregation = Aggregation.COUNT,
    key: str | None = None,
    *filters: MetricFilter,
    **definition: object,
) -> Metric:
    """A metric of the code `calls`."""
    return Metric(
        id=named("metric"),
        product_family_id=named("family"),
        code="calls",
        name="Calls",
        aggregation=aggregation,
        aggregation_key=key,
        definition=MetricDefinition(filters=filters, **definition),  # type: ignore[arg-type]
        created_at=NOW,
    )


def event(**changes: object) -> IncomingEvent:
    """A call of Globex's, now."""
    plain = IncomingEvent(event_id="one", code="calls", customer="globex", properties={})
    return replace(plain, **changes)  # type: ignore[arg-type]


def judged(*events: IncomingEvent, by: Metric | None = None, backfill: bool = False) -> Judged:
    """What becomes of events."""
    return judge(
        events,
        customers={"globex": GLOBEX, GLOBEX: GLOBEX},
        metrics={"calls": [by or metric()]},
        now=NOW,
        allow_backfilling=backfill,
    )


def why(*events: IncomingEvent, by: Metric | None = None, backfill: bool = False) -> list[str]:
    """The faults of the events that are refused: fields and codes."""
    made = judged(*events, by=by, backfill=backfill)
    return [f"{one.field} {one.code}" for refused in made.refused for one in refused.faults]


def test_an_event_is_taken_as_it_was_sent() -> None:
    """By id or alias, at its moment or now; what it says is kept."""
    earlier = NOW - timedelta(hours=2)
    made = judged(
        event(properties={"a": "b"}), event(event_id="two", customer=GLOBEX, timestamp=earlier)
    )

    assert made.refused == ()
    assert made.taken == (
        UsageEvent(
            customer_id=GLOBEX,
            event_id="one",
            code="calls",
            happened_at=NOW,
            properties={"a": "b"},
        ),
        UsageEvent(
            customer_id=GLOBEX, event_id="two", code="calls", happened_at=earlier, properties={}
        ),
    )


def test_one_that_is_refused_keeps_its_place() -> None:
    """The second of three: the others are taken, and its faults name where it stood."""
    made = judged(event(), event(event_id="two", customer="nobody"), event(event_id="three"))

    assert [one.event_id for one in made.taken] == ["one", "three"]
    (refused,) = made.refused
    assert (refused.index, refused.event_id) == (1, "two")
    assert refused.reason == "customer_id: must be a customer's id or alias"
    (fault,) = refused.in_call()
    assert fault == Fault(
        "events[1].customer_id", "unknown", "must be a customer's id or alias"
    )


def test_all_faults_of_an_event_at_once() -> None:
    """Whose, when and of what; of one whose form is wrong nothing else is looked at."""
    wrong = event(customer="nobody", code="else", timestamp=NOW - timedelta(days=2))
    assert why(wrong) == ["customer_id unknown", "timestamp too_late", "code unknown"]
    malformed = Fault("event_id", "too_long", "is too long")
    assert why(replace(wrong, faults=(malformed,))) == ["event_id too_long"]
    two = RefusedEvent(
        index=3, event_id="x", faults=(malformed, Fault("code", "unknown", "is not there"))
    )
    assert two.reason == "event_id: is too long; code: is not there"


@pytest.mark.parametrize(
    ("ago", "backfill", "fault"),
    [
        (timedelta(hours=24), False, None),
        (timedelta(hours=24, microseconds=1), False, "timestamp too_late"),
        (timedelta(days=900), True, None),
        (timedelta(hours=-1), False, None),
        (timedelta(hours=-1, microseconds=-1), False, "timestamp in_future"),
        (timedelta(hours=-2), True, "timestamp in_future"),
    ],
)
def test_an_event_is_of_its_time(ago: timedelta, backfill: bool, fault: str | None) -> None:
    """A day back unless backfilling is meant, an hour ahead, to the microsecond."""
    told = why(event(timestamp=NOW - ago), backfill=backfill)
    assert told == ([] if fault is None else [fault])


@pytest.mark.parametrize(
    "aggregation",
    [
        Aggregation.SUM,
        Aggregation.MEAN,
        Aggregation.MIN,
        Aggregation.MAX,
        Aggregation.LATEST,
    ],
)
def test_a_number_is_aggregated(aggregation: Aggregation) -> None:
    """What is no decimal is refused, and so is what is not there."""
    counts = metric(aggregation, "size")
    for fine in ("1", "-12.5", "123456789012345.123456789012"):
        assert why(event(properties={"size": fine}), by=counts) == []
    for wrong in ("", "1e3", "1234567890123456", "1.1234567890123", "1,5", " 1", "+1"):
        assert why(event(properties={"size": wrong}), by=counts) == [
            "properties.size malformed"
        ]
    (refused,) = judged(event(), by=counts).refused
    assert refused.faults == (
        Fault(
            "properties.size",
            "required",
            f"must be a decimal number without exponent: {aggregation.value} aggregates it",
        ),
    )


def test_any_value_is_distinct() -> None:
    """It need not be a number, but it must be there; a count needs nothing."""
    counts = metric(Aggregation.COUNT_DISTINCT, "user")
    assert why(event(properties={"user": "ada"}), by=counts) == []
    (refused,) = judged(event(), by=counts).refused
    assert refused.reason == "properties.user: must be there: COUNT_DISTINCT aggregates it"
    assert why(event(), by=metric(Aggregation.COUNT, "user")) == []
    assert why(event(), by=metric(Aggregation.SUM)) == []


def test_what_a_filter_passes_by_needs_no_value() -> None:
    """Only events of the EU are summed: others are taken without a size."""
    counts = metric(Aggregation.SUM, "size", EU)
    assert why(event(properties={"region": "us"}), by=counts) == []
    assert why(event(properties={"region": "us", "size": "x"}), by=counts) == []
    wanted = event(properties={"region": "eu"})
    assert why(wanted, by=counts) == ["properties.size required"]


def test_one_metric_that_can_count_it_is_enough() -> None:
    """Of two of one code; where none can, the first one's reason is told."""
    sums, distinct = metric(Aggregation.SUM, "size"), metric(Aggregation.COUNT_DISTINCT, "user")

    def told(properties: dict[str, str]) -> list[str]:
        made = judge(
            [event(properties=properties)],
            customers={"globex": GLOBEX},
            metrics={"calls": [sums, distinct]},
            now=NOW,
            allow_backfilling=False,
        )
        return [one.field for refused in made.refused for one in refused.faults]

    assert told({"user": "ada"}) == told({"size": "1"}) == []
    assert told({}) == ["properties.size"]


@pytest.mark.parametrize(
    ("op", "values", "passing"),
    [
        (FilterOperator.EQUAL, ("eu",), {"eu"}),
        (FilterOperator.NOT_EQUAL, ("eu",), {"us", "uk"}),
        (FilterOperator.IN, ("eu", "uk"), {"eu", "uk"}),
        (FilterOperator.NOT_IN, ("eu", "uk"), {"us"}),
    ],
)
def test_filters(op: FilterOperator, values: tuple[str, ...], passing: set[str]) -> None:
    """Each asks for the property to be there, also one that excludes."""
    one = MetricFilter(property="region", op=op, values=values)
    passed = {region for region in ("eu", "us", "uk") if passes([one], {"region": region})}
    assert passed == passing
    assert not passes([one], {"zone": "eu"})
    assert not passes([one, EU], {"region": "us"})
    assert passes([], {})


def test_a_metric_that_could_not_count() -> None:
    """All but a count need a property, and one value is compared with one value."""

    def told(aggregation: Aggregation, key: str | None, *filters: MetricFilter) -> list[str]:
        faults = faults_of_definition(aggregation, key, MetricDefinition(filters=filters))
        return [f"{one.field} {one.code}: {one.message}" for one in faults]

    assert told(Aggregation.COUNT, None) == told(Aggregation.SUM, "size") == []
    assert told(Aggregation.MAX, None) == [
        "aggregation_key required: MAX needs the property whose values it aggregates"
    ]
    two, none = replace(EU, values=("eu", "us")), replace(EU, values=())
    several = replace(two, op=FilterOperator.IN)
    other = replace(two, op=FilterOperator.NOT_EQUAL)
    assert told(Aggregation.COUNT, None, EU, several) == []
    one_value = "compares with exactly one value; use"
    assert told(Aggregation.COUNT, None, EU, two, other, none) == [
        f"filters[1].values too_many: EQUAL {one_value} IN for several",
        f"filters[2].values too_many: NOT_EQUAL {one_value} NOT_IN for several",
        f"filters[3].values too_many: EQUAL {one_value} IN for several",
    ]


def test_what_a_price_asks_for() -> None:
    """Usage group by group, a matrix by its properties, a capacity for all groups together."""
    known = metric(usage_group_key="team")
    rows = (
        MatrixRow(
            dimension1=MatrixDimension(key="region", value="eu"), per_unit_price=Decimal(1)
        ),
    )
    plain = UsagePricing(model=PerUnit(rate=Decimal(1)))
    by_region = UsagePricing(model=Matrix(rates=rows))
    base = CapacityPricing(rate=Decimal(1), included=1, overage_rate=Decimal(1))
    asked = Metering(customer_id=GLOBEX, metric=known, window=JANUARY, by_group=True)

    assert metering_for(plain, known, GLOBEX, JANUARY) == asked
    assert asked.group_key == "team"
    assert metering_for(by_region, known, GLOBEX, JANUARY) == replace(
        asked, dimensions=("region",)
    )
    together = metering_for(base, known, GLOBEX, JANUARY)
    assert together == replace(asked, by_group=False)
    assert together.group_key is None


def test_everything_that_a_metric_tells_apart() -> None:
    """Its groups and its segments, whatever they cost."""
    known = metric(segmentation=SingleSegmentation(key="region", values=("eu",)))
    assert metering_in_detail(known, GLOBEX, JANUARY) == Metering(
        customer_id=GLOBEX,
        metric=known,
        window=JANUARY,
        by_group=True,
        dimensions=("region",),
    )


@pytest.mark.parametrize(
    ("day", "zone", "moment"),
    [
        (date(2024, 1, 1), "Asia/Tokyo", datetime(2023, 12, 31, 15, tzinfo=UTC)),
        (date(2024, 7, 1), "Europe/Paris", datetime(2024, 6, 30, 22, tzinfo=UTC)),
        # Midnight is skipped: the clock goes from 23:59 to 01:00.
        (date(2024, 4, 26), "Africa/Cairo", datetime(2024, 4, 25, 22, tzinfo=UTC)),
        # Midnight comes twice: from 01:00 back to 00:00.
        (date(2024, 11, 3), "America/Havana", datetime(2024, 11, 3, 4, tzinfo=UTC)),
    ],
)
def test_a_day_begins_in_its_zone(day: date, zone: str, moment: datetime) -> None:
    """Also where midnight is skipped, or comes twice."""
    begins = day_begins(day, ZoneInfo(zone))
    assert (begins, begins.tzinfo) == (moment, UTC)


def test_a_customer_is_known_by_id() -> None:
    """Another's id is nobody's."""
    assert why(event(customer=UUID(int=404))) == ["customer_id unknown"]
