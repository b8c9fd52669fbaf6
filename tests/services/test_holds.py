"""What a claim takes: balance, coupons, a place; given back when no money comes."""

from decimal import Decimal
from uuid import UUID

from tallystick.domain.coupons import Fixed, Percentage
from tallystick.domain.payment import FailureReason
from tallystick.services.confirm_result import (
    AlreadyHeld,
    Challenge,
    Completed,
    PaymentFailed,
    QuoteChanged,
    Refused,
)
from tallystick.services.continue_checkout import use_another_method
from tallystick.services.show_checkout import show_checkout
from tests.shops import attempts, invoice, sold, stored, with_places
from tests.soundness import assert_sound
from tests.world import NOON, World

ASKS = "4000002500003155"
DECLINED = "4000000000000002"


async def held(world: World, customer_id: UUID) -> tuple[int, int]:
    """A customer's balance, and what is held of it."""
    row = await world.one(
        "select balance, held from customer_balances where customer_id = $1", customer_id
    )
    return row["balance"], row["held"]


async def test_a_balance_is_held_while_a_payment_is_under_way(world: World) -> None:
    """EUR 10 of credit are held by the claim, and spent by the purchase with an entry."""
    customer = await world.customer()
    await world.balance(customer, 1000)
    session = await world.session(customer, await world.plan())

    assert isinstance(await world.confirm(session, method=await world.card(ASKS)), Challenge)
    assert await held(world, customer) == (1000, 1000)
    (attempt,) = await attempts(world)
    await world.sandbox.answer_challenge(world.tenant_id, attempt["reference"], approve=True)
    assert await use_another_method(world.ctx, session) == Completed()

    assert await world.charges() == [3900]
    assert await held(world, customer) == (0, 0)
    entry = await world.one("select * from balance_entries where reason = 'INVOICE'")
    bill = await invoice(world)
    assert (entry["amount"], entry["balance_after"], entry["invoice_id"]) == (
        -1000,
        0,
        bill["id"],
    )
    assert (bill["applied_balance"], bill["settled"]) == (1000, 3900)
    await assert_sound(world)


async def test_a_hold_is_released_by_a_decline(world: World) -> None:
    """After a decline the whole balance is available again, and the next try uses it."""
    customer = await world.customer()
    await world.balance(customer, 1000)
    session = await world.session(customer, await world.plan())

    await world.confirm(session, method=await world.card(DECLINED))

    assert await held(world, customer) == (1000, 0)
    assert await world.confirm(session) == Completed()
    assert await world.charges() == [3900]
    await assert_sound(world)


async def test_a_balance_in_another_currency_is_left_alone(world: World) -> None:
    """Credit in dollars pays nothing in euro."""
    customer = await world.customer()
    await world.balance(customer, 1000, "USD")

    await world.confirm(await world.session(customer, await world.plan()))

    assert await world.charges() == [4900]
    assert await held(world, customer) == (1000, 0)


async def test_the_page_of_a_payment_under_way_shows_what_is_being_paid(world: World) -> None:
    """While the bank is asked the page shows the claimed amounts, though they are held now."""
    customer = await world.customer()
    await world.balance(customer, 1000)
    coupon = await world.coupon(
        "HALF", Percentage(percentage=Decimal(50)), reusable=False, redemption_limit=1
    )
    session = await world.session(customer, await world.plan(), coupon_ids=(coupon,))
    shown = await world.shown(session)

    await world.confirm(session, method=await world.card(ASKS))

    view = await show_checkout(world.ctx, session, paid_with=None)
    assert view.quote is not None
    assert (view.quote.amount_due, view.quote.canonical) == (1450, shown)


async def test_a_coupon_is_reserved_then_redeemed(world: World) -> None:
    """A coupon counts as taken from the claim on; the redemption keeps what it took off."""
    coupon = await world.coupon("TEN", Fixed(amount=Decimal("10.00"), currency="EUR"))
    session = await world.session(
        await world.customer(), await world.plan(), coupon_ids=(coupon,)
    )
    await world.confirm(session, method=await world.card(ASKS))
    reserved = await world.one("select * from coupon_redemptions")
    assert (reserved["state"], reserved["applied_count"]) == ("RESERVED", 0)
    assert (await world.one("select taken from coupons"))["taken"] == 1

    (attempt,) = await attempts(world)
    await world.sandbox.answer_challenge(world.tenant_id, attempt["reference"], approve=True)
    await use_another_method(world.ctx, session)

    redeemed = await world.one("select * from coupon_redemptions")
    assert (redeemed["state"], redeemed["applied_count"], redeemed["applied_amount"]) == (
        "REDEEMED",
        1,
        1000,
    )
    assert redeemed["last_applied_at"] == NOON
    assert await world.charges() == [3900]
    await assert_sound(world)


async def test_a_reservation_is_released_by_a_decline(world: World) -> None:
    """The last redemption of a coupon is free for another customer after a decline."""
    plan = await world.plan()
    coupon = await world.coupon("LAST", Percentage(percentage=Decimal(50)), redemption_limit=1)
    first = await world.session(await world.customer(), plan, coupon_ids=(coupon,))
    second = await world.session(await world.customer("Initech"), plan, coupon_ids=(coupon,))

    await world.confirm(first, method=await world.card(DECLINED))

    assert (await world.one("select taken from coupons"))["taken"] == 0
    assert await world.confirm(second) == Completed()
    assert await world.charges() == [2450]
    shown = await world.shown(first)
    assert await world.confirm(first, shown=shown) == Completed()
    assert await world.charges() == [2450, 4900]
    await assert_sound(world)


async def test_a_coupon_taken_meanwhile_changes_the_quote(world: World) -> None:
    """Who was shown the coupon that another customer got pays nothing before agreeing anew."""
    plan = await world.plan()
    coupon = await world.coupon("LAST", Percentage(percentage=Decimal(50)), redemption_limit=1)
    first = await world.session(await world.customer(), plan, coupon_ids=(coupon,))
    second = await world.session(await world.customer("Initech"), plan, coupon_ids=(coupon,))
    shown = await world.shown(second)
    await world.confirm(first)

    changed = await world.confirm(second, shown=shown)

    assert isinstance(changed, QuoteChanged)
    assert changed.quote.amount_due == 4900
    assert [one.reason.value for one in changed.quote.left_out] == ["EXHAUSTED"]
    assert await world.charges() == [2450]
    await assert_sound(world)


async def test_a_coupon_for_one_use_serves_a_customer_once(world: World) -> None:
    """A coupon that is not reusable is refused to a customer who has redeemed it."""
    customer = await world.customer()
    coupon = await world.coupon("ONCE", Percentage(percentage=Decimal(50)), reusable=False)
    first = await world.session(customer, await world.plan(), coupon_ids=(coupon,))
    second = await world.session(customer, await world.plan(name="Team"), coupon_ids=(coupon,))
    shown = await world.shown(second)
    await world.confirm(first)

    assert isinstance(await world.confirm(second, shown=shown), QuoteChanged)

    assert await world.confirm(second) == Completed()
    assert await world.charges() == [2450, 4900]
    other = await world.session(
        await world.customer("Initech"), await world.plan(name="Solo"), coupon_ids=(coupon,)
    )
    assert await world.confirm(other) == Completed()
    assert await world.charges() == [2450, 4900, 2450]
    await assert_sound(world)


async def test_a_code_typed_on_the_page_is_redeemed(world: World) -> None:
    """A promotion code lowers the charge, and survives a decline and a challenge."""
    await world.coupon("SPRING", Percentage(percentage=Decimal(20)))
    session = await world.session(await world.customer(), await world.plan())
    changed = await world.confirm(session, code="SPRING")
    assert isinstance(changed, QuoteChanged)
    assert changed.quote.amount_due == 3920
    shown = await world.shown(session)

    declined = await world.confirm(
        session, code="SPRING", shown=shown, method=await world.card(DECLINED)
    )
    assert declined == PaymentFailed(FailureReason.DECLINED)
    asked = await world.confirm(
        session, code="SPRING", shown=shown, method=await world.card(ASKS)
    )
    assert isinstance(asked, Challenge)
    attempt = (await attempts(world))[-1]
    await world.sandbox.answer_challenge(world.tenant_id, attempt["reference"], approve=True)
    assert await use_another_method(world.ctx, session) == Completed()

    assert await world.charges() == [3920]
    assert (await world.one("select taken from coupons"))["taken"] == 1
    await assert_sound(world)


async def test_an_unknown_code_stops_the_purchase(world: World) -> None:
    """A code that cannot be redeemed is a fault of its field; nothing is charged."""
    session = await world.session(await world.customer(), await world.plan())

    refused = await world.confirm(session, code="NOPE")

    assert isinstance(refused, Refused)
    assert [(fault.field, fault.code) for fault in refused.faults] == [("code", "unknown")]
    assert await sold(world) == (0, 0, 0)


async def test_a_plan_is_had_once(world: World) -> None:
    """Of two links for one plan the second is refused before any charge."""
    customer, plan = await world.customer(), await world.plan()
    first, second = await world.session(customer, plan), await world.session(customer, plan)
    await world.confirm(first)

    assert await world.confirm(second) == AlreadyHeld()

    assert await sold(world) == (1, 1, 1)
    assert (await stored(world, second))["state"] == "CREATED"
    await assert_sound(world)


async def test_a_plan_being_paid_is_taken_too(world: World) -> None:
    """While one tab waits for the bank another cannot pay the same plan; then it can."""
    customer, plan = await world.customer(), await world.plan()
    first, second = await world.session(customer, plan), await world.session(customer, plan)
    await world.confirm(first, method=await world.card(ASKS))

    assert await world.confirm(second) == AlreadyHeld()

    await use_another_method(world.ctx, first)
    assert await world.confirm(second) == Completed()
    assert await world.confirm(first) == AlreadyHeld()
    assert await sold(world) == (1, 1, 1)
    await assert_sound(world)


async def test_two_places_are_two_subscriptions(world: World) -> None:
    """A merchant who allows two of a plan sells two, and no third."""
    world = await with_places(world, 2)
    customer, plan = await world.customer(), await world.plan()
    sessions = [await world.session(customer, plan) for _ in range(3)]

    results = [await world.confirm(session) for session in sessions]

    assert results == [Completed(), Completed(), AlreadyHeld()]
    assert await world.charges() == [4900, 4900]
    places = await world.fetch("select place from plan_places order by place")
    assert [row["place"] for row in places] == [0, 1]
    await assert_sound(world)


async def test_a_higher_place_counts_when_fewer_are_allowed_again(world: World) -> None:
    """A customer whose second subscription stayed has the plan, though place 0 is free."""
    world = await with_places(world, 2)
    customer, plan = await world.customer(), await world.plan()
    late = await world.session(customer, plan)
    for _ in range(2):
        await world.confirm(await world.session(customer, plan))
    first = await world.one("select holder from plan_places where place = 0")
    await world.execute("delete from plan_places where place = 0")
    await world.execute(
        "update subscriptions set status = 'CANCELLED', next_step_on = null where id = $1",
        first["holder"],
    )
    world = await with_places(world, 1)

    assert await world.confirm(late) == AlreadyHeld()
    await assert_sound(world)
