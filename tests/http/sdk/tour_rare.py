"""The part of the tour with what few merchants need: every other price, payment and state."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
from meteroid import models as m

from tests.http.checkout.buyer import CARD
from tests.http.conftest import TRUSTED
from tests.http.purchase.market import Browser
from tests.http.purchase.terms import rate
from tests.http.sdk.guide import Guide, Json
from tests.http.sdk.tour_catalog import MONTH, Catalog

DEBIT = {"type": "DIRECT_DEBIT", "iban": "DE89370400440532013000", "account_holder": "Initech"}
LATER = date(2026, 5, 2)


async def see_the_rest(guide: Guide, catalog: Catalog, public_url: str) -> None:
    """Whatever the rest of the tour has not shown."""
    await _rare_products(guide, catalog)
    await _rare_features(guide, catalog)
    plan = await _rare_plan(guide, catalog)
    await _rare_subscriptions(guide, catalog, plan)
    await _bought(guide, catalog, public_url)
    await _taxes(guide, catalog)
    await _payments(guide, catalog)
    answer = await guide.sdk.events.ingest(
        events=[
            m.Event(
                code="unheard_of",
                customer_id="globex",
                event_id="lost",
                timestamp=datetime(2026, 5, 1, 10, tzinfo=UTC),
                properties={},
            )
        ],
        allow_partial_failures=True,
    )
    assert [one.event_id for one in answer.failures] == ["lost"]


async def _rare_products(guide: Guide, catalog: Catalog) -> None:
    for structure in (
        m.CapacityFeeStructure(metric_id=catalog.metric),
        m.UsageFeeStructure(metric_id=catalog.metric, model=m.UsageModelEnum("PER_UNIT")),
        m.ExtraRecurringFeeStructure(billing_type=m.ExtraRecurringBillingTypeEnum("ARREARS")),
        m.OneTimeFeeStructure(),
    ):
        await guide.sdk.products.create(
            fee_structure=structure, name="Rare", product_family_id=catalog.family
        )


async def _rare_features(guide: Guide, catalog: Catalog) -> None:
    sdk = guide.sdk
    values: dict[str, Any] = {
        "NUMBER": m.NumberConfigValue(value=Decimal(5)),
        "BOOLEAN": m.BooleanConfigValue(value=True),
        "TEXT": m.TextConfigValue(value="gold"),
        "JSON": m.JsonConfigValue(value={"a": 1}),
    }
    wanted: list[tuple[m.Feature, m.EntitlementValue]] = []
    for kind, value in values.items():
        made = await sdk.features.create(
            code=f"config_{kind.lower()}",
            name=kind,
            feature_type=m.ConfigFeatureType(value_type=m.ConfigValueType(kind)),
        )
        wanted.append((made, m.ConfigEntitlementValue(value=value)))
    unit = m.CalendarUnit("DAY")
    periods: tuple[Any, ...] = (
        m.FixedWindowResetPeriod(interval=7, unit=unit),
        m.SlidingWindowResetPeriod(interval=7, unit=unit),
        m.BillingCycleResetPeriod(),
        m.NeverResetPeriod(),
    )
    for place, period in enumerate(periods):
        made = await sdk.features.create(
            code=f"metered_{place}",
            name="Metered",
            feature_type=m.MeteredFeatureType(metric_id=catalog.metric),
        )
        limit = m.MeteredEntitlementValue(enabled=True, limit=Decimal(9), reset_period=period)
        wanted.append((made, limit))
    await sdk.add_ons.entitlements.create(
        catalog.add_on.id,
        entitlements=[
            m.EntitlementSpecRequest(feature_id=made.id, value=value) for made, value in wanted
        ],
    )
    sold = [one async for one in sdk.subscriptions.list(customer_id="globex")][-1]
    assert (await sdk.subscriptions.list_entitlements(sold.id)).data
    given = [{"feature_id": wanted[0][0].id, "value": {"type": "CONFIG", "value": NUMBER}}]
    await guide.post(f"/subscriptions/{sold.id}/entitlements", {"entitlements": given})
    assert (await sdk.subscriptions.retrieve(sold.id)).entitlements


NUMBER = {"kind": "NUMBER", "value": "7"}


def _usage(name: str, metric: str, pricing: m.PlanUsagePricingModel) -> m.PriceComponentInput:
    return m.PriceComponentInput(
        name=name,
        fee=m.UsagePlanFee(cadence=MONTH, metric_id=metric, pricing=pricing),
    )


async def _rare_plan(guide: Guide, catalog: Catalog) -> m.Plan:
    """Every other model of usage, two capacities, and a minimum of some products."""
    sdk = guide.sdk
    common: dict[str, Any] = {
        "aggregation_type": "COUNT",
        "product_family_id": catalog.family,
    }
    product = await sdk.products.create(
        fee_structure=m.RateFeeStructure(), name="Base", product_family_id=catalog.family
    )
    plain = await sdk.metrics.create(
        code="plain", name="Plain", product_id=product.id, **common
    )
    double = await _double(guide, common)
    tiers = [m.TierRow(first_unit=0, rate=Decimal("0.10"))]
    row = m.MatrixRow(
        dimension1=m.MatrixDimension(key="region", value="eu"),
        dimension2=m.MatrixDimension(key="size", value="s"),
        per_unit_price=Decimal("0.20"),
    )
    thresholds = [
        m.CapacityThreshold(
            included_amount=amount, per_unit_overage=Decimal("0.1"), price=Decimal(amount)
        )
        for amount in (10, 100)
    ]
    plan = await sdk.plans.create(
        components=[
            m.PriceComponentInput(
                name="Base",
                fee=rate("Base", "10.00").fee,
                product_id=product.id,
            ),
            _usage("Each", plain.id, m.PerUnitPlanPricing(rate=Decimal("0.01"))),
            _usage("Volume", plain.id, m.VolumePlanPricing(tiers=tiers)),
            _usage(
                "Packs", plain.id, m.PackagePlanPricing(block_size=10, rate=Decimal("1.00"))
            ),
            _usage("Matrix", double.id, m.MatrixPlanPricing(rates=[row])),
            m.PriceComponentInput(
                name="Traffic",
                fee=m.CapacityPlanFee(cadence=MONTH, metric_id=plain.id, thresholds=thresholds),
            ),
        ],
        currency="EUR",
        name="Rare",
        plan_type="STANDARD",
        product_family_id=catalog.family,
        status="DRAFT",
        tax_inclusive=True,
    )
    await sdk.plans.versions.update_minimum(
        plan.version_id,
        amount=Decimal("20.00"),
        scope=m.ProductsScope(product_ids=[product.id]),
    )
    published: m.Plan = await sdk.plans.publish(plan.id)
    return published


async def _double(guide: Guide, common: dict[str, Any]) -> m.Metric:
    """A metric of two dimensions; one of dimensions that depend on each other beside it."""
    sdk = guide.sdk
    double: m.Metric = await sdk.metrics.create(
        code="double",
        name="Double",
        segmentation_matrix=m.DoubleSegmentationMatrix(
            dimension1=m.MetricDimension(key="region", values=["eu"]),
            dimension2=m.MetricDimension(key="size", values=["s"]),
        ),
        **common,
    )
    await sdk.metrics.create(
        code="linked",
        name="Linked",
        segmentation_matrix=m.LinkedSegmentationMatrix(
            dimension1_key="region", dimension2_key="zone", values={"eu": ["a", "b"]}
        ),
        **common,
    )
    return double


async def _rare_subscriptions(guide: Guide, catalog: Catalog, plan: m.Plan) -> None:
    """A trial, one that waits for its checkout, and a draft paid by transfer."""
    sdk = guide.sdk
    entity = (await guide.get("/invoicing-entities"))["data"][0]
    account = {"currency": "EUR", "iban": "FR7630006000011234567890189", "holder": "Acme"}
    entity = await guide.patch(
        f"/invoicing-entities/{entity['id']}", {"bank_accounts": [account]}
    )
    common: dict[str, Any] = {"customer_id_or_alias": "globex", "start_date": LATER}
    trial = await sdk.subscriptions.create(
        activation_condition="ON_START", plan_id=catalog.simple.id, trial_days=7, **common
    )
    assert (await sdk.subscriptions.retrieve_summary(trial.id)).trial_duration == 7
    waiting = await sdk.subscriptions.create(
        activation_condition="ON_CHECKOUT", plan_id=catalog.simple.id, trial_days=0, **common
    )
    assert waiting.checkout_url is not None
    capacity = next(one.id for one in plan.price_components if one.name == "Traffic")
    drafted = await sdk.subscriptions.create(
        activation_condition="ON_START",
        plan_id=plan.id,
        auto_advance_invoices=False,
        payment_methods_config=m.BankTransferPaymentMethodConfig(
            account_id=entity["bank_accounts"][0]["id"]
        ),
        price_components=m.CreateSubscriptionComponents(
            parameterized_components=[
                m.ComponentParameterization(
                    component_id=capacity,
                    parameters=m.ComponentParameters(committed_capacity=10),
                )
            ]
        ),
        **common,
    )
    [draft] = [one async for one in sdk.invoices.list(subscription_id=drafted.id)]
    assert (await sdk.invoices.refresh(draft.id)).status == "DRAFT"


async def _bought(guide: Guide, catalog: Catalog, public_url: str) -> None:
    """A session that its buyer completes on the page."""
    customer = await guide.sdk.customers.create(currency="EUR", name="Buyer", alias="buyer")
    session = (
        await guide.sdk.checkout_sessions.create(
            customer_id=customer.id, plan_version_id=catalog.simple.version_id
        )
    ).session
    url = str(guide.raw.base_url).partition("/api/v1")[0]

    def buy() -> None:
        assert session.checkout_url is not None
        with httpx.Client(base_url=url, verify=TRUSTED) as client:
            link = session.checkout_url.removeprefix(public_url)
            browser = Browser(client, public_url, link)
            shown = browser.open()
            typed = {name: value for name, value in CARD.items() if name in shown.read.ids}
            browser.send(shown, typed)

    await asyncio.to_thread(buy)
    found = (await guide.sdk.checkout_sessions.retrieve(session.id)).session
    assert found.status == "COMPLETED"


async def _taxes(guide: Guide, catalog: Catalog) -> None:
    """A customer who bears no tax, and says why."""
    await guide.sdk.customers.create(
        currency="EUR",
        alias="exempt",
        name="Exempt",
        is_tax_exempt=True,
        exemption_reason="Embassy",
        billing_address=m.Address(country=m.CountryCode("FR")),
    )
    await _sold_to(guide, "exempt", catalog)


async def _sold_to(guide: Guide, alias: str, catalog: Catalog) -> m.Invoice:
    """The first invoice of a subscription without a trial."""
    made = await guide.sdk.subscriptions.create(
        activation_condition="ON_START",
        customer_id_or_alias=alias,
        plan_id=catalog.simple.id,
        start_date=LATER,
        trial_days=0,
    )
    [invoice] = [one async for one in guide.sdk.invoices.list(subscription_id=made.id)]
    found: m.Invoice = invoice
    return found


async def _payments(guide: Guide, catalog: Catalog) -> None:
    """A debit, a card that is declined, a dispute, a refund, and an invoice that is voided."""
    sdk = guide.sdk
    for alias, method in (
        ("debit", DEBIT),
        ("declined", {**CARD_METHOD, "card_number": "4000000000000341"}),
        ("disputed", CARD_METHOD),
    ):
        await sdk.customers.create(currency="EUR", alias=alias, name=alias)
        await guide.post(f"/customers/{alias}/payment-methods", method)
        invoice = await _sold_to(guide, alias, catalog)
        await guide.raw.post(f"/invoices/{invoice.id}/pay")
        found = await sdk.invoices.retrieve(invoice.id)
        if alias == "debit":
            payment = found.transactions[0].id
            await guide.post(f"/test-provider/payments/{payment}/fail")
            failed = await sdk.invoices.retrieve(invoice.id)
            assert failed.transactions[0].error is not None
        if alias == "disputed":
            await _taken_back(guide, found)
        if alias == "declined":
            await guide.post(f"/invoices/{invoice.id}/mark-uncollectible")
            given_up = await sdk.invoices.retrieve(invoice.id)
            assert given_up.status == "UNCOLLECTIBLE"
            assert given_up.marked_as_uncollectible_at is not None
            await guide.post(f"/invoices/{invoice.id}/void")
            assert (await sdk.invoices.retrieve(invoice.id)).voided_at is not None


async def _taken_back(guide: Guide, paid: m.Invoice) -> None:
    sdk = guide.sdk
    payment = paid.transactions[0].id
    note: Json = await guide.post(
        f"/payments/{payment}/refund", {"amount": 100, "reason": "Sorry"}
    )
    assert (await sdk.credit_notes.retrieve(note["id"])).reason == "Sorry"
    await guide.post(
        f"/test-provider/payments/{payment}/dispute", {"amount": 200, "reason": "fraudulent"}
    )
    await guide.post("/test-clock/advance", {"to": "2026-05-04"})
    assert (await sdk.invoices.retrieve(paid.id)).transactions


CARD_METHOD = {
    "type": "CARD",
    "card_number": "4242424242424242",
    "card_expiry": "12/99",
    "card_cvc": "123",
}
