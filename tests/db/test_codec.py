"""What is kept in jsonb comes back equal: offers, quotes, obligations and every price."""

import json
from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from tallystick.db.codec import Codec
from tallystick.domain.attempt import Obligation
from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.catalog import PlanVersion
from tallystick.domain.coupons import Discount, Fixed, Percentage
from tallystick.domain.offer import (
    BankTransfer,
    ExternalPayment,
    NewProduct,
    Offer,
    OnlinePayment,
    PaymentConfig,
)
from tallystick.domain.pricing import (
    BillingType,
    CapacityFee,
    CapacityPricing,
    ExtraRecurringFee,
    ExtraRecurringPricing,
    FeeStructure,
    Matrix,
    MatrixDimension,
    MatrixRow,
    OneTimeFee,
    OneTimePricing,
    Package,
    PerUnit,
    Pricing,
    RateFee,
    RatePricing,
    SlotFee,
    SlotPricing,
    Tier,
    Tiered,
    UsageFee,
    UsageModelType,
    UsagePricing,
    Volume,
)
from tallystick.domain.quote import Quote
from tallystick.domain.tax import Buyer, Seller, TaxEngine
from tests.domain.offers import (
    arrears,
    buyer,
    capacity,
    offer,
    once,
    priced,
    quoted,
    rate,
    seats,
    trial,
    usage,
)
from tests.domain.orders import BANDWIDTH, PLATFORM, SEATS, version
from tests.domain.purchases import TYPED, obligation
from tests.domain.samples import DAY, fixed, named, percent

OFFERS: Codec[Offer] = Codec(Offer)
QUOTES: Codec[Quote] = Codec(Quote)
OBLIGATIONS: Codec[Obligation] = Codec(Obligation)
PRICINGS: Codec[Pricing] = Codec(Pricing)
FEES: Codec[FeeStructure] = Codec(FeeStructure)
PAYMENTS: Codec[PaymentConfig] = Codec(PaymentConfig)
DISCOUNTS: Codec[Discount] = Codec(Discount)
VERSIONS: Codec[PlanVersion] = Codec(PlanVersion)
BUYERS: Codec[BuyerDetails] = Codec(BuyerDetails)

TIERS = (
    Tier(first_unit=0, rate=Decimal("0.10"), flat_fee=Decimal(5), flat_cap=Decimal("99.5")),
    Tier(first_unit=100, rate=Decimal("0.004")),
)
METRIC = named("metric")
ROWS = (
    MatrixRow(
        dimension1=MatrixDimension(key="region", value="eu"),
        dimension2=MatrixDimension(key="size", value="L"),
        per_unit_price=Decimal("0.000000000001"),
    ),
    MatrixRow(dimension1=MatrixDimension(key="region", value="us"), per_unit_price=Decimal(1)),
)
PRICED: list[Pricing] = [
    RatePricing(rate=Decimal("123456789012345.123456789012")),
    SlotPricing(unit_rate=Decimal(10), min_slots=1, max_slots=50),
    CapacityPricing(rate=Decimal(50), included=100, overage_rate=Decimal("0.05")),
    UsagePricing(model=PerUnit(rate=Decimal("0.004"))),
    UsagePricing(model=Tiered(tiers=TIERS)),
    UsagePricing(model=Volume(tiers=TIERS)),
    UsagePricing(model=Package(block_size=1000, rate=Decimal("1E+1"))),
    UsagePricing(model=Matrix(rates=ROWS)),
    ExtraRecurringPricing(unit_price=Decimal(5), quantity=3),
    OneTimePricing(unit_price=Decimal(5), quantity=3),
]
FEE_STRUCTURES: list[FeeStructure] = [
    RateFee(),
    SlotFee(unit_name="Sitz \N{LATIN SMALL LETTER SHARP S}"),
    CapacityFee(metric_id=METRIC),
    UsageFee(metric_id=METRIC, model=UsageModelType.MATRIX),
    ExtraRecurringFee(billing_type=BillingType.ARREARS),
    OneTimeFee(),
]
EVERYTHING = offer(
    *(priced(f"Item {index}", one) for index, one in enumerate(PRICED[1:])),
    coupons=(percent("12.5"), fixed("5", "FIVE")),
    trial=trial(14),
    start_date=date(2023, 12, 1),
    anchor=31,
    end_date=date(2030, 2, 28),
    billing_cycles=12,
    invoice_memo="Merci",
    purchase_order="PO-7",
    invoice_threshold=Decimal("99.50"),
    new_products=tuple(
        NewProduct(id=named(fee.type), product_family_id=named("family"), name="New", fee=fee)
        for fee in FEE_STRUCTURES
    ),
    new_prices=BANDWIDTH.prices,
)


@pytest.mark.parametrize("pricing", PRICED)
def test_a_pricing_comes_back_as_its_own_kind(pricing: Pricing) -> None:
    """Equal, of the same class, with every digit."""
    again = PRICINGS.load(PRICINGS.dump(pricing))
    assert again == pricing
    assert type(again) is type(pricing)
    assert repr(again) == repr(pricing)


@pytest.mark.parametrize("fee", FEE_STRUCTURES, ids=lambda one: one.type)
def test_a_fee_structure_comes_back_as_its_own_kind(fee: FeeStructure) -> None:
    """Told apart by its type alone."""
    again = FEES.load(FEES.dump(fee))
    assert again == fee
    assert type(again) is type(fee)


@pytest.mark.parametrize(
    "payment",
    [
        OnlinePayment(),
        OnlinePayment(card=False),
        OnlinePayment(direct_debit=False),
        BankTransfer(),
        BankTransfer(account_id=named("account")),
        ExternalPayment(),
    ],
    ids=repr,
)
def test_a_payment_configuration_comes_back_as_its_own_kind(payment: PaymentConfig) -> None:
    """Also where nothing but the type differs."""
    again = PAYMENTS.load(PAYMENTS.dump(payment))
    assert again == payment
    assert type(again) is type(payment)


@pytest.mark.parametrize(
    "discount",
    [Percentage(percentage=Decimal("12.5")), Fixed(amount=Decimal(5), currency="EUR")],
)
def test_a_discount_comes_back(discount: Discount) -> None:
    """A share or an amount."""
    assert DISCOUNTS.load(DISCOUNTS.dump(discount)) == discount


@pytest.mark.parametrize("made", [offer(), EVERYTHING], ids=["nothing", "everything"])
def test_an_offer_comes_back(made: Offer) -> None:
    """Every field, and it prices the same."""
    again = OFFERS.load(OFFERS.dump(made))
    assert again == made
    assert quoted(again).canonical == quoted(made).canonical


QUOTED = {
    "nothing": quoted(offer()),
    "everything": quoted(EVERYTHING),
    "free trial": quoted(offer(rate("49"), trial=trial(14, once_per_customer=True))),
    "trial used": quoted(
        offer(rate("49"), trial=trial(14, once_per_customer=True)), trial_used=True
    ),
    "future": quoted(offer(rate("49"), usage(), start_date=date(2024, 3, 1))),
    "taxed": quoted(
        offer(rate("49"), seats("10", 3), once("5"), arrears("1"), tax_inclusive=True),
        seller=Seller(engine=TaxEngine.MANUAL, country="FR"),
        buyer=buyer("0.055"),
        balance_available=100,
    ),
    "reverse charge": quoted(
        offer(capacity("49")),
        seller=Seller(engine=TaxEngine.EU_VAT, country="FR"),
        buyer=Buyer(country="DE", vat_number_valid=True),
    ),
    "left out": quoted(offer(rate("49"), coupons=(percent("5"),)), coupon_states={}),
    "written off": quoted(offer(rate("0.3")), chargeable=lambda _: False),
}


@pytest.mark.parametrize("name", QUOTED)
def test_a_quote_comes_back(name: str) -> None:
    """Equal, and with the same identity."""
    shown = QUOTED[name]
    again = QUOTES.load(QUOTES.dump(shown))
    assert again == shown
    assert again.id == shown.id


@pytest.mark.parametrize("name", QUOTED)
def test_an_obligation_comes_back(name: str) -> None:
    """Offer, quote, buyer, customer and entity, as recording needs them."""
    owed = obligation(EVERYTHING, QUOTED[name])
    assert OBLIGATIONS.load(OBLIGATIONS.dump(owed)) == owed


def test_a_plan_version_comes_back() -> None:
    """With its components and their choices."""
    made = version(PLATFORM, SEATS, BANDWIDTH, billing_cycles=12)
    assert VERSIONS.load(VERSIONS.dump(made)) == made


def test_null_is_none() -> None:
    """SQL null in both directions; a value as ever."""
    assert BUYERS.dump_optional(None) is None
    assert BUYERS.load_optional(None) is None
    text = BUYERS.dump_optional(TYPED)
    assert BUYERS.load_optional(text) == TYPED


def test_amounts_are_kept_as_text() -> None:
    """A price is a string in JSON, so that no reader rounds it."""
    kept = json.loads(OFFERS.dump(offer(rate("0.10"))))
    assert kept["items"][0]["pricing"]["rate"] == "0.10"
    assert kept["created_on"] == DAY.isoformat()


def test_a_row_that_no_longer_fits_raises() -> None:
    """Nothing is guessed: an unknown type, a missing field, sums that disagree."""
    with pytest.raises(ValidationError):
        PRICINGS.load('{"type": "BARTER", "rate": "1"}')
    with pytest.raises(ValidationError):
        PRICINGS.load('{"type": "RATE"}')
    with pytest.raises(ValidationError):
        PRICINGS.load('{"type": "RATE", "rate": "-1"}')
    kept = json.loads(QUOTES.dump(quoted(offer(rate("49")))))
    kept["amount_due"] = 1
    with pytest.raises((ValidationError, AssertionError)):
        QUOTES.load(json.dumps(kept))
