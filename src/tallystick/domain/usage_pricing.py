"""What metered usage costs: from exact quantities to a line's amount, and how it came about.

Usage is billed in arrears for a window of days and is never prorated. A line is rounded once,
from the exact sum of its parts; the parts that are shown below it always sum to it. A quantity
may be fractional; one below zero (corrections that outweigh the usage) costs nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import zip_longest
from typing import assert_never

from tallystick.domain.money import exponent, rounded
from tallystick.domain.pricing import (
    CapacityPricing,
    Matrix,
    MatrixDimension,
    MatrixRow,
    Package,
    PerUnit,
    Tier,
    Tiered,
    UsageModelType,
    UsagePricing,
    Volume,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One part of a metric's usage in one window, in converted units.

    `group` is the value of the metric's group key: each group is priced on its own. None where
    the metric has no such key, or for events without it. `dimensions` are the values that a
    matrix prices apart; a property that an event lacks is left out.
    """

    quantity: Fraction
    group: str | None = None
    dimensions: tuple[MatrixDimension, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePart:
    """A part of a line at one rate: a tier, a row of a matrix, or the whole line.

    exact = min(quantity x rate + flat_fee, flat_cap), in minor units before rounding. `rate`,
    `flat_fee` and `flat_cap` are in major units. `quantity` counts units, or blocks of a
    package. `amount` is in minor units; the amounts of a line's parts sum to the line. A tier
    holds the units from `first_unit` up to, and without, `next_unit`.
    """

    quantity: Fraction
    rate: Decimal
    exact: Fraction
    amount: int
    flat_fee: Decimal | None = None
    flat_cap: Decimal | None = None
    first_unit: int | None = None
    next_unit: int | None = None
    dimensions: tuple[MatrixDimension, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLine:
    """What the usage of one window, or of one group in it, costs, before discount and tax.

    Attributes:
        model: How it was priced; None for a capacity's overage.
        usage: What was metered, whether it costs something or not.
        amount: In minor units: the parts' exact amounts, summed and rounded once.
        parts: How it came about, in the order of the price's tiers or rows.
        group: The value of the metric's group key.
        block_size: Units in a block of a package.
        allowance: Units that a capacity includes, over all its instances.
    """

    model: UsageModelType | None
    usage: Fraction
    amount: int
    parts: tuple[UsagePart, ...]
    group: str | None = None
    block_size: int | None = None
    allowance: int | None = None

    @property
    def exact(self) -> Fraction:
        """The amount in minor units before the one rounding."""
        return sum((part.exact for part in self.parts), Fraction(0))

    @property
    def quantity(self) -> Fraction:
        """What is paid for: units, or blocks of a package."""
        return sum((part.quantity for part in self.parts), Fraction(0))

    @property
    def unit_price(self) -> Decimal | None:
        """The one rate of the whole line in major units, or None where there are several."""
        rates = {part.rate for part in self.parts}
        flat = any(part.flat_fee or part.flat_cap is not None for part in self.parts)
        return rates.pop() if len(rates) == 1 and not flat else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedUsage:
    """The lines of one price's usage, and the usage that the price says nothing about.

    `unpriced` holds what no row of a matrix fits: it must be told to the merchant, because it
    was used and is not billed.
    """

    lines: tuple[UsageLine, ...]
    unpriced: tuple[Measured, ...] = ()


def dimension_keys(pricing: UsagePricing | CapacityPricing) -> tuple[str, ...]:
    """The properties by which usage must be told apart before it can be priced.

    Only a matrix needs any; other models price the whole, which for a maximum or for distinct
    values is not the sum of its segments.
    """
    if not isinstance(pricing, UsagePricing) or not isinstance(pricing.model, Matrix):
        return ()
    keys = [one.key for row in pricing.model.rates for one in _dimensions(row)]
    return tuple(dict.fromkeys(keys))


def price_metered(
    pricing: UsagePricing | CapacityPricing,
    usage: Sequence[Measured],
    currency: str,
    *,
    instances: int = 1,
) -> PricedUsage:
    """What a window's usage costs at any price that counts it, a capacity's overage included.

    Args:
        pricing: The price.
        usage: As it was metered for this price (`metering.metering_for`).
        currency: Of the price.
        instances: How often a capacity was bought; metered usage is not multiplied by it.
    """
    if isinstance(pricing, UsagePricing):
        return price_usage(pricing, usage, currency)
    total = sum((one.quantity for one in usage), Fraction(0))
    line = price_overage(pricing, total, instances, currency)
    return PricedUsage(lines=() if line is None else (line,))


def price_usage(pricing: UsagePricing, usage: Sequence[Measured], currency: str) -> PricedUsage:
    """What the usage of one window costs: a line for each group, in the order given.

    Args:
        pricing: The price.
        usage: One entry for each group; for a matrix, one for each combination of values in
            each group (`dimension_keys` says of which properties).
        currency: Of the price.
    """
    groups: dict[str | None, list[Measured]] = {}
    for one in usage:
        groups.setdefault(one.group, []).append(one)
    lines, unpriced = [], []
    for group, measured in groups.items():
        if isinstance(pricing.model, Matrix):
            line, left = _by_matrix(pricing.model, measured, group, currency)
            unpriced += left
            if not line.parts and left:
                continue
        else:
            (whole,) = measured
            line = _by_model(pricing.model, whole, currency)
        lines.append(line)
    return PricedUsage(lines=tuple(lines), unpriced=tuple(unpriced))


def price_overage(
    pricing: CapacityPricing, usage: Fraction, instances: int, currency: str
) -> UsageLine | None:
    """What the usage beyond the allowance of all instances costs, or None without any."""
    assert instances >= 1, "what is not there includes nothing"
    allowance = pricing.included * instances
    over = usage - allowance
    if over <= 0:
        return None
    part = usage_part(over, pricing.overage_rate, currency)
    return UsageLine(
        model=None, usage=usage, amount=part.amount, parts=(part,), allowance=allowance
    )


def _by_model(
    model: PerUnit | Tiered | Volume | Package, whole: Measured, currency: str
) -> UsageLine:
    units = max(whole.quantity, Fraction(0))
    block_size: int | None = None
    match model:
        case PerUnit(rate=rate):
            parts = [usage_part(units, rate, currency)]
        case Tiered(tiers=tiers):
            parts = _by_tier(tiers, units, currency)
        case Volume(tiers=tiers):
            parts = [_at_volume(tiers, units, currency)]
        case Package(block_size=size, rate=rate):
            block_size = size
            blocks = Fraction(math.ceil(Fraction(units, size)))
            parts = [usage_part(blocks, rate, currency)]
        case _:
            assert_never(model)
    return _line(model.type, whole.quantity, parts, whole.group, block_size)


def _by_tier(tiers: tuple[Tier, ...], units: Fraction, currency: str) -> list[UsagePart]:
    """Each used tier's units; a tier that no unit reaches owes no flat fee either."""
    parts = []
    for tier, following in zip_longest(tiers, tiers[1:]):
        end = units if following is None else min(units, Fraction(following.first_unit))
        if end > tier.first_unit:
            parts.append(_in_tier(tier, following, end - tier.first_unit, currency))
    return parts


def _at_volume(tiers: tuple[Tier, ...], units: Fraction, currency: str) -> UsagePart:
    """All units in the tier that the total falls into: the first one where there are none."""
    index = max(i for i, tier in enumerate(tiers) if tier.first_unit <= units)
    following = tiers[index + 1] if index + 1 < len(tiers) else None
    return _in_tier(tiers[index], following, units, currency)


def _by_matrix(
    matrix: Matrix, measured: list[Measured], group: str | None, currency: str
) -> tuple[UsageLine, list[Measured]]:
    """A part for each row that was used, and what no row fits."""
    units: dict[int, Fraction] = {}
    left = []
    for one in measured:
        index = _row_of(matrix, one)
        if index is None:
            left.append(one)
        else:
            units[index] = units.get(index, Fraction(0)) + one.quantity
    parts = []
    for index in sorted(units):
        row = matrix.rates[index]
        billed = max(units[index], Fraction(0))
        part = usage_part(billed, row.per_unit_price, currency, dimensions=_dimensions(row))
        parts.append(part)
    total = sum(units.values(), Fraction(0))
    return _line(matrix.type, total, parts, group), left


def _row_of(matrix: Matrix, one: Measured) -> int | None:
    """The row that prices a combination of values: the one that names most of them."""
    found = set(one.dimensions)
    fitting = [
        (-len(wanted), index)
        for index, row in enumerate(matrix.rates)
        if found.issuperset(wanted := _dimensions(row))
    ]
    return min(fitting)[1] if fitting else None


def _dimensions(row: MatrixRow) -> tuple[MatrixDimension, ...]:
    return (row.dimension1, row.dimension2) if row.dimension2 else (row.dimension1,)


def _in_tier(tier: Tier, following: Tier | None, units: Fraction, currency: str) -> UsagePart:
    return usage_part(
        units,
        tier.rate,
        currency,
        tier=tier,
        next_unit=None if following is None else following.first_unit,
    )


def usage_part(
    units: Fraction,
    rate: Decimal,
    currency: str,
    *,
    tier: Tier | None = None,
    next_unit: int | None = None,
    dimensions: tuple[MatrixDimension, ...] = (),
) -> UsagePart:
    """Units at one rate, rounded as if they stood alone."""
    major = units * Fraction(rate)
    fee = cap = first = None
    if tier is not None:
        fee, cap, first = tier.flat_fee, tier.flat_cap, tier.first_unit
    if fee is not None:
        major += Fraction(fee)
    if cap is not None:
        major = min(major, Fraction(cap))
    exact = major * 10 ** exponent(currency)
    return UsagePart(
        quantity=units,
        rate=rate,
        exact=exact,
        amount=rounded(exact),
        flat_fee=fee,
        flat_cap=cap,
        first_unit=first,
        next_unit=next_unit,
        dimensions=dimensions,
    )


def _line(
    model: UsageModelType,
    usage: Fraction,
    parts: list[UsagePart],
    group: str | None,
    block_size: int | None = None,
) -> UsageLine:
    amount = rounded(sum((part.exact for part in parts), Fraction(0)))
    return UsageLine(
        model=model,
        usage=usage,
        amount=amount,
        parts=summing_to(amount, parts),
        group=group,
        block_size=block_size,
    )


def summing_to(amount: int, parts: list[UsagePart]) -> tuple[UsagePart, ...]:
    """The parts with their difference to the line in the largest; of equals, the first."""
    difference = amount - sum(part.amount for part in parts)
    if difference == 0:
        return tuple(parts)
    largest = max(range(len(parts)), key=lambda index: parts[index].exact)
    part = parts[largest]
    parts[largest] = replace(part, amount=part.amount + difference)
    return tuple(parts)
