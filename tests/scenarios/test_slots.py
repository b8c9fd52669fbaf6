"""Slots that come at once and go at the end of their period: charges, counts, value."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tallystick.domain.coupons import Percentage
from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.offer_request import AddOnEntry
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import SlotFee, SlotPricing
from tallystick.domain.purchase import Activation
from tallystick.domain.slot_change import SlotMode
from tallystick.services.ids import new_id
from tests.cases.golden import case
from tests.scenarios.plan_changes import Shop
from tests.scenarios.slots import Seats, begin, begin_case, of, seats_plan
from tests.subscribing import Merchant, explain_all
from tests.world import World

_FORMULA = "use expected_by_formula"


@pytest.mark.parametrize("case_id", ["SLT-01"])
async def test_more_are_there_at_once(world: World, case_id: str) -> None:
    """Five more for 17 of 31 days: 5 x 10.00 x 17 / 31 = 27.42, and 15 from now on."""
    golden = case(case_id, decided=_FORMULA)
    seats = await begin_case(world, golden)
    await seats.merchant.travel(date.fromisoformat(golden["steps"][1]["at"]))

    changed = await seats.change(golden["steps"][1]["delta"])

    assert changed.delta == golden["expected"]["delta_applied"]
    assert await seats.count() == changed.slots == golden["expected"]["active_slots"]
    assert changed.effective_on == date(2024, 1, 15)
    made = await seats.last()
    assert made["total"] == golden["derived"]["prorated_amount_expected_by_formula"] == 2742
    assert (made["invoice_type"], made["status"], made["number"]) == (
        "ADJUSTMENT",
        "FINALIZED",
        2,
    )
    (line,) = made["lines"]
    assert (line["name"], line["start"], line["end"]) == (
        "Seats (prorated)",
        "2024-01-15",
        "2024-02-01",
    )
    assert (line["days"], line["full_days"]) == (17, 31)
    assert await seats.value() == 15000
    await seats.merchant.travel(date(2024, 2, 2))
    assert (await seats.totals()) == [10000, 2742, 15000]


@pytest.mark.parametrize("case_id", ["SLT-03"])
async def test_at_a_checkout_it_is_a_preview(world: World, case_id: str) -> None:
    """Two more at 20.00: the amount is told, and nothing is stored."""
    golden = case(case_id)
    seats = await begin_case(world, golden)
    before = await seats.everything()

    seen = await seats.change(golden["steps"][1]["delta"], SlotMode.ON_CHECKOUT)

    assert await seats.everything() == before
    assert seen.delta == golden["expected"]["delta_applied"]
    assert (seen.effective_on is not None) == golden["expected"]["slots_active"]
    assert golden["expected"]["invoice_created"] is False
    assert seen.invoice is not None
    # On the first day the whole month is left.
    assert (seen.invoice.total, seen.invoice.number) == (4000, None)


@pytest.mark.parametrize("case_id", ["SLT-04"])
async def test_fewer_are_there_at_the_periods_end(world: World, case_id: str) -> None:
    """Twenty stay twenty, with no invoice, until the next month begins with fifteen."""
    golden = case(case_id)
    seats = await begin_case(world, golden)

    changed = await seats.change(golden["steps"][1]["delta"])

    assert changed.delta == golden["expected"]["delta_applied"]
    assert changed.invoice is None
    assert await seats.count() == changed.slots == golden["derived"]["active_slots"]
    assert changed.effective_on == date(2024, 2, 1)
    assert await seats.value() == 24000
    await seats.merchant.travel(date(2024, 2, 2))
    assert await seats.totals() == [24000, 18000]
    assert (await seats.count(), await seats.value()) == (15, 18000)


@pytest.mark.parametrize("case_id", ["SLT-06"])
async def test_up_and_down_and_too_far(world: World, case_id: str) -> None:
    """5 + 2 - 5, another - 5 refused; the next month begins with two."""
    golden = case(case_id, decided=_FORMULA)
    seats = await begin_case(world, golden)
    states = golden["expected"]["per_step"]

    async def agrees(step: int) -> None:
        assert await seats.count() == states[step]["active_slots"]
        assert len(await seats.merchant.invoices()) == states[step]["invoice_count"]

    await agrees(0)
    await seats.merchant.travel(date(2024, 1, 15))
    assert (await seats.change(2)).slots == states[1]["new_slot_count"]
    await agrees(1)
    assert (await seats.last())["total"] == golden["derived"][
        "upgrade_amount_expected_by_formula"
    ]
    assert (await seats.change(-5)).delta == states[2]["delta_applied"]
    await agrees(2)
    before = await seats.everything()
    with pytest.raises(InvalidInput, match="delta: at most 2 fewer: 'Seats' must keep 0"):
        await seats.change(-5)
    assert states[3]["result"] == "error"
    assert await seats.everything() == before
    await seats.merchant.travel(date(2024, 2, 2))
    await agrees(4)
    assert await seats.totals() == [5000, 1097, 2000]
    moves = await world.fetch("select day, amount from mrr_movements order by position")
    assert [(one["day"], one["amount"]) for one in moves] == [
        (date(2024, 1, 1), 5000),
        (date(2024, 1, 15), 2000),
        (date(2024, 2, 1), -5000),
    ]


@pytest.mark.parametrize("case_id", ["PCH-06"])
async def test_a_plan_change_keeps_them(world: World, case_id: str) -> None:
    """One and four more seats stay five: -1497 -2581 +5110 +6452 = 7484; MRR 22400."""
    golden = case(case_id)
    shop = Shop(merchant=Merchant(world=world))
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    await shop.at("2024-01-01")
    made = await shop.merchant.subscribe(
        await world.customer(), starter, date(2024, 1, 1), charge_automatically=False
    )
    seats = of(shop.merchant, made.subscription.id, made.items[1].id)
    await seats.change(golden["steps"][1]["delta"])
    await shop.merchant.travel(date(2024, 1, 16))

    changed = await shop.change(seats.subscription_id, pro)

    amounts = [line["amount"] for line in (await seats.last())["lines"]]
    assert amounts == golden["expected"]["line_amounts_documented"]
    assert (
        changed.details.subscription.mrr == golden["expected"]["final"]["subscription"]["mrr"]
    )
    assert (
        changed.details.items[1].slots_on(date(2024, 1, 16))
        == golden["expected"]["active_slots_after"]
    )


async def test_a_plan_change_keeps_what_is_given_up(world: World) -> None:
    """Five seats of which three go at the month's end: Pro has five, and two from February."""
    shop = Shop(merchant=Merchant(world=world))
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    await shop.at("2024-01-01")
    made = await shop.merchant.subscribe(
        await world.customer(), starter, date(2024, 1, 1), charge_automatically=False
    )
    seats = of(shop.merchant, made.subscription.id, made.items[1].id)
    await seats.change(4)
    await seats.change(-3)
    await shop.merchant.travel(date(2024, 1, 16))

    await shop.change(seats.subscription_id, pro)

    assert (await seats.last())["total"] == 7484
    assert await seats.value() == 22400
    await shop.merchant.travel(date(2024, 2, 2))
    # 99.00 and two seats at 25.00.
    assert ((await seats.last())["total"], await seats.value()) == (14900, 14900)


async def test_several_fewer_add_up(world: World) -> None:
    """Nine, less two and less three, are four; less than one too many is refused."""
    seats = await begin(world, least=4)
    await seats.change(5)
    await seats.change(-2)
    await seats.change(-3)

    with pytest.raises(InvalidInput, match="at most 0 fewer: 'Seats' must keep 4"):
        await seats.change(-1)

    await seats.merchant.travel(date(2024, 2, 2))
    assert (await seats.count(), (await seats.last())["total"]) == (4, 4000)


async def test_yearly_seats_beside_a_monthly_fee(world: World) -> None:
    """Two more for 334 of 365 days of their own year; one fewer when that year ends."""
    seats = await begin(
        world, "2025-01-01", price="365", least=1, cadence=Cadence.ANNUAL, fee="10"
    )
    await seats.merchant.travel(date(2025, 2, 1))

    more = await seats.change(2)
    fewer = await seats.change(-1)

    assert fewer.effective_on == date(2026, 1, 1)
    assert more.invoice is not None
    (line,) = more.invoice.lines
    assert (line.amount, line.end_date) == (66800, date(2026, 1, 1))
    # A month of 10.00, and a twelfth of 365.00 for each of three seats.
    assert await seats.value() == 1000 + 9125
    await seats.merchant.travel(date(2026, 1, 2))
    assert (await seats.last())["total"] == 1000 + 73000
    assert (await seats.count(), await seats.value()) == (2, 1000 + 6083)


async def test_in_a_free_trial_nothing_is_billed(world: World) -> None:
    """Five, two more and four fewer, at once; three are billed when the trial is over."""
    seats = await begin(world, version={"trial_days": 14, "trial_is_free": True}, least=3)
    await seats.change(4)
    await seats.merchant.travel(date(2024, 1, 5))

    fewer = await seats.change(-4)

    assert (fewer.slots, fewer.invoice, fewer.effective_on) == (3, None, date(2024, 1, 5))
    assert (await seats.totals(), await seats.value()) == ([], 3000)
    waits = await seats.change(1, SlotMode.ON_INVOICE_PAID)
    assert (waits.slots, waits.invoice) == (4, None)
    await seats.merchant.travel(date(2024, 1, 16))
    assert (await seats.totals(), await seats.value()) == ([4000], 4000)


async def test_seats_of_an_add_on_come_with_every_instance(world: World) -> None:
    """Three of an add-on, two more seats each: 6 x 5.00 x 17 / 31 = 16.45."""
    product = await world.product("Desks", SlotFee(unit_name="desk"))
    price = await world.price(product, SlotPricing(unit_rate=Decimal(5), min_slots=1))
    add_on = new_id()
    await world.execute(
        "insert into add_ons (tenant_id, id, product_id, price_id, name, created_at)"
        " values ($1, $2, $3, $4, 'Desks', now())",
        world.tenant_id,
        add_on,
        product,
        price,
    )
    seats = await begin(world, add_ons=(AddOnEntry(add_on_id=add_on, quantity=3),))
    await seats.merchant.travel(date(2024, 1, 15))

    changed = await seats.change(2)

    assert changed.invoice is not None
    assert changed.invoice.total == 1645
    assert await seats.value() == 5000 + 4500


async def test_neither_coupons_nor_an_advance_by_hand(world: World) -> None:
    """A coupon takes nothing off; a draft waits for a person, and its seats do not."""
    await world.coupon("HALF", Percentage(percentage=Decimal(50)))
    seats = await begin(world, coupon_codes=("HALF",), auto_advance_invoices=False)
    await seats.merchant.travel(date(2024, 1, 15))

    changed = await seats.change(5)

    made = await seats.last()
    assert (made["status"], made["total"], made["discount"]) == ("DRAFT", 2742, 0)
    assert changed.slots == 10


async def test_more_are_explained(world: World) -> None:
    """5 x 10.00 = 50.00, 17 of 31 days: 27.42."""
    seats = await begin(world)
    await seats.merchant.travel(date(2024, 1, 15))

    changed = await seats.change(5)

    assert changed.invoice is not None
    told = (await explain_all(world))[changed.invoice.id]
    steps = repr(told.lines[0])
    assert "Multiplied(quantity=5" in steps
    assert "Prorated(days=17, full_days=31" in steps
    assert "Rounded(" in steps
    assert "amount=2742" in steps


async def test_a_cancellation_that_is_still_to_come_cuts_nothing(world: World) -> None:
    """Five more until the month's end, though cancelled for the 20th: it may be taken back."""
    seats = await begin(world)
    await seats.merchant.cancel(seats.subscription_id, date(2024, 1, 20))
    await seats.merchant.travel(date(2024, 1, 15))

    await seats.change(5)

    assert (await seats.last())["total"] == 2742
    await seats.merchant.travel(date(2024, 2, 2))
    assert (await seats.totals(), await seats.value()) == ([5000, 2742], 0)


async def test_steps_that_are_due_come_first(world: World) -> None:
    """Asked on February 15 before the worker was there: 5 x 10.00 x 15 / 29 of February."""
    seats = await begin(world)
    await seats.change(5)
    await seats.merchant.stand_at(seats.world.ctx.now.replace(month=2, day=15))

    await seats.change(5)

    assert sorted(await seats.totals()) == [2586, 5000, 5000, 10000]


@pytest.mark.parametrize(
    "state", ["pending", "cancelled", "suspended", "expired", "waits for its checkout"]
)
async def test_who_gets_none(world: World, state: str) -> None:
    """What has not begun, is over, or does not pay: refused, and nothing is changed."""
    offers: dict[str, dict[str, Any]] = {
        "pending": {"activation": Activation.MANUAL},
        "waits for its checkout": {
            "activation": Activation.ON_CHECKOUT,
            "version": {"trial_days": 14, "trial_is_free": True},
            "charge_automatically": None,
        },
    }
    seats = await begin(world, **offers.get(state, {}))
    match state:
        case "cancelled":
            await seats.merchant.cancel(seats.subscription_id, seats.merchant.today)
        case "suspended":
            await world.execute("update subscriptions set status = 'SUSPENDED'")
        case "expired":
            await world.execute(
                "update subscriptions set status = 'TRIAL_EXPIRED', next_step_on = null,"
                " current_period_end = null, mrr = 0"
            )
        case _:
            pass
    before = await seats.everything()

    with pytest.raises(Conflict):
        await seats.change(1)

    assert await seats.everything() == before


async def test_who_is_suspended_may_give_up(world: World) -> None:
    """A suspended subscription takes no more, and may have fewer at the period's end."""
    seats = await begin(world, least=0)
    await seats.change(5)
    await world.execute("update subscriptions set status = 'SUSPENDED'")
    await world.execute("update invoices set suspends = true where status = 'FINALIZED'")

    assert (await seats.change(-5)).effective_on == date(2024, 2, 1)


async def test_too_many(world: World) -> None:
    """Never more than the most, and nothing is changed by asking."""
    seats = await begin(world, most=8)
    before = await seats.everything()

    with pytest.raises(InvalidInput, match="delta: at most 3 more: 'Seats' may have 8"):
        await seats.change(4)

    assert await seats.everything() == before
    assert (await seats.change(3)).slots == 8


async def test_an_item_without_slots(world: World) -> None:
    """A fixed fee has none, and an unknown item is none."""
    seats = await begin(world, fee="10")
    row = await world.one("select id from subscription_items where name = 'Fee'")
    for item_id, said in ((row["id"], "'Fee' has no slots"), (new_id(), "is not billed")):
        other: Seats = of(seats.merchant, seats.subscription_id, item_id)
        with pytest.raises(InvalidInput, match=said):
            await other.change(1)


async def test_a_preview_is_the_invoice(world: World) -> None:
    """The same amount as the change itself, without a number, and nothing is stored."""
    seats = await begin(world)
    await seats.merchant.travel(date(2024, 1, 15))
    before = await seats.everything()

    seen = await seats.change(5, preview=True)

    assert await seats.everything() == before
    done = await seats.change(5)
    assert seen.invoice is not None
    assert done.invoice is not None
    assert (seen.invoice.total, seen.invoice.number) == (2742, None)
    assert (done.invoice.total, seen.slots, done.slots) == (2742, 10, 10)


async def test_seats_that_cost_nothing(world: World) -> None:
    """An invoice of zero, PAID at once, whether they wait for it or not."""
    plan = await seats_plan(world, "0", 1, None, fee="10")
    merchant = Merchant(world=world)
    made = await merchant.subscribe(
        await world.customer(), plan, merchant.today, charge_automatically=False
    )
    seats = of(merchant, made.subscription.id, made.items[1].id)

    changed = await seats.change(3, SlotMode.ON_INVOICE_PAID)

    assert changed.invoice is not None
    assert (changed.invoice.total, changed.invoice.payment_status) == (0, "PAID")
    assert (changed.slots, changed.effective_on) == (4, merchant.today)
