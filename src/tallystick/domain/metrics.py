"""Billable metrics: how raw usage events become a number that can be priced.

A metric is defined and kept here; counting with it comes with usage.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from tallystick.domain.errors import Fault


class Aggregation(StrEnum):
    """What is made of the events of a window."""

    COUNT = "COUNT"
    LATEST = "LATEST"
    MAX = "MAX"
    MIN = "MIN"
    MEAN = "MEAN"
    SUM = "SUM"
    COUNT_DISTINCT = "COUNT_DISTINCT"


class UnitRounding(StrEnum):
    """How a converted number of units is rounded."""

    UP = "UP"
    DOWN = "DOWN"
    NEAREST = "NEAREST"
    NEAREST_HALF = "NEAREST_HALF"
    NEAREST_DECILE = "NEAREST_DECILE"
    NONE = "NONE"


class FilterOperator(StrEnum):
    """How a property is compared; the negations ask for the property to be present."""

    EQUAL = "EQUAL"
    NOT_EQUAL = "NOT_EQUAL"
    IN = "IN"
    NOT_IN = "NOT_IN"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitConversion:
    """Raw units are divided by `factor`, then rounded."""

    factor: int
    rounding: UnitRounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One property of an event and the values that are priced apart."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleSegmentation:
    """Usage told apart by one property."""

    key: str
    values: tuple[str, ...]
    type: Literal["SINGLE"] = "SINGLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleSegmentation:
    """Usage told apart by two independent properties."""

    dimension1: Dimension
    dimension2: Dimension
    type: Literal["DOUBLE"] = "DOUBLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedSegmentation:
    """Usage told apart by two properties, where the first decides the second's values."""

    dimension1_key: str
    dimension2_key: str
    values: dict[str, tuple[str, ...]]
    type: Literal["LINKED"] = "LINKED"


Segmentation = SingleSegmentation | DoubleSegmentation | LinkedSegmentation


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFilter:
    """Only events whose `property` compares like this are counted; several must all hold."""

    property: str
    op: FilterOperator
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """How events are counted, beyond the aggregation itself."""

    filters: tuple[MetricFilter, ...] = ()
    segmentation: Segmentation | None = None
    unit_conversion: UnitConversion | None = None
    usage_group_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A billable metric. `aggregation_key` is the property whose values are aggregated."""

    id: UUID
    product_family_id: UUID
    code: str
    name: str
    aggregation: Aggregation
    definition: MetricDefinition
    created_at: datetime
    description: str | None = None
    aggregation_key: str | None = None
    product_id: UUID | None = None
    archived_at: datetime | None = None


def faults_of_definition(
    aggregation: Aggregation, aggregation_key: str | None, definition: MetricDefinition
) -> list[Fault]:
    """What a metric so defined could not count, field by field."""
    faults = []
    if aggregation is not Aggregation.COUNT and aggregation_key is None:
        faults.append(
            Fault(
                "aggregation_key",
                "required",
                f"{aggregation.value} needs the property whose values it aggregates",
            )
        )
    for index, one in enumerate(definition.filters):
        single = one.op in (FilterOperator.EQUAL, FilterOperator.NOT_EQUAL)
        if single and len(one.values) != 1:
            faults.append(
                Fault(
                    f"filters[{index}].values",
                    "too_many",
                    f"{one.op.value} compares with exactly one value; use"
                    f" {'IN' if one.op is FilterOperator.EQUAL else 'NOT_IN'} for several",
                )
            )
    return faults
