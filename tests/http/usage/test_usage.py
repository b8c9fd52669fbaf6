"""What was used, as the SDK reads it."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from meteroid import models as m
from meteroid.errors import NotFoundError

from tallystick.domain.ids import Prefix, encode
from tallystick.http.v1.usage import show_quantity
from tests.http.conftest import NOON, Served
from tests.http.purchase.market import open_market
from tests.http.purchase.stock import stock
from tests.http.purchase.terms import rate
from tests.http.usage.meter import FIRST, LAST, Meter

TODAY = NOON.date()


@pytest.mark.parametrize(
    ("aggregation", "total"),
    [
        ("COUNT", "4"),
        ("COUNT_DISTINCT", "3"),
        ("SUM", "7.5"),
        ("MEAN", "1.875"),
        ("MIN", "0.5"),
        ("MAX", "3"),
        ("LATEST", "1"),
    ],
)
def test_every_aggregation(meter: Meter, aggregation: str, total: str) -> None:
    """Of 3, 3, 0.5 and 1 units, in this order."""
    metric = meter.metric(aggregation)
    meter.units("3", "3", "0.5", "1")
    assert meter.used(metric) == Decimal(total)


def test_an_answer_says_what_and_when(meter: Meter) -> None:
    """Metric, window and total, by id and by alias; no groups where nothing is told apart."""
    metric = meter.metric("SUM")
    meter.units("2", "3")
    expected = m.UsageResponse(
        period_start=FIRST,
        period_end=LAST,
        usage=[
            m.MetricUsage(
                metric_id=metric.id,
                metric_code="calls",
                metric_name="Calls",
                total_value=Decimal(5),
                grouped_usage=[],
            )
        ],
    )
    for name in ("globex", meter.customer):
        found = meter.shop.sdk.usage.retrieve_customer(name, start_date=FIRST, end_date=LAST)
        assert found.usage == expected.usage
        assert (found.period_start, found.period_end) == (FIRST, LAST)


def test_every_unarchived_metric_is_reported(meter: Meter) -> None:
    """By name, with zero for what was not used; one alone where it is asked for."""
    meter.metric(code="b", name="Bytes")
    metric = meter.metric(code="a", name="Accounts")
    meter.shop.sdk.events.ingest(events=[meter.event("e", code="b")])
    found = meter.shop.sdk.usage.retrieve_customer("globex", start_date=FIRST, end_date=LAST)
    assert [(one.metric_name, str(one.total_value)) for one in found.usage] == [
        ("Accounts", "0"),
        ("Bytes", "1"),
    ]
    assert meter.usage(metric).metric_code == "a"


def test_a_window_is_half_open(meter: Meter) -> None:
    """The day of `end_date` is not in it; both days are the tenant's."""
    metric = meter.metric()
    meter.units("1", at=NOON)
    day = NOON.date()
    assert meter.used(metric, day, day + timedelta(days=1)) == 1
    assert meter.used(metric, day - timedelta(days=1), day) == 0
    assert meter.used(metric, day + timedelta(days=1), day + timedelta(days=2)) == 0


def test_groups_and_segments(meter: Meter) -> None:
    """Each combination apart, and the metric over all: a maximum is not the sum of maxima."""
    metric = meter.metric(
        "MAX",
        usage_group_key="project",
        segmentation_matrix=m.MetricDimension(key="zone", values=["eu"]),
    )
    meter.units("3", "5", project="a", zone="eu")
    meter.units("4", project="a", zone="us")
    meter.units("1", project="b")
    meter.units("2")
    found = meter.usage(metric)
    assert found.total_value == 5
    assert [(one.dimensions, str(one.value)) for one in found.grouped_usage] == [
        ({"project": "a", "zone": "eu"}, "5"),
        ({"project": "a", "zone": "us"}, "4"),
        ({"project": "b"}, "1"),
        ({}, "2"),
    ]


def test_units_are_converted(meter: Meter) -> None:
    """2500 milliseconds are 2.5 seconds, and the total is converted by itself."""
    conversion = m.UnitConversion(factor=1000, rounding=m.UnitConversionRoundingEnum.NEAREST)
    metric = meter.metric("SUM", unit_conversion=conversion, usage_group_key="job")
    meter.units("2400", job="a")
    meter.units("2400", job="b")
    found = meter.usage(metric)
    # 4800 are 5 seconds; each job alone has 2.
    assert [found.total_value, *(one.value for one in found.grouped_usage)] == [5, 2, 2]


def test_filters(meter: Meter) -> None:
    """Events that a filter leaves out are not counted."""
    kind = m.MetricFilter(op=m.MetricFilterOperator.NOT_IN, property="kind", values=["test"])
    metric = meter.metric("SUM", filters=[kind])
    meter.units("1", kind="test")
    meter.units("2", kind="real")
    assert meter.used(metric) == 2


def test_the_summary_is_over_all_customers(meter: Meter, other_meter: Meter) -> None:
    """Every customer of this tenant counts, and nobody else's."""
    metric = meter.metric("COUNT_DISTINCT")
    other_meter.metric("COUNT_DISTINCT")
    initech = meter.shop.sdk.customers.create(name="Initech", currency="EUR")
    meter.units("1", "2")
    other_meter.units("8", "9")
    meter.shop.sdk.events.ingest(
        events=[
            meter.event("a", customer_id=initech.id, properties={"units": "2"}),
            meter.event("b", customer_id=initech.id, properties={"units": "3"}),
        ]
    )
    for sought in (None, metric.id):
        found = meter.shop.sdk.usage.retrieve_summary(
            start_date=FIRST, end_date=LAST, metric_id=sought
        )
        assert [one.total_value for one in found.usage] == [3]


def test_a_subscription_is_told_what_it_is_billed_by(api: Served, shared_dsn: str) -> None:
    """Its metrics in its current period, or in the days that are asked for; no others."""
    with open_market(api, shared_dsn) as market:
        stock(market)
        market.sdk.metrics.create(
            aggregation_type=m.BillingMetricAggregateEnum.COUNT,
            code="unsold",
            name="Unsold",
            product_family_id=market.family,
        )
        market.plan(
            "Metered",
            m.PriceComponentInput(
                name="Calls",
                fee=m.UsagePlanFee(
                    cadence=m.BillingPeriodEnum("MONTHLY"),
                    metric_id=market.metric,
                    pricing=m.PerUnitPlanPricing(rate=Decimal("0.10")),
                ),
            ),
            rate("Fee", "10.00"),
        )
        bought = market.bought("Metered").subscription
        market.sdk.events.ingest(
            events=[
                m.Event(code="api_calls", customer_id=bought.customer_id, event_id=f"e{n}")
                for n in range(3)
            ]
        )
        usage = market.sdk.usage
        found = usage.retrieve_subscription(bought.id)
        earlier = usage.retrieve_subscription(bought.id, start_date=FIRST, end_date=TODAY)
        unsold = market.sdk.metrics.list(search="unsold").data[0].id

        assert (found.period_start, found.period_end) == (TODAY, date(2026, 4, 10))
        assert [(one.metric_code, str(one.total_value)) for one in found.usage] == [
            ("api_calls", "3")
        ]
        assert (earlier.period_end, str(earlier.usage[0].total_value)) == (TODAY, "0")
        assert usage.retrieve_subscription(bought.id, metric_id=market.metric) == found
        assert usage.retrieve_subscription(bought.id, metric_id=unsold).usage == []


def test_many_groups_are_cut_and_said_so(meter: Meter) -> None:
    """A thousand groups are listed; the total is of all of them."""
    metric = meter.metric("COUNT", usage_group_key="n")
    for start in (0, 1000):
        meter.shop.sdk.events.ingest(
            events=[
                meter.event(f"e{n}", properties={"n": f"{n:04}"})
                for n in range(start, start + 501)
            ]
        )
    query = {"start_date": FIRST.isoformat(), "end_date": LAST.isoformat()}
    (found,) = meter.shop.raw.get("/usage/customer/globex", params=query).json()["usage"]
    assert found["is_truncated"] is True
    assert found["total_value"] == "1002"
    assert len(found["grouped_usage"]) == 1000
    assert meter.usage(metric).grouped_usage[0].dimensions == {"n": "0000"}


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({}, ("start_date", "required")),
        ({"start_date": "2026-03-01"}, ("end_date", "required")),
        ({"start_date": "2026-03-01", "end_date": "2026-03-01"}, ("end_date", "out_of_range")),
        ({"start_date": "2026-03-01", "end_date": "2027-03-03"}, ("end_date", "out_of_range")),
        ({"start_date": "March", "end_date": "2026-03-02"}, ("start_date", "malformed")),
        (
            {"start_date": "2026-03-01", "end_date": "2026-03-02", "metric_id": "calls"},
            ("metric_id", "malformed_id"),
        ),
        (
            {"start_date": "2026-03-01", "end_date": "2026-03-02", "metrics": "calls"},
            ("metrics", "unknown_field"),
        ),
    ],
)
@pytest.mark.parametrize("path", ["customer/globex", "summary"])
def test_what_cannot_be_reported(
    meter: Meter, path: str, query: dict[str, str], fault: tuple[str, str]
) -> None:
    """A window of 1 to 366 days and a metric's id; every refusal names its field."""
    answer = meter.shop.raw.get(f"/usage/{path}", params=query)
    faults = [(one["field"], one["code"]) for one in answer.json()["errors"]]
    assert answer.status_code == 400
    assert fault in faults


def test_unknown_customers_and_metrics(meter: Meter, other_meter: Meter) -> None:
    """What this tenant does not have is not found, another's included."""
    theirs = other_meter.metric()
    window: dict[str, Any] = {"start_date": FIRST, "end_date": LAST}
    usage = meter.shop.sdk.usage
    with pytest.raises(NotFoundError):
        usage.retrieve_customer("nobody", **window)
    with pytest.raises(NotFoundError):
        usage.retrieve_customer(other_meter.customer, **window)
    with pytest.raises(NotFoundError):
        usage.retrieve_customer("globex", **window, metric_id=theirs.id)
    with pytest.raises(NotFoundError):
        usage.retrieve_summary(**window, metric_id=theirs.id)
    with pytest.raises(NotFoundError):
        usage.retrieve_subscription(encode(Prefix.SUBSCRIPTION, meter.shop.tenant_id))


@pytest.mark.parametrize(
    ("units", "shown"),
    [
        (Fraction(0), "0"),
        (Fraction(10), "10"),
        (Fraction("-0.5"), "-0.5"),
        (Fraction(1, 3), "0.333333333333"),
        (Fraction(2, 3), "0.666666666667"),
        (Fraction(-1, 10**13), "0"),
        (Fraction(10**40) + Fraction(1, 10**12), f"1{'0' * 40}.000000000001"),
    ],
)
def test_quantities_are_sent_as_decimals(units: Fraction, shown: str) -> None:
    """Twelve decimals, the nearest, and never an exponent, however large."""
    assert format(show_quantity(units), "f") == shown
