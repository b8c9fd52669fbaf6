"""Documents of every kind: what the tests read, and what is looked at as pictures."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from tallystick.domain.buyer import Address
from tallystick.domain.charges import Charge, charge_once
from tallystick.domain.credit_note import CreditNoteStatus, CreditType
from tallystick.domain.document_facts import CreditNoteDocument, InvoiceDocument
from tallystick.domain.invoice import InvoiceStatus
from tallystick.domain.offer import BankTransfer
from tallystick.domain.periods import Period
from tallystick.domain.pricing import (
    CapacityPricing,
    Matrix,
    MatrixDimension,
    MatrixRow,
    OneTimePricing,
    Package,
    Tier,
    Tiered,
    UsagePricing,
)
from tallystick.domain.tax import TaxDecision, TaxRate, TaxWhy
from tallystick.domain.usage_pricing import price_overage, price_usage
from tests.documents.papers import (
    ACCOUNT,
    GLOBEX,
    MARCH,
    VAT_7,
    VAT_19,
    VAT_20,
    credit_of,
    document,
    monthly,
    seats,
    units,
    used,
)
from tests.domain.samples import REVERSED, UNTAXED, fixed, item, named, percent

QUEBEC = TaxDecision(
    rates=(
        TaxRate(name="GST", rate=Decimal("0.05"), code="CA-GST"),
        TaxRate(name="QST", rate=Decimal("0.09975"), code="CA-QC"),
    ),
    exemption=None,
    reason=None,
    why=TaxWhy.CUSTOM,
)


IN_TOKYO = replace(
    GLOBEX,
    name="株式会社グローベックス",
    vat_number=None,
    billing_address=Address(
        line1="丸の内1-1-1",
        city="千代田区",
        state="東京都",
        zip_code="100-0005",
        country="JP",
    ),
)
IN_KUWAIT = replace(
    GLOBEX,
    name="شركة غلوبكس للتجارة العامة",
    vat_number=None,
    billing_address=Address(line1="شارع فهد السالم", city="Kuwait City", country="KW"),
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
        due_date=MARCH.start,
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
    return {
        "simple": simple,
        "mixed": mixed,
        "long": long,
        "usage": document(usage_of_all_kinds(), locales=("es-ES",)),
        "reverse": document(
            [monthly("Pro plan", "49"), seats("Team members", "12.50", 8)],
            decision=REVERSED,
            locales=("de",),
            payment=BankTransfer(),
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
        "credit": credit_of(mixed),
        "refund": credit_of(simple, CreditType.REFUND),
        "returning": credit_of(simple, CreditType.REFUND, CreditNoteStatus.DRAFT),
        "cancelled": credit_of(mixed, CreditType.DEBT_CANCELLATION),
        **names_of_all_kinds(),
    }


def names_of_all_kinds() -> dict[str, InvoiceDocument | CreditNoteDocument]:
    """Documents of long words, of other scripts, and of markup."""
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
        customer=IN_TOKYO,
        locales=(),
    )
    return {
        "words": words,
        "jpy": jpy,
        "kwd": document(
            [replace(monthly("Pro plan", "49"), amount=1234567)],
            currency="KWD",
            decision=UNTAXED,
            customer=IN_KUWAIT,
            locales=("en",),
        ),
        "hostile": document(
            [monthly(HOSTILE, "49")],
            customer=replace(GLOBEX, name=HOSTILE, alias=HOSTILE[:40]),
            memo=HOSTILE,
            purchase_order="#panic()",
        ),
    }
