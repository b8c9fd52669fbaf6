"""The few facts of an invoice that its events carry."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.domain.ids import Prefix, encode

EventFact = str | int | datetime | None


async def event_body(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> dict[str, EventFact]:
    """The body of an `invoice.*` event for an invoice as it stands now."""
    row = await tx.fetchrow(
        """
        select id, invoice_number, customer_id, currency, status, tax_amount, total, created_at
        from invoices where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice_id,
    )
    assert row is not None, "a payment has its invoice"
    return {
        "invoice_number": row["invoice_number"],
        "currency": row["currency"],
        "status": row["status"],
        "tax_amount": row["tax_amount"],
        "total": row["total"],
        "created_at": row["created_at"],
        "invoice_id": encode(Prefix.INVOICE, row["id"]),
        "customer_id": encode(Prefix.CUSTOMER, row["customer_id"]),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an invoice stands now: its number and dates, and what is still due."""

    number: str | None
    invoice_date: date
    due_date: date
    amount_due: int
    payment_status: str


async def standing(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> Standing:
    """How an invoice stands now, for the confirmation."""
    row = await tx.fetchrow(
        """
        select invoice_number as number, invoice_date, due_date, amount_due, payment_status
        from invoices where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice_id,
    )
    assert row is not None, "a purchase has its invoice"
    return Standing(**dict(row))


async def amount_due(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> int:
    """What an invoice owes now, in minor units of its currency."""
    found: int = await tx.fetchval(
        "select amount_due from invoices where tenant_id = $1 and id = $2",
        tenant_id,
        invoice_id,
    )
    return found
