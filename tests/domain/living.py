"""Random lives of a contract, and a clerk with a calendar who knows what they must bill.

A life takes the product's steps. The clerk walks day by day from the first billed day and
knows nothing of steps, of periods by number, or of what was billed before.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from tallystick.domain.cancellation import cancelled, reactivated
from tallystick.domain.charges import Charge, Item
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict
from tallystick.domain.life import Step, is_over, next_day, step
from tallystick.domain.metered import Meter, usage_charges
from tallystick.domain.money import exponent
from tallystick.domain.mrr import Movement
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.plan_change import changed_now
from tallystick.domain.pricing import (
    CapacityPricing,
    ExtraRecurringPricing,
    RatePricing,
    SlotPricing,
)
from tallystick.domain.renewal import Draft, RenewalFacts, adjustment_of, draft_of
from tallystick.domain.rest_of_period import Billed
from tests.domain.contracts import NOON
from tests.domain.samples import named
from tests.domain.windows import of
from tests.movements import movement

ONE_DAY = timedelta(days=1)


@dataclass(kw_only=True)
class Life:
    """A contract that lives, what it was billed, and what was used of each product by day."""

    contract: Contract
    facts: RenewalFacts
    today: date
    steps: list[Step] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    used: dict[UUID, Counter[date]] = field(default_factory=dict)
    ended_at_once: bool = False
    never_billed: set[UUID] = field(default_factory=set)

    def pass_days(self, days: int) -> None:
        """Time passes: whatever falls due is billed on its day."""
        self.today += timedelta(days=days)
        self.catch_up()

    def catch_up(self) -> None:
        """Take every step that is due today."""
        while (day := next_day(self.contract)) is not None and day <= self.today:
            taken = step(self.contract)
            self._bill(taken, draft_of(taken, self._metered(taken), self.facts, **self._new()))

    def use(self, units: int) -> None:
        """So many units of every product are used today."""
        for item in self.contract.items:
            self.used.setdefault(item.product_id, Counter())[self.today] += units

    def change_plan(self, *items: Item) -> None:
        """Change the plan today, to items of the same or of other products."""
        if is_over(self.contract):
            return
        fresh = tuple(
            replace(
                one,
                id=named(f"{one.name} {len(self.steps)}"),
                starts_on=None,
                ends_on=None,
                billed_from=None,
            )
            for one in items
        )
        wanted = TargetPlan(plan_id=named("other"), items=fresh)
        was_free = self.contract.in_free_trial
        taken = changed_now(self.contract, wanted, self.today, self._billed()).step
        if was_free:
            self.never_billed |= {one.id for one in taken.contract.items if one.ends_on}
            made = draft_of(taken, (), self.facts, **self._new())
        else:
            made = adjustment_of(taken, self.facts, **self._new())
        self._bill(taken, made)

    def cancel(self, ahead: int | None) -> None:
        """Cancel on a later day, or at the end of the period; take what falls due today."""
        if is_over(self.contract):
            return
        end, on = self.contract.end_date, None
        if ahead is not None:
            on = self.today + timedelta(days=ahead)
            on = on if end is None else min(on, end)
            self.ended_at_once = on == self.today
        self.contract = cancelled(self.contract, on, self.today)
        self.catch_up()

    def reactivate(self) -> None:
        """Take a scheduled cancellation back, where there is one."""
        try:
            self.contract = reactivated(self.contract, self.today)
        except Conflict:
            return

    @property
    def clerk(self) -> "Clerk":
        """Who bills the same life from a calendar."""
        return Clerk(
            contract=self.contract,
            today=self.today,
            ended_at_once=self.ended_at_once,
            never_billed=frozenset(self.never_billed),
        )

    @property
    def lived_until(self) -> date:
        """The first day that was not lived: tomorrow, or the day of the end."""
        return self.steps[-1].day if is_over(self.contract) else self.today + ONE_DAY

    def charges(self, *, changes: bool) -> list[Charge]:
        """What regular steps have billed, or what changes have."""
        return [
            one
            for taken in self.steps
            for one in taken.charges
            if one.name.endswith(("(credit)", "(prorated)")) is changes
        ]

    def _bill(self, taken: Step, made: Draft | None) -> None:
        self.steps.append(taken)
        self.contract = taken.contract
        last = self.movements[-1] if self.movements else None
        moved = movement(
            last, self.contract.mrr, day=taken.day, currency=self.contract.currency, at=NOON
        )
        if moved is not None:
            self.movements.append(moved)
        if made is None:
            return
        self.drafts.append(made)
        uses = {one.redemption_id for one in made.used}
        coupons = tuple(
            replace(one, applied_count=one.applied_count + (one.redemption_id in uses))
            for one in self.contract.coupons
        )
        self.contract = replace(self.contract, coupons=coupons)

    def _new(self) -> dict[str, Any]:
        return {"invoice_id": named(f"invoice {len(self.steps)}"), "now": NOON}

    def _metered(self, taken: Step) -> tuple[Charge, ...]:
        return tuple(one for meter in taken.meters for one in self._usage_of(meter))

    def _usage_of(self, meter: Meter) -> list[Charge]:
        by_day = self.used.get(meter.item.product_id, Counter())
        window = meter.window
        units = sum(n for day, n in by_day.items() if window.start <= day < window.end)
        return usage_charges(meter, [of(str(units))], self.contract.currency)

    def _billed(self) -> dict[UUID, list[Billed]]:
        """The last line that billed today of each item, as it is read back from invoices."""
        found = {}
        for draft in self.drafts:
            for line in draft.invoice.lines:
                known = line.explanation
                covers = line.start_date <= self.today < line.end_date
                if covers and known.quoted_amount > 0 and known.usage is None:
                    found[line.item_id] = [
                        Billed(
                            quoted_amount=known.quoted_amount,
                            quoted_discount=known.quoted_discount,
                            decision=known.decision,
                            units=known.computation.units,
                        )
                    ]
        return found


@dataclass(frozen=True, kw_only=True)
class Clerk:
    """Knows from a calendar alone what a contract must be billed for its fees.

    `ended_at_once`: it was cancelled on the day of its end, when that had been billed.
    `never_billed` are items that left in a free trial.
    """

    contract: Contract
    today: date
    ended_at_once: bool
    never_billed: frozenset[UUID]

    def ends(self, item: Item, first: date) -> tuple[date, list[date]]:
        """Where the full period began whose end is the first one, and every end.

        An end is an anchor's day; of a longer period each third, sixth or twelfth of them. The
        first one is the next anchor's day where that is still to come in the first month.
        """
        anchors, day = [], first + ONE_DAY
        while day <= self.today + timedelta(days=800):
            if self._is_anchor(day):
                anchors.append(day)
            day += ONE_DAY
        months = item.cadence.months
        comes = first.day < self._anchor_in(first)
        ends = anchors[0 if comes else months - 1 :: months]
        begin, left = ends[0], months
        while left:
            begin -= ONE_DAY
            left -= self._is_anchor(begin)
        return begin, ends

    def advance(self, item: Item) -> list[tuple[date, date, int]]:
        """Each period that was billed in advance: its days and its amount."""
        first = item.billed_from or self.contract.billing_start
        begin, ends = self.ends(item, first)
        found, start = [], first
        for end in ends:
            if start > self.today or not self._lives(item, start):
                break
            cut = min(end, self.contract.end_date or end)
            share = Fraction((cut - start).days, (end - begin).days)
            if isinstance(item.pricing, CapacityPricing):
                share = Fraction(1)
            found.append((start, cut, to_minor(self._price(item) * share, self.contract)))
            start = begin = end
        return found

    def windows(self, item: Item) -> list[tuple[date, date, date, date]]:
        """Each window that has closed: the part in which the item was there, and the whole."""
        _, ends = self.ends(item, self.contract.billing_start)
        found, start = [], self.contract.billing_start
        for end in ends:
            last = self.contract.end
            closes = end if last is None else min(end, last)
            if closes > self.today or start >= closes:
                break
            begin = max(start, item.starts_on or start)
            left = min(closes, item.ends_on or closes)
            if begin < left:
                found.append((begin, left, start, closes))
            start = end
        return found

    def arrears(self, item: Item) -> list[tuple[date, date, int]]:
        """Each window that was billed when it had ended: its days and its amount."""
        return [
            (
                begin,
                left,
                to_minor(
                    self._price(item) * Fraction((left - begin).days, (end - start).days),
                    self.contract,
                ),
            )
            for begin, left, start, end in self.windows(item)
        ]

    def _price(self, item: Item) -> Fraction:
        match item.pricing:
            case RatePricing(rate=rate) | CapacityPricing(rate=rate):
                return Fraction(rate)
            case SlotPricing(unit_rate=rate):
                return Fraction(rate) * (item.slots or 0)
            case ExtraRecurringPricing(unit_price=rate, quantity=quantity):
                return Fraction(rate) * quantity
            case _:
                raise AssertionError("no fee by the period")

    def _lives(self, item: Item, day: date) -> bool:
        """Whether a period that begins on a day is billed: what ends on it later was there."""
        left, end = item.ends_on, self.contract.end
        if left is not None and (item.id in self.never_billed or left < day):
            return False
        return end is None or (day <= end if self.ended_at_once else day < end)

    def _is_anchor(self, day: date) -> bool:
        return day.day == self._anchor_in(day)

    def _anchor_in(self, day: date) -> int:
        """The anchor's day in the month of a day."""
        return min(self.contract.anchor, monthrange(day.year, day.month)[1])


def to_minor(amount: Fraction, contract: Contract) -> int:
    """The nearest whole number of minor units, a half away from zero; none is below zero."""
    scaled = amount * 10 ** exponent(contract.currency)
    whole, rest = divmod(scaled, 1)
    return int(whole) + int(rest >= Fraction(1, 2))


def covered(charges: Sequence[Charge], item_id: UUID) -> Counter[date]:
    """How often each day of an item was charged, less how often it was credited."""
    days: Counter[date] = Counter()
    for one in charges:
        if one.item_id == item_id and one.usage is None:
            day = one.start
            while day < one.end:
                days[day] += -1 if one.name.endswith("(credit)") else 1
                day += ONE_DAY
    return days


def monthly(items: Sequence[Item], contract: Contract) -> int:
    """What the items that are there come to in a month, by the prices on their labels."""
    total = Fraction(0)
    for item in items:
        if item.ends_on is None and not hasattr(item.pricing, "model"):
            label = next(
                Decimal(getattr(item.pricing, name))
                for name in ("rate", "unit_rate", "unit_price")
                if hasattr(item.pricing, name)
            )
            count = getattr(item.pricing, "quantity", 1) * (item.slots or 1)
            total += Fraction(label) * count / item.cadence.months
    return to_minor(total, contract)
