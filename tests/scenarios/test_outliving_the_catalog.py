"""Subscriptions outlive what they were sold from: the catalog goes, and they go on."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from tallystick.db import add_ons
from tallystick.domain.catalog import AddOn, Product
from tallystick.domain.catalog_entries import AddOnEntry as Listed
from tallystick.domain.coupons import Percentage
from tallystick.domain.offer_request import AddOnEntry
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import Price, RateFee
from tallystick.http.v1.subscription_requests import ChangeAt
from tallystick.services.edit_add_on import archive_add_on, edit_add_on
from tallystick.services.edit_coupon import archive_coupon, edit_coupon
from tallystick.services.edit_metric import archive_metric
from tallystick.services.edit_plan import archive_plan, edit_plan
from tallystick.services.edit_product import archive_product
from tallystick.services.ids import new_id
from tests.scenarios.plan_changes import Shop
from tests.scenarios.test_usage_billed import metered_plan, use
from tests.subscribing import Merchant
from tests.world import NOON, SoldPlan, World, rate


async def care(world: World) -> AddOn:
    """An add-on at EUR 10 a month."""
    product_id = await world.product("Care", RateFee())
    price_id = await world.price(product_id, rate("10.00"))
    add_on = AddOn(
        id=new_id(),
        name="Care",
        product=Product(
            id=product_id, product_family_id=world.family_id, name="Care", fee=RateFee()
        ),
        price=Price(
            id=price_id,
            product_id=product_id,
            cadence=Cadence.MONTHLY,
            currency="EUR",
            pricing=rate("10.00"),
        ),
        max_instances=None,
    )
    async with world.app.transaction() as tx:
        entry = Listed(add_on=add_on, description=None, created_at=NOON)
        await add_ons.insert(tx, world.tenant_id, entry)
    return add_on


async def archive_all(world: World, plan: SoldPlan, add_on: AddOn, coupon_id: UUID) -> None:
    """Change what can be changed, then archive everything that was sold."""
    metric_id = (await world.one("select id from metrics"))["id"]
    dearer = await world.price(add_on.product.id, rate("99.00"))
    async with world.app.transaction() as tx:
        ctx = world.ctx.within(tx)
        await edit_plan(ctx, plan.id, {"name": "Legacy"})
        await edit_add_on(ctx, add_on.id, {}, {"name": "Legacy"}, price_id=dearer)
        none = Percentage(percentage=Decimal(1))
        await edit_coupon(ctx, coupon_id, {}, discount=none)
        await archive_plan(ctx, plan.id)
        await archive_add_on(ctx, add_on.id)
        await archive_coupon(ctx, coupon_id)
        await archive_metric(ctx, metric_id)
        for product_id in (*plan.products.values(), add_on.product.id):
            await archive_product(ctx, product_id)


async def test_a_subscription_renews_as_it_was_sold(world: World) -> None:
    """EUR 20 and 10 less half, and 30 calls at EUR 0.10, whatever became of the catalog."""
    merchant, customer = Merchant(world=world), await world.customer()
    plan, add_on = await metered_plan(world), await care(world)
    half = Percentage(percentage=Decimal(50))
    coupon_id = await world.coupon("HALF", half)
    made = await merchant.subscribe(
        customer,
        plan,
        date(2026, 3, 10),
        add_ons=(AddOnEntry(add_on_id=add_on.id),),
        coupon_ids=(coupon_id,),
    )

    await archive_all(world, plan, add_on, coupon_id)
    await use(world, customer, 30, "2026-04-01T09:00:00")
    await merchant.travel(datetime(2026, 4, 10, 12, tzinfo=UTC))

    first, second = await merchant.invoices()
    assert (first["total"], second["total"]) == (1500, 1650)
    stands = await merchant.stands(made.subscription.id)
    assert (stands["status"], stands["next_step_on"]) == ("ACTIVE", date(2026, 5, 10))


async def test_a_scheduled_change_is_a_promise(world: World) -> None:
    """The plan to change to is archived meanwhile; at the end of the period it is had."""
    merchant = Merchant(world=world)
    shop = Shop(merchant=merchant)
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await merchant.subscribe(await world.customer(), starter, date(2026, 3, 10))
    await shop.change(made.subscription.id, pro, at=ChangeAt.PERIOD_END)

    async with world.app.transaction() as tx:
        await archive_plan(world.ctx.within(tx), pro.id)
    await merchant.travel(datetime(2026, 4, 10, 12, tzinfo=UTC))

    stands = await merchant.stands(made.subscription.id)
    assert (stands["plan_id"], stands["status"]) == (pro.id, "ACTIVE")


async def test_a_purchase_under_way_is_recorded(world: World) -> None:
    """The plan is archived between the page and the button: the buyer has what was shown."""
    plan, add_on = await world.plan(), await care(world)
    session = await world.session(
        await world.customer(), plan, add_ons=(AddOnEntry(add_on_id=add_on.id),)
    )
    shown = await world.shown(session)

    async with world.app.transaction() as tx:
        await archive_plan(world.ctx.within(tx), plan.id)
        await archive_add_on(world.ctx.within(tx), add_on.id)
    await world.confirm(session, shown=shown)

    assert await world.charges() == [5900]
