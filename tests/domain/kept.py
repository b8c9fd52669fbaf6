"""Invoices as they are stored, made from a bill as every invoice is."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tallystick.domain.bill import Bill
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.explain_invoice import (
    InvoiceExplanation,
    KeptCoupon,
    KeptInvoice,
    explain_invoice,
)
from tallystick.domain.invoice import InvoiceStatus, invoice_lines
from tallystick.domain.kept_line import KeptLine
from tallystick.domain.plain_english import tell


def kept_of(
    made: Bill, coupons: Sequence[CouponTerms] = (), *, balance: int = 0
) -> KeptInvoice:
    """A finalized invoice for a bill, of which the customer's balance pays `balance`."""
    terms = {one.id: one for one in coupons}
    return KeptInvoice(
        id=UUID(int=7),
        number="INV-7",
        status=InvoiceStatus.FINALIZED,
        invoice_date=date(2024, 1, 1),
        currency=made.currency,
        tax_inclusive=made.inclusive,
        customer_name="Globex",
        lines=tuple(
            KeptLine(
                id=UUID(int=number),
                item_id=line.item_id,
                product_id=line.product_id,
                name=line.name,
                start_date=line.start_date,
                end_date=line.end_date,
                amount=line.amount,
                discount=line.discount,
                tax=line.tax,
                amount_total=line.amount_total,
                taxes=line.taxes,
                explanation=line.explanation,
            )
            for number, line in enumerate(invoice_lines(made))
        ),
        coupons=tuple(
            KeptCoupon(applied=one, terms=terms.get(one.coupon_id)) for one in made.coupons_net
        ),
        breakdown=made.breakdown,
        subtotal=made.subtotal,
        discount=made.discount,
        tax_amount=made.tax,
        total=made.total,
        applied_balance=balance,
        written_off=0,
        settled=0,
        amount_due=made.total - balance,
    )


def told(
    made: Bill, coupons: Sequence[CouponTerms] = (), *, balance: int = 0
) -> list[list[str]]:
    """What is said of each line of a bill's invoice, and at last of the invoice."""
    explained = explain_invoice(kept_of(made, coupons, balance=balance))
    return sentences_of(explained)


def sentences_of(explained: InvoiceExplanation) -> list[list[str]]:
    """The sentences of each line, and at last of the invoice."""
    currency = explained.invoice.currency
    return [
        *([tell(step, currency) for step in line.steps] for line in explained.lines),
        [tell(step, currency) for step in explained.steps],
    ]
