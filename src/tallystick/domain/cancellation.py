"""Cancelling a subscription at a day, and taking that back before the day has come.

Until then it lives on. Nothing that was billed in advance is given back; what is billed in
arrears is billed for the last window when the day comes (reference rules of money and time,
section 4).
"""

from dataclasses import replace
from datetime import date, timedelta

from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict, Fault, InvalidInput
from tallystick.domain.life import is_over
from tallystick.domain.schedule import period_containing

DAYS_AHEAD_MAX = 3660


def cancelled(contract: Contract, on: date | None, today: date) -> Contract:
    """The contract with a cancellation that takes effect on a day, today at the earliest.

    Without a day it is the end of the current period, and today where there is none. What was
    scheduled before, a cancellation or a change, is replaced.

    Raises:
        Conflict: The contract has ended.
        InvalidInput: The day is past, too far away, or after the contract's own end.
    """
    if is_over(contract):
        raise Conflict(f"This subscription has ended: it is {contract.status.value}")
    if contract.end_date is not None and contract.end_date <= today:
        raise Conflict(f"This subscription ended on {contract.end_date.isoformat()}")
    day = _end_of_current(replace(contract, cancelled_on=None), today) if on is None else on
    latest = today + timedelta(days=DAYS_AHEAD_MAX)
    if contract.end_date is not None:
        latest = min(latest, contract.end_date)
    if not today <= day <= latest:
        message = f"must be between {today.isoformat()} and {latest.isoformat()}"
        fault = Fault("effective_date", "out_of_bounds", message)
        raise InvalidInput(f"{fault.field}: {fault.message}", (fault,))
    return cut_anew(replace(contract, cancelled_on=day, scheduled=None))


def reactivated(contract: Contract, today: date) -> Contract:
    """The contract without its scheduled cancellation.

    Raises `Conflict` where none is scheduled, or its day has come.
    """
    if contract.cancelled_on is None:
        raise Conflict("No cancellation of this subscription is scheduled")
    if is_over(contract) or contract.cancelled_on <= today:
        day = contract.cancelled_on.isoformat()
        raise Conflict(f"The cancellation of this subscription took effect on {day}")
    return cut_anew(replace(contract, cancelled_on=None))


def _end_of_current(contract: Contract, today: date) -> date:
    """The end of the period that contains today, today where there is none."""
    if contract.is_billed:
        return period_containing(contract, contract.schedule_on(today), today).end
    if contract.in_free_trial and contract.trial_end is not None:
        return max(today, contract.trial_end)
    return today


def cut_anew(contract: Contract) -> Contract:
    """The contract with its current period ended where the contract ends, if it does."""
    if contract.is_billed:
        began, uncut = contract.period_start, contract
        if contract.end is not None and contract.end <= began:
            # It ends on the day on which the period began: there is nothing left to show.
            uncut = replace(contract, cancelled_on=None)
        opens = period_containing(uncut, uncut.schedule_on(began), began)
        return replace(contract, period_end=opens.end)
    if contract.in_free_trial and contract.trial_end is not None:
        end = contract.trial_end
        return replace(
            contract, period_end=end if contract.end is None else min(end, contract.end)
        )
    return contract
