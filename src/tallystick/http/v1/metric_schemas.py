"""How usage events are counted, on the wire."""

from collections.abc import Collection
from typing import Annotated, Literal, assert_never

from pydantic import Field

from tallystick.domain.metrics import (
    Dimension,
    DoubleSegmentation,
    FilterOperator,
    LinkedSegmentation,
    MetricDefinition,
    MetricFilter,
    Segmentation,
    SingleSegmentation,
    UnitConversion,
    UnitRounding,
)
from tallystick.domain.pricing import COUNT_MAX
from tallystick.http.v1.scalars import LIST_MAX, Name, RequestModel, WholeNumber

FILTERS_MAX = 20

Values = Annotated[list[Name], Field(min_length=1, max_length=LIST_MAX)]


class DimensionValues(RequestModel):
    """One property of an event and the values that are priced apart."""

    key: Annotated[Name, Field(description="The property's name.")]
    values: Annotated[Values, Field(description="Its values.")]


class SingleMatrix(RequestModel):
    """Usage told apart by one property."""

    type: Literal["SINGLE"]
    key: Annotated[Name, Field(description="The property's name.")]
    values: Annotated[Values, Field(description="Its values.")]


class DoubleMatrix(RequestModel):
    """Usage told apart by two independent properties."""

    type: Literal["DOUBLE"]
    dimension1: Annotated[DimensionValues, Field(description="The first property.")]
    dimension2: Annotated[DimensionValues, Field(description="The second property.")]


class LinkedMatrix(RequestModel):
    """Usage told apart by two properties, where the first decides the second's values."""

    type: Literal["LINKED"]
    dimension1_key: Annotated[Name, Field(description="The first property's name.")]
    dimension2_key: Annotated[Name, Field(description="The second property's name.")]
    values: Annotated[
        dict[Name, Values],
        Field(
            min_length=1,
            max_length=LIST_MAX,
            description="The second property's values, by those of the first.",
        ),
    ]


SegmentationSchema = Annotated[
    SingleMatrix | DoubleMatrix | LinkedMatrix, Field(discriminator="type")
]


class FilterSchema(RequestModel):
    """Only events whose property compares like this are counted."""

    property: Annotated[Name, Field(description="The property's name.")]
    op: Annotated[
        FilterOperator,
        Field(description="How it is compared; a negation asks for the property to be there."),
    ]
    values: Annotated[
        Values, Field(description="With what; EQUAL and NOT_EQUAL take exactly one.")
    ]


class UnitConversionSchema(RequestModel):
    """Raw units are divided by `factor`, then rounded."""

    factor: Annotated[
        WholeNumber,
        Field(ge=1, le=COUNT_MAX, description="How many raw units make one that is priced."),
    ]
    rounding: Annotated[
        UnitRounding, Field(description="Done once for each aggregated number.")
    ]


def to_definition(
    filters: list[FilterSchema] | None,
    segmentation: SegmentationSchema | None,
    conversion: UnitConversionSchema | None,
    usage_group_key: str | None,
) -> MetricDefinition:
    """The definition that was sent."""
    return MetricDefinition(
        filters=_filters(filters),
        segmentation=_segmentation(segmentation),
        unit_conversion=_conversion(conversion),
        usage_group_key=usage_group_key,
    )


def changed_parts(
    sent: Collection[str],
    filters: list[FilterSchema] | None,
    segmentation: SegmentationSchema | None,
    conversion: UnitConversionSchema | None,
) -> dict[str, object]:
    """The parts of a definition that a change speaks of, by the names of `MetricDefinition`.

    `sent` are the fields of the body that were sent; null is a definition without the part.
    """
    parts = {
        "filters": ("filters", _filters(filters)),
        "segmentation_matrix": ("segmentation", _segmentation(segmentation)),
        "unit_conversion": ("unit_conversion", _conversion(conversion)),
    }
    return {part: value for field, (part, value) in parts.items() if field in sent}


def show_filters(definition: MetricDefinition) -> list[FilterSchema]:
    """A metric's filters as they are sent."""
    return [
        FilterSchema(property=one.property, op=one.op, values=list(one.values))
        for one in definition.filters
    ]


def show_conversion(definition: MetricDefinition) -> UnitConversionSchema | None:
    """A metric's unit conversion as it is sent."""
    conversion = definition.unit_conversion
    if conversion is None:
        return None
    return UnitConversionSchema(factor=conversion.factor, rounding=conversion.rounding)


def show_segmentation(definition: MetricDefinition) -> SegmentationSchema | None:
    """A metric's segmentation as it is sent."""
    match definition.segmentation:
        case None:
            return None
        case SingleSegmentation(key=key, values=values):
            return SingleMatrix(type="SINGLE", key=key, values=list(values))
        case DoubleSegmentation(dimension1=first, dimension2=second):
            return DoubleMatrix(
                type="DOUBLE", dimension1=_show(first), dimension2=_show(second)
            )
        case LinkedSegmentation() as linked:
            return LinkedMatrix(
                type="LINKED",
                dimension1_key=linked.dimension1_key,
                dimension2_key=linked.dimension2_key,
                values={key: list(values) for key, values in linked.values.items()},
            )


def _filters(sent: list[FilterSchema] | None) -> tuple[MetricFilter, ...]:
    return tuple(
        MetricFilter(property=one.property, op=one.op, values=tuple(one.values))
        for one in sent or ()
    )


def _conversion(schema: UnitConversionSchema | None) -> UnitConversion | None:
    if schema is None:
        return None
    return UnitConversion(factor=schema.factor, rounding=schema.rounding)


def _segmentation(schema: SegmentationSchema | None) -> Segmentation | None:
    match schema:
        case None:
            return None
        case SingleMatrix():
            return SingleSegmentation(key=schema.key, values=tuple(schema.values))
        case DoubleMatrix():
            return DoubleSegmentation(
                dimension1=_dimension(schema.dimension1),
                dimension2=_dimension(schema.dimension2),
            )
        case LinkedMatrix():
            return LinkedSegmentation(
                dimension1_key=schema.dimension1_key,
                dimension2_key=schema.dimension2_key,
                values={key: tuple(values) for key, values in schema.values.items()},
            )
    assert_never(schema)


def _dimension(schema: DimensionValues) -> Dimension:
    return Dimension(key=schema.key, values=tuple(schema.values))


def _show(dimension: Dimension) -> DimensionValues:
    return DimensionValues(key=dimension.key, values=list(dimension.values))
