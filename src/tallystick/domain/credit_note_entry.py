"""Credit notes as they are listed, read back from where they are stored."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.domain.bill import TaxBreakdown
from tallystick.domain.charges import Computation
from tallystick.domain.credit_note import CreditNoteStatus, CreditType


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteLineEntry:
    """A line of a note: amount - discount + tax = amount_total, in minor units.

    Above zero is in the customer's favour. `quantity` is what is shown of the billed line, and
    `computation` how that came about.
    """

    id: UUID
    invoice_line_id: UUID
    product_id: UUID | None
    name: str
    start_date: date
    end_date: date
    quantity: Decimal | None
    amount: int
    discount: int
    tax: int
    amount_total: int
    tax_rate: Decimal
    computation: Computation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteEntry:
    """A note in a list; `number` is None while its refund is under way.

    `credited` went to the balance, `refunded` back the way it came; `written_off` of it nobody
    had paid. `failure` says why the
    provider refused the refund of a note that was voided for it.
    """

    id: UUID
    invoice_id: UUID
    invoice_number: str
    customer_id: UUID
    subscription_id: UUID | None
    plan_version_id: UUID | None
    type: CreditType
    status: CreditNoteStatus
    number: str | None
    currency: str
    subtotal: int
    discount: int
    tax_amount: int
    total: int
    credited: int
    refunded: int
    breakdown: tuple[TaxBreakdown, ...]
    lines: tuple[CreditNoteLineEntry, ...]
    reason: str | None
    memo: str | None
    custom_properties: Any
    failure: str | None
    created_at: datetime
    finalized_at: datetime | None
    voided_at: datetime | None
    updated_at: datetime
    written_off: int = 0
