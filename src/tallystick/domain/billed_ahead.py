"""What threshold invoices have billed of a window of usage, and what is left of it to bill.

All usage of a window is priced as one, so that tiers go on and do not restart; what was billed
before its end is taken off. The lines of a window sum to what one invoice would have billed
(reference rules of money and time, section 6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from tallystick.domain.charges import Before, Charge
from tallystick.domain.metered import Meter, nothing_used
from tallystick.domain.pricing import UsageModelType


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What was billed of an item's window, or of a group in it, before the window's end.

    `amount` in minor units as quoted, `quantity` in the units of its lines.
    """

    item_id: UUID
    start: date
    group: str | None
    amount: int
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledAhead:
    """What was billed of a subscription before its period's end.

    `coupons` are what fixed coupons gave in this period, by redemption, in minor units.
    """

    usage: tuple[Ahead, ...] = ()
    coupons: Mapping[UUID, int] = field(default_factory=dict)


NOTHING_AHEAD = BilledAhead()


def left_to_bill(
    metered: Sequence[Charge], ahead: Sequence[Ahead], meters: Sequence[Meter]
) -> tuple[Charge, ...]:
    """What is left of the usage of these meters; a line with nothing left is none.

    Where usage costs less now than what was billed of it, a line takes the difference back.
    """
    windows = {(one.item.id, one.window.start): one for one in meters}
    before = {
        (one.item_id, one.start, one.group): one
        for one in ahead
        if (one.item_id, one.start) in windows
    }
    left = []
    for charge in metered:
        usage = charge.usage
        assert usage is not None, "it is metered"
        known = (
            before.pop((charge.item_id, charge.start, usage.group), None)
            if is_priced(charge)
            else None
        )
        left.append(charge if known is None else _less(charge, known))
    gone = [
        _less(nothing_used(windows[item_id, start], group), known)
        for (item_id, start, group), known in before.items()
    ]
    return tuple(one for one in (*left, *gone) if one.before is None or one.amount != 0)


def is_priced(charge: Charge) -> bool:
    """Whether it is a line of usage that has a price, not one that tells of usage without."""
    usage = charge.usage
    return usage is None or bool(usage.parts) or usage.model is not UsageModelType.MATRIX


def never_below_zero(charges: Sequence[Charge]) -> tuple[Charge, ...]:
    """Charges that sum to nothing at least: no more is taken back than is billed beside it."""
    missing = -sum(one.amount for one in charges)
    kept = []
    for charge in reversed(charges):
        held = min(max(missing, 0), max(-charge.amount, 0))
        missing -= held
        if held == 0:
            kept.append(charge)
        elif charge.amount + held != 0:
            kept.append(replace(charge, amount=charge.amount + held))
    return tuple(reversed(kept))


def _less(charge: Charge, known: Ahead) -> Charge:
    before = Before(amount=known.amount, quantity=known.quantity)
    return replace(charge, amount=charge.amount - known.amount, before=before)
