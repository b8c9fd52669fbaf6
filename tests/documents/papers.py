"""Invoices of many kinds with all that their documents say, priced as everything is priced."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from tallystick.domain.billing_entries import (
    InvoiceEntry,
    InvoiceLineEntry,
    TransactionEntry,
)
from tallystick.domain.buyer import Address
from tallystick.domain.charges import Charge, Computation, charge, charge_once
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
    InvoiceStatus,
    PaymentStatus,
    SellerSnapshot,
    invoice_lines,
)
from tallystick.domain.offer import BankTransfer, OnlinePayment, PaymentConfig
from tallystick.domain.parties import BankAccount, InvoicingEntity
from tallystick.domain.payment import Method, MethodKind
from tallystick.domain.periods import BilledPeriod, Period
from tallystick.domain.pricing import (
    CapacityPricing,
    FeeType,
    Matrix,
    MatrixDimension,
    MatrixRow,
    OneTimePricing,
    Package,
    RatePricing,
    SlotPricing,
    Tier,
    Tiered,
    UsagePricing,
)
from tallystick.domain.tax import TaxDecision, TaxRate, TaxWhy
from tallystick.domain.usage_pricing import Measured, UsageLine, price_overage, price_usage
from tests.domain.samples import REVERSED, UNTAXED, billed, fixed, item, named, percent

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
QUEBEC = TaxDecision(
    rates=(
        TaxRate(name="GST", rate=Decimal("0.05"), code="CA-GST"),
        TaxRate(name="QST", rate=Decimal("0.09975"), code="CA-QC"),
    ),
    exemption=None,
    reason=None,
    why=TaxWhy.CUSTOM,
)

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
    net_terms: int = 30,
    payment: PaymentConfig | None = None,
    entity: InvoicingEntity = ENTITY,
    customer: CustomerSnapshot = GLOBEX,
    status: InvoiceStatus = InvoiceStatus.FINALIZED,
    memo: str | None = None,
    purchase_order: str | None = "PO-4711",
    number: str = "INV-2026-42",
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
    is_draft = status is InvoiceStatus.DRAFT
    settled = made.total - balance if paid else 0
    due = max(made.total, 0) - balance - settled
    day = date(2026, 3, 1)
    entry = InvoiceEntry(
        id=named("invoice"),
        customer_id=customer.id,
        subscription_id=named("subscription"),
        invoicing_entity_id=entity.id,
        invoice_type="RECURRING",
        status=status,
        payment_status=PaymentStatus.UNPAID if due else PaymentStatus.PAID,
        number=None if is_draft else number,
        invoice_date=day,
        due_date=date.fromordinal(day.toordinal() + net_terms),
        billing_period_start=day,
        billing_period_end=date(2026, 4, 1),
        net_terms=net_terms,
        currency=currency,
        tax_inclusive=inclusive,
        subtotal=made.subtotal,
        subtotal_recurring=made.subtotal,
        discount=made.discount,
        tax_amount=made.tax,
        total=made.total,
        applied_balance=balance,
        written_off=0,
        write_off_reason=None,
        settled=settled,
        amount_due=0 if status is InvoiceStatus.VOID else due,
        coupons=made.coupons_net,
        breakdown=made.breakdown,
        customer=customer,
        seller=SellerSnapshot(
            legal_name=entity.legal_name,
            address=entity.address,
            vat_number=entity.vat_number,
            email=entity.email,
            registration=entity.registration,
        ),
        memo=memo,
        purchase_order=purchase_order,
        custom_properties={},
        lines=tuple(
            InvoiceLineEntry(
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
            for line_id, line in zip(ids, lines, strict=True)
        ),
        transactions=_payments(settled, currency) if settled else (),
        consolidated_into_invoice_id=None,
        finalized_at=None if is_draft else NOON,
        paid_at=None if due or is_draft else NOON,
        voided_at=NOON if status is InvoiceStatus.VOID else None,
        created_at=NOON,
        updated_at=NOON,
    )
    facts = DocumentFacts(
        locales=locales,
        buyer_reference=None,
        legal_number=None,
        entity=entity,
        payment=payment or OnlinePayment(),
        explanations={
            line_id: line.explanation for line_id, line in zip(ids, lines, strict=True)
        },
    )
    return InvoiceDocument(invoice=entry, facts=facts, time_zone="Europe/Paris")


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


def usage_of_all_kinds() -> list[Charge]:
    """Tiers, a matrix, blocks of a package, and the overage of a capacity."""
    tiers = Tiered(
        tiers=(
            Tier(first_unit=0, rate=Decimal(0)),
            Tier(first_unit=1000, rate=Decimal("0.02")),
            Tier(first_unit=10000, rate=Decimal("0.0125"), flat_fee=Decimal(10)),
        )
    )
    regions = Matrix(
        rates=(
            MatrixRow(
                dimension1=MatrixDimension(key="region", value="eu-west"),
                per_unit_price=Decimal("0.09"),
            ),
            MatrixRow(
                dimension1=MatrixDimension(key="region", value="us-east"),
                per_unit_price=Decimal("0.07"),
            ),
        )
    )
    capacity = CapacityPricing(rate=Decimal(100), included=500, overage_rate=Decimal("0.30"))
    over = price_overage(capacity, Fraction(612), 1, "EUR")
    assert over is not None
    package = Package(block_size=100, rate=Decimal(5))
    return [
        monthly("Platform", "199"),
        *(
            used(name, line)
            for name, pricing, measured in (
                ("API calls", tiers, [units("15240")]),
                (
                    "Traffic",
                    regions,
                    [
                        units("812.5", ("region", "eu-west")),
                        units("90.25", ("region", "us-east")),
                    ],
                ),
                ("Text messages", package, [units("1234")]),
            )
            for line in price_usage(UsagePricing(model=pricing), measured, "EUR").lines
        ),
        used("Storage", over),
    ]


def setup(amount: str = "250") -> Charge:
    """A fee that is charged once."""
    made = charge_once(
        item(OneTimePricing(unit_price=Decimal(amount), quantity=1)), MARCH.start, "EUR"
    )
    return replace(made, name="Setup", product_id=named("Setup"))


HOSTILE = (
    '#eval("1+1") *bold* $x^2$ \\ `raw` <label> @ref // comment /* */ [x] {y} ~ -- "quote"'
)


def stories() -> dict[str, InvoiceDocument | CreditNoteDocument]:
    """A document of each kind, by its name."""
    simple = document(
        [monthly("Pro plan", "49")],
        coupons=(percent("10", "TEN"),),
        balance=1000,
        paid=True,
        net_terms=0,
        locales=("fr-FR",),
        memo="Merci de votre confiance.",
    )
    mixed = document(
        [monthly("Software", "149"), seats("Team members", "12.50", 8), setup()],
        decision_of=lambda product: VAT_7 if product == named("Setup") else VAT_19,
        coupons=(percent("15", "SPRING15"), fixed("20", "WELCOME")),
        locales=("de-DE",),
        payment=BankTransfer(account_id=ACCOUNT.id),
        memo="Vielen Dank für Ihren Auftrag.\nFragen beantworten wir gern.",
    )
    long = document(
        [monthly(f"Environment {n:02}", f"{n * 3}.95") for n in range(1, 61)],
        locales=("en-GB",),
    )
    words = document(
        [
            monthly(
                "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
                "19.99",
            ),
            monthly(
                "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz-Prüfung",
                "1250000.00",
            ),
            monthly("x" * 200, "1"),
        ],
        locales=("de-AT",),
        coupons=(percent("5", "ABSCHREIBUNGSGESELLSCHAFT2026"),),
        customer=replace(
            GLOBEX,
            name="Rhabarberbarbarabarbarbarenbartbarbierbierbarbarabar"
            " Betriebsgesellschaft mbH & Co. KG",
        ),
    )
    jpy = document(
        [replace(monthly("Pro plan", "49"), amount=4980000)],
        currency="JPY",
        decision=replace(
            VAT_20, rates=(TaxRate(name="Consumption tax", rate=Decimal("0.10"), code="JP"),)
        ),
        customer=replace(
            GLOBEX,
            name="株式会社グローベックス",
            billing_address=Address(
                line1="丸の内1-1-1",
                city="千代田区",
                state="東京都",
                zip_code="100-0005",
                country="JP",
            ),
            vat_number=None,
        ),
        locales=(),
    )
    return {
        "simple": simple,
        "mixed": mixed,
        "long": long,
        "usage": document(usage_of_all_kinds(), locales=("es-ES",)),
        "words": words,
        "reverse": document(
            [monthly("Pro plan", "49"), seats("Team members", "12.50", 8)],
            decision=REVERSED,
            locales=("de",),
            payment=BankTransfer(),
        ),
        "jpy": jpy,
        "kwd": document(
            [replace(monthly("Pro plan", "49"), amount=1234567)],
            currency="KWD",
            decision=UNTAXED,
            customer=replace(
                GLOBEX,
                name="شركة غلوبكس للتجارة العامة",
                vat_number=None,
                billing_address=Address(
                    line1="شارع فهد السالم", city="Kuwait City", country="KW"
                ),
            ),
            locales=("en",),
        ),
        "quebec": document(
            [monthly("Pro plan", "49")], decision=QUEBEC, currency="CAD", locales=("fr-CA",)
        ),
        "inclusive": document(
            [monthly("Pro plan", "49", Period(date(2026, 3, 10), date(2026, 4, 1)))],
            inclusive=True,
            locales=("fr",),
            paid=True,
        ),
        "draft": document([monthly("Pro plan", "49")], status=InvoiceStatus.DRAFT),
        "void": document(
            [monthly("Pro plan", "49")], status=InvoiceStatus.VOID, locales=("fr",)
        ),
        "hostile": document(
            [monthly(HOSTILE, "49")],
            customer=replace(GLOBEX, name=HOSTILE, alias=HOSTILE[:40]),
            memo=HOSTILE,
            purchase_order="#panic()",
        ),
        "credit": credit_of(mixed),
        "refund": credit_of(simple, CreditType.REFUND),
        "cancelled": credit_of(long, CreditType.DEBT_CANCELLATION),
    }
