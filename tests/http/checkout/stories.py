"""Offers and views for the page's tests, priced by the domain's own quote."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.charges import Item
from tallystick.domain.coupons import CouponState, CouponTerms, Percentage
from tallystick.domain.offer import Offer, OnlinePayment, Trial
from tallystick.domain.parties import BankAccount
from tallystick.domain.payment import Method, MethodKind
from tallystick.domain.payment_panel import TypedPanel
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    BillingType,
    CapacityFee,
    CapacityPricing,
    ExtraRecurringFee,
    ExtraRecurringPricing,
    OneTimeFee,
    OneTimePricing,
    RateFee,
    RatePricing,
    SlotFee,
    SlotPricing,
    Tier,
    Tiered,
    UsageFee,
    UsageModelType,
    UsagePricing,
)
from tallystick.domain.quote import Quote, QuoteFacts, quote
from tallystick.domain.session import Quoted, Session, SessionState
from tallystick.domain.tax import Buyer, Seller, TaxEngine
from tallystick.services.checkout_view import (
    CheckoutView,
    CompletedCard,
    InvoiceCard,
    SellerCard,
)

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def uid(number: int) -> UUID:
    """A fixed id."""
    return UUID(int=number)


SEATS = Item(
    id=uid(1),
    kind="COMPONENT",
    name="Team seats",
    product_id=uid(101),
    price_id=uid(201),
    fee=SlotFee(unit_name="seat"),
    cadence=Cadence.MONTHLY,
    pricing=SlotPricing(unit_rate=Decimal("9.90")),
    slots=12,
)
PLATFORM = Item(
    id=uid(2),
    kind="COMPONENT",
    name="Platform fee (negotiated)",
    product_id=uid(102),
    price_id=uid(202),
    fee=RateFee(),
    cadence=Cadence.MONTHLY,
    pricing=RatePricing(rate=Decimal("129.00")),
)
API_CALLS = Item(
    id=uid(3),
    kind="COMPONENT",
    name="API calls",
    product_id=uid(103),
    price_id=uid(203),
    fee=CapacityFee(metric_id=uid(301)),
    cadence=Cadence.MONTHLY,
    pricing=CapacityPricing(
        rate=Decimal("80.00"), included=100_000, overage_rate=Decimal("0.0008")
    ),
)
STORAGE = Item(
    id=uid(4),
    kind="COMPONENT",
    name="Storage",
    product_id=uid(104),
    price_id=uid(204),
    fee=UsageFee(metric_id=uid(302), model=UsageModelType.TIERED),
    cadence=Cadence.MONTHLY,
    pricing=UsagePricing(
        model=Tiered(
            tiers=(
                Tier(first_unit=0, rate=Decimal("0.10")),
                Tier(first_unit=1000, rate=Decimal("0.08")),
                Tier(first_unit=10_000, rate=Decimal("0.05"), flat_fee=Decimal(20)),
            )
        )
    ),
)
SUPPORT = Item(
    id=uid(5),
    kind="ADD_ON",
    name="Priority support (launch price)",
    product_id=uid(105),
    price_id=uid(205),
    fee=ExtraRecurringFee(billing_type=BillingType.ADVANCE),
    cadence=Cadence.MONTHLY,
    pricing=ExtraRecurringPricing(unit_price=Decimal("45.00"), quantity=1),
    add_on_id=uid(401),
    instances=2,
)
ONBOARDING = Item(
    id=uid(6),
    kind="COMPONENT",
    name="Onboarding",
    product_id=uid(106),
    price_id=uid(206),
    fee=OneTimeFee(),
    cadence=Cadence.MONTHLY,
    pricing=OneTimePricing(unit_price=Decimal("500.00"), quantity=1),
)
LAUNCH20 = CouponTerms(
    id=uid(501),
    code="LAUNCH20",
    discount=Percentage(percentage=Decimal(20)),
    recurring_value=3,
    once_per_customer=True,
)
REDEEMABLE = CouponState(
    expires_at=None,
    disabled=False,
    archived=False,
    redemption_limit=None,
    taken=0,
    plan_ids=frozenset(),
    used_by_customer=False,
)

SIMPLE = Offer(
    plan_id=uid(601),
    plan_version_id=uid(602),
    plan_name="Acme Cloud Team",
    plan_version=1,
    currency="EUR",
    tax_inclusive=False,
    invoicing_entity_id=uid(603),
    items=(SEATS,),
    coupons=(),
    payment=OnlinePayment(card=True, direct_debit=True),
    created_on=TODAY,
    net_terms=14,
    auto_advance_invoices=True,
    charge_automatically=True,
)
FULL = replace(
    SIMPLE,
    plan_name="Acme Cloud Business",
    items=(PLATFORM, SEATS, API_CALLS, STORAGE, SUPPORT, ONBOARDING),
    coupons=(LAUNCH20,),
    anchor=15,
    invoice_memo="Thank you for choosing Acme Cloud.",
    purchase_order="PO-2026-118",
)
TRIAL = replace(SIMPLE, trial=Trial(days=14, is_free=True, once_per_customer=True))

ACME = SellerCard(
    legal_name="Acme Cloud",
    address=Address(line1="12 Rue de la Paix", city="Paris", zip_code="75002", country="FR"),
    vat_number="FR40303265045",
    creditor_identifier="FR72ZZZ123456",
    logo_url=None,
    brand_color="#0f6e5c",
    email="billing@acme.example",
    is_test=True,
    bank_account=BankAccount(
        id=uid(701),
        holder="Acme Cloud SAS",
        iban="FR7630006000011234567890189",
        bic="AGRIFRPP",
        bank_name="Banque de Paris",
        account_number=None,
    ),
)
GLOBEX = BuyerDetails(
    name="Globex GmbH",
    email="ap@globex.example",
    address=Address(line1="Hauptstrasse 5", city="Berlin", zip_code="10115", country="DE"),
)
EU_SELLER = Seller(engine=TaxEngine.EU_VAT, country="FR")


def priced(
    offer: Offer,
    *,
    country: str | None = "DE",
    has_vat_number: bool = False,
    balance: int = 0,
    least: int = 50,
    page_coupon: CouponTerms | None = None,
    states: dict[UUID, CouponState] | None = None,
    trial_used: bool = False,
    today: date = TODAY,
) -> Quote:
    """The quote of an offer on `today` for a buyer of the French seller, with EU VAT."""
    facts = QuoteFacts(
        now=NOW,
        today=today,
        seller=EU_SELLER,
        buyer=Buyer(country=country, vat_number_valid=has_vat_number),
        trial_used=trial_used,
        balance_available=balance,
        coupon_states={LAUNCH20.id: REDEEMABLE} if states is None else states,
        product_taxes={},
        chargeable=lambda amount: amount >= least,
        page_coupon=page_coupon,
    )
    return quote(offer, facts)


def session_of(offer: Offer, state: SessionState = SessionState.CREATED) -> Session:
    """A session that promises an offer."""
    return Session(
        id=uid(801),
        customer_id=uid(802),
        plan_id=offer.plan_id,
        plan_version_id=offer.plan_version_id,
        state=state,
        ending=None,
        offer=offer,
        buyer=None,
        page_coupon=None,
        success_url=None,
        cancel_url="https://acme.example/pricing",
        expires_at=None,
        completed_at=None,
        subscription_id=None,
        quoted=Quoted(quote_id="", amount_total=0, amount_due=0),
        last_payment_error=None,
        attempt_count=0,
        created_at=NOW,
        updated_at=NOW,
    )


def view_of(
    offer: Offer,
    quoted: Quote | None = None,
    *,
    state: SessionState = SessionState.CREATED,
    buyer: BuyerDetails = GLOBEX,
    seller: SellerCard = ACME,
) -> CheckoutView:
    """The view of a session that promises an offer."""
    return CheckoutView(
        session=session_of(offer, state),
        status=state,
        now=NOW,
        offer=offer,
        quote=quoted,
        seller=seller,
        buyer=buyer,
        vat_number_valid=None,
        page_code=None,
        last_failure=None,
        attempt=None,
        completed=None,
        locales=(),
        mandate_reference=None,
        panel=TypedPanel(),
    )


CARD = Method(
    provider="sandbox",
    token="tok_1",
    kind=MethodKind.CARD,
    card_brand="visa",
    card_last4="4242",
    card_expiry="12/2034",
)
DEBIT = Method(
    provider="sandbox",
    token="tok_2",
    kind=MethodKind.DIRECT_DEBIT,
    account_hint="3000",
    mandate_reference="TEST-0123456789ABCDEF",
)


def completed(
    quoted: Quote, *, status: str = "PAID", method: Method | None = CARD
) -> CompletedCard:
    """What a checkout of this quote came to."""
    invoice = None
    if quoted.bill is not None:
        invoice = InvoiceCard(
            id=UUID(int=42),
            number="INV-42",
            invoice_date=TODAY,
            due_date=date(2026, 12, 7),
            amount_due=0 if status == "PAID" else quoted.amount_due,
            payment_status=status,
        )
    return CompletedCard(method=method, invoice=invoice, quote=quoted)
