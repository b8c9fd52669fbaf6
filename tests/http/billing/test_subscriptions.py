"""Subscriptions as a purchase made them, through the SDK."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import NotFoundError

from tallystick.domain.coupons import Percentage
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.offer_request import (
    AddOnEntry,
    Extra,
    NewPrice,
    NewProductEntry,
    Parameterized,
    Parameters,
)
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import (
    BillingType,
    CapacityFee,
    CapacityPricing,
    ExtraRecurringFee,
    ExtraRecurringPricing,
    OneTimeFee,
    OneTimePricing,
    PerUnit,
    RateFee,
    SlotFee,
    SlotPricing,
    UsageFee,
    UsageModelType,
    UsagePricing,
)
from tallystick.services.confirm_result import Completed
from tallystick.services.ids import new_id
from tests.world import SoldPlan, World, rate

MONTHLY = Cadence.MONTHLY
EVENTS = CapacityPricing(rate=Decimal(20), included=1000, overage_rate=Decimal("0.004"))
ONBOARDING = Extra(
    name="Onboarding",
    product=NewProductEntry(name="Onboarding", fee=OneTimeFee()),
    price=NewPrice(
        cadence=MONTHLY,
        currency="EUR",
        pricing=OneTimePricing(unit_price=Decimal("500.00"), quantity=1),
    ),
)


async def bought(world: World, **fields: object) -> None:
    """A customer named Globex has bought the plan named Pro."""
    customer = await world.customer(alias="globex")
    session = await world.session(customer, await world.plan(), **fields)
    assert await world.confirm(session) == Completed()


async def everything_sold(world: World, metric: UUID) -> SoldPlan:
    """A plan with one component of each recurring fee."""
    return await world.plan(
        ("Platform", RateFee(), [(MONTHLY, rate("49.00"))]),
        (
            "Seats",
            SlotFee(unit_name="seat"),
            [(MONTHLY, SlotPricing(unit_rate=Decimal("9.90"), min_slots=2, max_slots=50))],
        ),
        (
            "Events",
            CapacityFee(metric_id=metric),
            [(MONTHLY, EVENTS)],
        ),
        (
            "Calls",
            UsageFee(metric_id=metric, model=UsageModelType.PER_UNIT),
            [(MONTHLY, UsagePricing(model=PerUnit(rate=Decimal("0.01"))))],
        ),
        (
            "Backups",
            ExtraRecurringFee(billing_type=BillingType.ADVANCE),
            [(MONTHLY, ExtraRecurringPricing(unit_price=Decimal(5), quantity=3))],
        ),
    )


def everything_shown(metric: UUID) -> dict[str, tuple[str, m.SubscriptionFee]]:
    """How the components of such a purchase are shown: period and fee, by name."""
    metric_id = m.BillableMetricId(encode(Prefix.METRIC, metric))
    return {
        "Platform": ("MONTHLY", m.RateFee(rate=Decimal("49.00"))),
        "Seats": (
            "MONTHLY",
            m.SlotFee(
                initial_slots=12,
                unit="seat",
                unit_rate=Decimal("9.90"),
                min_slots=2,
                max_slots=50,
            ),
        ),
        "Events": (
            "MONTHLY",
            m.CapacityFee(
                included=1000,
                metric_id=metric_id,
                overage_rate=Decimal("0.004"),
                rate=Decimal(20),
            ),
        ),
        "Calls": (
            "MONTHLY",
            m.UsageFee(metric_id=metric_id, model=m.PerUnitPricing(rate=Decimal("0.01"))),
        ),
        "Backups": (
            "MONTHLY",
            m.RecurringFee(billing_type=m.BillingTypeEnum.ADVANCE, quantity=3, rate=Decimal(5)),
        ),
        "Onboarding": ("ONE_TIME", m.OneTimeFee(quantity=1, rate=Decimal("500.00"))),
    }


async def test_everything_that_was_sold_is_shown(sdk: AsyncMeteroid, world: World) -> None:
    """Each kind of fee is shown as sold, with the plan's component it came from."""
    metric = new_id()
    await world.execute(
        "insert into metrics (tenant_id, id, product_family_id, code, name, aggregation_type,"
        " created_at) values ($1, $2, $3, 'calls', 'Calls', 'COUNT', $4)",
        world.tenant_id,
        metric,
        world.family_id,
        world.ctx.now,
    )
    plan = await everything_sold(world, metric)
    seats = Parameterized(
        component_id=plan.components["Seats"], parameters=Parameters(initial_slot_count=12)
    )
    session = await world.session(
        await world.customer(), plan, parameterized=(seats,), extra=(ONBOARDING,)
    )
    assert await world.confirm(session) == Completed()

    (listed,) = [one async for one in sdk.subscriptions.list()]
    details = await sdk.subscriptions.retrieve(listed.id)

    assert {one.name: (one.period, one.fee) for one in details.components} == everything_shown(
        metric
    )
    components = {one.name: one.price_component_id for one in details.components}
    assert components["Platform"] == encode(Prefix.COMPONENT, plan.components["Platform"])
    assert components["Onboarding"] is None
    assert (listed.mrr_cents, listed.period) == (4900 + 12 * 990 + 2000 + 1500, "MONTHLY")
    assert await sdk.subscriptions.retrieve_summary(listed.id) == listed


async def test_the_terms_of_a_purchase_are_shown(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World
) -> None:
    """Dates, terms, memo, purchase order, threshold and metadata are as they were sold."""
    await bought(
        world,
        billing_day_anchor=15,
        end_date=date(2027, 3, 10),
        net_terms=14,
        invoice_memo="Thank you.",
        purchase_order="PO-1",
        invoice_threshold=Decimal("1000.00"),
        metadata='{"crm": {"deal": 4711}, "rate": 0.5}',
    )

    (shown,) = [one async for one in sdk.subscriptions.list()]
    assert (shown.status, shown.currency, shown.tax_inclusive) == ("ACTIVE", "EUR", False)
    assert (shown.customer_name, shown.customer_alias) == ("Globex", "globex")
    assert (shown.plan_name, shown.plan_version) == ("Pro", 1)
    assert (shown.start_date, shown.billing_start_date) == (date(2026, 3, 10),) * 2
    assert (shown.billing_day_anchor, shown.end_date) == (15, date(2027, 3, 10))
    assert (shown.current_period_start, shown.current_period_end) == (
        date(2026, 3, 10),
        date(2026, 3, 15),
    )
    assert (shown.net_terms, shown.invoice_memo, shown.purchase_order) == (
        14,
        "Thank you.",
        "PO-1",
    )
    assert isinstance(shown.payment_methods_config, m.OnlinePaymentMethodConfig)
    assert (shown.auto_advance_invoices, shown.charge_automatically) == (True, True)
    raw = (await api.get(f"/api/v1/subscriptions/{shown.id}")).json()
    assert raw["metadata"] == {"crm": {"deal": 4711}, "rate": 0.5}
    assert raw["invoice_threshold"] == "1000.00"
    assert raw["checkout_session_id"].startswith("che_")
    assert raw["payment_method_id"].startswith("pm_")
    assert raw["custom_properties"] == {}
    assert (raw["entitlements"], raw["checkout_url"]) == ([], None)


async def test_add_ons_and_coupons_are_shown(sdk: AsyncMeteroid, world: World) -> None:
    """An add-on with its quantity; a coupon with what it took off and whether it goes on."""
    product = await world.product("Care", RateFee())
    price = await world.price(product, rate("10.00"))
    add_on = new_id()
    await world.execute(
        "insert into add_ons (tenant_id, id, product_id, price_id, name, created_at)"
        " values ($1, $2, $3, $4, 'Care', $5)",
        world.tenant_id,
        add_on,
        product,
        price,
        world.ctx.now,
    )
    once = await world.coupon("ONCE", Percentage(percentage=Decimal(10)), recurring_value=1)
    ever = await world.coupon("EVER", Percentage(percentage=Decimal(20)))
    await bought(
        world,
        add_ons=(AddOnEntry(add_on_id=add_on, quantity=2),),
        coupon_ids=(once, ever),
    )

    (listed,) = [one async for one in sdk.subscriptions.list()]
    details = await sdk.subscriptions.retrieve(listed.id)

    (shown,) = details.add_ons
    assert (shown.name, shown.quantity, shown.period) == ("Care", 2, "MONTHLY")
    assert shown.fee == m.RateFee(rate=Decimal("10.00"))
    assert shown.add_on_id == encode(Prefix.ADD_ON, add_on)
    applied = {one.coupon.code: one for one in details.applied_coupons}
    taken = [one.applied_coupon.applied_amount or Decimal(0) for one in applied.values()]
    assert sum(taken, start=Decimal(0)) == Decimal("19.32")
    assert {code: one.applied_coupon.is_active for code, one in applied.items()} == {
        "ONCE": False,
        "EVER": True,
    }
    assert applied["EVER"].coupon.discount == m.PercentageDiscount(percentage="20")
    assert applied["ONCE"].coupon.recurring_value == 1
    assert applied["ONCE"].applied_coupon.applied_count == 1


async def test_a_free_trial_is_shown_before_its_first_billed_day(
    sdk: AsyncMeteroid, world: World
) -> None:
    """The period is the trial; billing starts where it ends."""
    await bought(world, trial_duration_days=14)

    (shown,) = [one async for one in sdk.subscriptions.list()]
    assert (shown.status, shown.trial_duration) == ("TRIAL_ACTIVE", 14)
    assert shown.billing_start_date == date(2026, 3, 24)
    assert (shown.current_period_start, shown.current_period_end) == (
        date(2026, 3, 10),
        date(2026, 3, 24),
    )


async def test_subscriptions_are_filtered_and_ordered(sdk: AsyncMeteroid, world: World) -> None:
    """By customer (id or alias), plan and status; by every documented column, both ways."""
    small = await world.plan(name="Small")
    large = await world.plan(("Fee", RateFee(), [(MONTHLY, rate("99.00"))]), name="Large")
    ant = await world.customer("Ant", alias="ant")
    bee = await world.customer("Bee", alias="bee")
    for customer, plan in ((ant, large), (bee, small), (bee, large)):
        session = await world.session(customer, plan)
        await world.confirm(session)

    async def listed(**query: object) -> list[tuple[str, str]]:
        found = sdk.subscriptions.list(**query)  # type: ignore[arg-type]
        return [(one.customer_alias or "", one.plan_name) async for one in found]

    everything = [("ant", "Large"), ("bee", "Small"), ("bee", "Large")]
    assert await listed() == everything[::-1]
    assert await listed(customer_id="bee", order_by="created_at.asc") == everything[1:]
    assert await listed(customer_id=encode(Prefix.CUSTOMER, ant)) == everything[:1]
    assert await listed(customer_id="nobody") == []
    assert await listed(plan_id=encode(Prefix.PLAN, small.id)) == [("bee", "Small")]
    assert await listed(statuses=["TRIAL_ACTIVE", "PAUSED"]) == []
    assert len(await listed(statuses=["ACTIVE", "PAUSED"])) == 3
    assert (await listed(order_by="mrr_cents.asc"))[0] == ("bee", "Small")
    assert (await listed(order_by="plan_name.desc"))[0] == ("bee", "Small")
    for column in ("customer_name", "billing_start_date", "end_date", "status", "created_at"):
        for way in ("asc", "desc"):
            assert sorted(await listed(order_by=f"{column}.{way}")) == sorted(everything)


async def test_pages_of_subscriptions_are_true_past_the_end(
    api: httpx.AsyncClient, world: World
) -> None:
    """The second page of one subscription is empty, and still says that there is one."""
    await bought(world)

    sent = (await api.get("/api/v1/subscriptions?page=1&per_page=1")).json()

    assert sent == {
        "data": [],
        "pagination_meta": {"page": 1, "per_page": 1, "total_items": 1, "total_pages": 1},
    }


async def test_what_is_not_there_is_not_found(sdk: AsyncMeteroid) -> None:
    """An unknown id, and an id of another kind, are not found."""
    for prefix in (Prefix.SUBSCRIPTION, Prefix.INVOICE):
        with pytest.raises(NotFoundError):
            await sdk.subscriptions.retrieve(encode(prefix, new_id()))
