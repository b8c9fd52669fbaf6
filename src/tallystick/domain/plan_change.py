"""Changing the plan of a running subscription: what leaves, what joins, and what that bills.

Components are matched by product. What was paid in advance of one that leaves is credited for
the days that are left, one that joins is charged for them; period, anchor and cycle stay
(reference rules of money and time, section 5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from tallystick.domain.at_period_end import without_anything_scheduled
from tallystick.domain.charges import (
    Item,
    charge_in_part,
    monthly_value,
)
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict, Fault, InvalidInput
from tallystick.domain.life import Step, StepKind, first_billed
from tallystick.domain.new_components import TargetPlan, joining, none_awaited, paired
from tallystick.domain.periods import (
    end_of_cycles,
    shortest,
)
from tallystick.domain.pricing import FeeType
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.rest_of_period import Billed, credits_of, named, rest_of_new


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """A change that took place: its step, and the items that left and joined.

    `matched` counts the components that replace another of their product.
    """

    step: Step
    ended: tuple[Item, ...]
    joined: tuple[Item, ...]
    matched: int


def changed_now(
    contract: Contract, wanted: TargetPlan, day: date, billed: Mapping[UUID, Sequence[Billed]]
) -> PlanChange:
    """The change of a contract's plan on a day of its current period.

    What is scheduled, a cancellation or a change, is replaced. In a free trial the trial ends,
    and the first invoice is made.

    Raises:
        Conflict: It has not begun, waits for a checkout, is over, or slots wait to be paid.
        InvalidInput: The slots do not fit the new plan, or its rhythm is too short.
    """
    if not contract.is_billed and not contract.in_free_trial:
        raise Conflict(f"The plan of a subscription that is {contract.status.value} is fixed")
    components = [item for item in contract.items if item.kind == "COMPONENT"]
    left = [item for item in components if item.ends_on is None]
    none_awaited(left)
    pairs = paired(left, wanted, day)
    new = tuple(item for _, item in pairs)
    ended = tuple(replace(item, ends_on=day) for item in left)
    if contract.in_free_trial:
        joined = tuple(_never_charged(item, day) for item in new)
        step = _out_of_trial(_with_items(contract, ended, joined), wanted, day)
    else:
        joined, step = _in_its_period(contract, wanted, left, pairs, day, billed)
    matched = sum(old is not None for old, _ in pairs)
    return PlanChange(step=step, ended=ended, joined=joined, matched=matched)


def _in_its_period(
    contract: Contract,
    wanted: TargetPlan,
    left: Sequence[Item],
    pairs: Sequence[tuple[Item | None, Item]],
    day: date,
    billed: Mapping[UUID, Sequence[Billed]],
) -> tuple[tuple[Item, ...], Step]:
    """The items that join in the current period, and the step that bills the change."""
    new = tuple(item for _, item in pairs)
    ended = tuple(replace(item, ends_on=day) for item in left)
    _same_rhythm(contract, new)
    whole = without_anything_scheduled(contract)
    rests = [rest_of_new(whole, old, item, day) for old, item in pairs]
    joined = tuple(
        joining(item, day, whole.period_end if rest is None else rest.span.end)
        for item, rest in zip(new, rests, strict=True)
    )
    charges = [
        *(
            one.given
            for item in left
            for one in credits_of(whole, item, day, billed.get(item.id, ()))
        ),
        *(
            named(charge_in_part(item, rest.span, rest.days, contract.currency), "prorated")
            for item, rest in zip(joined, rests, strict=True)
            if rest is not None
        ),
    ]
    after = _with_items(whole, ended, joined)
    after = replace(
        after,
        plan_id=wanted.plan_id,
        minimum=wanted.minimum,
        mrr=monthly_value(after.items, after.currency, day),
    )
    step = Step(
        kind=StepKind.CHANGED,
        day=day,
        contract=after,
        charges=tuple(one for one in charges if one.amount),
        opens=None,
    )
    return joined, step


def _same_rhythm(contract: Contract, new: Sequence[Item]) -> None:
    recurring = [item.cadence for item in new if item.fee.type is not FeeType.ONE_TIME]
    if recurring and shortest(recurring).months < contract.cadence.months:
        message = (
            f"has fees by the {shortest(recurring).value} period; a subscription whose periods"
            f" are {contract.cadence.value} changes to shorter ones at PERIOD_END only"
        )
        fault = Fault("plan_version_id", "shorter_periods", message)
        raise InvalidInput(f"{fault.field}: {message}", (fault,))


def _with_items(contract: Contract, ended: Sequence[Item], joined: Sequence[Item]) -> Contract:
    gone = {item.id: item for item in ended}
    kept = tuple(gone.get(item.id, item) for item in contract.items)
    return replace(contract, items=(*kept, *joined))


def _never_charged(item: Item, day: date) -> Item:
    """A change never charges the new plan's one-time fees: they count as had."""
    return replace(item, starts_on=day) if item.fee.type is FeeType.ONE_TIME else item


def _out_of_trial(contract: Contract, wanted: TargetPlan, day: date) -> Step:
    """The trial is over today: the first billed day, and the anchor unless one was given."""
    anchor = day.day if contract.fixed_anchor is None else contract.fixed_anchor
    cadence = shortest([item.cadence for item in contract.recurring if item.ends_on is None])
    end_date = contract.end_date
    if contract.billing_cycles is not None:
        end_date = end_of_cycles(day, anchor, cadence, contract.billing_cycles)
    begun = replace(
        contract,
        plan_id=wanted.plan_id,
        cadence=cadence,
        trial_end=day,
        billing_start=day,
        anchor=anchor,
        end_date=end_date,
        cancelled_on=None,
        scheduled=None,
        minimum=wanted.minimum,
    )
    return first_billed(begun, day, StepKind.CHANGED, SubscriptionStatus.ACTIVE)
