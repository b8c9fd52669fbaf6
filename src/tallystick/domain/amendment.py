"""Amending a running subscription: what joins, what changes, what leaves, and what that bills.

What joins is charged for the days that are left of the period, what changes by one line, new
less old; what leaves is credited against the lines that billed it. Period, anchor and rhythm
stay (reference rules of money and time, section 5).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from tallystick.domain.amended_items import Amendment
from tallystick.domain.at_period_end import without_anything_scheduled
from tallystick.domain.charges import (
    Charge,
    Item,
    Replaced,
    charge_in_part,
    charge_once,
    monthly_value,
)
from tallystick.domain.contract import Contract
from tallystick.domain.credit_removed import BillingLine, LineShare, shares_left
from tallystick.domain.errors import Conflict
from tallystick.domain.life import Step, StepKind
from tallystick.domain.new_components import joining, none_awaited, with_slots_of
from tallystick.domain.periods import end_of_cycles, shortest
from tallystick.domain.pricing import FeeType
from tallystick.domain.rest_of_period import (
    Billed,
    Credit,
    credits_of,
    named,
    rest_of_new,
    rest_of_old,
)
from tallystick.domain.tax import TaxDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """How the items of a contract were billed for a day.

    `billed` has what was billed of each, for its discount and its tax; `lines` are all of them
    that are not void, newest first. `decision_of` is the tax of a product today.
    """

    billed: Mapping[UUID, Sequence[Billed]]
    lines: Sequence[BillingLine]
    decision_of: Callable[[UUID], TaxDecision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """An amendment that took place: its step, the items as they left, joined and were renamed.

    `credits` are to be credited by notes against the lines that billed what was removed.
    """

    step: Step
    ended: tuple[Item, ...]
    joined: tuple[Item, ...]
    renamed: tuple[Item, ...]
    credits: tuple[LineShare, ...]


def may_be_amended(contract: Contract) -> None:
    """Raise `Conflict` where a contract cannot be amended as it stands."""
    if not contract.is_billed and not contract.in_free_trial:
        raise Conflict(f"A subscription that is {contract.status.value} cannot be amended")
    if contract.awaits_checkout:
        raise Conflict("This subscription waits for its checkout; amend it after that")


def amended_now(contract: Contract, amendment: Amendment, day: date, past: Past) -> Amended:
    """The amendment of a contract on a day of its current period, or of its free trial.

    A cancellation that is scheduled stays. In a free trial nothing is billed.

    Raises:
        Conflict: It has not begun, waits for a checkout, is over, or slots of what changes or
            leaves wait to be paid.
    """
    may_be_amended(contract)
    own = {item.id: item for item in contract.items}
    olds = [own[one.item_id] for one in amendment.changed]
    removed = [own[item_id] for item_id in amendment.removed]
    none_awaited([*olds, *removed])
    pairs = [
        (old, with_slots_of(old, one.to, day))
        for old, one in zip(olds, amendment.changed, strict=True)
    ]
    renamed = tuple(replace(own[one.item_id], name=one.name) for one in amendment.renamed)
    ended = tuple(replace(item, ends_on=day) for item in (*(old for old, _ in pairs), *removed))
    if contract.in_free_trial:
        joined = (*(to for _, to in pairs), *amendment.added)
        after = in_trial(_with(contract, (*ended, *renamed), joined), day)
        return Amended(
            step=_step(after, day, ()), ended=ended, joined=joined, renamed=renamed, credits=()
        )
    whole = without_anything_scheduled(contract)
    joined = (
        *(_joining(whole, old, to, day) for old, to in pairs),
        *(_joining(whole, None, item, day) for item in amendment.added),
    )
    changes = zip((old for old, _ in pairs), joined, strict=False)
    charges, notes = _left(whole, removed, day, past)
    charges += [one for old, to in changes for one in _changed(whole, old, to, day, past)]
    charges += [one for item in joined[len(pairs) :] for one in _added(whole, item, day)]
    after = _with(contract, (*ended, *renamed), joined)
    after = replace(after, mrr=monthly_value(after.items, after.currency, day))
    return Amended(
        step=_step(after, day, charges),
        ended=ended,
        joined=joined,
        renamed=renamed,
        credits=tuple(notes),
    )


def in_trial(contract: Contract, day: date) -> Contract:
    """A contract whose items changed on a day of its free trial, in the rhythm of its fees."""
    fees = [item.cadence for item in contract.recurring if item.ends_on is None]
    cadence, end_date = shortest(fees), contract.end_date
    if contract.billing_cycles is not None:
        end_date = end_of_cycles(
            contract.billing_start, contract.anchor, cadence, contract.billing_cycles
        )
    return replace(
        contract,
        cadence=cadence,
        end_date=end_date,
        mrr=monthly_value(contract.items, contract.currency, day),
    )


def _with(contract: Contract, touched: Sequence[Item], joined: Sequence[Item]) -> Contract:
    as_they_are = {item.id: item for item in touched}
    kept = tuple(as_they_are.get(item.id, item) for item in contract.items)
    return replace(contract, items=(*kept, *joined))


def _step(after: Contract, day: date, charges: Sequence[Charge]) -> Step:
    return Step(
        kind=StepKind.CHANGED,
        day=day,
        contract=after,
        charges=tuple(one for one in charges if one.amount),
        opens=None,
    )


def _joining(whole: Contract, old: Item | None, item: Item, day: date) -> Item:
    """An item as it joins: charged up to where its regular periods begin."""
    rest = rest_of_new(whole, old, item, day)
    begins = whole.period_end if rest is None else rest.span.end
    return joining(item, day, begins)


def _added(whole: Contract, item: Item, day: date) -> Iterator[Charge]:
    """What joining costs at once: a one-time fee in full, another by the days left."""
    if item.fee.type is FeeType.ONE_TIME:
        yield charge_once(item, day, whole.currency)
        return
    rest = rest_of_new(whole, None, item, day)
    if rest is not None:
        yield _prorated(charge_in_part(item, rest.span, rest.days, whole.currency))


def _prorated(one: Charge) -> Charge:
    return named(one, "prorated") if one.is_prorated else one


def _changed(whole: Contract, old: Item, item: Item, day: date, past: Past) -> Iterator[Charge]:
    """New less old in one line, as far as one line can tell it.

    A credit and a charge apart where they are for other days or bear another tax, and where
    slots were billed otherwise than others.
    """
    before, after = rest_of_old(whole, old, day), rest_of_new(whole, old, item, day)
    charged = (
        None if after is None else charge_in_part(item, after.span, after.days, whole.currency)
    )
    given = _credits(whole, old, day, past)
    tax = past.decision_of(item.product_id)
    is_one = before == after and len(given) == 1 and given[0].given.decided in {None, tax}
    if charged is None or not is_one:
        yield from (one.given for one in given)
        yield from (_prorated(one) for one in (charged,) if one is not None)
        return
    credit, full = given[0].given, given[0].full
    how, paid = credit.computation, -credit.amount
    replaced = Replaced(
        unit_price=how.unit_price,
        units=how.units,
        instances=how.instances,
        amount=full,
        credit=paid,
    )
    netted = replace(charged, amount=charged.amount - paid, replaced=replaced)
    yield named(netted, "adjustment")


def _credits(whole: Contract, item: Item, day: date, past: Past) -> list[Credit]:
    return credits_of(whole, item, day, past.billed.get(item.id, ()))


def _left(
    whole: Contract, removed: Sequence[Item], day: date, past: Past
) -> tuple[list[Charge], list[LineShare]]:
    """What is given back of items that leave: by notes, and by lines where a note cannot do
    that, because the invoice is a draft still or gave back on other lines.
    """
    charges: list[Charge] = []
    notes: list[LineShare] = []
    for item in removed:
        chain = _chain(whole, item)
        lines = [line for line in past.lines if line.item_id in chain]
        if all(line.takes_note for line in lines):
            notes += shares_left(lines, day)
        else:
            charges += [one.given for one in _credits(whole, item, day, past)]
    return charges, notes


def _chain(whole: Contract, item: Item) -> set[UUID]:
    """The item, and those in whose place amendments put it."""
    own = {one.id: one for one in whole.items}
    found = {item.id}
    while item.replaces is not None and item.replaces in own:
        item = own[item.replaces]
        found.add(item.id)
    return found
