"""Writing an invoice: its lines first, then its number from the locked counter, then itself."""

from uuid import UUID

from tallystick.db import number_counters
from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.bill import TaxBreakdown
from tallystick.domain.coupons import AppliedCoupon
from tallystick.domain.invoice import (
    CustomerSnapshot,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    LineExplanation,
    SellerSnapshot,
    number_text,
)
from tallystick.domain.tax import TaxAmount

COUPONS: Codec[tuple[AppliedCoupon, ...]] = Codec(tuple[AppliedCoupon, ...])
BREAKDOWN: Codec[tuple[TaxBreakdown, ...]] = Codec(tuple[TaxBreakdown, ...])
CUSTOMER: Codec[CustomerSnapshot] = Codec(CustomerSnapshot)
SELLER: Codec[SellerSnapshot] = Codec(SellerSnapshot)
TAXES: Codec[tuple[TaxAmount, ...]] = Codec(tuple[TaxAmount, ...])
EXPLANATION: Codec[LineExplanation] = Codec(LineExplanation)

_INSERT = """
    insert into invoices (
        tenant_id, id, customer_id, subscription_id, invoicing_entity_id, invoice_type,
        status, payment_status, number, invoice_number, invoice_date, due_date,
        billing_period_start, billing_period_end, net_terms, currency, tax_inclusive,
        subtotal, subtotal_recurring, discount, tax_amount, total, applied_balance,
        written_off, write_off_reason, settled, amount_due, coupons, tax_breakdown,
        customer_details, seller_details, memo, purchase_order, finalized_at, paid_at,
        created_at, updated_at)
    values ($1, $2, $3, $4, $5, $36, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
            $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31,
            $32, $33, $34, $35, $35)
"""

LINE_COLUMNS = (
    "tenant_id",
    "id",
    "invoice_id",
    "position",
    "item_id",
    "product_id",
    "name",
    "start_date",
    "end_date",
    "quantity",
    "unit_price",
    "quoted_unit_price",
    "amount",
    "discount",
    "tax",
    "amount_total",
    "tax_rate",
    "taxes",
    "computation",
)

_INSERT_LINE = f"""
    insert into invoice_lines ({", ".join(LINE_COLUMNS)})
    values ({", ".join(f"${place}" for place in range(1, len(LINE_COLUMNS) + 1))})
"""


async def insert(
    tx: Tx, tenant_id: UUID, invoice: Invoice, line_ids: list[UUID], pattern: str
) -> str | None:
    """Insert an invoice with its lines and return its number, None for a draft.

    The number's counter is locked here until the transaction ends: write an invoice last.
    Lines go before their invoice, because no line may join one that stands finalized.
    """
    await _insert_lines(tx, tenant_id, invoice, line_ids)
    number: int | None = None
    text: str | None = None
    if invoice.status is not InvoiceStatus.DRAFT:
        number = await number_counters.count_invoices(
            tx, tenant_id, invoice.invoicing_entity_id, 1
        )
        text = number_text(pattern, number, invoice.invoice_date)
    await tx.execute(
        _INSERT,
        tenant_id,
        invoice.id,
        invoice.customer_id,
        invoice.subscription_id,
        invoice.invoicing_entity_id,
        invoice.status.value,
        invoice.payment_status.value,
        number,
        text,
        invoice.invoice_date,
        invoice.due_date,
        invoice.billing_period_start,
        invoice.billing_period_end,
        invoice.net_terms,
        invoice.currency,
        invoice.tax_inclusive,
        invoice.subtotal,
        invoice.subtotal_recurring,
        invoice.discount,
        invoice.tax_amount,
        invoice.total,
        invoice.applied_balance,
        invoice.written_off,
        "BELOW_MINIMUM_CHARGE" if invoice.written_off else None,
        invoice.settled,
        invoice.amount_due,
        COUPONS.dump(invoice.coupons),
        BREAKDOWN.dump(invoice.breakdown),
        CUSTOMER.dump(invoice.customer),
        SELLER.dump(invoice.seller),
        invoice.memo,
        invoice.purchase_order,
        invoice.finalized_at,
        invoice.paid_at,
        invoice.created_at,
        invoice.type.value,
    )
    return text


async def _insert_lines(
    tx: Tx, tenant_id: UUID, invoice: Invoice, line_ids: list[UUID]
) -> None:
    await tx.executemany(
        _INSERT_LINE,
        [
            line_row(tenant_id, invoice.id, position, line_id, line)
            for position, (line_id, line) in enumerate(
                zip(line_ids, invoice.lines, strict=True)
            )
        ],
    )


def line_row(
    tenant_id: UUID, invoice_id: UUID, position: int, line_id: UUID, line: InvoiceLine
) -> tuple[object, ...]:
    """A line as a row with `LINE_COLUMNS`."""
    return (
        tenant_id,
        line_id,
        invoice_id,
        position,
        line.item_id,
        line.product_id,
        line.name,
        line.start_date,
        line.end_date,
        line.quantity,
        line.unit_price,
        line.quoted_unit_price,
        line.amount,
        line.discount,
        line.tax,
        line.amount_total,
        line.tax_rate,
        TAXES.dump(line.taxes),
        EXPLANATION.dump(line.explanation),
    )
