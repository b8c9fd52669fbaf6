"""Activating a subscription that waits for it: its dates follow the day of activation."""

from dataclasses import replace
from datetime import date, timedelta

from tallystick.domain.contract import Contract
from tallystick.domain.errors import Conflict, Fault
from tallystick.domain.periods import end_of_cycles


def activated(contract: Contract, today: date) -> Contract:
    """The contract with its dates counted from today, or from its start where that is later.

    Trial, first billed day, an anchor that nobody fixed, and an end after so many periods move
    along; an `end_date` stays. The step that is due then makes the first invoice.

    Raises:
        Conflict: No day would be billed before its `end_date`.
    """
    start = max(contract.start, today)
    moved = start - contract.start
    trial_end = None if contract.trial_end is None else contract.trial_end + moved
    billing_start = trial_end if contract.trial_is_free and trial_end is not None else start
    anchor = billing_start.day if contract.fixed_anchor is None else contract.fixed_anchor
    end_date = contract.end_date
    if contract.billing_cycles is not None:
        end_date = end_of_cycles(
            billing_start, anchor, contract.cadence, contract.billing_cycles
        )
    if end_date is not None and end_date <= billing_start:
        last = end_date - timedelta(days=1)
        raise Conflict(
            "This subscription would end before its first billed day",
            (
                Fault(
                    "end_date",
                    "too_early",
                    f"its last day is {last.isoformat()}, its first billed day would be "
                    f"{billing_start.isoformat()}",
                ),
            ),
        )
    return replace(
        contract,
        start=start,
        trial_end=trial_end,
        billing_start=billing_start,
        anchor=anchor,
        end_date=end_date,
        period_start=start,
        awaits_activation=False,
    )
