"""Billable metrics: how raw usage events become a number that can be priced."""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Literal, assert_never
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
    """How a converted number of units is rounded: to whole units, to halves or to tenths.

    The nearest takes halves away from zero, as money does.
    """

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


def converted(raw: Fraction, conversion: UnitConversion | None) -> Fraction:
    """An aggregated number of raw units as the number of units that is priced; exact."""
    if conversion is None:
        return raw
    units = Fraction(raw, conversion.factor)
    match conversion.rounding:
        case UnitRounding.NONE:
            return units
        case UnitRounding.UP:
            return Fraction(math.ceil(units))
        case UnitRounding.DOWN:
            return Fraction(math.floor(units))
        case UnitRounding.NEAREST:
            return _nearest(units, parts=1)
        case UnitRounding.NEAREST_HALF:
            return _nearest(units, parts=2)
        case UnitRounding.NEAREST_DECILE:
            return _nearest(units, parts=10)
    assert_never(conversion.rounding)


def _nearest(units: Fraction, *, parts: int) -> Fraction:
    """The nearest multiple of one unit's `parts`-th part; halves away from zero."""
    whole = math.floor(abs(units) * parts + Fraction(1, 2))
    return Fraction(whole if units >= 0 else -whole, parts)


def segmentation_keys(definition: MetricDefinition) -> tuple[str, ...]:
    """The properties by which a metric tells usage apart; none without a segmentation."""
    match definition.segmentation:
        case None:
            return ()
        case SingleSegmentation(key=key):
            return (key,)
        case DoubleSegmentation(dimension1=first, dimension2=second):
            return (first.key, second.key)
        case LinkedSegmentation(dimension1_key=first_key, dimension2_key=second_key):
            return (first_key, second_key)
    assert_never(definition.segmentation)
