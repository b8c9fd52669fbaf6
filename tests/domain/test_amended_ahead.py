"""Amendments that bill nothing at once: in a free trial, and at the end of a period."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from tallystick.domain.amended_items import Amendment, Changed, Renamed
from tallystick.domain.amendment import may_be_amended
from tallystick.domain.at_period_end import (
    Applied,
    applied,
    boundary_ahead,
    paid_until,
    scheduled,
    without_anything_scheduled,
)
from tallystick.domain.cancellation import cancelled
from tallystick.domain.charges import Item
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict
from tallystick.domain.life import StepKind
from tallystick.domain.periods import Cadence
from tallystick.domain.purchase import Activation, SubscriptionStatus
from tallystick.domain.scheduled import ScheduledAmendment
from tests.domain.contracts import contract, life_of
from tests.domain.offers import arrears, offer, once, rate, seats, trial, usage
from tests.domain.samples import named
from tests.domain.test_amendment import amended

JANUARY, MIDDLE, TRIAL_END = date(2024, 1, 1), date(2024, 1, 16), date(2024, 1, 31)
FEBRUARY, MARCH = date(2024, 2, 1), date(2024, 3, 1)
FEE, EXTRA = rate("31"), rate("10", name="Extra")
DEARER = replace(rate("62"), id=named("dearer"))
YEARLY = replace(rate("365", Cadence.ANNUAL, "Yearly"), id=named("yearly"))
SETUP = replace(once("99"), id=named("setup"))


def living(**changes: object) -> Contract:
    """31.00 and 10.00 a month since January 1."""
    made = offer(FEE, EXTRA, start_date=JANUARY, created_on=JANUARY, **changes)
    return life_of(contract(made, JANUARY), JANUARY)[-1].contract


def in_trial(**changes: object) -> Contract:
    """The same, free until January 31."""
    return living(trial=trial(30), **changes)


# In a free trial.


def test_in_a_trial_everything_is_as_if_it_had_been_sold_so() -> None:
    """What changes, leaves, joins and is renamed: nothing is billed, and the value is new."""
    amendment = Amendment(
        added=(SETUP,),
        changed=(Changed(item_id=FEE.id, to=DEARER),),
        removed_components=(EXTRA.id,),
    )
    made = amended(in_trial(), amendment, MIDDLE)

    after = made.step.contract
    assert (made.step.kind, made.step.day) == (StepKind.CHANGED, MIDDLE)
    assert made.step.charges == ()
    assert made.credits == ()
    assert [(one.id, one.ends_on) for one in made.ended] == [
        (FEE.id, MIDDLE),
        (EXTRA.id, MIDDLE),
    ]
    assert made.joined == (DEARER, SETUP)
    assert made.renamed == ()
    assert after.items == (*made.ended, *made.joined)
    assert (after.mrr, after.cadence, after.end_date) == (6200, Cadence.MONTHLY, None)
    (begins,) = life_of(after, TRIAL_END)
    assert [one.amount for one in begins.charges] == [6200, 9900]


def test_in_a_trial_a_name_is_a_name() -> None:
    """The component stays, is called otherwise, and is told."""
    made = amended(
        in_trial(), Amendment(renamed=(Renamed(item_id=FEE.id, name="Base"),)), MIDDLE
    )

    assert [(one.id, one.name, one.ends_on) for one in made.renamed] == [(FEE.id, "Base", None)]
    assert [one.name for one in made.step.contract.items] == ["Base", "Extra"]
    assert made.ended == made.joined == ()


def test_in_a_trial_the_rhythm_is_that_of_its_fees() -> None:
    """Of a year where all are of a year; its cycles are counted anew, from the trial's end."""
    lives = in_trial(billing_cycles=3)
    assert lives.end_date == date(2024, 4, 30)
    amendment = Amendment(
        changed=(Changed(item_id=FEE.id, to=YEARLY),), removed_components=(EXTRA.id,)
    )

    after = amended(lives, amendment, MIDDLE).step.contract

    assert (after.cadence, after.end_date) == (Cadence.ANNUAL, date(2027, 1, 31))
    assert after.mrr == 3042
    anchored = in_trial(anchor=15, billing_cycles=1)
    assert amended(anchored, amendment, MIDDLE).step.contract.end_date == date(2026, 1, 15)
    fixed = in_trial(end_date=date(2024, 6, 1))
    assert amended(fixed, amendment, MIDDLE).step.contract.end_date == date(2024, 6, 1)


def test_in_a_trial_what_has_left_is_never_owed() -> None:
    """Only what is free is left: active at the trial's end, though nobody agreed to pay."""
    free = replace(rate("0"), id=named("free"))
    changes = (Changed(item_id=FEE.id, to=free),)
    to_free = Amendment(changed=changes, removed_components=(EXTRA.id,))
    (ended,) = life_of(amended(in_trial(), to_free, MIDDLE).step.contract, TRIAL_END)
    assert ended.contract.status is SubscriptionStatus.ACTIVE
    assert ended.charges == ()

    half = Amendment(changed=changes)
    asked = replace(in_trial(), activation=Activation.CHECKOUT)
    (expired,) = life_of(amended(asked, half, MIDDLE).step.contract, TRIAL_END)
    assert expired.contract.status is SubscriptionStatus.TRIAL_EXPIRED
    (kept,) = life_of(amended(asked, to_free, MIDDLE).step.contract, TRIAL_END)
    assert kept.contract.status is SubscriptionStatus.ACTIVE


def test_a_name_is_no_reason_to_bill() -> None:
    """In a running period, too; the component that is renamed is told, and stays."""
    made = amended(
        living(), Amendment(renamed=(Renamed(item_id=EXTRA.id, name="More"),)), MIDDLE
    )

    assert made.step.charges == ()
    assert [(one.id, one.name) for one in made.renamed] == [(EXTRA.id, "More")]
    assert made.ended == made.joined == ()
    assert made.credits == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": SubscriptionStatus.CANCELLED}, "that is CANCELLED cannot be amended"),
        ({"status": SubscriptionStatus.PENDING_ACTIVATION}, "cannot be amended"),
        ({"awaits_checkout": True}, "waits for its checkout"),
    ],
)
def test_what_cannot_be_amended(changes: dict[str, object], message: str) -> None:
    """What is over or has not begun, and what waits for its checkout."""
    lives = replace(living(), **changes)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match=message):
        may_be_amended(lives)
    with pytest.raises(Conflict, match=message):
        amended(lives, Amendment(added=(SETUP,)), MIDDLE)
    may_be_amended(living())
    may_be_amended(in_trial())


# At the end of a period.


def at_the_end(lives: Contract, amendment: Amendment) -> Applied:
    """The amendment as it takes place."""
    day = boundary_ahead(lives)
    planned = scheduled(lives, ScheduledAmendment(effective_on=day, amendment=amendment))
    made = applied(planned, day)
    assert made is not None
    return made


def test_at_the_end_what_changed_is_billed_from_there_on() -> None:
    """62.00 in place of 31.00, without the 10.00, and 99.00 once."""
    amendment = Amendment(
        added=(SETUP,),
        changed=(Changed(item_id=FEE.id, to=DEARER),),
        removed_components=(EXTRA.id,),
    )
    made = at_the_end(living(), amendment)

    assert made.matched == 1
    assert [(one.id, one.ends_on) for one in made.ended] == [
        (FEE.id, FEBRUARY),
        (EXTRA.id, FEBRUARY),
    ]
    fee, setup = made.joined
    assert (fee.id, fee.starts_on, fee.billed_from) == (DEARER.id, FEBRUARY, FEBRUARY)
    assert (setup.id, setup.starts_on) == (SETUP.id, FEBRUARY)
    assert [one.amount for one in made.charges] == [9900]
    assert [(one.start, one.end) for one in made.charges] == [(FEBRUARY, FEBRUARY)]
    after = made.contract
    assert after.items == (*made.ended, *made.joined)
    assert (after.mrr, after.scheduled, after.cadence) == (6200, None, Cadence.MONTHLY)
    assert made.change.effective_on == FEBRUARY


def test_at_the_end_the_renewal_bills_it_all() -> None:
    """On February 1 the new fee and the setup; on March 1 the fee alone."""
    amendment = Amendment(
        added=(SETUP,),
        changed=(Changed(item_id=FEE.id, to=DEARER),),
        removed_components=(EXTRA.id,),
    )
    lives = scheduled(living(), ScheduledAmendment(effective_on=FEBRUARY, amendment=amendment))
    february, march = life_of(lives, MARCH)

    assert [one.amount for one in february.charges] == [6200, 9900]
    assert [one.amount for one in march.charges] == [6200]
    assert february.applied is not None
    assert (february.applied.matched, len(february.applied.joined)) == (1, 2)
    assert march.applied is None


def test_at_the_end_a_name_stays_a_name() -> None:
    """Renamed, and otherwise what it was."""
    made = at_the_end(living(), Amendment(renamed=(Renamed(item_id=FEE.id, name="Base"),)))

    assert [(one.id, one.name, one.ends_on) for one in made.renamed] == [(FEE.id, "Base", None)]
    assert [one.name for one in made.contract.items] == ["Base", "Extra"]
    assert made.ended == made.joined == ()
    assert made.charges == ()
    assert (made.matched, made.contract.mrr) == (0, 4100)


def test_at_the_end_what_is_not_there_any_more_stays_gone() -> None:
    """Named before it left: nothing takes its place, and nothing of it comes back."""
    gone = UUID(int=404)
    amendment = Amendment(
        changed=(Changed(item_id=gone, to=DEARER),),
        renamed=(Renamed(item_id=gone, name="Base"),),
        removed_components=(gone,),
    )
    made = at_the_end(living(), amendment)

    assert made.ended == made.joined == made.renamed == ()
    assert (made.matched, made.contract.mrr) == (0, 4100)
    assert made.contract.items == living().items


def test_at_the_end_a_new_rhythm_begins() -> None:
    """A year from February 1 on, where nothing by the month is left."""
    amendment = Amendment(
        changed=(Changed(item_id=FEE.id, to=YEARLY),), removed_components=(EXTRA.id,)
    )
    after = at_the_end(living(), amendment).contract

    assert (after.cadence, after.counted_from) == (Cadence.ANNUAL, FEBRUARY)


def test_at_the_end_usage_begins_in_the_new_rhythm() -> None:
    """What joins is used from there on: no window of it is open that has to be waited for."""
    calls = replace(usage("1", Cadence.ANNUAL), id=named("calls"))
    amendment = Amendment(
        added=(calls,),
        changed=(Changed(item_id=FEE.id, to=YEARLY),),
        removed_components=(EXTRA.id,),
    )
    after = at_the_end(living(), amendment).contract

    assert (after.cadence, after.counted_from) == (Cadence.ANNUAL, FEBRUARY)


@pytest.mark.parametrize(
    ("item", "day", "until"),
    [
        (FEE, JANUARY, JANUARY),
        (FEE, date(2024, 1, 2), FEBRUARY),
        (FEE, FEBRUARY, FEBRUARY),
        (FEE, date(2024, 2, 2), MARCH),
        (FEE, MARCH, MARCH),
        (YEARLY, FEBRUARY, date(2025, 1, 1)),
        (replace(FEE, billed_from=MARCH), FEBRUARY, MARCH),
        (replace(FEE, billed_from=FEBRUARY), date(2024, 2, 2), MARCH),
        (arrears("10"), FEBRUARY, FEBRUARY),
        (usage(), MIDDLE, MIDDLE),
    ],
)
def test_up_to_where_an_item_was_paid(item: Item, day: date, until: date) -> None:
    """In whole periods of its own; what is billed in arrears up to the day."""
    assert paid_until(living(), item, day) == until


def test_a_cancellation_takes_the_place_of_what_was_scheduled() -> None:
    """And is all that is to come."""
    change = ScheduledAmendment(effective_on=FEBRUARY, amendment=Amendment(added=(SETUP,)))
    ending = cancelled(scheduled(living(), change), MARCH, MIDDLE)
    assert (ending.scheduled, ending.cancelled_on) == (None, MARCH)


def test_at_the_end_of_a_trial_everything_counts_from_the_first_billed_day() -> None:
    """Nothing was paid: what joins is as if it had been sold so, and a setup is billed then."""
    amendment = Amendment(added=(SETUP,), changed=(Changed(item_id=FEE.id, to=DEARER),))
    made = at_the_end(in_trial(), amendment)

    assert made.joined == (DEARER, SETUP)
    assert made.charges == ()
    assert made.contract.mrr == 7200
    lives = scheduled(
        in_trial(), ScheduledAmendment(effective_on=TRIAL_END, amendment=amendment)
    )
    (begins,) = life_of(lives, TRIAL_END)
    assert sorted(one.amount for one in begins.charges) == [1000, 6200, 9900]


def test_slots_come_along() -> None:
    """Three seats at another price are three seats."""
    made = offer(seats("10", 3), start_date=JANUARY, created_on=JANUARY)
    lives = life_of(contract(made, JANUARY), JANUARY)[-1].contract
    (old,) = lives.items
    to = replace(seats("20", 1), id=named("dearer seats"))

    after = at_the_end(lives, Amendment(changed=(Changed(item_id=old.id, to=to),)))

    assert [one.slots for one in after.joined] == [3]
    assert after.contract.mrr == 6000


def test_a_scheduled_end_is_taken_out_of_the_period() -> None:
    """Cancelled for the middle, the period ends there; without it at its boundary.

    A free trial ends with its last day, or with the contract where that is earlier.
    """
    cut = replace(living(), cancelled_on=MIDDLE, period_end=MIDDLE)
    assert without_anything_scheduled(cut).period_end == FEBRUARY
    tried = replace(in_trial(), cancelled_on=MIDDLE, period_end=MIDDLE)
    whole = without_anything_scheduled(tried)
    assert (whole.period_end, whole.cancelled_on) == (TRIAL_END, None)
    short = replace(tried, end_date=date(2024, 1, 20))
    assert without_anything_scheduled(short).period_end == date(2024, 1, 20)
    over = replace(living(), status=SubscriptionStatus.CANCELLED, period_end=None)
    assert without_anything_scheduled(over).period_end is None
