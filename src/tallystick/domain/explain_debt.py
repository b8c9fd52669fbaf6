"""What became of an invoice's total: the steps of an explanation from there to what is due."""

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceApplied:
    """The customer's balance met a part of the total."""

    amount: int
    type: Literal["BALANCE_APPLIED"] = "BALANCE_APPLIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOff:
    """What nobody is asked to pay: too small to be charged."""

    amount: int
    type: Literal["WRITTEN_OFF"] = "WRITTEN_OFF"


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtCancelled:
    """What credit notes took off the debt."""

    amount: int
    type: Literal["DEBT_CANCELLED"] = "DEBT_CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What was paid."""

    amount: int
    type: Literal["SETTLED"] = "SETTLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What payment providers took back of that, and have still."""

    amount: int
    type: Literal["TAKEN_BACK"] = "TAKEN_BACK"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToBalance:
    """What they gave back when nothing was due any more: the customer's balance got it."""

    amount: int
    type: Literal["TO_BALANCE"] = "TO_BALANCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is left to be paid; None of a void invoice, of which nothing is asked."""

    amount: int | None
    type: Literal["DUE"] = "DUE"


DebtStep: TypeAlias = (
    BalanceApplied | WrittenOff | DebtCancelled | Settled | TakenBack | ToBalance | Due
)
