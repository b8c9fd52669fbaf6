"""Lives whose every invoice is explained: each way to price, in currencies of all kinds."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.buyer import Address
from tallystick.domain.coupons import Percentage
from tallystick.domain.explain_invoice import InvoiceExplanation
from tallystick.domain.periods import Cadence
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
    UsageModel,
    UsagePricing,
    Volume,
)
from tallystick.domain.tax import REVERSE_CHARGE_NOTE
from tests.domain.kept import sentences_of
from tests.scenarios.test_usage_billed import metric, use
from tests.shops import selling_under_eu_rules
from tests.subscribing import Merchant, explain_all
from tests.world import SoldPlan, World

X = "\N{MULTIPLICATION SIGN}"
CUT = "\N{HORIZONTAL ELLIPSIS}"
TIERS = (
    Tier(first_unit=0, rate=Decimal("0.1")),
    Tier(first_unit=1000, rate=Decimal("0.0333"), flat_fee=Decimal(5)),
)
MODELS: Mapping[str, UsageModel] = {
    "Each": PerUnit(rate=Decimal("0.0123")),
    "Tiers": Tiered(tiers=TIERS),
    "Volume": Volume(tiers=TIERS),
    "Blocks": Package(block_size=100, rate=Decimal("3.3")),
    "Regions": Matrix(
        rates=(
            MatrixRow(
                dimension1=MatrixDimension(key="n", value="1234"), per_unit_price=Decimal("0.2")
            ),
        )
    ),
}


async def everything(
    world: World,
    currency: str,
    **version: Any,  # noqa: ANN401 - columns
) -> SoldPlan:
    """A plan with a component of every kind, every usage model among them."""
    counted = await metric(world)
    parts: list[tuple[str, FeeStructure, Cadence, Pricing]] = [
        ("Platform", RateFee(), Cadence.MONTHLY, RatePricing(rate=Decimal(90))),
        ("Contract", RateFee(), Cadence.QUARTERLY, RatePricing(rate=Decimal(250))),
        (
            "Seats",
            SlotFee(unit_name="seat"),
            Cadence.MONTHLY,
            SlotPricing(unit_rate=Decimal(9), min_slots=7),
        ),
        (
            "Gateway",
            CapacityFee(metric_id=counted),
            Cadence.MONTHLY,
            CapacityPricing(rate=Decimal(80), included=1000, overage_rate=Decimal("0.077")),
        ),
        (
            "Support",
            ExtraRecurringFee(billing_type=BillingType.ARREARS),
            Cadence.MONTHLY,
            ExtraRecurringPricing(unit_price=Decimal(11), quantity=3),
        ),
        (
            "Set-up",
            OneTimeFee(),
            Cadence.MONTHLY,
            OneTimePricing(unit_price=Decimal(500), quantity=2),
        ),
        *(
            (
                name,
                UsageFee(metric_id=counted, model=model.type),
                Cadence.MONTHLY,
                UsagePricing(model=model),
            )
            for name, model in MODELS.items()
        ),
    ]
    return await world.plan(
        *((name, fee, [(cadence, pricing)]) for name, fee, cadence, pricing in parts),
        currency=currency,
        **version,
    )


async def lived(
    world: World,
    currency: str,
    country: str = "FR",
    *,
    inclusive: bool = False,
    **columns: Any,  # noqa: ANN401 - columns
) -> list[InvoiceExplanation]:
    """A life from March 10 over two boundaries on the 1st, with 1234 units used in March."""
    await selling_under_eu_rules(world)
    merchant = Merchant(world=world)
    coupon = await world.coupon("THIRD", Percentage(percentage=Decimal("33.3")))
    customer = await world.customer(
        currency=currency, billing_address=Address(country=country), **columns
    )
    await merchant.subscribe(
        customer,
        await everything(world, currency, tax_inclusive=inclusive),
        date(2026, 3, 10),
        coupon_ids=(coupon,),
        billing_day_anchor=1,
    )
    await use(world, customer, 1234, "2026-03-12T00:00:00")
    await merchant.travel(date(2026, 5, 2))
    explained = await explain_all(world)
    order: list[UUID] = [one["id"] for one in await merchant.invoices()]
    return [explained[invoice_id] for invoice_id in order]


def named(explained: InvoiceExplanation) -> dict[str, list[str]]:
    """What is said of each line, by its name, without its days and its tax rule."""
    told = sentences_of(explained)
    return {
        one.line.name: sentences[1:-1]
        for one, sentences in zip(explained.lines, told, strict=False)
    }


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
@pytest.mark.parametrize("inclusive", [False, True], ids=["exclusive", "inclusive"])
async def test_a_life_with_everything(world: World, currency: str, inclusive: bool) -> None:
    """Three invoices, each line of each model, and every figure is arrived at."""
    first, second, third = await lived(world, currency, inclusive=inclusive)

    assert [one.line.name for one in first.lines] == [
        *("Platform", "Contract", "Seats", "Gateway", "Set-up"),
    ]
    names = {one.line.name for one in second.lines}
    assert {*MODELS, "Gateway (overage)", "Support", "Platform"} <= names
    assert "Set-up" not in names
    assert {one.line.name for one in third.lines} == {
        *("Platform", "Seats", "Gateway", "Support")
    }
    kept = second.invoice
    assert kept.subtotal - kept.discount + kept.tax_amount == kept.total


async def test_usage_is_told_with_its_figures(world: World) -> None:
    """1234 units in yen: whole yen are rounded from the exact price."""
    _, second, _ = await lived(world, "JPY")

    said = named(second)
    assert said["Each"][:3] == [
        "Used: 1,234",
        f"1,234 {X} JPY 0.0123 = JPY 15.1782",
        "Rounded to JPY 15",
    ]
    assert said["Tiers"][:5] == [
        "Used: 1,234",
        f"From 0 to 1,000 units: 1,000 {X} JPY 0.1 = JPY 100",
        f"From 1,000 units: 234 {X} JPY 0.0333 + JPY 5 = JPY 12.7922",
        "Together JPY 112.7922",
        "Rounded to JPY 113",
    ]
    assert said["Blocks"][:4] == [
        "Used: 1,234",
        "Blocks of 100 begun: 13",
        f"13 {X} JPY 3.3 = JPY 42.9",
        "Rounded to JPY 43",
    ]
    assert said["Gateway (overage)"][:3] == [
        "1,234 used, 1,000 included: 234 beyond them",
        f"234 {X} JPY 0.077 = JPY 18.018",
        "Rounded to JPY 18",
    ]


async def test_a_stub_in_a_currency_of_three_decimals(world: World) -> None:
    """The quarter that ends on June 1 has 92 days, of which 83 are billed."""
    first, _, _ = await lived(world, "KWD")

    assert named(first)["Contract"][:3] == [
        f"1 {X} KWD 250.000 = KWD 250.000",
        f"This period has 83 of 92 days: KWD 250.000 {X} 83/92 = KWD 225.5434782{CUT}",
        "Rounded to KWD 225.543",
    ]


async def test_a_business_abroad_reads_the_legal_words(world: World) -> None:
    """Reverse charge: no tax, the rule, and the article, on the line and on the invoice."""
    first, _, _ = await lived(world, "EUR", "DE", vat_number="DE136695976")

    told = sentences_of(first)
    assert told[0][-2:] == [
        "No VAT is charged: the customer accounts for it in their country (reverse charge).",
        f"On the invoice: {REVERSE_CHARGE_NOTE}",
    ]
    assert f"No tax: {REVERSE_CHARGE_NOTE}" in told[-1]
    assert first.invoice.tax_amount == 0
