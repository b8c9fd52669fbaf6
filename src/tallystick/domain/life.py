"""The life of a subscription after its purchase: what is due next, and one step of it.

Every step is dated by the day on which it falls due, however late it is taken, so that a
worker that was down for a month makes the same invoices as one that never was (reference rules
of money and time, sections 3 and 4).
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from tallystick.domain.charges import Charge, monthly_value
from tallystick.domain.contract import Contract
from tallystick.domain.offer import OnlinePayment
from tallystick.domain.owed import owed
from tallystick.domain.periods import Period
from tallystick.domain.purchase import SubscriptionStatus
from tallystick.domain.schedule import period_containing


class StepKind(StrEnum):
    """What happens to a subscription at a due moment."""

    TRIAL_STARTED = "TRIAL_STARTED"
    ACTIVATED = "ACTIVATED"
    TRIAL_ENDED = "TRIAL_ENDED"
    TRIAL_EXPIRED = "TRIAL_EXPIRED"
    RENEWED = "RENEWED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: the contract as it stands afterwards, and what is billed on its day.

    No charges, no invoice. `opens` is the subscription's period that begins on the day, None
    where none does.
    """

    kind: StepKind
    day: date
    contract: Contract
    charges: tuple[Charge, ...]
    opens: Period | None


def next_day(contract: Contract) -> date | None:
    """The day of the contract's next step, None where nothing is due any more by itself."""
    match contract.status:
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
    match contract.status:
        case SubscriptionStatus.PENDING_ACTIVATION:
            return _start(contract, day)
        case SubscriptionStatus.TRIAL_ACTIVE if contract.trial_is_free:
            return _end_free_trial(contract, day)
        case SubscriptionStatus.TRIAL_ACTIVE if day == contract.trial_end:
            # A paid trial ends without an invoice; a period that ends with it is the next step.
            active = replace(contract, status=SubscriptionStatus.ACTIVE)
            return Step(
                kind=StepKind.TRIAL_ENDED, day=day, contract=active, charges=(), opens=None
            )
        case _:
            return _renew(contract, day)


def _start(contract: Contract, day: date) -> Step:
    if contract.trial_is_free and contract.trial_end is not None:
        trial = Period(day, contract.trial_end)
        started = replace(
            contract,
            status=SubscriptionStatus.TRIAL_ACTIVE,
            period_start=trial.start,
            period_end=trial.end,
        )
        return Step(
            kind=StepKind.TRIAL_STARTED, day=day, contract=started, charges=(), opens=trial
        )
    status = (
        SubscriptionStatus.ACTIVE
        if contract.trial_end is None
        else SubscriptionStatus.TRIAL_ACTIVE
    )
    return _first_billed(contract, day, StepKind.ACTIVATED, status)


def _end_free_trial(contract: Contract, day: date) -> Step:
    """The free trial is over: billed from today, or expired where nobody agreed to pay.

    What is saved can be charged, and a seller that collects by other means sends its invoice;
    in any other case nothing is billed without consent.
    """
    collects_otherwise = not contract.charge_automatically or not isinstance(
        contract.payment, OnlinePayment
    )
    if collects_otherwise or contract.payment_method_id is not None or not contract.can_owe:
        return _first_billed(contract, day, StepKind.TRIAL_ENDED, SubscriptionStatus.ACTIVE)
    expired = replace(
        contract,
        status=SubscriptionStatus.TRIAL_EXPIRED,
        period_start=day,
        period_end=None,
        mrr=0,
    )
    return Step(kind=StepKind.TRIAL_EXPIRED, day=day, contract=expired, charges=(), opens=None)


def _first_billed(
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
        mrr=monthly_value(contract.items, contract.currency),
    )
    return Step(
        kind=kind,
        day=day,
        contract=begun,
        charges=owed(contract, dates, until=day),
        opens=opens,
    )


def _renew(contract: Contract, day: date) -> Step:
    """A period ends: what falls due on its boundary, and the next one unless it is over."""
    dates = contract.schedule_on(day)
    charges = owed(contract, dates, until=day, after=day - timedelta(days=1))
    if contract.end is not None and day >= contract.end:
        return _end(contract, day, charges)
    opens = period_containing(contract, dates, day)
    renewed = replace(
        contract,
        period_start=opens.start,
        period_end=opens.end,
        cycle_index=contract.cycle_index + 1,
    )
    return Step(kind=StepKind.RENEWED, day=day, contract=renewed, charges=charges, opens=opens)


def _end(contract: Contract, day: date, charges: tuple[Charge, ...]) -> Step:
    """The end: a completed subscription keeps its last period, a cancelled one has none."""
    is_cancelled = contract.ending is SubscriptionStatus.CANCELLED
    ended = replace(
        contract,
        status=contract.ending,
        period_start=day if is_cancelled else contract.period_start,
        period_end=None if is_cancelled else contract.period_end,
        mrr=0,
    )
    kind = StepKind.CANCELLED if is_cancelled else StepKind.COMPLETED
    return Step(kind=kind, day=day, contract=ended, charges=charges, opens=None)
