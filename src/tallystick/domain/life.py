"""The life of a subscription after it was made: what is due next, and one step of it.

Every step is dated by the day on which it falls due, however late it is taken, so that a
worker that was down for a month makes the same invoices as one that never was (reference rules
of money and time, sections 3 and 4).
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from tallystick.domain.at_period_end import Applied, applied
from tallystick.domain.charges import Charge, monthly_value
from tallystick.domain.contract import Contract
from tallystick.domain.metered import Meter
from tallystick.domain.minimums import Floor, floor_closing
from tallystick.domain.owed import meters_closing, meters_running, owed
from tallystick.domain.periods import Period, end_of_cycles
from tallystick.domain.purchase import Activation, SubscriptionStatus
from tallystick.domain.schedule import Schedule, period_containing


class StepKind(StrEnum):
    """What happens to a subscription at a due moment."""

    TRIAL_STARTED = "TRIAL_STARTED"
    ACTIVATED = "ACTIVATED"
    TRIAL_ENDED = "TRIAL_ENDED"
    TRIAL_EXPIRED = "TRIAL_EXPIRED"
    RENEWED = "RENEWED"
    CHANGED = "CHANGED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: the contract as it stands afterwards, and what is billed on its day.

    Neither charges nor meters, no invoice: `meters` are the windows of usage that close on the
    day. `opens` is the subscription's period that begins on the day, None
    where none does. `floor` is the minimum of the window that closes on it. An expired trial
    with charges makes a draft that is charged before the contract goes on, see
    `paid_after_trial`. `applied` is the scheduled change that took place before it was billed.
    """

    kind: StepKind
    day: date
    contract: Contract
    charges: tuple[Charge, ...]
    opens: Period | None
    meters: tuple[Meter, ...] = ()
    floor: Floor | None = None
    applied: Applied | None = None


_OVER = frozenset(
    {SubscriptionStatus.CANCELLED, SubscriptionStatus.COMPLETED, SubscriptionStatus.SUPERSEDED}
)


def is_over(contract: Contract) -> bool:
    """Whether nothing can happen to the contract any more."""
    return contract.status in _OVER


def next_day(contract: Contract) -> date | None:
    """The day of the contract's next step, None where nothing is due any more by itself."""
    day = _next_by_itself(contract)
    if contract.ends_cancelled and not is_over(contract):
        assert contract.end is not None, "a cancellation has its day"
        return contract.end if day is None else min(day, contract.end)
    return day


def _next_by_itself(contract: Contract) -> date | None:
    match contract.status:
        case SubscriptionStatus.PENDING_ACTIVATION if contract.awaits_activation:
            # So many periods count from its activation; a day that was agreed does not wait.
            return contract.end_date if contract.billing_cycles is None else None
        case SubscriptionStatus.PENDING_ACTIVATION:
            return contract.start
        case SubscriptionStatus.TRIAL_ACTIVE if contract.trial_is_free:
            return contract.trial_end
        case SubscriptionStatus.TRIAL_ACTIVE:
            days = [day for day in (contract.trial_end, contract.period_end) if day is not None]
            return min(days, default=None)
        case SubscriptionStatus.ACTIVE | SubscriptionStatus.SUSPENDED:
            return contract.period_end
        case _:
            return None


def step(contract: Contract) -> Step:
    """The contract's next step; there must be one."""
    day = next_day(contract)
    assert day is not None, "nothing is due"
    if contract.ends_cancelled and day == contract.end:
        return _end(contract, day)
    match contract.status:
        case SubscriptionStatus.PENDING_ACTIVATION if contract.awaits_activation:
            return _end(contract, day)
        case SubscriptionStatus.PENDING_ACTIVATION:
            return _start(contract, day)
        case SubscriptionStatus.TRIAL_ACTIVE if contract.trial_is_free:
            change = applied(contract, day)
            after = contract if change is None else change.contract
            return replace(_end_free_trial(after, day), applied=change)
        case SubscriptionStatus.TRIAL_ACTIVE if day == contract.trial_end:
            # A paid trial ends without an invoice; a period that ends with it is the next step.
            active = replace(contract, status=SubscriptionStatus.ACTIVE)
            return Step(
                kind=StepKind.TRIAL_ENDED, day=day, contract=active, charges=(), opens=None
            )
        case _:
            return _renew(contract, day)


def brought_along(contract: Contract, today: date) -> Contract:
    """The contract as it would stand today had it lived here, with nothing billed for it.

    So that what was billed elsewhere goes on here in the period that contains today.
    """
    while (day := next_day(contract)) is not None and day <= today:
        contract = step(contract).contract
    return contract


def _start(contract: Contract, day: date) -> Step:
    if contract.trial_is_free and contract.trial_end is not None:
        trial = Period(day, contract.trial_end)
        started = replace(
            contract,
            status=SubscriptionStatus.TRIAL_ACTIVE,
            period_start=trial.start,
            period_end=cut(trial, contract.end),
        )
        return Step(
            kind=StepKind.TRIAL_STARTED, day=day, contract=started, charges=(), opens=trial
        )
    status = (
        SubscriptionStatus.ACTIVE
        if contract.trial_end is None
        else SubscriptionStatus.TRIAL_ACTIVE
    )
    return first_billed(contract, day, StepKind.ACTIVATED, status)


def cut(period: Period, end: date | None) -> date:
    """Where a period ends in a contract with this end, if any."""
    return period.end if end is None else min(period.end, end)


def _end_free_trial(contract: Contract, day: date) -> Step:
    """The free trial is over: billed from today, or expired where nobody agreed to pay.

    The first that holds (reference rules of money and time, section 4): nothing can be owed;
    whoever started it without a checkout answers for it; nobody has agreed to pay at its own
    checkout yet; the seller collects by other means and sends its invoice; what is saved is
    charged, and the trial has expired until that went well. In any other case nothing is
    billed without consent. Where the first invoice waits for a person, or there is none,
    nothing is to be charged first.
    """
    begun = first_billed(contract, day, StepKind.TRIAL_ENDED, SubscriptionStatus.ACTIVE)
    if not contract.can_owe or contract.activation is Activation.ON_START:
        return begun
    expired = replace(
        contract,
        status=SubscriptionStatus.TRIAL_EXPIRED,
        period_start=day,
        period_end=None,
        mrr=0,
    )
    unbilled = Step(
        kind=StepKind.TRIAL_EXPIRED, day=day, contract=expired, charges=(), opens=None
    )
    if contract.awaits_checkout:
        return unbilled
    if not contract.is_charged:
        return begun
    if not contract.has_method:
        return unbilled
    if not begun.charges or not contract.auto_advance_invoices:
        return begun
    return replace(unbilled, charges=begun.charges, opens=begun.opens)


def tried_again(contract: Contract, day: date) -> Step | None:
    """An expired trial that is charged again on a later day: its draft as of that day.

    Nothing is billed back: the first billed day, an anchor that nobody fixed, and an end after
    so many periods move to the day. None where no day would be billed before its `end_date`.
    """
    assert contract.status is SubscriptionStatus.TRIAL_EXPIRED, "it waits for its payment"
    anchor = day.day if contract.fixed_anchor is None else contract.fixed_anchor
    end_date = contract.end_date
    if contract.billing_cycles is not None:
        end_date = end_of_cycles(day, anchor, contract.cadence, contract.billing_cycles)
    if end_date is not None and end_date <= day:
        return None
    moved = replace(
        contract,
        billing_start=day,
        anchor=anchor,
        end_date=end_date,
    )
    begun = first_billed(moved, day, StepKind.TRIAL_EXPIRED, SubscriptionStatus.ACTIVE)
    return replace(begun, contract=moved)


def paid_after_trial(contract: Contract) -> Contract:
    """An expired trial whose draft is paid: active from the day that the draft bills from."""
    assert contract.status is SubscriptionStatus.TRIAL_EXPIRED, "it waits for its payment"
    day = contract.billing_start
    return first_billed(contract, day, StepKind.ACTIVATED, SubscriptionStatus.ACTIVE).contract


def first_billed(
    contract: Contract, day: date, kind: StepKind, status: SubscriptionStatus
) -> Step:
    """The first billed day: everything that is owed on it, and the first period."""
    dates = contract.schedule_on(day)
    opens = period_containing(contract, dates, day)
    begun = replace(
        contract,
        status=status,
        period_start=opens.start,
        period_end=opens.end,
        cycle_index=0,
        mrr=monthly_value(contract.items, contract.currency, day),
    )
    return Step(
        kind=kind,
        day=day,
        contract=begun,
        charges=()
        if _never_bills(contract)
        else owed(contract, _promised(contract, day), until=day),
        opens=opens,
    )


def _renew(contract: Contract, day: date) -> Step:
    """A period ends: what falls due on its boundary, and the next one unless it is over."""
    if contract.end is not None and day >= contract.end:
        return _end(contract, day)
    change = applied(contract, day)
    after = contract if change is None else change.contract
    opens = period_containing(after, after.schedule_on(day), day)
    renewed = replace(
        after,
        period_start=opens.start,
        period_end=opens.end,
        cycle_index=contract.cycle_index + 1,
        mrr=_revalued(after, day),
    )
    return Step(
        kind=StepKind.RENEWED,
        day=day,
        contract=renewed,
        charges=(*_fallen_due(after, day), *(() if change is None else change.charges)),
        opens=opens,
        meters=_closed(after, day),
        floor=_floor(contract, day),
        applied=change,
    )


def _revalued(contract: Contract, day: date) -> int:
    """The monthly value from a boundary on: slots that were given up have gone."""
    if not any(item.slot_changes for item in contract.items):
        return contract.mrr
    return monthly_value(contract.items, contract.currency, day)


def _end(contract: Contract, day: date) -> Step:
    """The end: a completed subscription keeps its last period, a cancelled one has none."""
    cancelled = contract.ends_cancelled
    ended = replace(
        contract,
        status=SubscriptionStatus.CANCELLED if cancelled else SubscriptionStatus.COMPLETED,
        period_start=day if cancelled else contract.period_start,
        period_end=None if cancelled else contract.period_end,
        mrr=0,
    )
    return Step(
        kind=StepKind.CANCELLED if cancelled else StepKind.COMPLETED,
        day=day,
        contract=ended,
        charges=_fallen_due(contract, day),
        opens=None,
        meters=_closed(contract, day),
        floor=_floor(contract, day),
    )


def _fallen_due(contract: Contract, day: date) -> tuple[Charge, ...]:
    """What has fallen due since the current period began, up to a day.

    What fell due on the day on which it began was billed with it.
    """
    if not contract.is_billed or _never_bills(contract):
        return ()
    return owed(contract, _promised(contract, day), until=day, after=contract.period_start)


def _promised(contract: Contract, day: date) -> Schedule:
    """The dates that fees are billed by on a day.

    What is billed in advance is not given back by a cancellation, so one that is still to come
    cuts nothing: it can be replaced or taken back, and what was billed stays right.
    """
    if contract.cancelled_on is not None and day < contract.cancelled_on:
        contract = replace(contract, cancelled_on=None)
    return contract.schedule_on(day)


def _closed(contract: Contract, day: date) -> tuple[Meter, ...]:
    """The windows of usage that close on a day of a contract that is billed."""
    if not contract.is_billed or day <= contract.period_start:
        # What closed on the day on which the period began was billed with it.
        return ()
    return meters_closing(contract, contract.schedule_on(day), day)


def _floor(contract: Contract, day: date) -> Floor | None:
    """The minimum of the window that closes on a day of a contract that is billed."""
    if not contract.is_billed or day <= contract.period_start:
        return None
    return floor_closing(contract, contract.schedule_on(day), day, contract.end_date)


def open_meters(contract: Contract, today: date) -> tuple[Meter, ...]:
    """The windows of usage that are open today; none while a step of the contract is due."""
    day = next_day(contract)
    if not contract.is_billed or (day is not None and day <= today):
        return ()
    return meters_running(contract, contract.schedule_on(today), today)


def _never_bills(contract: Contract) -> bool:
    """A plan that can owe nothing and has a trial makes no invoices, not even of zero."""
    return contract.trial_end is not None and not contract.can_owe
