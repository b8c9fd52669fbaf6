"""What metered usage costs."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tallystick.db.codec import Codec
from tallystick.domain.pricing import (
    CapacityPricing,
    Matrix,
    MatrixDimension,
    MatrixRow,
    Package,
    PerUnit,
    Tier,
    Tiered,
    UsageModel,
    UsagePricing,
    Volume,
)
from tallystick.domain.usage_pricing import (
    Measured,
    PricedUsage,
    UsageLine,
    dimension_keys,
    price_metered,
    price_overage,
    price_usage,
)
from tests.cases.golden import case

GOLDEN = ["USG-01", "USG-03", "USG-04", "USG-06"]


def _tier(first_unit: int, rate: str, fee: str | None = None, cap: str | None = None) -> Tier:
    return Tier(
        first_unit=first_unit,
        rate=Decimal(rate),
        flat_fee=None if fee is None else Decimal(fee),
        flat_cap=None if cap is None else Decimal(cap),
    )


def _row(price: str, **values: str) -> MatrixRow:
    first, *second = (MatrixDimension(key=k, value=v) for k, v in values.items())
    return MatrixRow(
        dimension1=first,
        dimension2=second[0] if second else None,
        per_unit_price=Decimal(price),
    )


def _measured(quantity: str | int, group: str | None = None, **values: str) -> Measured:
    dimensions = tuple(MatrixDimension(key=k, value=v) for k, v in values.items())
    return Measured(quantity=Fraction(quantity), group=group, dimensions=dimensions)


def _priced(model: UsageModel, *usage: Measured, currency: str = "EUR") -> PricedUsage:
    return price_usage(UsagePricing(model=model), usage, currency)


def _line(model: UsageModel, quantity: str | int, currency: str = "EUR") -> UsageLine:
    priced = _priced(model, _measured(quantity), currency=currency)
    assert priced.unpriced == ()
    (line,) = priced.lines
    return line


def _shown(line: UsageLine) -> list[tuple[Fraction, int]]:
    return [(part.quantity, part.amount) for part in line.parts]


def _golden_model(given_: dict[str, Any]) -> UsageModel:
    if given_["model"] == "package":
        return Package(block_size=given_["block_size"], rate=Decimal(given_["block_price"]))
    tiers = tuple(
        _tier(one["first_unit"], one["unit_price"], one.get("flat_fee"), one.get("flat_cap"))
        for one in given_["tiers"]
    )
    return Tiered(tiers=tiers) if given_["model"] == "tiered" else Volume(tiers=tiers)


@pytest.mark.parametrize("case_id", GOLDEN)
def test_golden_usage(case_id: str) -> None:
    """The amount of the line, its parts and its packages are the case's."""
    golden = case(case_id)
    given_ = golden["input"]
    line = _line(_golden_model(given_), given_["usage"], given_["currency"])
    assert line.amount == golden["expected"]["amount"]
    derived = golden.get("derived", {})
    if "sublines" in derived:
        shown = [(Fraction(one["quantity"]), one["amount"]) for one in derived["sublines"]]
        assert _shown(line) == shown
        assert line.quantity == Fraction(derived["line"]["quantity"])
        assert line.unit_price is derived["line"]["unit_price"]
    if "packages" in derived:
        assert line.quantity == derived["packages"]


@pytest.mark.parametrize(
    ("currency", "quantity", "amount"),
    [
        # 12.5 x 0.10 = 1.25; yen have no decimals, dinars have three.
        ("EUR", "12.5", 125),
        ("JPY", "12.5", 1),
        ("KWD", "12.5", 1250),
        # Halves away from zero, once: 0.15 x 0.10 = 0.015.
        ("EUR", "0.15", 2),
        ("EUR", "1/3", 3),
        ("EUR", 0, 0),
    ],
)
def test_each_unit_at_one_rate(currency: str, quantity: str | int, amount: int) -> None:
    """Usage times rate is rounded once, in the currency's own decimals."""
    line = _line(PerUnit(rate=Decimal("0.10")), quantity, currency)
    assert (line.amount, line.unit_price) == (amount, Decimal("0.10"))
    assert line.quantity == line.usage == Fraction(quantity)


def test_a_rate_below_the_cent_is_not_free() -> None:
    """A thousand calls at 0.004 are 4.00, and one call is nothing."""
    calls = PerUnit(rate=Decimal("0.004"))
    assert _line(calls, 1000).amount == 400
    assert _line(calls, 1).amount == 0


def test_each_tier_at_its_own_rate() -> None:
    """Tier by tier: 100 x 0.10 + 5, 900 x 0.05 capped at 40, half a unit at 0.01."""
    tiers = (_tier(0, "0.10", "5"), _tier(100, "0.05", cap="40"), _tier(1000, "0.01"))
    line = _line(Tiered(tiers=tiers), "1000.5")
    # 15.00 + 40.00 + 0.005 = 55.005, rounded to 55.01.
    assert line.amount == 5501
    assert _shown(line) == [(100, 1500), (900, 4000), (Fraction(1, 2), 1)]
    assert [(part.first_unit, part.next_unit) for part in line.parts] == [
        (0, 100),
        (100, 1000),
        (1000, None),
    ]
    assert line.unit_price is None


@pytest.mark.parametrize(
    ("usage", "amount", "used"), [(0, 0, 0), (99, 1190, 1), (100, 1200, 1), ("100.1", 1901, 2)]
)
def test_an_unused_tier_owes_nothing(usage: str | int, amount: int, used: int) -> None:
    """A flat fee is owed by the tier that a unit, or a part of one, has reached."""
    line = _line(Tiered(tiers=(_tier(0, "0.10", "2"), _tier(100, "0.10", "7"))), usage)
    assert (line.amount, len(line.parts)) == (amount, used)


def test_parts_sum_to_the_line() -> None:
    """Three tiers of 0.005 each are 0.015: the line says 0.02, the first part takes 0."""
    tiers = tuple(_tier(first, "0.005") for first in range(3))
    line = _line(Tiered(tiers=tiers), 3)
    # Alone, each part would be rounded to 0.01; the difference of -0.01 goes to the first.
    assert line.amount == 2
    assert [part.amount for part in line.parts] == [0, 1, 1]
    assert [part.exact for part in line.parts] == [Fraction(1, 2)] * 3


def test_the_largest_part_takes_the_difference() -> None:
    """0.004 + 0.104 + 0.004 is 0.112: 0.11, although the parts alone are 0 + 0.10 + 0."""
    tiers = (_tier(0, "0.004"), _tier(1, "0.104"), _tier(2, "0.004"))
    assert [part.amount for part in _line(Tiered(tiers=tiers), 3).parts] == [0, 11, 0]


@pytest.mark.parametrize(
    ("usage", "amount"),
    [
        (0, 300),  # nothing used falls into the first tier, and owes its flat fee
        (99, 10200),  # 99 x 1.00 + 3.00
        ("99.5", 10250),  # between 99 and 100 is the first tier still
        (100, 5000),  # 100 x 0.50
        ("199.99", 10000),  # 99.995, rounded
        (200, 4500),  # 200 x 0.25 = 50.00, capped
    ],
)
def test_all_units_at_the_rate_of_the_total(usage: str | int, amount: int) -> None:
    """The tier that the total falls into prices every unit, fractions included."""
    tiers = (_tier(0, "1.00", "3"), _tier(100, "0.50"), _tier(200, "0.25", cap="45"))
    line = _line(Volume(tiers=tiers), usage)
    assert line.amount == amount
    assert len(line.parts) == 1


@pytest.mark.parametrize(
    ("usage", "blocks"), [(0, 0), ("0.001", 1), (20, 1), ("20.5", 2), (40, 2), (41, 3)]
)
def test_each_started_block(usage: str | int, blocks: int) -> None:
    """A block that was begun is paid in full; no usage begins none."""
    line = _line(Package(block_size=20, rate=Decimal(5)), usage)
    assert line.quantity == blocks
    assert (line.amount, line.block_size) == (500 * blocks, 20)


MATRIX = Matrix(
    rates=(
        _row("0.10", region="eu", size="big"),
        _row("0.02", region="eu"),
        _row("0.005", region="us"),
        _row("0.005", region="asia"),
    )
)


def test_a_price_per_combination_of_values() -> None:
    """The row that names most of the values prices them; equal rows are summed."""
    priced = _priced(
        MATRIX,
        _measured(3, region="us", size="big"),
        _measured("2.5", region="eu", size="big"),
        _measured(10, region="eu", size="small"),
        _measured(1, region="eu"),
    )
    (line,) = priced.lines
    assert priced.unpriced == ()
    # 2.5 x 0.10 + 11 x 0.02 + 3 x 0.005 = 0.25 + 0.22 + 0.015 = 0.485, rounded to 0.49.
    assert (line.amount, line.usage) == (49, Fraction("16.5"))
    assert _shown(line) == [(Fraction("2.5"), 25), (11, 22), (3, 2)]
    assert [one.value for one in line.parts[0].dimensions] == ["eu", "big"]
    assert line.unit_price is None


def test_usage_without_a_row_is_told() -> None:
    """What no row prices is not billed, and not passed over in silence either."""
    lost = [_measured(7, region="mars"), _measured(1), _measured(4, "b", region="mars")]
    priced = _priced(MATRIX, _measured(100, "a", region="us"), *lost)
    assert [(line.group, line.amount) for line in priced.lines] == [("a", 50)]
    assert priced.unpriced == tuple(lost)


def test_the_rounding_of_a_matrix_is_of_its_line() -> None:
    """Two rows of half a cent are one cent together, which the first of them shows."""
    priced = _priced(MATRIX, _measured(1, region="asia"), _measured(1, region="us"))
    assert [part.amount for part in priced.lines[0].parts] == [0, 1]
    assert priced.lines[0].amount == 1


def test_a_group_is_priced_on_its_own() -> None:
    """Two projects of 60 units each begin two packages of 100, not one and a half of them."""
    usage = [_measured(60, "alpha"), _measured(60, "beta"), _measured(5)]
    priced = _priced(Package(block_size=100, rate=Decimal(9)), *usage)
    assert [(line.group, line.amount) for line in priced.lines] == [
        ("alpha", 900),
        ("beta", 900),
        (None, 900),
    ]


def test_no_groups_make_no_lines() -> None:
    """Where nothing was metered in any group, there is no line."""
    assert _priced(PerUnit(rate=Decimal(1))) == PricedUsage(lines=())


@pytest.mark.parametrize(
    ("usage", "instances", "amount"),
    [
        (500, 1, None),
        ("499.9", 1, None),
        (501, 1, 0),  # 0.004, which alone is no cent, is a line all the same
        (600, 1, 40),
        ("625.5", 1, 50),  # 125.5 x 0.004 = 0.502
        (1000, 2, None),
        (1600, 3, 40),
        (-5, 1, None),
    ],
)
def test_overage(usage: str | int, instances: int, amount: int | None) -> None:
    """Units beyond the allowance of all instances cost; within it there is no line."""
    capacity = CapacityPricing(rate=Decimal(10), included=500, overage_rate=Decimal("0.004"))
    line = price_overage(capacity, Fraction(usage), instances, "EUR")
    assert (line and line.amount) == amount
    if line is not None:
        assert line.model is None
        assert line.allowance == 500 * instances
        assert line.quantity == Fraction(usage) - 500 * instances


@pytest.mark.parametrize(
    "model",
    [
        PerUnit(rate=Decimal(2)),
        Tiered(tiers=(_tier(0, "2"),)),
        Volume(tiers=(_tier(0, "2"),)),
        Package(block_size=3, rate=Decimal(2)),
    ],
    ids=lambda model: model.type,
)
def test_corrections_never_pay_out(model: UsageModel) -> None:
    """Usage below zero costs nothing, and is shown as it was metered."""
    line = _line(model, -3)
    assert line.amount == 0
    assert [line.usage, line.quantity] == [-3, 0]


def test_one_way_to_price_what_is_metered() -> None:
    """Metered usage and overage alike: a capacity bought twice includes twice as much."""
    capacity = CapacityPricing(rate=Decimal(10), included=500, overage_rate=Decimal("0.02"))
    usage = [_measured(1100)]
    assert [one.amount for one in price_metered(capacity, usage, "EUR").lines] == [1200]
    assert [one.amount for one in price_metered(capacity, usage, "EUR", instances=2).lines] == [
        200
    ]
    assert price_metered(capacity, usage, "EUR", instances=3).lines == ()
    calls = UsagePricing(model=PerUnit(rate=Decimal("0.02")))
    assert [one.amount for one in price_metered(calls, usage, "EUR", instances=2).lines] == [
        2200
    ]


def test_only_a_matrix_asks_for_dimensions() -> None:
    """Its rows name the properties; what is priced as a whole is metered as a whole."""
    assert dimension_keys(UsagePricing(model=MATRIX)) == ("region", "size")
    assert dimension_keys(UsagePricing(model=PerUnit(rate=Decimal(1)))) == ()
    capacity = CapacityPricing(rate=Decimal(1), included=1, overage_rate=Decimal(1))
    assert dimension_keys(capacity) == ()


def test_a_priced_line_can_be_kept() -> None:
    """A line survives being stored as JSON: the thirds of its usage included."""
    line = _priced(MATRIX, _measured("1/3", "a", region="us")).lines[0]
    codec: Codec[UsageLine] = Codec(UsageLine)
    assert codec.load(codec.dump(line)) == line
    assert line.parts[0].exact == Fraction(1, 6)
