"""What the shop of these tests sells."""

from decimal import Decimal

from meteroid import models as m

from tests.http.purchase.market import Market
from tests.http.purchase.terms import fixed, percent, rate, slots_of, term


def stock(market: Market) -> None:
    """Set up everything that the tests buy."""
    market.metric = market.sdk.metrics.create(
        aggregation_type="COUNT",
        code="api_calls",
        name="API calls",
        product_family_id=market.family,
    ).id
    market.plan("Starter")
    market.plan("Trial", trial=m.TrialConfig(duration_days=14, is_free=True))
    market.plan("Paid trial", trial=m.TrialConfig(duration_days=14, is_free=False))
    market.plan("Draft", status="DRAFT")
    market.plan("Terms", billing=m.BillingConfig(net_terms=30, period_start_day=15))
    _business(market)
    market.add_on(
        "Priority support",
        m.RateFeeStructure(),
        {"type": "RATE", "rate": "60.00"},
        max_instances_per_subscription=5,
    )
    market.add_on(
        "Workspaces",
        slots_of("workspace"),
        {"type": "SLOT", "unit_rate": "4.00", "min_slots": 1, "max_slots": 20},
    )
    market.coupon("LAUNCH20", percent("20"))
    market.coupon("TENOFF", fixed("10.00"), description="EUR 10 off")


def _business(market: Market) -> None:
    """EUR 149 + seats + calls + 30 a month, and metered storage."""
    market.plan(
        "Business",
        rate("Platform", "149.00"),
        m.PriceComponentInput(
            name="Seats",
            fee=m.SlotPlanFee(
                rates=[term("MONTHLY", "9.50"), term("ANNUAL", "99.00")],
                slot_unit_name="seat",
                minimum_count=2,
                quota=50,
            ),
        ),
        m.PriceComponentInput(
            name="API calls",
            fee=m.CapacityPlanFee(
                cadence=m.BillingPeriodEnum("MONTHLY"),
                metric_id=market.metric,
                thresholds=[
                    m.CapacityThreshold(
                        included_amount=included,
                        per_unit_overage=Decimal(overage),
                        price=Decimal(price),
                    )
                    for included, overage, price in (
                        (10_000, "0.004", "20.00"),
                        (100_000, "0.002", "80.00"),
                        (1_000_000, "0.001", "500.00"),
                    )
                ],
            ),
        ),
        m.PriceComponentInput(
            name="Storage",
            fee=m.UsagePlanFee(
                cadence=m.BillingPeriodEnum("MONTHLY"),
                metric_id=market.metric,
                pricing=m.PerUnitPlanPricing(rate=Decimal("0.10")),
            ),
        ),
        rate("Insights", "30.00"),
    )


def credited(market: Market, invoice_id: str) -> str:
    """A credit note of EUR 1 on an invoice."""
    body = {"invoice_id": invoice_id, "credit_type": "CREDIT_TO_BALANCE", "amount": 100}
    answer = market.raw.post("/credit-notes", json=body)
    assert answer.status_code == 201, answer.text
    name: str = answer.json()["id"]
    return name


def defined(market: Market) -> str:
    """A custom property of customers."""
    body = {
        "entity_type": "CUSTOMER",
        "key": "tier",
        "name": "Tier",
        "property_type": "TEXT",
    }
    answer = market.raw.post("/custom-property-definitions", json=body)
    assert answer.status_code == 201, answer.text
    name: str = answer.json()["id"]
    return name


def granted(market: Market) -> m.Feature:
    """A feature that everybody has."""
    return market.sdk.features.create(
        code="sso",
        name="Sign-on",
        feature_type=m.BooleanFeatureType(),
        entitlement=m.BooleanEntitlementValue(enabled=True),
    )


def sent_file(market: Market) -> str:
    """A file of one customer, which waits to be imported."""
    answer = market.raw.post(
        "/batch-jobs",
        params={"type": "CUSTOMER_CSV_IMPORT"},
        content="name,currency\nHooli,EUR\n",
        headers={"Content-Type": "text/csv"},
    )
    assert answer.status_code == 201, answer.text
    name: str = answer.json()["id"]
    return name
