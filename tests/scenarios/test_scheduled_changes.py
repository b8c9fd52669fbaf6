"""Plan changes at the end of a period: scheduled, replaced, dropped, and made."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.offer_request import (
    Extra,
    NewPrice,
    NewProductEntry,
    OfferRequest,
)
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee, RatePricing, SlotFee, SlotPricing
from tallystick.domain.purchase import Activation
from tallystick.domain.scheduled import ScheduledPlan
from tallystick.services.advance_clock import advance_clock
from tallystick.services.plan_wanted import PlanChangeRequest
from tallystick.services.schedule_plan import schedule_plan
from tests.cases.golden import case
from tests.scenarios.plan_changes import Shop, amounts, begin, last
from tests.subscribing import Merchant
from tests.world import SoldPlan, World


@pytest.fixture
def shop(world: World) -> Shop:
    """A shop whose plans share their products."""
    return Shop(merchant=Merchant(world=world))


async def pending(shop: Shop) -> list[dict[str, Any]]:
    """What is scheduled."""
    return await shop.world.fetch("select kind, effective_on from scheduled_changes")


async def rates(shop: Shop, name: str, cadence: Cadence, price: str) -> SoldPlan:
    """A plan with a fee in a rhythm, of the product that the plans here share."""
    if "Fee" not in shop.products:
        shop.products["Fee"] = await shop.world.product("Fee", RateFee())
    return await shop.world.plan(
        ("Fee", RateFee(), [(cadence, RatePricing(rate=Decimal(price)))]),
        name=name,
        products={"Fee": shop.products["Fee"]},
    )


@pytest.mark.parametrize("case_id", ["PCH-01", "PCH-24"])
async def test_at_the_boundary_before_it_is_billed(shop: Shop, case_id: str) -> None:
    """39.00, then at February 1 the plan switches and renews at 124.00; nothing is credited."""
    golden = case(case_id)["expected"]
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    seen = await shop.schedule(made, pro, preview=True)
    assert await pending(shop) == []

    planned = await shop.schedule(made, pro)

    assert await pending(shop) == [{"kind": "PLAN", "effective_on": date(2024, 2, 1)}]
    counts = {"matched": planned.matched, "added": planned.added, "removed": planned.removed}
    assert counts == golden.get("preview", counts) == {"matched": 2, "added": 0, "removed": 0}
    told = planned.details.subscription
    assert (told.plan_id, told.mrr, planned.invoice) == (starter.id, 3900, None)
    assert isinstance(told.scheduled, ScheduledPlan)
    assert (told.scheduled.plan_name, told.scheduled.plan_version_id) == (
        "PRO",
        pro.version_id,
    )
    await shop.merchant.travel(date(2024, 2, 2))
    stands = await shop.merchant.stands(made)
    assert (stands["plan_id"], stands["plan_version_id"]) == (pro.id, pro.version_id)
    assert (stands["status"], stands["cycle_index"], stands["mrr"]) == ("ACTIVE", 1, 12400)
    assert (stands["current_period_start"], stands["current_period_end"]) == (
        date(2024, 2, 1),
        date(2024, 3, 1),
    )
    renewed = await last(shop)
    assert (renewed["total"], renewed["invoice_type"]) == (12400, "RECURRING")
    assert amounts(renewed) == [9900, 2500]
    assert seen.invoice is not None
    assert (seen.invoice.total, seen.invoice.number) == (12400, None)
    assert [one.amount for one in seen.invoice.lines] == amounts(renewed)
    lives = await shop.world.fetch(
        "select item ->> 'starts_on' as starts, item ->> 'ends_on' as ends"
        " from subscription_items order by position"
    )
    assert [(one["starts"], one["ends"]) for one in lives] == [
        *[(None, "2024-02-01")] * 2,
        *[("2024-02-01", None)] * 2,
    ]
    assert await pending(shop) == []
    assert ("subscription.updated", "plan_changed") in await shop.merchant.events()
    places = await shop.world.fetch("select plan_id, holder from plan_places")
    assert places == [{"plan_id": pro.id, "holder": made}]
    await shop.merchant.travel(date(2024, 3, 2))
    assert [one["total"] for one in await shop.merchant.invoices()] == [3900, 12400, 12400]


@pytest.mark.parametrize("case_id", ["PCH-18"])
async def test_it_replaces_a_cancellation(shop: Shop, case_id: str) -> None:
    """Cancelled at the end of the period, then scheduled: only the change is made."""
    golden = case(case_id)["expected"]
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.cancel(made, None, "too dear")

    told = (await shop.schedule(made, pro)).details.subscription

    assert (told.cancelled_on, told.cancellation_reason) == (None, None)
    assert len(await pending(shop)) == golden["pending_events_after_step2"]
    await shop.merchant.travel(date(2024, 2, 2))
    stands = await shop.merchant.stands(made)
    assert (stands["plan_id"], stands["status"], stands["cycle_index"]) == (pro.id, "ACTIVE", 1)
    assert (await last(shop))["total"] == golden["invoices"][0]["total"]


@pytest.mark.parametrize("case_id", ["PCH-19"])
async def test_a_change_now_replaces_it(shop: Shop, case_id: str) -> None:
    """After a change now nothing is scheduled any more."""
    (row, _) = case(case_id)["expected"]["rows"]
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.schedule(made, pro)
    await shop.merchant.travel(date(2024, 1, 16))

    await shop.change(made, pro)

    assert len(await pending(shop)) == row["pending_events_after"]
    assert (await last(shop))["total"] == 4387
    await shop.merchant.travel(date(2024, 2, 2))
    assert (await last(shop))["total"] == 12400


@pytest.mark.parametrize("case_id", ["PCH-21"])
async def test_the_last_one_wins(shop: Shop, case_id: str) -> None:
    """LeetCode to Starter, to Pro, to Starter: one is left, 39.00 on February 1."""
    golden = case(case_id)["expected"]
    leetcode, starter, pro = [await shop.sold(one) for one in ("LEETCODE", "STARTER", "PRO")]
    made = await begin(shop, leetcode)

    for plan in (starter, pro, starter):
        await shop.schedule(made, plan)

    assert len(await pending(shop)) == golden["pending_events_before_cycle"]
    await shop.merchant.travel(date(2024, 2, 2))
    assert (await shop.merchant.stands(made))["plan_id"] == starter.id
    assert (await last(shop))["total"] == golden["invoices"][0]["total"]


async def test_a_cancellation_replaces_it(shop: Shop) -> None:
    """Cancelled after it was scheduled: it ends, whatever was to come."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.schedule(made, pro)

    await shop.merchant.cancel(made, date(2024, 2, 10))

    assert await pending(shop) == []
    await shop.merchant.travel(date(2024, 2, 11))
    stands = await shop.merchant.stands(made)
    assert (stands["status"], stands["plan_id"]) == ("CANCELLED", starter.id)
    assert [one["total"] for one in await shop.merchant.invoices()] == [3900, 3900]


async def test_it_is_dropped(shop: Shop) -> None:
    """The plan stays; there is nothing to drop twice."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.schedule(made, pro)

    told = await shop.drop(made)

    assert told.subscription.scheduled is None
    with pytest.raises(Conflict, match="No change"):
        await shop.drop(made)
    await shop.merchant.travel(date(2024, 2, 2))
    assert (await last(shop))["total"] == 3900


@pytest.mark.parametrize("case_id", ["PCH-23"])
@pytest.mark.parametrize("target", ["draft", "USD_PLAN", "pending", "same", "over", "ends"])
async def test_what_is_refused_changes_nothing(shop: Shop, target: str, case_id: str) -> None:
    """The golden refusals, and one that has ended or ends with its period: all is as it was."""
    assert len(case(case_id)["expected"]["rows"]) == 5
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(
        shop,
        starter,
        activation=Activation.MANUAL if target == "pending" else Activation.ON_START,
        end_date=date(2024, 2, 1) if target == "ends" else None,
    )
    if target == "draft":
        await shop.world.execute(
            "insert into plan_versions (tenant_id, id, plan_id, version, currency, created_at)"
            " select tenant_id, gen_random_uuid(), plan_id, 2, currency, created_at"
            " from plan_versions where id = $1",
            pro.version_id,
        )
        row = await shop.world.one("select id from plan_versions where published_at is null")
        pro = SoldPlan(id=pro.id, version_id=row["id"], components={}, products={})
    elif target == "USD_PLAN":
        pro = await shop.sold("USD_PLAN")
    elif target == "same":
        pro = starter
    elif target == "over":
        await shop.merchant.cancel(made, shop.merchant.today)
    before = await shop.merchant.stands(made), await shop.merchant.invoices()

    with pytest.raises((InvalidInput, Conflict)):
        await shop.schedule(made, pro)

    assert (await shop.merchant.stands(made), await shop.merchant.invoices()) == before
    assert await pending(shop) == []


async def test_usage_of_the_closing_window_goes_by_the_old_price(shop: Shop) -> None:
    """1000 units at 0.10 in January, 20.00 in advance of the new plan; 50 at 0.20 in March."""
    alpha, beta = await shop.sold("USAGE_ALPHA"), await shop.sold("USAGE_BETA")
    made = await begin(shop, alpha, "2025-01-01")
    customer = (await shop.merchant.stands(made))["customer_id"]
    await shop.merchant.travel(date(2025, 1, 11))
    await shop.use(customer, "bandwidth", 1000, "2025-01-10")
    seen = await shop.schedule(made, beta, preview=True)
    await shop.schedule(made, beta)
    await shop.merchant.travel(date(2025, 2, 2))

    assert sorted(amounts(await last(shop))) == [2000, 10000]
    assert seen.invoice is not None
    assert seen.invoice.total == 12000
    await shop.use(customer, "bandwidth", 50, "2025-02-01")
    await shop.merchant.travel(date(2025, 3, 2))
    assert sorted(amounts(await last(shop))) == [1000, 2000]


async def test_fees_of_every_kind(shop: Shop) -> None:
    """Arrears of January by the old price, the new base and fee; no one-time fee again."""
    beta, alpha = await shop.sold("MIXED_BETA"), await shop.sold("MIXED_ALPHA")
    made = await begin(shop, beta, "2025-01-01")
    await shop.schedule(made, alpha)

    await shop.merchant.travel(date(2025, 3, 2))

    totals = [one["total"] for one in await shop.merchant.invoices()]
    # 80 + 50; then 50 + 30 in advance and 2 x 25 of January; then 2 x 15 of February.
    assert totals == [13000, 5000 + 3000 + 5000, 5000 + 3000 + 3000]


async def test_slots_are_kept_as_they_stand_at_the_boundary(shop: Shop) -> None:
    """Five seats stay five: 99.00 and 5 x 25.00."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    leetcode = await shop.sold("LEETCODE")
    made = await begin(shop, leetcode)
    await shop.change(made, starter, {"Seats": 5})
    await shop.schedule(made, pro)

    await shop.merchant.travel(date(2024, 2, 2))

    assert amounts(await last(shop)) == [9900, 12500]
    entries = await shop.world.fetch("select delta, effective_on from slot_entries")
    assert {"delta": 5, "effective_on": date(2024, 2, 1)} in entries


async def test_from_months_to_years_and_back(shop: Shop) -> None:
    """From the anchor on: 100.00 monthly, 1000.00 from February 10, 100.00 a year later."""
    monthly = await rates(shop, "Monthly", Cadence.MONTHLY, "100")
    yearly = await rates(shop, "Yearly", Cadence.ANNUAL, "1000")
    made = await begin(shop, monthly, "2024-01-10")
    await shop.schedule(made, yearly)
    await shop.merchant.travel(date(2024, 2, 11))

    stands = await shop.merchant.stands(made)
    assert (stands["cadence"], stands["mrr"]) == ("ANNUAL", 8333)
    assert (stands["current_period_start"], stands["current_period_end"]) == (
        date(2024, 2, 10),
        date(2025, 2, 10),
    )
    await shop.schedule(made, monthly)
    await shop.merchant.travel(date(2025, 3, 11))

    spans = [
        (line["start"], line["end"], line["amount"])
        for one in await shop.merchant.invoices()
        for line in json.loads(one["lines"])
    ]
    assert spans == [
        ("2024-01-10", "2024-02-10", 10000),
        ("2024-02-10", "2025-02-10", 100000),
        ("2025-02-10", "2025-03-10", 10000),
        ("2025-03-10", "2025-04-10", 10000),
    ]
    assert (await shop.merchant.stands(made))["cadence"] == "MONTHLY"


async def test_a_free_trial_ends_with_the_new_plan(shop: Shop) -> None:
    """Scheduled in the trial: on its last day the first invoice is the new plan's, 39.00."""
    trial, starter = await shop.sold("PAID_FREE_TRIAL"), await shop.sold("STARTER")
    made = await begin(shop, trial)
    await shop.schedule(made, starter)
    assert await pending(shop) == [{"kind": "PLAN", "effective_on": date(2024, 1, 15)}]

    await shop.merchant.travel(date(2024, 1, 16))

    stands = await shop.merchant.stands(made)
    assert (stands["status"], stands["plan_id"]) == ("ACTIVE", starter.id)
    assert (stands["current_period_start"], stands["current_period_end"]) == (
        date(2024, 1, 15),
        date(2024, 2, 15),
    )
    assert [one["total"] for one in await shop.merchant.invoices()] == [3900]


async def test_what_it_brings_along_is_made_with_it(shop: Shop) -> None:
    """A product of its own: not there while it is scheduled, billed 5.00 from the boundary."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    extra = Extra(
        name="Care",
        product=NewProductEntry(name="Care", fee=RateFee()),
        price=NewPrice(
            cadence=Cadence.MONTHLY, currency="EUR", pricing=RatePricing(rate=Decimal(5))
        ),
    )
    request = PlanChangeRequest(
        plan_version_id=pro.version_id, components=OfferRequest(extra=(extra,))
    )
    async with shop.world.app.transaction() as tx:
        await schedule_plan(shop.world.ctx.within(tx), made, request, preview=False)
    assert await shop.world.fetch("select from products where name = 'Care'") == []

    await shop.merchant.travel(date(2024, 2, 2))

    assert sorted(amounts(await last(shop))) == [500, 2500, 9900]
    assert len(await shop.world.fetch("select from products where name = 'Care'")) == 1


async def test_what_cannot_be_made_is_set_aside(shop: Shop) -> None:
    """More seats than the new plan has by then: it says so, and goes on once it is dropped."""
    starter = await shop.sold("STARTER")
    small = await shop.world.plan(
        (
            "Seats",
            SlotFee(unit_name="seat"),
            [(Cadence.MONTHLY, SlotPricing(unit_rate=Decimal(1), min_slots=1, max_slots=2))],
        ),
        name="Small",
        products={"Seats": shop.products["Seats"]},
    )
    made = await begin(shop, starter)
    await shop.schedule(made, small)
    await _have_seats(shop, made, 3)
    day = datetime(2024, 2, 2, tzinfo=UTC)

    await advance_clock(shop.world.ctx, day)

    stands = await shop.merchant.stands(made)
    assert "at most 2" in stands["billing_error"]
    assert stands["plan_id"] == starter.id
    await shop.merchant.stand_at(day)
    await shop.drop(made)
    await shop.merchant.travel(date(2024, 2, 3))
    assert (await last(shop))["total"] == 2900 + 3000


async def _have_seats(shop: Shop, subscription_id: UUID, seats: int) -> None:
    """Change the number of seats behind the product's back."""
    await shop.world.execute(
        """
        insert into slot_entries (tenant_id, id, item_id, delta, effective_on, created_at)
        select e.tenant_id, gen_random_uuid(), e.item_id, $2 - e.delta, e.effective_on, $3
        from slot_entries e join subscription_items i on i.id = e.item_id
        where i.subscription_id = $1 and e.id = e.item_id
        """,
        subscription_id,
        seats,
        shop.world.ctx.now,
    )
    await shop.world.execute("update subscriptions set mrr = 2900 + $1 * 1000", seats)
