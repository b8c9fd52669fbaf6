"""Raw units become the units that are priced."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.metrics import (
    Dimension,
    DoubleSegmentation,
    LinkedSegmentation,
    MetricDefinition,
    Segmentation,
    SingleSegmentation,
    UnitConversion,
    UnitRounding,
    converted,
    segmentation_keys,
)


@pytest.mark.parametrize(
    ("rounding", "units"),
    [
        (UnitRounding.NONE, "1.25"),
        (UnitRounding.UP, 2),
        (UnitRounding.DOWN, 1),
        (UnitRounding.NEAREST, 1),
        (UnitRounding.NEAREST_HALF, "1.5"),
        (UnitRounding.NEAREST_DECILE, "1.3"),
    ],
)
def test_conversion_is_rounded_as_it_says(rounding: UnitRounding, units: str | int) -> None:
    """1280 bytes in units of 1024 are 1.25; halves, also of a half and a tenth, go up."""
    conversion = UnitConversion(factor=1024, rounding=rounding)
    assert converted(Fraction(1280), conversion) == Fraction(units)


@pytest.mark.parametrize(
    ("rounding", "units"),
    [
        (UnitRounding.UP, -1),
        (UnitRounding.DOWN, -2),
        (UnitRounding.NEAREST, -2),
        (UnitRounding.NEAREST_HALF, "-1.5"),
    ],
)
def test_conversion_below_zero(rounding: UnitRounding, units: str | int) -> None:
    """-1.5: up is towards more, down towards less, the nearest away from zero."""
    conversion = UnitConversion(factor=2, rounding=rounding)
    assert converted(Fraction(-3), conversion) == Fraction(units)


def test_no_conversion_changes_nothing() -> None:
    """A third stays a third."""
    assert converted(Fraction(1, 3), None) == Fraction(1, 3)


@given(
    st.fractions(min_value=-(10**12), max_value=10**12),
    st.integers(1, 10**9),
    st.sampled_from(UnitRounding),
)
def test_conversion_stays_near(raw: Fraction, factor: int, rounding: UnitRounding) -> None:
    """A rounding moves less than a unit, and twice is the same as once."""
    units = converted(raw, UnitConversion(factor=factor, rounding=rounding))
    assert abs(units - raw / factor) < 1
    assert converted(units, UnitConversion(factor=1, rounding=rounding)) == units


@pytest.mark.parametrize(
    ("segmentation", "keys"),
    [
        (None, ()),
        (SingleSegmentation(key="region", values=("eu",)), ("region",)),
        (
            DoubleSegmentation(
                dimension1=Dimension(key="region", values=("eu",)),
                dimension2=Dimension(key="size", values=("s",)),
            ),
            ("region", "size"),
        ),
        (
            LinkedSegmentation(
                dimension1_key="cloud", dimension2_key="region", values={"a": ("eu",)}
            ),
            ("cloud", "region"),
        ),
    ],
)
def test_segmentation_names_its_properties(
    segmentation: Segmentation | None, keys: tuple[str, ...]
) -> None:
    """One property, two, or none."""
    assert segmentation_keys(MetricDefinition(segmentation=segmentation)) == keys
