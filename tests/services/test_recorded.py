"""What a purchase leaves behind: dates, terms, products, the customer, and nothing twice."""

import json
from decimal import Decimal

from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.offer_request import (
    AddOnEntry,
    Extra,
    NewPrice,
    NewProductEntry,
)
from tallystick.domain.payment import FailureReason
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import OneTimeFee, OneTimePricing, RateFee, SlotFee, SlotPricing
from tallystick.services.confirm_result import Completed
from tallystick.services.ids import new_id
from tallystick.services.record_failure import record_failure
from tallystick.services.record_purchase import record_purchase
from tests.shops import attempts, invoice, sold, subscription, told
from tests.soundness import assert_sound
from tests.world import NOON, World, day, rate

DECLINED = "4000000000000002"


async def test_a_past_start_is_one_invoice_over_every_period(world: World) -> None:
    """Begun on 10 January: three months of EUR 49 on one invoice, the third one running."""
    session = await world.session(
        await world.customer(), await world.plan(), billing_start_date=day("2026-01-10")
    )

    assert await world.confirm(session) == Completed()

    assert await world.charges() == [14700]
    made, bill = await subscription(world), await invoice(world)
    assert (made["start_date"], made["current_period_start"], made["current_period_end"]) == (
        day("2026-01-10"),
        day("2026-03-10"),
        day("2026-04-10"),
    )
    assert (made["cycle_index"], bill["total"], bill["invoice_date"]) == (
        2,
        14700,
        day("2026-03-10"),
    )
    lines = await world.fetch("select start_date, amount from invoice_lines order by position")
    assert [(row["start_date"].isoformat(), row["amount"]) for row in lines] == [
        ("2026-01-10", 4900),
        ("2026-02-10", 4900),
        ("2026-03-10", 4900),
    ]
    await assert_sound(world)


async def test_a_contract_wholly_in_the_past_is_complete(world: World) -> None:
    """January alone, bought in March: billed, COMPLETED, and the place is free again."""
    customer, plan = await world.customer(), await world.plan()
    session = await world.session(
        customer, plan, billing_start_date=day("2026-01-01"), end_date=day("2026-02-01")
    )

    assert await world.confirm(session) == Completed()

    made = await subscription(world)
    assert (made["status"], made["mrr"]) == ("COMPLETED", 0)
    assert await world.fetch("select * from plan_places") == []
    assert await world.charges() == [4900]
    assert await world.confirm(await world.session(customer, plan)) == Completed()
    await assert_sound(world)


async def test_an_anchor_prorates_the_first_period(world: World) -> None:
    """From 10 March to the 1st of April are 22 of 31 days: EUR 34.77 of EUR 49."""
    session = await world.session(
        await world.customer(), await world.plan(), billing_day_anchor=1
    )

    await world.confirm(session)

    assert await world.charges() == [3477]
    made = await subscription(world)
    assert (made["billing_day_anchor"], made["current_period_end"]) == (1, day("2026-04-01"))
    await assert_sound(world)


async def test_the_merchants_terms_reach_subscription_and_invoice(world: World) -> None:
    """Memo, purchase order, metadata, terms and threshold are kept where they belong."""
    session = await world.session(
        await world.customer(),
        await world.plan(),
        invoice_memo="Thank you",
        purchase_order="PO-7",
        net_terms=30,
        end_date=day("2027-03-10"),
        invoice_threshold=Decimal("250.00"),
        metadata='{"order": "o-1"}',
    )

    await world.confirm(session)

    made, bill = await subscription(world), await invoice(world)
    for row, memo in ((made, "invoice_memo"), (bill, "memo")):
        assert (row[memo], row["purchase_order"], row["net_terms"]) == ("Thank you", "PO-7", 30)
    assert json.loads(made["metadata"]) == {"order": "o-1"}
    assert (made["end_date"], made["invoice_threshold"]) == (day("2027-03-10"), Decimal(250))
    assert bill["due_date"] == day("2026-04-09")
    event = await world.one("select data from events where type = 'checkout_session.completed'")
    body = json.loads(event["data"])
    assert (body["status"], body["payment_error"]) == ("COMPLETED", None)
    assert body["metadata"] == {"order": "o-1"}


async def test_an_earlier_decline_is_no_error_of_the_purchase(world: World) -> None:
    """The event of a purchase after a decline does not carry the decline's reason."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.card(DECLINED))
    await world.confirm(session)

    bodies = [
        (row["type"], json.loads(row["data"])["payment_error"])
        for row in await world.fetch(
            "select type, data from events where object_id = $1 order by position", session
        )
    ]

    assert bodies == [
        ("checkout_session.created", None),
        ("checkout_session.payment_failed", "DECLINED"),
        ("checkout_session.completed", None),
    ]


async def test_a_new_product_exists_when_it_is_bought(world: World) -> None:
    """A product made for an offer is inserted by its purchase, not by a link or a decline."""
    extra = Extra(
        name="Onboarding",
        product=NewProductEntry(name="Onboarding", fee=OneTimeFee()),
        price=NewPrice(
            cadence=Cadence.MONTHLY,
            currency="EUR",
            pricing=OneTimePricing(unit_price=Decimal("100.00"), quantity=2),
        ),
    )
    session = await world.session(await world.customer(), await world.plan(), extra=(extra,))
    query = "select in_catalog from products where name = 'Onboarding'"
    assert await world.fetch(query) == []
    await world.confirm(session, method=await world.card(DECLINED))
    assert await world.fetch(query) == []

    assert await world.confirm(session) == Completed()

    assert await world.one(query) == {"in_catalog": False}
    assert await world.charges() == [24900]
    items = await world.fetch("select name, kind from subscription_items order by position")
    assert [(row["name"], row["kind"]) for row in items] == [
        ("Fee", "COMPONENT"),
        ("Onboarding", "COMPONENT"),
    ]
    assert (await subscription(world))["mrr"] == 4900
    await assert_sound(world)


async def test_seats_are_counted_from_the_first_billed_day(world: World) -> None:
    """Five seats at EUR 9.90: one entry of five in the ledger of seats."""
    plan = await world.plan(
        (
            "Seats",
            SlotFee(unit_name="seat"),
            [(Cadence.MONTHLY, SlotPricing(unit_rate=Decimal("9.90"), min_slots=5))],
        ),
        name="Team",
    )
    await world.confirm(await world.session(await world.customer(), plan))

    assert await world.charges() == [4950]
    entry = await world.one("select delta, effective_on from slot_entries")
    assert entry == {"delta": 5, "effective_on": day("2026-03-10")}


async def test_an_add_on_is_attached_once(world: World) -> None:
    """Two of an add-on at EUR 5: one item of two instances, EUR 59 in all."""
    product = await world.product("Backups", RateFee())
    price = await world.price(product, rate("5.00"))
    add_on = new_id()
    await world.execute(
        "insert into add_ons (tenant_id, id, name, product_id, price_id, created_at) "
        "values ($1, $2, 'Backups', $3, $4, $5)",
        world.tenant_id,
        add_on,
        product,
        price,
        NOON,
    )
    session = await world.session(
        await world.customer(),
        await world.plan(),
        add_ons=(AddOnEntry(add_on_id=add_on, quantity=2),),
    )

    await world.confirm(session, method=await world.card("4000000000009979"))
    (attempt,) = await attempts(world)
    for _ in range(3):
        async with world.database.transaction() as tx:
            assert await record_purchase(world.ctx, tx, attempt["id"]) == Completed()

    assert await world.charges() == [5900]
    item = await world.one("select instances from subscription_items where kind = 'ADD_ON'")
    assert item["instances"] == 2
    await assert_sound(world)


async def test_the_buyers_details_are_the_customers_from_the_purchase_on(world: World) -> None:
    """A decline writes nothing to the customer; the purchase writes what was typed then."""
    customer = await world.customer(vat_number="FR40303265045")
    session = await world.session(customer, await world.plan())
    typed = BuyerDetails(
        name="Globex SARL",
        email=None,
        address=Address(line1="1 rue Neuve", city="Lille", zip_code="59000", country="FR"),
    )
    query = "select name, billing_email, billing_address, vat_number from customers"
    before = await world.one(query)
    await world.confirm(session, buyer=typed, method=await world.card(DECLINED))
    assert await world.one(query) == before

    assert await world.confirm(session, buyer=typed) == Completed()

    after = await world.one(query)
    assert (after["name"], after["vat_number"]) == ("Globex SARL", None)
    # No address typed is no wish to lose the one on file.
    assert after["billing_email"] == "ap@globex.example"
    assert json.loads(after["billing_address"])["city"] == "Lille"
    named = json.loads((await invoice(world))["customer_details"])
    assert (named["name"], named["billing_address"]["line1"]) == ("Globex SARL", "1 rue Neuve")
    await assert_sound(world)


async def test_recording_is_dated_by_the_claim(world: World) -> None:
    """Found a day later by the sweeper, the purchase is of the day on which it was claimed."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.card("4000000000009979"))
    (attempt,) = await attempts(world)
    later = world.at(NOON.replace(day=12))

    async with world.database.transaction() as tx:
        await record_purchase(later.ctx, tx, attempt["id"])

    made, bill = await subscription(world), await invoice(world)
    assert (made["start_date"], made["created_at"]) == (day("2026-03-10"), NOON)
    assert (bill["invoice_date"], bill["finalized_at"], bill["paid_at"]) == (
        day("2026-03-10"),
        NOON,
        NOON,
    )


async def test_recording_twice_is_recording_once(world: World) -> None:
    """Success and failure, told again, change nothing: no row, no number, no event."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.card(DECLINED))
    await world.confirm(session)
    failed, bought = await attempts(world)
    events = await told(world)

    for _ in range(3):
        async with world.database.transaction() as tx:
            assert await record_purchase(world.ctx, tx, bought["id"]) == Completed()
            reason = FailureReason.INTERRUPTED
            assert await record_failure(world.ctx, tx, bought["id"], reason) == Completed()
            assert await record_failure(world.ctx, tx, failed["id"], reason) == Completed()

    assert await told(world) == events
    assert await sold(world) == (1, 1, 1)
    assert (await attempts(world))[0]["failure"] == '{"reason": "DECLINED"}'
    await assert_sound(world)
