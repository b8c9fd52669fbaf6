"""Usage that was priced, priced once more: what a stored line says must follow from itself."""

import math
from dataclasses import replace
from fractions import Fraction
from typing import assert_never

from tallystick.domain.money import rounded
from tallystick.domain.pricing import Tier, UsageModelType
from tallystick.domain.usage_pricing import UsageLine, UsagePart, summing_to, usage_part


def priced_again(line: UsageLine, currency: str) -> UsageLine:
    """The quantities of a line's parts at their rates once more: equal to a line that holds."""
    parts = [
        usage_part(
            part.quantity,
            part.rate,
            currency,
            tier=None
            if part.first_unit is None
            else Tier(
                first_unit=part.first_unit,
                rate=part.rate,
                flat_fee=part.flat_fee,
                flat_cap=part.flat_cap,
            ),
            next_unit=part.next_unit,
            dimensions=part.dimensions,
        )
        for part in line.parts
    ]
    amount = rounded(sum((part.exact for part in parts), Fraction(0)))
    return replace(line, amount=amount, parts=summing_to(amount, parts) if parts else ())


def quantities_follow(line: UsageLine) -> bool:
    """Whether what is paid for follows from what was used, by the line's model.

    A matrix that prices only a part of the usage has lines of nothing for the rest.
    """
    units = max(line.usage, Fraction(0))
    if not line.parts:
        return line.amount == 0
    match line.model:
        case None:
            return line.allowance is not None and line.quantity == line.usage - line.allowance
        case UsageModelType.PER_UNIT:
            return line.quantity == units
        case UsageModelType.PACKAGE:
            size = line.block_size
            return size is not None and line.quantity == math.ceil(Fraction(units, size))
        case UsageModelType.VOLUME:
            (part,) = line.parts
            return line.quantity == units and _reaches(part, units)
        case UsageModelType.TIERED:
            return line.quantity == units and all(_fills(one, units) for one in line.parts)
        case UsageModelType.MATRIX:
            return line.quantity >= line.usage
    assert_never(line.model)


def _reaches(part: UsagePart, units: Fraction) -> bool:
    first, following = part.first_unit, part.next_unit
    return first is not None and first <= units and (following is None or units < following)


def _fills(part: UsagePart, units: Fraction) -> bool:
    if part.first_unit is None:
        return False
    end = units if part.next_unit is None else min(units, Fraction(part.next_unit))
    return part.quantity == end - part.first_unit
