"""What a line's name does not say."""

from decimal import Decimal

import pytest

from tallystick.domain.charges import Computation
from tallystick.domain.line_description import describe
from tallystick.domain.pricing import FeeType


def computed(
    units: int = 1, instances: int = 1, days: int = 31, unit_name: str | None = None
) -> Computation:
    """A computation of March."""
    return Computation(
        fee=FeeType.SLOT,
        unit_price=Decimal(9),
        units=units,
        instances=instances,
        days=days,
        full_days=31,
        unit_name=unit_name,
    )


@pytest.mark.parametrize(
    ("computation", "said"),
    [
        (None, None),
        (computed(), None),
        (computed(units=5), None),
        (computed(units=5, unit_name="seat"), "per seat"),
        (computed(units=5, instances=2, unit_name="seat"), "2 times 5, per seat"),
        (computed(days=15), "15 of 31 days"),
        (computed(units=5, unit_name="seat", days=1), "per seat, 1 of 31 days"),
    ],
)
def test_a_line_is_described(computation: Computation | None, said: str | None) -> None:
    """Units and a part of a period are said; a plain line says nothing more."""
    assert describe(computation) == said
