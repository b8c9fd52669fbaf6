"""What is left of a period on the day of a change, and what an advance fee costs for it.

The same for changes of the plan and amendments (reference rules of money and time, section 5).
"""

from dataclasses import dataclass, replace
from datetime import date

from tallystick.domain.charges import Charge, Item, days_of_price, is_in_advance
from tallystick.domain.contract import Contract
from tallystick.domain.money import rounded_ratio
from tallystick.domain.periods import Period, full_period, index_containing, period
from tallystick.domain.tax import TaxDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """How the current days of an item were billed: what its lines came to and their share of
    the discount, as quoted, what credit notes took back of them, and the tax of the last one.

    Nothing at all where the lines are void.
    """

    decision: TaxDecision
    quoted_amount: int = 0
    quoted_discount: int = 0
    credited: int = 0

    def with_line(
        self, quoted: int, discount: int, credited: int, decision: TaxDecision
    ) -> "Billed":
        """With an older line beside those that are known, or the first one."""
        return Billed(
            decision=self.decision if self.quoted_amount else decision,
            quoted_amount=self.quoted_amount + quoted,
            quoted_discount=self.quoted_discount + discount,
            credited=self.credited + credited,
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


def named(one: Charge, what: str) -> Charge:
    """A charge whose name says what it is."""
    return replace(one, name=f"{one.name} ({what})")


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
    """By the days that the price is for in the current period, however short that is."""
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
