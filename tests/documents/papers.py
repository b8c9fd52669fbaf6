"""An invoice or a note with all that its document says, priced as everything is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from tallystick.domain.bill import Bill
from tallystick.domain.billing_entries import (
    InvoiceEntry,
    InvoiceLineEntry,
    TransactionEntry,
)
from tallystick.domain.buyer import Address
from tallystick.domain.charges import Charge, Computation, charge
from tallystick.domain.coupons import CouponTerms
from tallystick.domain.credit_note import CreditNoteStatus, CreditType
from tallystick.domain.credit_note_entry import CreditNoteEntry, CreditNoteLineEntry
from tallystick.domain.document_facts import (
    CreditNoteDocument,
    DocumentFacts,
    InvoiceDocument,
)
from tallystick.domain.invoice import (
    CustomerSnapshot,
    InvoiceLine,
    InvoiceStatus,
    PaymentStatus,
    SellerSnapshot,
    invoice_lines,
)
from tallystick.domain.offer import OnlinePayment, PaymentConfig
from tallystick.domain.parties import BankAccount, InvoicingEntity
from tallystick.domain.payment import Method, MethodKind
from tallystick.domain.periods import BilledPeriod, Period
from tallystick.domain.pricing import (
    FeeType,
    MatrixDimension,
    RatePricing,
    SlotPricing,
)
from tallystick.domain.tax import TaxDecision, TaxRate, TaxWhy
from tallystick.domain.usage_pricing import Measured, UsageLine
from tests.domain.samples import billed, item, named

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
FEBRUARY = Period(date(2026, 2, 1), date(2026, 3, 1))

VAT_20 = TaxDecision(
    rates=(TaxRate(name="VAT", rate=Decimal("0.20"), code="FR-STANDARD"),),
    exemption=None,
    reason=None,
    why=TaxWhy.EU_DOMESTIC,
)
VAT_19 = replace(VAT_20, rates=(TaxRate(name="VAT", rate=Decimal("0.19"), code="DE-STANDARD"),))
VAT_7 = replace(VAT_20, rates=(TaxRate(name="VAT", rate=Decimal("0.07"), code="DE-REDUCED"),))
ACCOUNT = BankAccount(
    id=named("account"),
    holder="Acme Cloud SAS",
    iban="FR7630006000011234567890189",
    bic="AGRIFRPP",
    bank_name="Credit Agricole",
)
ENTITY = InvoicingEntity(
    id=named("entity"),
    legal_name="Acme Cloud SAS",
    address=Address(line1="12 rue de la Paix", city="Paris", zip_code="75002", country="FR"),
    vat_number="FR40303265045",
    email="billing@acme.example",
    registration="RCS Paris 303 265 045, SAS au capital de 50 000 EUR",
    brand_color="#0f6e5c",
    bank_accounts=(ACCOUNT,),
)
GLOBEX = CustomerSnapshot(
    id=named("customer"),
    name="Globex GmbH",
    alias="globex",
    email="ap@globex.example",
    billing_address=Address(
        line1="Friedrichstraße 100", city="Berlin", zip_code="10117", country="DE"
    ),
    vat_number="DE136695976",
    snapshot_at=NOON,
)
VISA = Method(
    provider="sandbox", token="tok", kind=MethodKind.CARD, card_brand="visa", card_last4="4242"
)


def monthly(name: str, rate: str, span: Period = MARCH, *, full: Period = MARCH) -> Charge:
    """A fixed fee for a span of a month."""
    made = charge(item(RatePricing(rate=Decimal(rate))), BilledPeriod(span, full), "EUR")
    assert made is not None
    return replace(made, name=name, item_id=named(name), product_id=named(name))


def seats(name: str, rate: str, count: int) -> Charge:
    """Slots for a month."""
    sold = item(SlotPricing(unit_rate=Decimal(rate)), slots=count)
    made = charge(sold, BilledPeriod(MARCH, MARCH), "EUR")
    assert made is not None
    return replace(made, name=name, product_id=named(name))


def used(name: str, line: UsageLine, span: Period = FEBRUARY) -> Charge:
    """Metered usage of a window."""
    return Charge(
        item_id=named(name),
        product_id=named(name),
        name=name,
        start=span.start,
        end=span.end,
        amount=line.amount,
        computation=Computation(
            fee=FeeType.USAGE,
            unit_price=line.unit_price or Decimal(0),
            units=0,
            instances=1,
            days=span.days,
            full_days=span.days,
        ),
        usage=line,
    )


def units(quantity: str, *dimensions: tuple[str, str]) -> Measured:
    """So much of a metric."""
    named_values = tuple(MatrixDimension(key=key, value=value) for key, value in dimensions)
    return Measured(quantity=Fraction(quantity), dimensions=named_values)


def document(
    charges: Sequence[Charge],
    *,
    decision: TaxDecision = VAT_20,
    decision_of: Callable[[UUID], TaxDecision] | None = None,
    coupons: Sequence[CouponTerms] = (),
    currency: str = "EUR",
    inclusive: bool = False,
    locales: tuple[str, ...] = ("en-GB",),
    balance: int = 0,
    paid: bool = False,
    payment: PaymentConfig | None = None,
    charged: bool = True,
    entity: InvoicingEntity = ENTITY,
    status: InvoiceStatus = InvoiceStatus.FINALIZED,
    **said: Any,  # noqa: ANN401 - fields of the invoice
) -> InvoiceDocument:
    """The invoice of these charges, met by the balance and, where it is paid, by card."""
    made = billed(
        charges,
        decision,
        coupons,
        currency=currency,
        inclusive=inclusive,
        decision_of=decision_of,
    )
    lines = invoice_lines(made)
    ids = [UUID(int=place) for place, _ in enumerate(lines, start=1)]
    settled = made.total - balance if paid else 0
    due = max(made.total, 0) - balance - settled
    final = status is not InvoiceStatus.DRAFT
    invoice = replace(
        _draft(made, entity, tuple(_entry(*one) for one in zip(ids, lines, strict=True))),
        status=status,
        payment_status=PaymentStatus.UNPAID if due else PaymentStatus.PAID,
        number="INV-2026-42" if final else None,
        applied_balance=balance,
        settled=settled,
        amount_due=0 if status is InvoiceStatus.VOID else due,
        transactions=_payments(settled, currency) if settled else (),
        finalized_at=NOON if final else None,
        marked_as_uncollectible_at=None,
        voided_at=NOON if status is InvoiceStatus.VOID else None,
        **said,
    )
    facts = DocumentFacts(
        locales=locales,
        buyer_reference=None,
        legal_number=None,
        entity=entity,
        payment=payment or OnlinePayment(),
        is_charged=charged,
        explanations=dict(zip(ids, (line.explanation for line in lines), strict=True)),
    )
    return InvoiceDocument(invoice=invoice, facts=facts, time_zone="Europe/Paris")


def _draft(
    made: Bill, entity: InvoicingEntity, lines: tuple[InvoiceLineEntry, ...]
) -> InvoiceEntry:
    return InvoiceEntry(
        id=named("invoice"),
        customer_id=GLOBEX.id,
        subscription_id=named("subscription"),
        invoicing_entity_id=entity.id,
        invoice_type="RECURRING",
        status=InvoiceStatus.DRAFT,
        payment_status=PaymentStatus.UNPAID,
        number=None,
        invoice_date=MARCH.start,
        due_date=date(2026, 3, 31),
        billing_period_start=MARCH.start,
        billing_period_end=MARCH.end,
        net_terms=30,
        currency=made.currency,
        tax_inclusive=made.inclusive,
        subtotal=made.subtotal,
        subtotal_recurring=made.subtotal,
        discount=made.discount,
        tax_amount=made.tax,
        total=made.total,
        applied_balance=0,
        written_off=0,
        write_off_reason=None,
        settled=0,
        amount_due=max(made.total, 0),
        coupons=made.coupons_net,
        breakdown=made.breakdown,
        customer=GLOBEX,
        seller=_seller(entity),
        memo=None,
        purchase_order="PO-4711",
        custom_properties={},
        lines=lines,
        transactions=(),
        consolidated_into_invoice_id=None,
        finalized_at=None,
        paid_at=None,
        marked_as_uncollectible_at=None,
        voided_at=None,
        created_at=NOON,
        updated_at=NOON,
    )


def _seller(entity: InvoicingEntity) -> SellerSnapshot:
    return SellerSnapshot(
        legal_name=entity.legal_name,
        address=entity.address,
        vat_number=entity.vat_number,
        email=entity.email,
        registration=entity.registration,
    )


def _entry(line_id: UUID, line: InvoiceLine) -> InvoiceLineEntry:
    return InvoiceLineEntry(
        id=line_id,
        product_id=line.product_id,
        name=line.name,
        start_date=line.start_date,
        end_date=line.end_date,
        quantity=line.quantity,
        unit_price=line.unit_price,
        quoted_unit_price=line.quoted_unit_price,
        amount=line.amount,
        discount=line.discount,
        tax=line.tax,
        amount_total=line.amount_total,
        tax_rate=line.tax_rate,
        usage=line.explanation.usage,
        before=line.explanation.before,
    )


def _payments(amount: int, currency: str) -> tuple[TransactionEntry, ...]:
    return (
        TransactionEntry(
            id=named("payment"),
            payment_type="PAYMENT",
            status="SETTLED",
            reference="pi_1",
            amount=amount,
            currency=currency,
            payment_method_id=named("method"),
            method=VISA,
            failure=None,
            created_at=NOON,
            processed_at=NOON,
        ),
    )


def credit_of(
    billed_on: InvoiceDocument,
    kind: CreditType = CreditType.CREDIT_TO_BALANCE,
    status: CreditNoteStatus = CreditNoteStatus.FINALIZED,
) -> CreditNoteDocument:
    """A note that takes back all of an invoice."""
    invoice = billed_on.invoice
    is_final = status is CreditNoteStatus.FINALIZED
    note = CreditNoteEntry(
        id=named("note"),
        invoice_id=invoice.id,
        invoice_number=invoice.number or "",
        customer_id=invoice.customer_id,
        subscription_id=invoice.subscription_id,
        plan_version_id=None,
        type=kind,
        status=status,
        number="CN-000007" if is_final else None,
        currency=invoice.currency,
        subtotal=invoice.subtotal,
        discount=invoice.discount,
        tax_amount=invoice.tax_amount,
        total=invoice.total,
        credited=invoice.total if kind is CreditType.CREDIT_TO_BALANCE else 0,
        refunded=invoice.total if kind is CreditType.REFUND else 0,
        breakdown=invoice.breakdown,
        lines=tuple(
            CreditNoteLineEntry(
                id=named(str(line.id)),
                invoice_line_id=line.id,
                product_id=line.product_id,
                name=line.name,
                start_date=line.start_date,
                end_date=line.end_date,
                quantity=line.quantity,
                amount=line.amount,
                discount=line.discount,
                tax=line.tax,
                amount_total=line.amount_total,
                tax_rate=line.tax_rate,
            )
            for line in invoice.lines
        ),
        reason="Service was not available",
        memo="We are sorry for the interruption.",
        custom_properties={},
        failure=None,
        created_at=NOON,
        finalized_at=NOON if is_final else None,
        voided_at=NOON if status is CreditNoteStatus.VOIDED else None,
        updated_at=NOON,
    )
    return CreditNoteDocument(
        note=note, invoice=invoice, facts=billed_on.facts, time_zone=billed_on.time_zone
    )
