"""Slots beside all else that changes a subscription: amendments, schedules, and credits."""

from datetime import date
from decimal import Decimal

import pytest

from tallystick.domain.coupons import Percentage
from tallystick.domain.credit_note import DebtCancellation, LineCredit
from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import SlotFee, SlotPricing
from tallystick.domain.slot_change import SlotMode
from tallystick.services.plan_wanted import PlanChangeRequest
from tallystick.services.schedule_plan import schedule_plan
from tests.crediting import Billed
from tests.scenarios.amending import Amending, extra, flat
from tests.scenarios.plan_changes import Shop
from tests.scenarios.slots import Seats, begin, of
from tests.scenarios.test_slots_paid import PAID, asked, pay, to_team
from tests.world import World


def amending(seats: Seats) -> Amending:
    """The subscription, to be amended."""
    shop = Shop(merchant=seats.merchant)
    return Amending(shop=shop, subscription_id=seats.subscription_id)


def at(price: str, least: int | None = None, most: int | None = None) -> SlotPricing:
    """A price of a seat."""
    return SlotPricing(unit_rate=Decimal(price), min_slots=least, max_slots=most)


async def last_lines(seats: Seats) -> list[tuple[str, int]]:
    """The lines of the last invoice."""
    return [(one["name"], one["amount"]) for one in (await seats.last())["lines"]]


async def seats_now(seats: Seats) -> Seats:
    """The seats as an amendment left them: another item."""
    item = await amending(seats).item("Seats")
    return of(seats.merchant, seats.subscription_id, item.id)


async def in_small(seats: Seats) -> None:
    """Schedule a plan with at most six seats of the same product for the period's end."""
    row = await seats.world.one("select product_id from subscription_items limit 1")
    small = await seats.world.plan(
        ("Seats", SlotFee(unit_name="seat"), [(Cadence.MONTHLY, at("1", 1, 6))]),
        name="Small",
        products={"Seats": row["product_id"]},
    )
    request = PlanChangeRequest(plan_version_id=small.version_id, components=OfferRequest())
    async with seats.world.app.transaction() as tx:
        ctx = seats.world.ctx.within(tx)
        await schedule_plan(ctx, seats.subscription_id, request, preview=False)
    await seats.merchant.is_sound()


async def test_another_price_takes_all_of_them_along(world: World) -> None:
    """Five and five at 10.00 become ten at 20.00, then at 30.00: 51.62 each for half a month.

    The second line gives back all that was billed of the first, not only what it came to.
    """
    seats = await begin(world)
    await seats.merchant.travel(date(2024, 1, 16))
    await seats.change(5)
    shop = amending(seats)

    await shop.reprice("Seats", at("20"))
    # 10 x 20.00 x 16 / 31 = 103.23, less twice 25.81 that were billed together as 51.61.
    assert await last_lines(seats) == [("Seats (adjustment)", 10323 - 5161)]
    await shop.reprice("Seats", at("30"))
    assert await last_lines(seats) == [("Seats (adjustment)", 15484 - 10323)]

    seats = await seats_now(seats)
    assert (await seats.count(), await seats.value()) == (10, 30000)
    await seats.merchant.travel(date(2024, 2, 2))
    assert (await seats.totals())[-1] == 30000


async def test_another_price_where_they_were_billed_otherwise(world: World) -> None:
    """A coupon halved the first five: two credits of their own, and the charge."""
    await world.coupon("HALF", Percentage(percentage=Decimal(50)), recurring_value=1)
    seats = await begin(world, coupon_codes=("HALF",))
    await seats.merchant.travel(date(2024, 1, 16))
    await seats.change(5)

    await amending(seats).reprice("Seats", at("20"))

    assert await last_lines(seats) == [
        ("Seats (credit)", -1291),
        ("Seats (credit)", -2581),
        ("Seats (prorated)", 10323),
    ]


async def test_what_is_to_go_goes_at_another_price(world: World) -> None:
    """Seven, of which three go in February: seven at 20.00 until then, and four."""
    seats = await begin(world, least=1, count=7)
    await seats.change(-3)
    await seats.merchant.travel(date(2024, 1, 16))

    await amending(seats).reprice("Seats", at("20"))

    seats = await seats_now(seats)
    assert (await seats.count(), await seats.value()) == (7, 14000)
    await seats.merchant.travel(date(2024, 2, 2))
    assert (await seats.count(), await seats.value()) == (4, 8000)
    assert (await seats.totals())[-1] == 8000


async def test_a_price_is_for_as_many_as_there_are(world: World) -> None:
    """One for six seats at most: not of five and two."""
    seats = await begin(world)
    await seats.change(2)
    before = await seats.everything()

    with pytest.raises(InvalidInput, match="for 0 to 6 slots, and this component has 7"):
        await amending(seats).reprice("Seats", at("20", None, 6))

    assert await seats.everything() == before


async def test_they_come_and_go_before_a_price_that_is_scheduled(world: World) -> None:
    """Five and four, of which two go in February: seven of them at 20.00."""
    seats = await begin(world, least=1, count=5)
    await amending(seats).reprice("Seats", at("20"), ahead=True)
    await seats.merchant.travel(date(2024, 1, 16))
    await seats.change(4)
    await seats.change(-2)

    await seats.merchant.travel(date(2024, 2, 2))

    assert (await seats.totals())[-1] == 14000
    seats = await seats_now(seats)
    assert (await seats.count(), await seats.value()) == (7, 14000)
    (entry,) = await world.fetch(
        "select delta, effective_on from slot_entries where item_id = $1", seats.item_id
    )
    assert (entry["delta"], entry["effective_on"]) == (7, date(2024, 2, 1))


async def test_no_more_than_what_is_scheduled_has_place_for(world: World) -> None:
    """The plan of February has six: a sixth seat may come, a seventh is refused today."""
    seats = await begin(world)
    await in_small(seats)
    await seats.change(1)
    before = await seats.everything()

    with pytest.raises(InvalidInput, match="delta: what is scheduled for 2024-02-01 has no"):
        await seats.change(1)

    assert await seats.everything() == before
    await seats.merchant.travel(date(2024, 2, 2))
    assert (await seats.totals())[-1] == 600


async def test_nothing_is_scheduled_while_they_wait(world: World) -> None:
    """Neither a plan nor an amendment; paid, both are."""
    seats, invoice = await asked(world)
    shop, before = amending(seats), await seats.everything()
    for schedule in (
        in_small(seats),
        shop.add(extra("Support", "50"), ahead=True),
        shop.reprice("Seats", at("20"), ahead=True),
    ):
        with pytest.raises(Conflict, match="wait for their invoice: pay it, or void it"):
            await schedule
    assert await seats.everything() == before

    await pay(seats, invoice, 2742)
    await shop.reprice("Seats", at("20"), ahead=True)

    await seats.merchant.travel(date(2024, 2, 2))
    assert (await seats.totals())[-1] == 20000


async def test_none_wait_while_something_is_scheduled(world: World) -> None:
    """They would be lost with the component that is replaced; at once they may come."""
    seats = await begin(world)
    await amending(seats).reprice("Seats", at("20"), ahead=True)
    before = await seats.everything()

    for mode in (PAID, SlotMode.ON_CHECKOUT):
        with pytest.raises(Conflict, match="scheduled for 2024-02-01: slots cannot wait"):
            await seats.change(1, mode)

    assert await seats.everything() == before
    assert (await seats.change(1)).slots == 6


async def test_what_they_wait_for_stays(world: World) -> None:
    """Seats with some that wait are not repriced or removed now; another fee may join."""
    seats, invoice = await asked(world)
    shop = amending(seats)
    await shop.add(extra("Support", "50"))
    before = await seats.everything()
    for amendment in (shop.reprice("Seats", at("20")), shop.remove("Seats")):
        with pytest.raises(Conflict, match="wait for their invoice: pay it, or void it"):
            await amendment
    assert await seats.everything() == before

    await pay(seats, invoice, 2742)

    assert await seats.count() == 10


async def test_removed_they_are_credited_line_by_line(world: World) -> None:
    """16 of 31 days of the first five's 50.00, and all that was asked for five more."""
    seats = await begin(world)
    await seats.merchant.travel(date(2024, 1, 16))
    await seats.change(5)
    shop = amending(seats)
    await shop.add(extra("Support", "50"))

    await shop.remove("Seats")

    notes = [(one["type"], one["total"]) for one in await shop.notes()]
    assert sorted(notes) == [("DEBT_CANCELLATION", 2581), ("DEBT_CANCELLATION", 2581)]


async def test_each_credit_is_capped_by_its_own_notes(world: World) -> None:
    """20.00 of the 25.81 for five more were forgiven: 5.81 are left, and the others' 25.81."""
    seats = await begin(world)
    await seats.merchant.travel(date(2024, 1, 16))
    changed = await seats.change(5)
    assert changed.invoice is not None
    row = await world.one(
        "select l.id, i.customer_id from invoice_lines l join invoices i on i.id = l.invoice_id"
        " where i.id = $1",
        changed.invoice.id,
    )
    billed = Billed(world=world, customer_id=row["customer_id"], id=changed.invoice.id)
    await billed.credit(DebtCancellation(), (LineCredit(line_id=row["id"], amount=2000),))

    await to_team(seats)

    assert [amount for _, amount in await last_lines(seats)] == [-2581, -581, 2529]


async def test_a_fee_beside_them_is_amended_as_ever(world: World) -> None:
    """Seats that came stay as they are when the fee's price changes."""
    seats = await begin(world, fee="31")
    await seats.merchant.travel(date(2024, 1, 16))
    await seats.change(5)

    await amending(seats).reprice("Fee", flat("62"))

    assert await last_lines(seats) == [("Fee (adjustment)", 1600)]
    assert (await seats.count(), await seats.value()) == (10, 6200 + 10000)
