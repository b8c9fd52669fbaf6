"""What follows when the last try to collect an invoice has failed, and when it is paid.

The entity that billed it says which (rules of money and time, section 7, Dunning). What was
billed stays owed whatever follows.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from tallystick.domain.cancellation import cancelled
from tallystick.domain.contract import Contract
from tallystick.domain.life import is_over
from tallystick.domain.purchase import SubscriptionStatus

CANCELLED_BECAUSE = "An invoice could not be collected."
"""The reason of a cancellation that nobody asked for."""


class FinalPolicy(StrEnum):
    """What becomes of a subscription whose invoice could not be collected."""

    LEAVE = "LEAVE"
    SUSPEND = "SUSPEND"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningEnd:
    """What an entity does after the last try; `gives_up` marks the invoice uncollectible."""

    policy: FinalPolicy
    gives_up: bool


def after_last_try(policy: FinalPolicy, contract: Contract, today: date) -> Contract | None:
    """The contract after the last try has failed; None where nothing becomes of it.

    A suspended one lives on: its periods are billed as agreed, and it grants nothing until what
    suspends it is paid. A cancelled one ends today: what is billed in arrears is billed for its
    last window, and nothing is given back. One that is not billed yet, or has ended, stays.

    A free trial whose end could not be charged is TRIAL_EXPIRED (section 4): it grants nothing
    and is not billed, which is all that a suspension could come to, so only a cancellation
    changes it.
    """
    match policy:
        case FinalPolicy.LEAVE:
            return None
        case FinalPolicy.SUSPEND:
            if not contract.is_billed or contract.status is SubscriptionStatus.SUSPENDED:
                return None
            return replace(contract, status=SubscriptionStatus.SUSPENDED)
        case FinalPolicy.CANCEL:
            ends = contract.end
            is_expired = contract.status is SubscriptionStatus.TRIAL_EXPIRED
            if is_over(contract) or not (contract.is_billed or is_expired):
                return None
            if ends is not None and ends <= today:
                return None
            return cancelled(contract, today, today)


def back_in_service(contract: Contract, today: date) -> Contract | None:
    """The contract once nothing suspends it any more; None where it is not suspended.

    A paid trial that is not over yet goes on.
    """
    if contract.status is not SubscriptionStatus.SUSPENDED:
        return None
    in_trial = contract.trial_end is not None and today < contract.trial_end
    status = SubscriptionStatus.TRIAL_ACTIVE if in_trial else SubscriptionStatus.ACTIVE
    return replace(contract, status=status)
