"""Reversed money: what a provider took back of a payment without a note of ours.

A refund that the provider made by itself, a dispute, a chargeback, a debit that its payer has
recalled. It is a fact, not a request: what was paid is due again. Where the money comes back,
as that of a dispute which was won, it pays the invoice a second time.

A provider may take more than a payment had brought, all its reversals together: a dispute by
another rate of exchange, or of what was given back already. Nobody owes that, for nobody had
paid it: it is the seller's loss, and is made good first when something comes back. So what is
lost of a payment follows from what its provider has, in whatever order that was reported.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from tallystick.domain.errors import Busy, Conflict

BUSY_SECONDS = 15
"""When to report again while a payment of the same invoice is under way."""


class ReversalKind(StrEnum):
    """Why money was taken back; a DISPUTE that was lost is a CHARGEBACK."""

    REFUND = "REFUND"
    CHARGEBACK = "CHARGEBACK"
    DEBTOR_RECALL = "DEBTOR_RECALL"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    MANDATE_INVALID = "MANDATE_INVALID"
    RETURNED = "RETURNED"
    DISPUTE = "DISPUTE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedReversal:
    """What a provider says of money that it took back, as it stands now; in minor units.

    `id` is the provider's own, the same in every report of it; `reference` names the payment.
    Of `amount`, `returned` has come back since. `reason` is the cause in the provider's words.
    """

    id: str
    reference: str
    kind: ReversalKind
    amount: int
    returned: int = 0
    reason: str | None = None

    def __post_init__(self) -> None:
        """Something was taken, and no more came back."""
        assert 0 <= self.returned <= self.amount, "no more comes back than was taken"
        assert self.amount > 0, "a reversal takes something"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """A reversal as it is known: `to_balance` of what was returned went to the customer's
    balance, because the invoice did not need it.
    """

    payment_id: UUID
    kind: ReversalKind
    amount: int
    returned: int
    to_balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversiblePayment:
    """A settled payment of a locked invoice; of its `amount`, its provider has `taken_back`,
    or more than that.

    `amount_due` is what the invoice owes, a void one what it would; `under_way` is being paid
    of that. `spare` of the payment came back when nobody owed it, and went to the customer's
    balance, which has `available` now.
    """

    id: UUID
    amount: int
    taken_back: int
    amount_due: int
    under_way: int
    spare: int = 0
    available: int = 0

    def lost_with(self, more: int) -> int:
        """What is lost of it, beyond its amount, when its provider has so much `more`."""
        return max(self.taken_back + more - self.amount, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalStep:
    """What a report changes. Of what was `taken`, so much is `lost` as the payment had not
    brought, the customer's balance gives `from_balance`, and the rest is due again. Of what
    came back, `made_good` was lost before, `given_back` is not due any more, and `to_balance`
    is the customer's.
    """

    kind: ReversalKind
    taken: int
    given_back: int
    to_balance: int
    from_balance: int = 0
    lost: int = 0
    made_good: int = 0

    @property
    def due_again(self) -> int:
        """By how much more the invoice owes; below zero, by how much less."""
        return self.taken - self.lost - self.from_balance - self.given_back

    @property
    def more_lost(self) -> int:
        """By how much more is lost of the payment; below zero, by how much less."""
        return self.lost - self.made_good

    @property
    def spare(self) -> int:
        """What the customer's balance gets; below zero, what it gives."""
        return self.to_balance - self.from_balance

    @property
    def returned(self) -> int:
        """What came back."""
        return self.made_good + self.given_back + self.to_balance


def take_in(
    payment: ReversiblePayment, known: Reversal | None, reported: ReportedReversal
) -> ReversalStep:
    """What a report changes, of a reversal that is `known` already or new.

    What was reported before changes nothing, and what was returned never is taken a second
    time by an older report. What a later report says was taken more, is taken then; and when
    all has come back, it is all that was known. What comes back makes good what was lost, and
    then pays the invoice; what the invoice does not owe any more, because it was paid or
    forgiven meanwhile, goes to the customer's balance. When it is taken again after that, the
    balance gives it as far as it has it, and only the rest is due.

    Raises:
        Conflict: The provider's id is that of another reversal.
        Busy: Money came back while the invoice is being paid with other money.
    """
    taken, returned = reported.amount, reported.returned
    if known is not None:
        is_over = reported.returned == reported.amount
        if known.payment_id != payment.id or (reported.amount < known.amount and not is_over):
            raise Conflict(
                f"The reversal {reported.id} is known with {known.amount} in minor units, and"
                f" is reported with {reported.amount}, or of another payment."
            )
        taken = max(reported.amount - known.amount, 0)
        back = max(reported.amount, known.amount) if is_over else reported.returned
        returned = max(back - known.returned, 0)
    more_lost = payment.lost_with(taken - returned) - payment.lost_with(0)
    lost, made_good = max(more_lost, 0), max(-more_lost, 0)
    comes = returned - made_good
    from_balance = min(payment.spare, payment.available, max(taken - lost - comes, 0))
    due = payment.amount_due + taken - lost - from_balance
    if comes > due - payment.under_way and payment.under_way:
        raise Busy(
            f"What came back by {reported.id} may be paid already: a payment for the invoice"
            " is under way.",
            BUSY_SECONDS,
        )
    given_back = min(comes, due)
    return ReversalStep(
        kind=_kind(known, reported),
        taken=taken,
        given_back=given_back,
        to_balance=comes - given_back,
        from_balance=from_balance,
        lost=lost,
        made_good=made_good,
    )


def _kind(known: Reversal | None, reported: ReportedReversal) -> ReversalKind:
    """A dispute may turn out to be something else; anything else stays what it is."""
    if known is None or known.kind is ReversalKind.DISPUTE:
        return reported.kind
    return known.kind
