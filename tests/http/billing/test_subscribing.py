"""Subscriptions that no checkout makes, as the SDK asks for them."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import BadRequestError

from tallystick.domain.coupons import Fixed, Percentage
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee, SlotFee, SlotPricing
from tallystick.services.due_work import do_due_work
from tallystick.services.ids import new_id
from tests.subscribing import Merchant
from tests.world import SoldPlan, World, rate

TODAY = date(2026, 3, 10)


async def subscribed(
    sdk: AsyncMeteroid,
    world: World,
    plan: SoldPlan,
    **fields: Any,  # noqa: ANN401 - of the request
) -> m.SubscriptionDetails:
    """A new customer's subscription, from today unless said otherwise."""
    asked: dict[str, Any] = {
        "activation_condition": "ON_START",
        "customer_id_or_alias": encode(Prefix.CUSTOMER, await world.customer()),
        "plan_id": encode(Prefix.PLAN, plan.id),
        "start_date": TODAY,
        **fields,
    }
    return await sdk.subscriptions.create(**asked)


async def test_a_start_today_is_billed_at_once(sdk: AsyncMeteroid, world: World) -> None:
    """Active, with one finalized invoice of today, due at once by the entity's terms."""
    made = await subscribed(sdk, world, await world.plan())

    assert (made.status, made.mrr_cents) == ("ACTIVE", 4900)
    assert (made.current_period_start, made.current_period_end) == (TODAY, date(2026, 4, 10))
    (invoice,) = [one async for one in sdk.invoices.list(subscription_id=made.id)]
    assert (invoice.invoice_number, invoice.status, invoice.total) == (
        "INV-1",
        "FINALIZED",
        4900,
    )
    assert (invoice.invoice_date, invoice.due_date) == (TODAY, TODAY)
    assert await Merchant(world=world).events() == [
        ("subscription.created", None),
        ("invoice.created", None),
        ("invoice.finalized", None),
    ]


async def test_it_is_answered_with_201(api: httpx.AsyncClient, world: World) -> None:
    """Created, with what the SDK does not know as well."""
    body = {
        "activation_condition": "ON_START",
        "customer_id_or_alias": encode(Prefix.CUSTOMER, await world.customer()),
        "plan_id": encode(Prefix.PLAN, (await world.plan()).id),
        "start_date": "2026-03-10",
    }

    made = await api.post("/api/v1/subscriptions", json=body)

    assert made.status_code == 201
    told = made.json()
    assert (told["billing_error"], told["cancelled_on"]) == (None, None)
    assert (told["checkout_session_id"], told["checkout_url"]) == (None, None)
    assert told["activated_at"] == "2026-03-10T12:00:00.000Z"


async def test_the_past_is_caught_up_period_by_period(sdk: AsyncMeteroid, world: World) -> None:
    """From January 15: its first period at once, the second by the worker, on its own day."""
    made = await subscribed(sdk, world, await world.plan(), start_date=date(2026, 1, 15))
    assert made.current_period_end == date(2026, 2, 15)
    merchant = Merchant(world=world)
    assert [one["invoice_date"] for one in await merchant.invoices()] == [date(2026, 1, 15)]

    await do_due_work(world.ctx)

    made = await sdk.subscriptions.retrieve(made.id)
    assert (made.current_period_start, made.current_period_end) == (
        date(2026, 2, 15),
        date(2026, 3, 15),
    )
    told = [(one["invoice_date"], one["status"]) for one in await merchant.invoices()]
    assert told == [(date(2026, 1, 15), "FINALIZED"), (date(2026, 2, 15), "FINALIZED")]


async def test_a_future_start_waits_for_its_day(sdk: AsyncMeteroid, world: World) -> None:
    """Pending and unbilled until April 1, then active with its invoice."""
    merchant = Merchant(world=world)
    start = date(2026, 4, 1)
    made = await subscribed(sdk, world, await world.plan(), start_date=start)
    assert (made.status, made.activated_at) == ("PENDING_ACTIVATION", None)
    assert (made.current_period_start, made.current_period_end) == (start, None)
    assert await merchant.invoices() == []

    await merchant.travel(start)

    (invoice,) = await merchant.invoices()
    assert (invoice["invoice_date"], invoice["total"]) == (start, 4900)
    stands = await world.one("select status, activated_at from subscriptions")
    assert stands["status"] == "ACTIVE"
    assert stands["activated_at"] is not None


async def care_add_on(world: World) -> str:
    """An add-on of EUR 10 a month."""
    care = await world.product("Care", RateFee())
    price = await world.price(care, rate("10.00"))
    add_on = new_id()
    await world.execute(
        "insert into add_ons (tenant_id, id, product_id, price_id, name, created_at)"
        " values ($1, $2, $3, $4, 'Care', $5)",
        world.tenant_id,
        add_on,
        care,
        price,
        world.ctx.now,
    )
    return encode(Prefix.ADD_ON, add_on)


def priced(amount: str) -> m.PriceInput:
    """A new monthly price."""
    return m.PriceInput(
        cadence=m.BillingPeriodEnum.MONTHLY,
        currency="EUR",
        pricing=m.RatePricing(rate=Decimal(amount)),
    )


def changed(plan: SoldPlan) -> m.CreateSubscriptionComponents:
    """Five seats, the fee at EUR 30, and a concierge at EUR 7."""
    return m.CreateSubscriptionComponents(
        parameterized_components=[
            m.ComponentParameterization(
                component_id=encode(Prefix.COMPONENT, plan.components["Seats"]),
                parameters=m.ComponentParameters(initial_slot_count=5),
            )
        ],
        overridden_components=[
            m.ComponentOverride(
                component_id=encode(Prefix.COMPONENT, plan.components["Fee"]),
                name="Fee for friends",
                price_entry=priced("30.00"),
            )
        ],
        extra_components=[
            m.ExtraComponent(
                name="Concierge",
                product_ref=m.NewProductRef(
                    name="Concierge",
                    fee_type=m.ProductFeeTypeEnum.RATE,
                    fee_structure=m.RateFeeStructure(),
                ),
                price_entry=priced("7.00"),
            )
        ],
    )


async def test_everything_that_can_be_asked_for(sdk: AsyncMeteroid, world: World) -> None:
    """Add-on, slots, override, extra, coupons, terms: 2 x 10 + 5 x 8 + 30 + 7, less 10 %, 5."""
    plan = await world.plan(
        ("Fee", RateFee(), [(Cadence.MONTHLY, rate("49.00"))]),
        (
            "Seats",
            SlotFee(unit_name="seat"),
            [(Cadence.MONTHLY, SlotPricing(unit_rate=Decimal("8.00"), min_slots=1))],
        ),
    )
    await world.coupon("TEN", Percentage(percentage=Decimal(10)))
    await world.coupon("FIVE", Fixed(amount=Decimal(5), currency="EUR"))

    made = await subscribed(
        sdk,
        world,
        plan,
        add_ons=[m.CreateSubscriptionAddOn(add_on_id=await care_add_on(world), quantity=2)],
        price_components=changed(plan),
        coupon_codes=["TEN", "FIVE", "TEN"],
        trial_days=0,
        billing_day_anchor=10,
        net_terms=14,
        end_date=date(2027, 3, 10),
        invoice_memo="Thank you",
        purchase_order="PO-7",
        charge_automatically=False,
        auto_advance_invoices=True,
        backdate_invoices=True,
        payment_methods_config=m.ExternalPaymentMethodConfig(),
        version=1,
    )

    assert sorted(one.name for one in made.components) == [
        "Concierge",
        "Fee for friends",
        "Seats",
    ]
    assert made.mrr_cents == 2000 + 4000 + 3000 + 700
    assert {one.coupon.code for one in made.applied_coupons} == {"TEN", "FIVE"}
    assert (made.net_terms, made.purchase_order) == (14, "PO-7")
    (invoice,) = [one async for one in sdk.invoices.list(subscription_id=made.id)]
    assert invoice.subtotal == 9700
    assert invoice.total == 9700 - 970 - 500
    assert invoice.due_date == date(2026, 3, 24)
    assert (invoice.memo, invoice.purchase_order) == ("Thank you", "PO-7")


async def test_no_place_refuses_it(sdk: AsyncMeteroid, world: World) -> None:
    """A customer may get the same plan twice from the merchant; the first one has the place."""
    plan, customer = await world.plan(), encode(Prefix.CUSTOMER, await world.customer())

    first = await subscribed(sdk, world, plan, customer_id_or_alias=customer)
    await subscribed(sdk, world, plan, customer_id_or_alias=customer)

    place = await world.one("select holder, held_by from plan_places")
    assert (encode(Prefix.SUBSCRIPTION, place["holder"]), place["held_by"]) == (
        first.id,
        "SUBSCRIPTION",
    )


async def test_drafts_stay_drafts_where_a_person_finalizes(
    sdk: AsyncMeteroid, world: World
) -> None:
    """With `auto_advance_invoices` false the first invoice has no number, and waits."""
    made = await subscribed(sdk, world, await world.plan(), auto_advance_invoices=False)

    (invoice,) = [one async for one in sdk.invoices.list(subscription_id=made.id)]
    assert (invoice.status, invoice.invoice_number) == ("DRAFT", "draft")


async def test_the_balance_pays_the_first_invoice(sdk: AsyncMeteroid, world: World) -> None:
    """EUR 60 of credit pay EUR 49; EUR 11 are left."""
    customer = await world.customer()
    await world.balance(customer, 6000)

    await subscribed(
        sdk,
        world,
        await world.plan(),
        customer_id_or_alias=encode(Prefix.CUSTOMER, customer),
    )

    (invoice,) = await Merchant(world=world).invoices()
    assert (invoice["payment_status"], invoice["amount_due"]) == ("PAID", 0)
    assert (await world.one("select balance from customer_balances"))["balance"] == 1100


async def test_the_plans_own_trial_is_granted_once(sdk: AsyncMeteroid, world: World) -> None:
    """The second subscription of the customer is billed at once."""
    plan = await world.plan(trial_days=14, trial_is_free=True)
    customer = encode(Prefix.CUSTOMER, await world.customer())

    first = await subscribed(sdk, world, plan, customer_id_or_alias=customer)
    second = await subscribed(sdk, world, plan, customer_id_or_alias=customer)

    assert (first.status, first.trial_duration) == ("TRIAL_ACTIVE", 14)
    assert (second.status, second.trial_duration) == ("ACTIVE", None)


async def test_a_coupon_for_one_is_redeemed_by_one(sdk: AsyncMeteroid, world: World) -> None:
    """Two at once for the last redemption: one gets it, the other is told."""
    await world.coupon("LAST", Percentage(percentage=Decimal(50)), redemption_limit=1)
    plan = await world.plan()

    answers = await asyncio.gather(
        *(subscribed(sdk, world, plan, coupon_codes=["LAST"]) for _ in range(2)),
        return_exceptions=True,
    )

    refused = [one for one in answers if isinstance(one, BadRequestError)]
    assert len(refused) == 1
    assert "coupon_codes[0]" in str(refused[0])
    coupon = await world.one("select taken from coupons")
    assert coupon["taken"] == 1
    assert len(await world.fetch("select from subscriptions")) == 1


async def test_a_coupon_is_used_once_by_a_customer(sdk: AsyncMeteroid, world: World) -> None:
    """One that is not reusable is refused to the customer who has used it."""
    await world.coupon("ONCE", Percentage(percentage=Decimal(50)), reusable=False)
    plan, customer = await world.plan(), encode(Prefix.CUSTOMER, await world.customer())
    await subscribed(sdk, world, plan, customer_id_or_alias=customer, coupon_codes=["ONCE"])

    with pytest.raises(BadRequestError, match=r"coupon_codes\[0\]: this customer has used"):
        await subscribed(sdk, world, plan, customer_id_or_alias=customer, coupon_codes=["ONCE"])


async def test_a_repeat_makes_no_second_one(api: httpx.AsyncClient, world: World) -> None:
    """Under one idempotency key the first answer is given again."""
    body = {
        "activation_condition": "ON_START",
        "customer_id_or_alias": encode(Prefix.CUSTOMER, await world.customer()),
        "plan_id": encode(Prefix.PLAN, (await world.plan()).id),
        "start_date": "2026-03-10",
    }
    key = {"Idempotency-Key": "subscribe-1"}

    first = await api.post("/api/v1/subscriptions", json=body, headers=key)
    again = await api.post("/api/v1/subscriptions", json=body, headers=key)

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert len(await world.fetch("select from subscriptions")) == 1


async def test_nobody_activates_it_before_its_end(
    api: httpx.AsyncClient, sdk: AsyncMeteroid, world: World
) -> None:
    """Until April 1: the clock passes the day, and it is COMPLETED without an invoice."""
    made = await subscribed(
        sdk,
        world,
        await world.plan(),
        activation_condition="MANUAL",
        end_date=date(2026, 4, 1),
    )

    moved = await api.post("/api/v1/test-clock/advance", json={"to": "2026-04-02"})
    late = await api.post(f"/api/v1/subscriptions/{made.id}/activate")

    assert moved.json()["happened"]["subscriptions_ended"] == 1
    assert late.status_code == 409
    assert late.json()["message"].endswith("this one is COMPLETED.")
    ended = await sdk.subscriptions.retrieve(made.id)
    assert (made.status, ended.status) == ("PENDING_ACTIVATION", "COMPLETED")
    assert (ended.mrr_cents, ended.activated_at) == (0, None)
    assert [one async for one in sdk.invoices.list(subscription_id=made.id)] == []
