"""What is left of a period on the day of a change, and what an advance fee costs for it.

The same for changes of the plan and amendments (reference rules of money and time, section 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from tallystick.domain.charges import (
    Charge,
    Item,
    charge_in_part,
    days_of_price,
    is_in_advance,
)
from tallystick.domain.contract import Contract
from tallystick.domain.money import rounded_ratio
from tallystick.domain.periods import Period, full_period, index_containing, period
from tallystick.domain.tax import TaxDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """How the current days of an item were billed: what its lines came to and their share of
    the discount, as quoted, what credit notes took back of them, and the tax of the last one.

    Nothing at all where the lines are void. `units` are the slots that were billed; `adds` says
    that they came to others later, on an invoice of their own.
    """

    decision: TaxDecision
    quoted_amount: int = 0
    quoted_discount: int = 0
    credited: int = 0
    units: int = 1
    adds: bool = False

    def with_line(
        self,
        quoted: int,
        discount: int,
        credited: int,
        decision: TaxDecision,
        units: int = 1,
    ) -> "Billed":
        """With an older line beside those that are known, or the first one."""
        is_first = not self.quoted_amount
        return Billed(
            decision=decision if is_first else self.decision,
            quoted_amount=self.quoted_amount + quoted,
            quoted_discount=self.quoted_discount + discount,
            credited=self.credited + credited,
            units=units if is_first else self.units,
            adds=self.adds,
        )

    def with_alike(self, other: "Billed") -> "Billed | None":
        """With others that bore the same tax and the same part of a discount, None where they
        did not, or where nothing is left of either but a part.
        """
        mine = self.quoted_discount * other.quoted_amount
        is_like = (
            self.decision == other.decision
            and mine == other.quoted_discount * self.quoted_amount
            and min(self.quoted_amount, other.quoted_amount) > 0
            and self.credited == other.credited == 0
        )
        if not is_like:
            return None
        return Billed(
            decision=self.decision,
            quoted_amount=self.quoted_amount + other.quoted_amount,
            quoted_discount=self.quoted_discount + other.quoted_discount,
            units=self.units + other.units,
            adds=self.adds and other.adds,
        )

    def to_give_back(self, amount: int) -> int:
        """What of an amount was left to be paid, discounted as it was billed; no more than
        what credit notes have left of that.
        """
        if self.quoted_amount <= 0:
            return 0
        paid = self.quoted_amount - self.quoted_discount
        return min(rounded_ratio(amount * paid, self.quoted_amount), paid - self.credited)


@dataclass(frozen=True, slots=True)
class Rest:
    """The days of an advance fee that are left, and those that its price is for."""

    span: Period
    days: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Credit:
    """What is given back of an item, or a part of it, and what the days would cost in full."""

    given: Charge
    full: int


def named(one: Charge, what: str) -> Charge:
    """A charge whose name says what it is."""
    return replace(one, name=f"{one.name} ({what})")


def credits_of(
    contract: Contract, item: Item, day: date, lines: Sequence[Billed]
) -> list[Credit]:
    """What was paid in advance of an item for the days left, discounted and taxed as it was.

    In full where it was never billed here: it was imported. More than one where slots that
    came later were billed otherwise than those that were there.
    """
    rest = rest_of_old(contract, item, day)
    if rest is None:
        return []
    found = []
    for part, known in _as_billed(item, lines, day):
        full = charge_in_part(part, rest.span, rest.days, contract.currency)
        amount = full.amount if known is None else known.to_give_back(full.amount)
        decided = None if known is None else known.decision
        given = named(replace(full, amount=-amount, decided=decided), "credit")
        found.append(Credit(given, full.amount))
    return found


def _as_billed(
    item: Item, lines: Sequence[Billed], day: date
) -> list[tuple[Item, Billed | None]]:
    """An item in the parts in which it was billed: what came later may have been otherwise.

    What has no line of its own was billed elsewhere; slots that were paid late were not billed
    for these days.
    """
    if item.slots is None:
        return [(item, lines[0] if lines else None)]
    parts: list[tuple[int, Billed | None]] = []
    if all(one.adds for one in lines):
        others = item.slots_on(day) - sum(one.units for one in lines)
        parts.append((min(item.slots, others), None))
    for one in lines:
        for place, (_, known) in enumerate(parts):
            both = None if known is None else known.with_alike(one)
            if both is not None:
                parts[place] = (both.units, both)
                break
        else:
            parts.append((one.units, one))
    return [
        (replace(item, slots=units, slot_changes=()), known)
        for units, known in parts
        if units > 0
    ]


def rest_of_old(contract: Contract, item: Item, day: date) -> Rest | None:
    """What is left of what was billed of an item, None where nothing was billed in advance."""
    if not is_in_advance(item):
        return None
    start, joined = contract.billing_start, item.billed_from
    if joined is not None:
        start = joined
    # Where it joined in this very period, it was charged up to its first regular one.
    index = (
        -1
        if joined is not None and day < joined
        else index_containing(start, contract.anchor, item.cadence, day)
    )
    end = start
    if index >= 0:
        own = period(start, contract.anchor, item.cadence, index, contract.end)
        if own is None:
            return None
        end = own.billed.end
    assert contract.period_end is not None, "it is billed"
    if end <= contract.period_end:
        return _rest_of_current(contract, item, day, end)
    # Paid for longer than the subscription's period: by the days of its own.
    full = full_period(start, contract.anchor, item.cadence, index)
    return _rest(day, end, full.days)


def rest_of_new(contract: Contract, old: Item | None, item: Item, day: date) -> Rest | None:
    """The days for which an item that joins is charged: those that were paid of the old one.

    Where it replaces none of its rhythm, up to the end of the current period.
    """
    if not is_in_advance(item):
        return None
    if old is not None and old.cadence is item.cadence:
        rest = rest_of_old(contract, old, day)
        if rest is not None:
            return rest
    assert contract.period_end is not None, "it is billed"
    return _rest_of_current(contract, item, day, contract.period_end)


def _rest_of_current(contract: Contract, item: Item, day: date, end: date) -> Rest | None:
    """By the days that the price is for in the current period."""
    start = contract.billing_start if contract.counted_from is None else contract.counted_from
    index = index_containing(start, contract.anchor, contract.cadence, contract.period_start)
    current = period(start, contract.anchor, contract.cadence, index, contract.end)
    assert current is not None, "it has begun"
    return _rest(day, end, days_of_price(item, current))


def _rest(day: date, end: date, full: int) -> Rest | None:
    if day >= end:
        return None
    span = Period(day, end)
    return Rest(span, (min(span.days, full), full))
