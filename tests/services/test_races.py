"""Many at once: whatever meets, nobody is charged twice and nothing is sold twice."""

from decimal import Decimal

from tallystick.domain.coupons import Percentage
from tallystick.services.confirm_result import (
    AlreadyHeld,
    Challenge,
    Completed,
    QuoteChanged,
)
from tallystick.services.continue_checkout import continue_checkout
from tests.crowds import at_once, kinds, pressed
from tests.shops import attempts, sold, stored, with_places
from tests.soundness import assert_sound
from tests.world import VISA, World

ASKS = "4000002500003155"
MANY = 50


async def test_fifty_confirms_of_one_session_buy_once(busy: World) -> None:
    """One charge, one subscription, one invoice; everybody else hears of that one purchase."""
    session = await busy.session(await busy.customer(), await busy.plan())

    results = await pressed(busy, [session], MANY)

    assert kinds(results).keys() <= {"Completed", "InFlight"}
    assert Completed() in results
    assert len(await attempts(busy)) == 1
    assert await sold(busy) == (1, 1, 1)
    await assert_sound(busy)


async def test_fifty_confirms_that_ask_for_a_challenge_make_one(busy: World) -> None:
    """However often the button is pressed, the bank asks the buyer once."""
    session = await busy.session(await busy.customer(), await busy.plan())

    results = await pressed(busy, [session], MANY, ASKS)

    challenges = {result for result in results if isinstance(result, Challenge)}
    assert len(challenges) == 1
    (attempt,) = await attempts(busy)
    await busy.sandbox.answer_challenge(busy.tenant_id, attempt["reference"], approve=True)
    back = await at_once([continue_checkout(busy.ctx, session) for _ in range(MANY)])
    assert set(back) == {Completed()}
    assert await sold(busy) == (1, 1, 1)
    await assert_sound(busy)


async def test_fifty_confirms_of_two_sessions_for_one_plan_buy_once(busy: World) -> None:
    """Two tabs, one plan: one of them sells, the other says that the customer has it."""
    customer, plan = await busy.customer(), await busy.plan()
    sessions = [await busy.session(customer, plan) for _ in range(2)]

    results = await pressed(busy, sessions, MANY // 2)

    assert AlreadyHeld() in results
    assert await sold(busy) == (1, 1, 1)
    states = sorted([(await stored(busy, one))["state"] for one in sessions])
    assert states == ["COMPLETED", "CREATED"]
    await assert_sound(busy)


async def test_two_places_are_sold_twice_and_no_more(busy: World) -> None:
    """Five tabs, two places: two subscriptions."""
    busy = await with_places(busy, 2)
    customer, plan = await busy.customer(), await busy.plan()
    sessions = [await busy.session(customer, plan) for _ in range(5)]

    results = await pressed(busy, sessions, 4)

    assert kinds(results)["AlreadyHeld"] >= 3
    assert await sold(busy) == (2, 2, 2)
    await assert_sound(busy)


async def test_two_tabs_cannot_spend_one_balance(busy: World) -> None:
    """EUR 30 of credit pay for one of two plans; the other one's quote has changed."""
    customer = await busy.customer()
    await busy.balance(customer, 3000)
    sessions = [await busy.session(customer, await busy.plan(name=name)) for name in ("A", "B")]

    results = await pressed(busy, sessions, 5)

    assert any(isinstance(result, QuoteChanged) for result in results)
    assert await busy.charges() == [1900]
    entries = await busy.fetch("select amount from balance_entries where reason = 'INVOICE'")
    assert [row["amount"] for row in entries] == [-3000]
    await assert_sound(busy)


async def test_the_last_redemption_goes_to_one_of_many(busy: World) -> None:
    """Ten customers hold links with a coupon that one of them can redeem."""
    plan = await busy.plan()
    coupon = await busy.coupon("LAST", Percentage(percentage=Decimal(50)), redemption_limit=1)
    sessions = [
        await busy.session(await busy.customer(f"C{n}"), plan, coupon_ids=(coupon,))
        for n in range(10)
    ]

    results = await pressed(busy, sessions, 2)

    changed = [result for result in results if isinstance(result, QuoteChanged)]
    assert len(changed) >= 9
    assert await busy.charges() == [2450]
    await assert_sound(busy)


async def test_two_coupons_in_any_order_do_not_block_each_other(busy: World) -> None:
    """Claims and declines of many customers take two coupons and give them back, all well."""
    plan = await busy.plan()
    coupons = [
        await busy.coupon(code, Percentage(percentage=Decimal(10))) for code in ("A", "B")
    ]
    sessions = [
        await busy.session(
            await busy.customer(f"C{n}"), plan, coupon_ids=tuple(coupons[:: (-1) ** n])
        )
        for n in range(12)
    ]

    declined = await pressed(busy, sessions, 1, "4000000000000002")
    assert kinds(declined) == {"PaymentFailed": 12}
    assert set(await pressed(busy, sessions, 1)) == {Completed()}

    taken = await busy.fetch("select taken from coupons")
    assert [row["taken"] for row in taken] == [12, 12]
    await assert_sound(busy)


async def test_one_use_per_customer_is_one_of_two_plans(busy: World) -> None:
    """A coupon that serves a customer once lowers one of two purchases made together."""
    customer = await busy.customer()
    coupon = await busy.coupon("ONCE", Percentage(percentage=Decimal(50)), reusable=False)
    sessions = [
        await busy.session(customer, await busy.plan(name=name), coupon_ids=(coupon,))
        for name in ("A", "B")
    ]

    results = await pressed(busy, sessions, 3)

    assert any(isinstance(result, QuoteChanged) for result in results)
    assert await busy.charges() == [2450]
    await assert_sound(busy)


async def test_numbers_have_no_gap_under_load(busy: World) -> None:
    """Twenty customers buy together, some are declined: numbers 1 to 20 without a gap."""
    plan = await busy.plan()
    sessions = [await busy.session(await busy.customer(f"C{n}"), plan) for n in range(24)]
    shown = await busy.shown(sessions[0])
    cards = [await busy.card(VISA if n % 6 else "4000000000000002") for n in range(24)]

    await at_once(
        [
            busy.confirm(session, shown=shown, method=card)
            for session, card in zip(sessions, cards, strict=True)
        ]
    )

    numbers = await busy.fetch("select number from invoices order by number")
    assert [row["number"] for row in numbers] == list(range(1, 21))
    assert await busy.charges() == [4900] * 20
    await assert_sound(busy)
