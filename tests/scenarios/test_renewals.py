"""A year in the life of a subscription, told by a travelling clock."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tallystick.domain.coupons import Percentage
from tallystick.domain.life import StepKind
from tallystick.domain.offer import ExternalPayment
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tallystick.services.advance_clock import ClockMove, advance_clock
from tallystick.services.examine import examine
from tests.world import World, rate


async def travel(world: World, to: str) -> ClockMove:
    """Move the tenant's clock to the beginning of a day."""
    moved = await advance_clock(world.ctx, datetime.fromisoformat(to).replace(tzinfo=UTC))
    assert (await examine(world.database)).breaches == ()
    return moved


async def invoices(world: World) -> list[dict[str, Any]]:
    """Every invoice, oldest first."""
    return await world.fetch(
        """
        select invoice_date, status, payment_status, invoice_number, total, applied_balance,
               amount_due, billing_period_start, billing_period_end
        from invoices order by invoice_date, number
        """
    )


async def test_a_year_of_a_monthly_subscription(world: World) -> None:
    """Bought on March 10, renewed on the tenth of each month, each invoice numbered in turn."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session)

    moved = await travel(world, "2027-03-10T13:00:00")

    assert moved.done.steps == {StepKind.RENEWED: 12}
    assert moved.done.finalized == 12
    made = await invoices(world)
    assert [one["invoice_number"] for one in made] == [f"INV-{n}" for n in range(1, 14)]
    assert [one["total"] for one in made] == [4900] * 13
    assert made[1]["invoice_date"] == date(2026, 4, 10)
    assert made[12]["billing_period_end"] == date(2027, 4, 10)
    stands = await world.one("select * from subscriptions")
    assert (stands["status"], stands["mrr"], stands["cycle_index"]) == ("ACTIVE", 4900, 12)
    assert stands["next_step_on"] == date(2027, 4, 10)


async def test_renewals_are_charged_to_the_saved_card(world: World) -> None:
    """Each renewal is charged when it is finalized: three of EUR 49 after the first."""
    await world.confirm(await world.session(await world.customer(), await world.plan()))

    moved = await travel(world, "2026-06-11T00:00:00")

    assert moved.done.collected == 3
    assert await world.charges() == [4900] * 4
    assert {one["payment_status"] for one in await invoices(world)} == {"PAID"}


async def test_a_card_that_is_declined_later_is_tried_four_times(world: World) -> None:
    """A decline is tried again after 3, 5 and 7 days, then the invoice waits for a person."""
    customer = await world.customer()
    await world.balance(customer, 4900)
    session = await world.session(customer, await world.plan())
    await world.confirm(session, method=await world.card("4000000000000341"))

    moved = await travel(world, "2026-05-10T00:00:00")

    assert moved.done.collected == 4
    assert await world.charges() == []
    tries = await world.fetch(
        "select claimed_at::date as day, state from collections order by 1"
    )
    days = [date(2026, 4, 10), date(2026, 4, 13), date(2026, 4, 18), date(2026, 4, 25)]
    assert [(one["day"], one["state"]) for one in tries] == [(day, "FAILED") for day in days]
    owing = (await invoices(world))[1]
    assert (owing["payment_status"], owing["amount_due"]) == ("ERRORED", 4900)
    told = await world.fetch("select from events where type = 'payment.failed'")
    assert len(told) == 4


async def test_nothing_is_charged_that_is_not_to_be(world: World) -> None:
    """A seller who does not charge automatically gets invoices that wait to be paid."""
    session = await world.session(
        await world.customer(), await world.plan(), charge_automatically=False
    )
    await world.confirm(session)

    await travel(world, "2026-05-11T00:00:00")

    assert await world.charges() == [4900]
    assert [one["payment_status"] for one in await invoices(world)] == [
        "PAID",
        "UNPAID",
        "UNPAID",
    ]


async def test_renewing_again_renews_nothing(world: World) -> None:
    """A clock that is moved to where it stands finds nothing to do."""
    await world.confirm(await world.session(await world.customer(), await world.plan()))
    await travel(world, "2026-06-11T00:00:00")

    again = await travel(world, "2026-06-11T00:00:00")

    assert again.done.is_nothing
    assert len(await invoices(world)) == 4


async def test_a_renewal_is_a_draft_for_the_time_of_grace(world: World) -> None:
    """Twelve hours after its day has begun a renewal is finalized, and not before."""
    await world.confirm(await world.session(await world.customer(), await world.plan()))

    await travel(world, "2026-04-10T11:59:59")
    before = (await invoices(world))[1]
    await travel(world, "2026-04-10T12:00:00")
    after = (await invoices(world))[1]

    assert (before["status"], before["invoice_number"]) == ("DRAFT", None)
    assert (after["status"], after["invoice_number"]) == ("FINALIZED", "INV-2")


async def test_a_coupon_for_three_invoices(world: World) -> None:
    """Twenty per cent off the first and the two after it, then the full price."""
    await world.coupon("THREE", Percentage(percentage=Decimal(20)), recurring_value=3)
    session = await world.session(
        await world.customer(), await world.plan(), coupon_code="THREE"
    )
    await world.confirm(session)

    await travel(world, "2026-07-11T00:00:00")

    assert [one["total"] for one in await invoices(world)] == [3920, 3920, 3920, 4900, 4900]


async def test_a_balance_pays_renewals_until_it_is_used_up(world: World) -> None:
    """EUR 60 pay the first invoice whole and a part of the second."""
    customer = await world.customer()
    await world.balance(customer, 6000)
    await world.confirm(await world.session(customer, await world.plan()))

    await travel(world, "2026-05-11T00:00:00")

    made = await invoices(world)
    assert [one["applied_balance"] for one in made] == [4900, 1100, 0]
    assert await world.charges() == [3800, 4900]


async def test_a_trial_ends_and_is_billed(world: World) -> None:
    """Fourteen days free, then the first invoice on the day that the trial ends."""
    session = await world.session(
        await world.customer(),
        await world.plan(),
        trial_duration_days=14,
        payment=ExternalPayment(),
    )
    await world.confirm(session, chooses=False)

    moved = await travel(world, "2026-03-24T00:00:00")

    assert moved.done.steps == {StepKind.TRIAL_ENDED: 1}
    made = await invoices(world)
    assert [(one["invoice_date"], one["status"]) for one in made] == [
        (date(2026, 3, 24), "FINALIZED")
    ]
    stands = await world.one("select status, mrr, current_period_end from subscriptions")
    assert stands["status"] == "ACTIVE"
    assert stands["current_period_end"] == date(2026, 4, 24)


async def test_the_end_date_completes_it(world: World) -> None:
    """The last period is cut by days: 10 of 31 of EUR 49 are EUR 15.81; then it is over."""
    session = await world.session(
        await world.customer(), await world.plan(), end_date=date(2026, 5, 20)
    )
    await world.confirm(session)

    await travel(world, "2026-08-01T00:00:00")

    assert [one["total"] for one in await invoices(world)] == [4900, 4900, 1581]
    stands = await world.one("select status, mrr, next_step_on from subscriptions")
    assert (stands["status"], stands["mrr"]) == ("COMPLETED", 0)
    assert stands["next_step_on"] is None


async def test_a_year_beside_a_month(world: World) -> None:
    """A yearly fee is billed once a year, on its own day, beside the monthly one."""
    plan = await world.plan(
        ("Monthly", RateFee(), [(Cadence.MONTHLY, rate("10.00"))]),
        ("Yearly", RateFee(), [(Cadence.ANNUAL, rate("100.00"))]),
    )
    await world.confirm(await world.session(await world.customer(), plan))

    await travel(world, "2027-03-11T00:00:00")

    totals = [one["total"] for one in await invoices(world)]
    assert totals == [11000, *[1000] * 11, 11000]
