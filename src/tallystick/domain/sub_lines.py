"""What stands below a line of usage: its tiers, the rows of its matrix, or its overage.

They sum to the line's amount, whatever was billed of it before, and with the tax taken out
where the prices include it (reference rules of money and time, section 2).
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tallystick.domain.billing_entries import InvoiceLineEntry
from tallystick.domain.invoice import average, shown_quantity
from tallystick.domain.money import rounded_ratio
from tallystick.domain.pricing import UsageModelType
from tallystick.domain.usage_pricing import UsageLine, UsagePart

_IN_PARTS = {UsageModelType.TIERED, UsageModelType.VOLUME, UsageModelType.MATRIX, None}
"""What is priced in parts; None is a capacity's overage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubLine:
    """A part of a line; `total` in minor units, before discount and tax.

    `unit_price` is net, in major units: the rate, or the average where the rate includes tax.
    `part` is what it stands for; None takes off what was billed before.
    """

    name: str
    quantity: Decimal
    unit_price: Decimal
    total: int
    part: UsagePart | None = None


def sub_lines(line: InvoiceLineEntry, currency: str) -> tuple[SubLine, ...]:
    """The parts of a line, none where it is one by itself; they sum to its amount."""
    usage = line.usage
    if usage is None or usage.model not in _IN_PARTS or not usage.parts:
        return ()
    before = 0 if line.before is None else line.before.amount
    inclusive = line.quoted_unit_price is not None
    totals = [part.amount for part in usage.parts]
    quoted = sum(totals) - before
    if inclusive and quoted != 0:
        sign = 1 if quoted > 0 else -1
        totals = [rounded_ratio(sign * one * line.amount, abs(quoted)) for one in totals]
    rest = line.amount - sum(totals)
    if line.before is None and rest != 0:
        largest = max(range(len(totals)), key=totals.__getitem__)
        totals[largest] += rest
    found = [
        SubLine(
            name=_name(usage, part),
            quantity=shown_quantity(part.quantity),
            unit_price=average(total, part.quantity, currency) if inclusive else part.rate,
            total=total,
            part=part,
        )
        for part, total in zip(usage.parts, totals, strict=True)
    ]
    if line.before is not None:
        quantity = -line.before.quantity
        found.append(
            SubLine(
                name="Billed before",
                quantity=quantity,
                unit_price=average(rest, Fraction(quantity), currency),
                total=rest,
            )
        )
    assert sum(one.total for one in found) == line.amount, "sub lines sum to their line"
    return tuple(found)


def _name(usage: UsageLine, part: UsagePart) -> str:
    if usage.model is None:
        return "Overage"
    if part.dimensions:
        return ", ".join(f"{one.key} {one.value}" for one in part.dimensions)
    if part.next_unit is None:
        return f"{part.first_unit}+ tier"
    return f"{part.first_unit}-{part.next_unit} tier"
