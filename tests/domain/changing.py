"""Contracts whose plan changes, and what that bills."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

from hypothesis import strategies as st

from tallystick.domain.at_period_end import boundary_ahead, scheduled
from tallystick.domain.charges import Item
from tallystick.domain.contract import Contract
from tallystick.domain.new_components import TargetPlan
from tallystick.domain.plan_change import PlanChange, changed_now
from tallystick.domain.scheduled import ScheduledPlan
from tests.domain.contracts import contract, life_of
from tests.domain.offers import offer
from tests.domain.samples import named

_NUMBERS = count()


def renamed(items: Sequence[Item]) -> tuple[Item, ...]:
    """The same components of another plan: their products and prices, with ids of their own."""
    return tuple(
        replace(
            one,
            id=named(f"joined {next(_NUMBERS)}"),
            starts_on=None,
            ends_on=None,
            billed_from=None,
        )
        for one in items
        if one.ends_on is None
    )


def living(*items: Item, start: date, anchor: int | None = None) -> Contract:
    """A contract whose first period has begun."""
    made = contract(offer(*items, start_date=start, created_on=start, anchor=anchor), start)
    return life_of(made, start)[-1].contract


def changed(lives: Contract, *items: Item, day: date) -> PlanChange:
    """The contract with the components of another plan."""
    return changed_now(lives, TargetPlan(plan_id=named("other"), items=items), day, {})


def amounts(change: PlanChange) -> list[int]:
    """What the change bills."""
    return [one.amount for one in change.step.charges]


DAYS = st.integers(0, 400).map(lambda days: timedelta(days=days))


def planned(lives: Contract, *items: Item) -> Contract:
    """The contract with a change to these components at the end of its period."""
    change = ScheduledPlan(
        effective_on=boundary_ahead(lives),
        plan=TargetPlan(plan_id=named("other"), items=items),
        plan_version_id=named("version"),
        plan_name="Other",
        plan_version=1,
    )
    return scheduled(lives, change)
