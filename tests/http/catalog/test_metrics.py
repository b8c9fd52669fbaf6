"""Billable metrics through the SDK."""

import pytest
from meteroid import models as m
from meteroid.errors import ConflictError

from tests.http.catalog.shop import Shop

SINGLE = m.MetricDimension(key="region", values=["eu", "us"])


def test_a_metric_with_everything_is_created_and_found_again(shop: Shop) -> None:
    """Filters, segmentation, conversion and group key are returned as they were sent."""
    product = shop.product()
    filters = [
        m.MetricFilter(op=m.MetricFilterOperator.IN, property="zone", values=["a", "b"]),
        m.MetricFilter(op=m.MetricFilterOperator.NOT_EQUAL, property="kind", values=["test"]),
    ]
    conversion = m.UnitConversion(factor=1024, rounding=m.UnitConversionRoundingEnum.UP)

    made = shop.sdk.metrics.create(
        aggregation_type="SUM",
        aggregation_key="bytes",
        code="egress",
        name="Egress",
        description="What left the house",
        product_family_id=shop.family(),
        product_id=product,
        filters=filters,
        segmentation_matrix=SINGLE,
        unit_conversion=conversion,
        usage_group_key="project",
    )

    assert made.id.startswith("bm_")
    assert (made.filters, made.segmentation_matrix) == (filters, SINGLE)
    assert (made.unit_conversion, made.usage_group_key) == (conversion, "project")
    assert (made.product_id, made.aggregation_key) == (product, "bytes")
    assert shop.sdk.metrics.retrieve(made.id) == made


@pytest.mark.parametrize(
    "matrix",
    [
        SINGLE,
        m.DoubleSegmentationMatrix(
            dimension1=SINGLE, dimension2=m.MetricDimension(key="size", values=["s", "l"])
        ),
        m.LinkedSegmentationMatrix(
            dimension1_key="provider", dimension2_key="region", values={"aws": ["eu"]}
        ),
    ],
)
def test_every_segmentation_survives(shop: Shop, matrix: m.MetricSegmentationMatrix) -> None:
    """Single, double and linked segmentations are found as they were sent."""
    made = shop.sdk.metrics.create(
        aggregation_type="COUNT",
        code="calls",
        name="Calls",
        product_family_id=shop.family(),
        segmentation_matrix=matrix,
    )

    assert shop.sdk.metrics.retrieve(made.id).segmentation_matrix == matrix


def test_a_metric_tells_its_event(shop: Shop) -> None:
    """`metric.created` decodes as the SDK's event."""
    shop.sdk.metrics.create(
        aggregation_type="MAX",
        aggregation_key="seats",
        code="seats",
        name="Seats",
        product_family_id=shop.family(),
        segmentation_matrix=SINGLE,
        unit_conversion=m.UnitConversion(factor=10, rounding=m.UnitConversionRoundingEnum.DOWN),
    )

    (body,) = shop.events("metric.created")
    data = m.MetricEvent.from_dict(body).metric_event_data
    assert (data.code, data.aggregation_type, data.aggregation_key) == ("seats", "MAX", "seats")
    assert (data.unit_conversion_factor, data.unit_conversion_rounding) == (10, "DOWN")
    assert data.segmentation_matrix == SINGLE


def test_a_code_names_one_metric(shop: Shop, other_shop: Shop) -> None:
    """A second metric of one code is refused; another tenant may use the code."""
    shop.metric("calls")

    with pytest.raises(ConflictError):
        shop.metric("calls")

    assert other_shop.metric("calls").startswith("bm_")
    counts = shop.counts()
    assert (counts["metrics"], counts["events"]) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"aggregation_type": "SUM"}, [("aggregation_key", "required")]),
        (
            {"filters": [{"op": "EQUAL", "property": "p", "values": ["a", "b"]}]},
            [("filters[0].values", "too_many")],
        ),
        (
            {"filters": [{"op": "LIKE", "property": "", "values": []}]},
            [
                ("filters[0].property", "too_short"),
                ("filters[0].op", "unknown_value"),
                ("filters[0].values", "too_short"),
            ],
        ),
        (
            {"unit_conversion": {"factor": 0, "rounding": "UP"}},
            [("unit_conversion.factor", "out_of_range")],
        ),
        (
            {"segmentation_matrix": {"type": "SINGLE", "key": "k"}},
            [("segmentation_matrix.values", "required")],
        ),
        ({"code": ""}, [("code", "too_short")]),
    ],
)
def test_a_metric_that_could_not_count_is_refused(
    shop: Shop, fields: dict[str, object], faults: list[tuple[str, str]]
) -> None:
    """Each fault is told with its path; nothing is created."""
    body = {
        "aggregation_type": "COUNT",
        "code": "calls",
        "name": "Calls",
        "product_family_id": shop.family(),
        **fields,
    }

    status, found = shop.refused("POST", "/metrics", body)

    assert (status, sorted(found)) == (400, sorted(faults))
    assert shop.counts()["metrics"] == 0
