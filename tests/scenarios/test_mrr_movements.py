"""Movements of recurring revenue as they are written: by whatever moves the value, at once."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from tallystick.db import mrr_movements
from tallystick.db.paging import Window
from tallystick.domain.mrr import Movement
from tallystick.domain.purchase import Activation
from tallystick.services.activate_subscription import activate_subscription
from tests.movements import movement, value_of
from tests.subscribing import Merchant
from tests.world import World

TODAY = date(2026, 3, 10)


@pytest.fixture
def merchant(world: World) -> Merchant:
    """A merchant whose day is March 10."""
    return Merchant(world=world)


async def movements(world: World, subscription_id: UUID) -> list[tuple[date, int]]:
    """Day and amount of each movement of a subscription, in their order."""
    rows = await world.fetch(
        "select day, amount from mrr_movements where subscription_id = $1 order by position",
        subscription_id,
    )
    return [(row["day"], row["amount"]) for row in rows]


async def subscribed(merchant: Merchant, start: date = TODAY, **fields: Any) -> UUID:  # noqa: ANN401
    """EUR 49 a month from a day on."""
    world = merchant.world
    version = {name: fields.pop(name) for name in list(fields) if name.startswith("trial_")}
    plan, customer = await world.plan(**version), await world.customer()
    return (await merchant.subscribe(customer, plan, start, **fields)).subscription.id


async def test_a_year_moves_twice(merchant: Merchant, world: World) -> None:
    """New business when it begins, renewals move nothing, churn on the day of its end."""
    one = await subscribed(merchant)
    await merchant.travel(date(2026, 12, 20))
    await merchant.cancel(one)
    assert await movements(world, one) == [(TODAY, 4900)]

    await merchant.travel(date(2027, 3, 1))

    assert await movements(world, one) == [(TODAY, 4900), (date(2027, 1, 10), -4900)]


async def test_a_start_in_the_past_counts_from_there(merchant: Merchant, world: World) -> None:
    """Since January 15, though it was made on March 10; one for April counts from today."""
    past = await subscribed(merchant, date(2026, 1, 15))
    future = await subscribed(merchant, date(2026, 4, 1))

    await merchant.travel(date(2026, 5, 1))

    assert await movements(world, past) == [(date(2026, 1, 15), 4900)]
    assert await movements(world, future) == [(TODAY, 4900)]


async def test_a_late_worker_dates_the_end_by_its_day(merchant: Merchant, world: World) -> None:
    """A worker that was down for weeks ends it on April 10, not when it looks."""
    one = await subscribed(merchant, end_date=date(2026, 4, 10))
    await merchant.stand_at(datetime(2026, 5, 3, 9, tzinfo=UTC))

    await merchant.travel(datetime(2026, 5, 3, 10, tzinfo=UTC))

    assert await movements(world, one) == [(TODAY, 4900), (date(2026, 4, 10), -4900)]


async def test_a_trial_counts_until_it_expires(merchant: Merchant, world: World) -> None:
    """Nobody agreed to pay by March 24: what was counted since March 10 goes."""
    session = await world.session(
        await world.customer(), await world.plan(trial_days=14, trial_is_free=True)
    )
    await world.confirm(session)
    await world.execute("update subscriptions set payment_method_id = null")
    await world.execute("update payment_methods set archived_at = now()")
    one = (await world.one("select id from subscriptions"))["id"]

    await merchant.travel(date(2026, 4, 1))

    assert (await merchant.stands(one))["status"] == "TRIAL_EXPIRED"
    assert await movements(world, one) == [(TODAY, 4900), (date(2026, 3, 24), -4900)]


async def test_what_waits_for_its_activation_counts(merchant: Merchant, world: World) -> None:
    """It is sold; activating it moves nothing."""
    plan, customer = await world.plan(), await world.customer()
    made = await merchant.subscribe(customer, plan, TODAY, Activation.MANUAL)
    one = made.subscription.id
    await merchant.travel(date(2026, 3, 20))

    async with world.app.transaction() as tx:
        await activate_subscription(merchant.world.ctx.within(tx), one, preview=False)

    assert await movements(world, one) == [(TODAY, 4900)]


async def test_what_changes_the_value_need_not_know(merchant: Merchant, world: World) -> None:
    """Any statement leaves its movement, dated by the tenant's day on which it was made."""
    await world.execute("update tenants set time_zone = 'Pacific/Auckland'")
    one = await subscribed(merchant)
    for hour, value in ((9, 9900), (12, 1900), (14, 0), (15, 700)):
        await world.execute(
            "update subscriptions set mrr = $1, updated_at = $2",
            value,
            datetime(2026, 3, 12, hour, tzinfo=UTC),
        )

    # At noon in Greenwich it is the 13th in Auckland.
    found = await movements(world, one)
    assert [amount for _, amount in found] == [4900, 5000, -8000, -1900, 700]
    assert [str(day) for day, _ in found[1:]] == ["2026-03-12"] + ["2026-03-13"] * 3
    async with world.database.connection() as tx:
        every = Window(limit=9, offset=0, order="date", descending=False)
        stored = (await mrr_movements.page(tx, world.tenant_id, every, one)).items
    last: Movement | None = None
    for each in stored:
        again = movement(last, each.after, day=each.day, currency="EUR", at=each.created_at)
        assert each == again, "the schema moves as the domain says"
        last = each
    assert value_of(stored) == 700
    await merchant.is_sound()


ADD = """
    insert into mrr_movements (tenant_id, subscription_id, position, day, currency, mrr_before,
                               mrr_after, created_at)
    select tenant_id, subscription_id, {}, day, currency, {}, 5000, created_at
    from mrr_movements
"""
TAMPERED = {
    "changed": "update mrr_movements set mrr_after = mrr_after + 1",
    "deleted": "delete from mrr_movements",
    "made up": ADD.format(2, 4900),
    "out of the chain": ADD.format(2, 100),
    "one left out": ADD.format(3, 4900),
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_a_movement_stands(merchant: Merchant, world: World, how: str) -> None:
    """The schema refuses to change, to drop, to invent and to break the chain."""
    one = await subscribed(merchant)

    with pytest.raises(Exception, match=r"tallystick: |foreign key"):
        await world.execute(TAMPERED[how])

    assert await movements(world, one) == [(TODAY, 4900)]
