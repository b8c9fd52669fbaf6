"""Invoices to credit, made from charges as any invoice is."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.domain.credit_note import CreditableInvoice, CreditNote, RefundablePayment
from tallystick.domain.credited_line import BilledLine, Share
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.domain.tax import TaxAmount, TaxDecision, TaxRate, TaxWhy

OF = UUID(int=1)
CARD = RefundablePayment(
    id=UUID(int=900), provider="sandbox", reference="card", amount=0, refunded=0
)


def taxed(*rates: str) -> TaxDecision:
    """The decision for rates of the seller's own."""
    return TaxDecision(
        rates=tuple(TaxRate(name=f"VAT {rate}", rate=Decimal(rate), code="") for rate in rates),
        why=TaxWhy.CUSTOM,
        exemption=None,
        reason=None,
    )


def line(
    number: int,
    amount: int,
    taxes: tuple[int, ...] = (),
    *,
    discount: int = 0,
    quantity: str | None = "1",
) -> BilledLine:
    """A line of an invoice, with its taxes as they were rounded."""
    decision = taxed(*(f"0.{place + 1}" for place in range(len(taxes))))
    return BilledLine(
        id=UUID(int=number),
        name=f"Line {number}",
        product_id=None,
        start_date=date(2026, 3, 1),
        end_date=date(2026, 4, 1),
        quantity=None if quantity is None else Decimal(quantity),
        amount=amount,
        discount=discount,
        taxes=tuple(
            TaxAmount(rate=rate, amount=tax)
            for rate, tax in zip(decision.rates, taxes, strict=True)
        ),
        tax_rate=decision.total_rate,
        decision=decision,
    )


def invoice(*lines: BilledLine, applied: int = 0, **fields: Any) -> CreditableInvoice:  # noqa: ANN401
    """A final invoice of these lines, paid by balance and card unless `fields` say more."""
    total = sum(one.left.total for one in lines)
    written_off = fields.pop("written_off", 0)
    settled = fields.pop("settled", total - applied - written_off)
    due = total - applied - written_off - settled
    paid = PaymentStatus.UNPAID if due else PaymentStatus.PAID
    payments = (replace(CARD, amount=settled),) if settled > 0 else ()
    plain: dict[str, Any] = {
        "id": OF,
        "customer_id": UUID(int=2),
        "subscription_id": None,
        "plan_version_id": None,
        "invoicing_entity_id": UUID(int=3),
        "number": "INV-1",
        "status": InvoiceStatus.FINALIZED,
        "payment_status": paid,
        "currency": "EUR",
        "total": total,
        "applied_balance": applied,
        "settled": settled,
        "written_off": written_off,
        "amount_due": due,
        "is_collected": False,
        "credited": 0,
        "from_balance": 0,
        "from_payments": 0,
        "lines": lines,
        "payments": payments,
        "promised": due if fields.get("payment_status") is PaymentStatus.PROCESSING else 0,
    }
    return CreditableInvoice(**{**plain, **fields})


def after(billed: CreditableInvoice, note: CreditNote) -> CreditableInvoice:
    """The invoice once a note on it was written."""
    shares: dict[UUID, Share] = {one.line.id: one.share for one in note.lines}
    return replace(
        billed,
        credited=billed.credited + note.total,
        from_balance=billed.from_balance + note.from_balance,
        from_payments=billed.from_payments + note.from_payments,
        from_write_off=billed.from_write_off + note.from_write_off,
        lines=tuple(
            replace(one, credited=(*one.credited, shares[one.id])) if one.id in shares else one
            for one in billed.lines
        ),
        payments=tuple(
            replace(one, refunded=one.refunded + note.refunded) for one in billed.payments
        ),
    )
