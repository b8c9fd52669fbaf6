"""A credit note: what of a final invoice is taken back, and where the money goes.

`CreditToBalance` and `Refund` give back what was paid, `DebtCancellation` forgives what is
still due. The parts of an invoice that are credited never exceed it, and what each kind may
credit is bounded by how the invoice was paid.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias, assert_never
from uuid import UUID

from tallystick.domain.bill import TaxBreakdown
from tallystick.domain.credited_line import BilledLine, Share
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.domain.tax import TaxAmount, TaxDecision

MANUAL = "manual"
"""The provider of money that came, or went, another way than through the product."""


class CreditType(StrEnum):
    """What becomes of the money, by its name."""

    CREDIT_TO_BALANCE = "CREDIT_TO_BALANCE"
    REFUND = "REFUND"
    DEBT_CANCELLATION = "DEBT_CANCELLATION"


class CreditNoteStatus(StrEnum):
    """DRAFT while its refund is under way; a final note never changes, but can be voided."""

    DRAFT = "DRAFT"
    FINALIZED = "FINALIZED"
    VOIDED = "VOIDED"


@dataclass(frozen=True, slots=True)
class CreditToBalance:
    """What was paid goes to the customer's balance, for later invoices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """What was paid goes back the way it came; what the balance had paid, to the balance.

    Of the payment named, else of the newest that has enough left. `offline` notes money that
    the merchant has given back another way.
    """

    payment_id: UUID | None = None
    offline: bool = False


@dataclass(frozen=True, slots=True)
class DebtCancellation:
    """What is still due is not to be paid any more."""


CreditKind: TypeAlias = CreditToBalance | Refund | DebtCancellation


@dataclass(frozen=True, slots=True)
class Everything:
    """All that is left of the invoice."""


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of the invoice, tax included, spread over its lines."""

    total: int


@dataclass(frozen=True, slots=True)
class PaidAmount:
    """What a payment of so much stands for: the share of the balance comes on top.

    None: all that is left of the payment.
    """

    amount: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCredit:
    """A line, or part of it: by `quantity`, by `amount` before discount and tax, or by `total`.

    None of them means all that is left of the line.
    """

    line_id: UUID
    quantity: Decimal | None = None
    amount: int | None = None
    total: int | None = None


Scope: TypeAlias = Everything | Amount | PaidAmount | tuple[LineCredit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundablePayment:
    """A settled payment of the invoice, and how much of it went back or is on its way.

    `reversed` is what its provider took back by itself.
    """

    id: UUID
    provider: str
    reference: str
    amount: int
    refunded: int
    reversed: int = 0

    @property
    def left(self) -> int:
        """What can still be given back; what was taken back is not given a second time."""
        return max(self.amount - self.refunded - self.reversed, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditableInvoice:
    """An invoice with all that decides about credit notes on it.

    `from_balance` and `from_payments` are what earlier notes gave back of either,
    `from_write_off` what they credited of what was `written_off`; `credited` is the sum of all
    earlier notes. Payments are newest first. `is_collected`: a try to collect it is under way.
    `reversed` of what is settled it does not keep; `promised` is on its way by a debit.
    """

    id: UUID
    customer_id: UUID
    subscription_id: UUID | None
    plan_version_id: UUID | None
    invoicing_entity_id: UUID
    number: str | None
    status: InvoiceStatus
    payment_status: PaymentStatus
    currency: str
    total: int
    applied_balance: int
    settled: int
    amount_due: int
    is_collected: bool
    credited: int
    from_balance: int
    from_payments: int
    lines: tuple[BilledLine, ...]
    payments: tuple[RefundablePayment, ...]
    reversed: int = 0
    promised: int = 0
    written_off: int = 0
    from_write_off: int = 0

    @property
    def balance_left(self) -> int:
        """What the balance has paid and no note gave back."""
        return self.applied_balance - self.from_balance

    @property
    def paid_left(self) -> int:
        """What was paid, or is promised by a debit, and no note gave back."""
        kept = self.settled - self.reversed
        return max(kept + self.promised - self.from_payments, 0)

    @property
    def covered_left(self) -> int:
        """What was paid, or written off as too small to charge, and no note took back."""
        return self.balance_left + self.paid_left + self.written_off - self.from_write_off


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedLine:
    """A line of a note: the share of a billed line that it takes back."""

    line: BilledLine
    share: Share

    @property
    def net(self) -> int:
        """What of it was taxed."""
        return self.share.amount - self.share.discount

    @property
    def taxes(self) -> tuple[TaxAmount, ...]:
        """Each of the line's rates with the tax that is taken back."""
        return tuple(
            TaxAmount(rate=tax.rate, amount=amount)
            for tax, amount in zip(self.line.taxes, self.share.taxes, strict=True)
        )

    @property
    def decision(self) -> TaxDecision:
        """The rule that decided about the line's tax."""
        return self.line.decision

    @property
    def quantity(self) -> Decimal | None:
        """What is shown: the quantity credited, and the whole line's where it is an amount."""
        return self.line.quantity if self.share.quantity is None else self.share.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """What a note takes back, in minor units: above zero is in the customer's favour.

    total = from_balance + from_payments + from_write_off + cancelled: nobody had paid what was
    written off, so nobody gets it.
    """

    type: CreditType
    currency: str
    lines: tuple[CreditedLine, ...]
    breakdown: tuple[TaxBreakdown, ...]
    subtotal: int
    discount: int
    tax_amount: int
    total: int
    from_balance: int
    from_payments: int
    payment: RefundablePayment | None
    from_write_off: int = 0

    def __post_init__(self) -> None:
        """The note adds up, and is worth something."""
        assert self.subtotal - self.discount + self.tax_amount == self.total, "it adds up"
        assert sum(one.share.total for one in self.lines) == self.total, "so do its lines"
        assert sum(row.tax for row in self.breakdown) == self.tax_amount, "breakdown: tax"
        assert self.total > 0, "a note is worth something"
        assert self.from_balance >= 0, "nothing is taken from a balance"
        assert self.from_payments >= 0, "nothing is charged by a note"
        assert self.from_write_off >= 0, "nothing is written off by a note"
        covered = self.from_balance + self.from_payments + self.from_write_off
        owed = self.type is CreditType.DEBT_CANCELLATION
        assert covered == (0 if owed else self.total), "where the money comes from"
        assert (self.payment is not None) == (self.type is CreditType.REFUND), "its payment"

    @property
    def credited(self) -> int:
        """What goes to the customer's balance."""
        match self.type:
            case CreditType.CREDIT_TO_BALANCE:
                return self.from_balance + self.from_payments
            case CreditType.REFUND:
                return self.from_balance
            case CreditType.DEBT_CANCELLATION:
                return 0
        assert_never(self.type)

    @property
    def refunded(self) -> int:
        """What goes back the way it came."""
        return self.from_payments if self.type is CreditType.REFUND else 0


def number_text(number: int) -> str:
    """The number of a note as printed."""
    return f"CN-{number:06}"


def type_of(kind: CreditKind) -> CreditType:
    """The name of a kind."""
    match kind:
        case CreditToBalance():
            return CreditType.CREDIT_TO_BALANCE
        case Refund():
            return CreditType.REFUND
        case DebtCancellation():
            return CreditType.DEBT_CANCELLATION
    assert_never(kind)
