"""The ways to price metered usage, on the wire."""

from typing import Annotated, Literal, assert_never

from pydantic import AfterValidator, Field

from tallystick.domain.pricing import (
    COUNT_MAX,
    Matrix,
    MatrixDimension,
    MatrixRow,
    Package,
    PerUnit,
    Tier,
    Tiered,
    UsageModel,
    Volume,
)
from tallystick.http.v1.scalar import problem
from tallystick.http.v1.scalars import (
    LIST_MAX,
    Name,
    NonNegativeDecimal,
    RequestModel,
    WholeNumber,
)

MATRIX_ROWS_MAX = 1000


def _single_units(value: int | None) -> int | None:
    if value not in (None, 1):
        raise problem(
            "not_supported_yet", "must be 1 or left out: tiers and volumes count single units"
        )
    return value


UnitBlock = Annotated[WholeNumber | None, AfterValidator(_single_units)]
"""The block size of tiers, where blocks of more than one unit mean nothing."""


class TierSchema(RequestModel):
    """From `first_unit` on, each unit at `rate`, plus `flat_fee`, capped at `flat_cap`."""

    first_unit: Annotated[WholeNumber, Field(ge=0, le=COUNT_MAX)]
    rate: NonNegativeDecimal
    flat_fee: NonNegativeDecimal | None = None
    flat_cap: NonNegativeDecimal | None = None


Tiers = Annotated[list[TierSchema], Field(min_length=1, max_length=LIST_MAX)]


class PerUnitModel(RequestModel):
    """Each unit at one rate."""

    type: Literal["PER_UNIT"]
    rate: NonNegativeDecimal


class TieredModel(RequestModel):
    """Each tier's units at that tier's rate."""

    type: Literal["TIERED"]
    tiers: Tiers
    block_size: UnitBlock = None


class VolumeModel(RequestModel):
    """All units at the rate of the tier that the total falls into."""

    type: Literal["VOLUME"]
    tiers: Tiers
    block_size: UnitBlock = None


class PackageModel(RequestModel):
    """Each started block at one rate."""

    type: Literal["PACKAGE"]
    block_size: Annotated[WholeNumber, Field(ge=1, le=COUNT_MAX)]
    rate: NonNegativeDecimal


class DimensionSchema(RequestModel):
    """One property of an event and the value it must have."""

    key: Name
    value: Name


class MatrixRowSchema(RequestModel):
    """The price of a unit whose one or two dimensions have these values."""

    dimension1: DimensionSchema
    dimension2: DimensionSchema | None = None
    per_unit_price: NonNegativeDecimal


class MatrixModel(RequestModel):
    """A price per combination of dimension values."""

    type: Literal["MATRIX"]
    rates: Annotated[list[MatrixRowSchema], Field(min_length=1, max_length=MATRIX_ROWS_MAX)]


UsageModelSchema = Annotated[
    PerUnitModel | TieredModel | VolumeModel | PackageModel | MatrixModel,
    Field(discriminator="type"),
]


def to_usage_model(schema: UsageModelSchema) -> UsageModel:
    """The model that was sent; raises `PricingFault` where it could not be computed."""
    match schema:
        case PerUnitModel():
            return PerUnit(rate=schema.rate)
        case TieredModel():
            return Tiered(tiers=_tiers(schema.tiers))
        case VolumeModel():
            return Volume(tiers=_tiers(schema.tiers))
        case PackageModel():
            return Package(block_size=schema.block_size, rate=schema.rate)
        case MatrixModel():
            return Matrix(rates=tuple(_row(row) for row in schema.rates))
    assert_never(schema)


def show_usage_model(model: UsageModel) -> UsageModelSchema:
    """A model as it is sent."""
    match model:
        case PerUnit():
            return PerUnitModel(type="PER_UNIT", rate=model.rate)
        case Tiered():
            return TieredModel(type="TIERED", tiers=_show_tiers(model.tiers))
        case Volume():
            return VolumeModel(type="VOLUME", tiers=_show_tiers(model.tiers))
        case Package():
            return PackageModel(type="PACKAGE", block_size=model.block_size, rate=model.rate)
        case Matrix():
            return MatrixModel(type="MATRIX", rates=[_show_row(row) for row in model.rates])
    assert_never(model)


def _tiers(schemas: list[TierSchema]) -> tuple[Tier, ...]:
    return tuple(
        Tier(
            first_unit=one.first_unit,
            rate=one.rate,
            flat_fee=one.flat_fee,
            flat_cap=one.flat_cap,
        )
        for one in schemas
    )


def _show_tiers(tiers: tuple[Tier, ...]) -> list[TierSchema]:
    return [
        TierSchema(
            first_unit=one.first_unit,
            rate=one.rate,
            flat_fee=one.flat_fee,
            flat_cap=one.flat_cap,
        )
        for one in tiers
    ]


def _row(schema: MatrixRowSchema) -> MatrixRow:
    return MatrixRow(
        dimension1=_dimension(schema.dimension1),
        dimension2=None if schema.dimension2 is None else _dimension(schema.dimension2),
        per_unit_price=schema.per_unit_price,
    )


def _show_row(row: MatrixRow) -> MatrixRowSchema:
    return MatrixRowSchema(
        dimension1=_show_dimension(row.dimension1),
        dimension2=None if row.dimension2 is None else _show_dimension(row.dimension2),
        per_unit_price=row.per_unit_price,
    )


def _dimension(schema: DimensionSchema) -> MatrixDimension:
    return MatrixDimension(key=schema.key, value=schema.value)


def _show_dimension(dimension: MatrixDimension) -> DimensionSchema:
    return DimensionSchema(key=dimension.key, value=dimension.value)
