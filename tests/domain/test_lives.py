"""What holds of every life: no day billed twice or not at all, and ends that are final."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.domain.activation import activated
from tallystick.domain.cancellation import cancelled, reactivated
from tallystick.domain.charges import Charge, Item, billing_type
from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict
from tallystick.domain.life import Step, StepKind, brought_along, is_over, next_day
from tallystick.domain.owed import owed
from tallystick.domain.periods import index_containing, period
from tallystick.domain.pricing import BillingType
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.renewal import RenewalFacts, draft_of
from tallystick.domain.tax import Buyer, TaxRate
from tests.domain.contracts import NOON, contracts, life_of, stands
from tests.domain.purchases import CUSTOMER, ENTITY
from tests.domain.samples import named

DAYS = st.integers(0, 600).map(lambda days: timedelta(days=days))
FAR = timedelta(days=900)


def billed(steps: Sequence[Step]) -> list[Charge]:
    """Everything that a life has billed."""
    return [one for taken in steps for one in taken.charges]


def of_item(charges: Sequence[Charge], item_id: UUID) -> list[Charge]:
    """What was billed of one item, oldest first."""
    return sorted((one for one in charges if one.item_id == item_id), key=lambda one: one.start)


def reaches(lives: Contract, item: Item, day: date) -> date:
    """Up to which day an advance fee must have been billed on `day`, in whole periods."""
    last = day if lives.end is None else min(day, lives.end - timedelta(days=1))
    index = index_containing(lives.billing_start, lives.anchor, item.cadence, last)
    one = period(lives.billing_start, lives.anchor, item.cadence, index, lives.end)
    assert one is not None, "its last day lies in a period"
    return one.billed.end


@given(contracts(), DAYS)
def test_no_day_of_an_advance_fee_is_billed_twice_or_not_at_all(
    begins: Contract, later: timedelta
) -> None:
    """The billed spans follow each other from the first billed day to the current period."""
    day = begins.billing_start + later
    charges = billed(life_of(begins, day))

    for item in begins.recurring:
        spans = of_item(charges, item.id)
        if billing_type(item) is BillingType.ARREARS:
            continue
        assert spans[0].start == begins.billing_start
        assert all(one.end == following.start for one, following in pairwise(spans))
        assert spans[-1].end == reaches(begins, item, day)


@given(contracts(), DAYS)
def test_arrears_are_billed_window_by_window(begins: Contract, later: timedelta) -> None:
    """Windows follow each other, and the last one that is billed has ended."""
    day = begins.billing_start + later
    charges = billed(life_of(begins, day))

    for item in begins.recurring:
        if billing_type(item) is BillingType.ADVANCE:
            continue
        spans = of_item(charges, item.id)
        begin = begins.billing_start
        for one in spans:
            assert one.start == begin
            begin = one.end
            assert begin <= day
        if begins.end is None or begin < begins.end:
            index = index_containing(begins.billing_start, begins.anchor, item.cadence, begin)
            following = period(
                begins.billing_start, begins.anchor, item.cadence, index, begins.end
            )
            assert following is not None
            assert following.billed.end > day


@given(contracts(), DAYS)
def test_a_life_bills_what_is_owed_and_billing_again_bills_nothing(
    begins: Contract, later: timedelta
) -> None:
    """All steps together are what is owed up to the day: owed minus billed is nothing."""
    day = begins.billing_start + later

    lived = Counter(billed(life_of(begins, day)))

    assert lived == Counter(owed(begins, begins.schedule_on(day), until=day))


@given(contracts(), DAYS, DAYS)
def test_it_does_not_matter_when_the_worker_comes(
    begins: Contract, first: timedelta, then: timedelta
) -> None:
    """Steps taken in two goes are the steps taken in one."""
    early, late = begins.start + first, begins.start + first + then
    before = life_of(begins, early)
    rest = life_of(before[-1].contract if before else begins, late)

    assert [*before, *rest] == life_of(begins, late)


@given(contracts())
def test_steps_go_forward_and_an_end_is_final(begins: Contract) -> None:
    """No step is dated before the one that led to it; after the last one nothing is due."""
    steps = life_of(begins, begins.billing_start + FAR)

    for one, following in pairwise(steps):
        assert one.day <= following.day
        assert not is_over(one.contract)
    last = steps[-1].contract
    if begins.end is not None and begins.end <= begins.billing_start + FAR:
        assert last.status is SubscriptionStatus.COMPLETED
        assert (last.mrr, last.period_end) == (0, begins.end)
        assert next_day(last) is None
        assert steps[-1].day == begins.end
    else:
        assert next_day(last) is not None


@given(contracts(), DAYS)
def test_the_cycle_is_the_number_of_the_period(begins: Contract, later: timedelta) -> None:
    """Counted one by one, it is what counting from the first billed day gives."""
    lives = stands(begins, begins.billing_start + later)
    assume(not is_over(lives))

    assert lives.cycle_index == index_containing(
        lives.billing_start, lives.anchor, lives.cadence, lives.period_start
    )
    assert lives.period_end is not None
    assert lives.period_start <= begins.billing_start + later < lives.period_end


@given(contracts(), DAYS)
def test_an_import_stands_where_a_life_would(begins: Contract, later: timedelta) -> None:
    """What was billed elsewhere goes on as if it had been billed here."""
    day = begins.start + later

    assert brought_along(begins, day) == stands(begins, day)


@given(contracts(), DAYS, DAYS)
def test_after_a_cancellation_nothing_is_billed_twice(
    begins: Contract, later: timedelta, more: timedelta
) -> None:
    """Until its day each day was billed once; from its day on nothing is billed any more."""
    today = begins.start + later
    lived = life_of(begins, today)
    lives = lived[-1].contract if lived else begins
    assume(not is_over(lives))
    day = today + more
    assume(lives.end is None or day <= lives.end)
    ending = cancelled(lives, day, today)
    steps = [*lived, *life_of(ending, day + FAR)]

    last = steps[-1]
    assert (last.kind, last.day) == (StepKind.CANCELLED, day)
    assert (last.contract.mrr, last.contract.period_end) == (0, None)
    for item in begins.recurring:
        spans = of_item(billed(steps), item.id)
        assert all(one.end == following.start for one, following in pairwise(spans))
        if day > begins.billing_start:
            assert spans[0].start == begins.billing_start
            assert spans[-1].end >= day
        elif lived and begins.billing_start <= today:
            assert len(spans) <= 1
        else:
            assert spans == []


@given(contracts(), DAYS, st.integers(1, 400))
def test_a_cancellation_taken_back_never_was(
    begins: Contract, later: timedelta, ahead: int
) -> None:
    """Whatever the day it was for, the contract is what it was."""
    today = begins.start + later
    lives = stands(begins, today)
    day = today + timedelta(days=ahead)
    assume(not is_over(lives))
    assume(lives.end is None or day <= lives.end)

    assert reactivated(cancelled(lives, day, today), today) == lives


@given(contracts(), st.integers(0, 400))
def test_an_activation_moves_everything_along(begins: Contract, later: int) -> None:
    """Activated later, it lives the life that it would have lived had it begun that day."""
    waits = replace(begins, awaits_activation=True)
    assert next_day(waits) == (None if begins.billing_cycles else begins.end_date)
    today = begins.start + timedelta(days=later)
    try:
        begun = activated(waits, today)
    except Conflict:
        assert begins.billing_cycles is None
        assert begins.end_date is not None
        assert begins.end_date <= begins.billing_start + timedelta(days=later)
        return

    assert begun.start == today
    assert begun.billing_start - begun.start == begins.billing_start - begins.start
    assert begun.anchor == (begins.fixed_anchor or begun.billing_start.day)
    steps = life_of(begun, begun.billing_start + FAR)
    assert steps[0].day == today
    if begins.billing_cycles is not None:
        assert steps[-1].kind is StepKind.COMPLETED or begun.end_date is not None


@given(contracts(with_coupons=True), st.sampled_from(["0", "0.2", "0.055"]))
def test_lines_sum_to_every_total(begins: Contract, tax: str) -> None:
    """Lines less discount plus tax are the total of each draft, and coupons their discount."""
    rates = () if tax == "0" else (TaxRate(name="Tax", rate=Decimal(tax), code="T"),)
    facts = RenewalFacts(
        customer=CUSTOMER,
        entity=ENTITY,
        buyer=Buyer(country="FR", custom_rates=rates),
        product_taxes={},
    )

    for taken in life_of(begins, begins.billing_start + timedelta(days=400)):
        draft = draft_of(taken, (), facts, invoice_id=named("invoice"), now=NOON)
        assert (draft is None) == (not taken.charges and not taken.meters)
        if draft is None:
            continue
        made = draft.invoice
        assert made.invoice_date == taken.day
        assert made.subtotal == sum(one.amount for one in made.lines)
        assert made.discount == sum(one.discount for one in made.lines)
        assert made.tax_amount == sum(one.tax for one in made.lines)
        assert made.total == sum(one.amount_total for one in made.lines)
        assert made.total == made.subtotal - made.discount + made.tax_amount >= 0
        assert made.discount == sum(one.amount for one in draft.used)
        assert made.subtotal == sum(one.amount for one in taken.charges)
