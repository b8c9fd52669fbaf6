"""What a running subscription bills next, as far as it is known today."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tallystick.domain.contract import Contract
from tallystick.domain.life import next_day, step
from tallystick.domain.renewal import RenewalFacts, draft_of

STEPS_MAX = 24
"""How many steps ahead are looked at: two years of months in which nothing is billed."""

_NO_INVOICE = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCharge:
    """The next invoice: its day, and its total after discount and tax, in minor units.

    `has_usage` says that metered usage is added to it. Where a minimum is promised, `total`
    holds what is missing from it without usage.
    """

    on: date
    total: int
    has_usage: bool


def next_charge(contract: Contract, facts: RenewalFacts, now: datetime) -> NextCharge | None:
    """What the next steps of a contract's life bill first; None where they bill nothing.

    The same computation that makes the invoice when its day has come, without usage.
    Raises `AmountTooLarge` where a sum cannot be stored and sent exactly.
    """
    for _ in range(STEPS_MAX):
        if next_day(contract) is None:
            return None
        moved = step(contract)
        draft = draft_of(moved, (), facts, invoice_id=_NO_INVOICE, now=now)
        if draft is not None:
            return NextCharge(
                on=moved.day, total=draft.invoice.total, has_usage=bool(moved.meters)
            )
        contract = moved.contract
    return None
