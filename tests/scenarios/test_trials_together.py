"""Free trials of one customer that end on one day, charged as one where the entity wants it."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tallystick.domain.coupons import Fixed
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.purchase import Activation
from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed
from tallystick.services.renew_due import renew_due
from tests.cases.golden import case
from tests.scenarios.consolidating import Consolidating
from tests.scenarios.golden_lives import at, sold
from tests.scenarios.trials_together import (
    DAY,
    FAILS_WHEN_CHARGED,
    OTHER_CARD,
    drafts,
    in_trials,
    statuses,
)
from tests.scripted_bank import ScriptedBank, lost, with_bank
from tests.trials import ENDS, swept
from tests.world import World


@pytest.mark.parametrize("case_id", ["CON-03"])
async def test_one_payment_activates_all_of_them(world: World, case_id: str) -> None:
    """CON-03: expired with one invoice of 9800 while it is being paid, then both are active."""
    told = case(case_id)
    merchant = await Consolidating.open(world)
    customer, ids = await world.customer(), []
    for asked in told["input"]["subscriptions"]:
        name, start, _, days, activation, _ = asked.split()
        await merchant.stand_at(at(start))
        made = await merchant.subscribe(
            customer,
            await sold(world, name),
            date.fromisoformat(start),
            Activation(activation.upper()),
            trial_duration_days=int(days),
            charge_automatically=True,
        )
        ids.append(made.subscription.id)
    for one in ids:
        session = (await merchant.stands(one))["checkout_session_id"]
        assert await world.confirm(session) == Completed()
    assert await world.charges() == []
    bank = ScriptedBank(world.sandbox)
    bank.script("confirm", lost)
    expected, (cycle,) = (
        told["expected"],
        [one for one in told["steps"] if one["do"] == "cycle"],
    )
    boundary = at(cycle["transition_date"])
    await world.execute("update tenants set clock = $1", boundary)
    paying = with_bank(world.at(boundary), bank)
    await renew_due(paying.ctx)
    await collect_due(paying.ctx)

    (whole,), members, others = await merchant.of(boundary)
    assert [(await merchant.stands(one))["status"].lower() for one in ids] == (
        expected["after_cycle"]["statuses"]
    )
    assert (whole["status"], whole["number"], whole["total"]) == ("DRAFT", None, 9800)
    assert (len(members), others) == (2, [])
    await merchant.is_sound()
    await swept(paying)

    (whole,), members, others = await merchant.of(boundary)
    after = expected["after_payment"]
    assert (whole["status"].lower(), whole["total"]) == (
        after["parent"]["status"],
        after["parent"]["total"],
    )
    assert [(await merchant.stands(one))["status"].lower() for one in ids] == after["statuses"]
    assert (whole["payment_status"], whole["settled"], whole["number"]) == ("PAID", 9800, 1)
    assert [(one["status"], one["applied_balance"]) for one in members] == [("DRAFT", 0)] * 2
    assert {one["consolidated_into_invoice_id"] for one in members} == {whole["id"]}
    assert (await paying.charges(), others) == ([9800], [])
    await merchant.is_sound()


async def test_they_go_on_together(world: World) -> None:
    """EUR 98 on March 24 and on April 24, from the same card, which was typed twice."""
    merchant = await Consolidating.open(world)
    await in_trials(world)

    await merchant.travel(date(2026, 4, 25))

    assert await world.charges() == [9800, 9800]
    (whole,), members, _ = await merchant.of(DAY)
    assert (whole["invoice_number"], len(json.loads(whole["lines"]))) == ("INV-1", 2)
    assert (whole["finalized_at"], whole["paid_at"]) == (ENDS, ENDS)
    rows = await world.fetch("select * from subscriptions")
    assert {(one["status"], one["cycle_index"], one["mrr"]) for one in rows} == {
        ("ACTIVE", 1, 4900)
    }
    assert {one["billing_start_date"] for one in rows} == {DAY}
    told = await merchant.told_of(whole["id"])
    assert [name for name, _ in told] == [
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
    ]
    into = encode(Prefix.INVOICE, whole["id"])
    for member in members:
        name, body = (await merchant.told_of(member["id"]))[-1]
        assert (name, body["consolidated_into_invoice_id"]) == ("invoice.consolidated", into)


async def test_a_decline_parts_them(world: World) -> None:
    """Nothing is billed; both drafts stand again, and are tried as one on the 27th."""
    merchant = await Consolidating.open(world)
    customer, _ = await in_trials(world, FAILS_WHEN_CHARGED, FAILS_WHEN_CHARGED)
    await world.balance(customer, 900)

    await merchant.travel(ENDS)

    waiting = await drafts(world)
    assert [
        (one["total"], one["payment_status"], one["collection_failures"], one["collect_at"])
        for one in waiting
    ] == [(4900, "ERRORED", 1, datetime(2026, 3, 27, tzinfo=UTC))] * 2
    assert {one["consolidated_into_invoice_id"] for one in waiting} == {None}
    assert await statuses(world) == ["TRIAL_EXPIRED"] * 2
    assert await world.fetch("select * from plan_places") == []
    left = await world.one("select balance, held from customer_balances")
    assert (left["balance"], left["held"]) == (900, 0)
    (failed,) = await world.fetch("select data from events where type = 'payment.failed'")
    body = json.loads(failed["data"])
    assert body["amount"] == 8900
    assert body["invoice_ids"] == [encode(Prefix.INVOICE, one["id"]) for one in waiting]
    assert body["invoice_id"] == body["invoice_ids"][0]


async def test_a_later_try_bills_all_from_its_own_day(world: World) -> None:
    """Declined on the 24th, paid on the 27th: one invoice of the 27th, periods from there."""
    merchant = await Consolidating.open(world)
    await in_trials(world, FAILS_WHEN_CHARGED, FAILS_WHEN_CHARGED)
    await merchant.travel(ENDS)
    await world.execute("update payment_methods set token = $1", (await world.card()).token)

    await merchant.travel(date(2026, 3, 28))

    assert await world.charges() == [9800]
    (whole,), members, others = await merchant.of(date(2026, 3, 27))
    assert (whole["number"], len(members), others) == (1, 2, [])
    assert [one["start"] for one in json.loads(whole["lines"])] == ["2026-03-27"] * 2
    rows = await world.fetch("select * from subscriptions")
    assert {one["current_period_end"] for one in rows} == {date(2026, 4, 27)}
    assert len(await merchant.invoices()) == 3


async def test_no_try_is_left(world: World) -> None:
    """Four tries of EUR 98 fail: two drafts wait for their buyer, and nothing was charged."""
    merchant = await Consolidating.open(world)
    await in_trials(world, FAILS_WHEN_CHARGED, FAILS_WHEN_CHARGED)

    await merchant.travel(date(2026, 12, 1))

    tries = await world.fetch("select state, amount, invoice_id from collections")
    assert [(one["state"], one["amount"]) for one in tries] == [("FAILED", 9800)] * 4
    assert [(one["collect_at"], one["invoice_date"]) for one in await drafts(world)] == [
        (None, date(2026, 4, 8))
    ] * 2
    assert await world.charges() == []


async def test_one_is_cancelled_between_the_tries(world: World) -> None:
    """The other is charged alone, EUR 49, and has an invoice of its own."""
    merchant = await Consolidating.open(world)
    await in_trials(world, FAILS_WHEN_CHARGED, FAILS_WHEN_CHARGED)
    await merchant.travel(ENDS)
    first = (await world.fetch("select id from subscriptions order by id"))[0]["id"]
    await merchant.cancel(first)
    await world.execute("update payment_methods set token = $1", (await world.card()).token)

    await merchant.travel(date(2026, 3, 28))

    assert await statuses(world) == ["CANCELLED", "ACTIVE"]
    assert await world.charges() == [4900]
    (made,) = await merchant.invoices()
    assert (made["number"], made["consolidated_into_invoice_id"]) == (1, None)


async def test_one_is_bought_anew_between_the_tries(world: World) -> None:
    """Its draft is dropped; the other is tried alone, and neither is billed back."""
    merchant = await Consolidating.open(world)
    customer, plans = await in_trials(world, FAILS_WHEN_CHARGED, FAILS_WHEN_CHARGED)
    await merchant.travel(date(2026, 3, 25))
    assert await world.confirm(await world.session(customer, plans[0])) == Completed()
    await world.execute("update payment_methods set token = $1", (await world.card()).token)

    await merchant.travel(date(2026, 3, 28))

    assert await statuses(world) == ["SUPERSEDED", "ACTIVE", "ACTIVE"]
    assert await world.charges() == [4900, 4900]
    made = await merchant.invoices()
    assert [one["invoice_date"].day for one in made] == [25, 27]


@pytest.mark.parametrize(
    ("balance", "charged", "applied"), [(900, [8900], 900), (10000, [], 9800)]
)
async def test_the_balance_is_applied_once(
    world: World, balance: int, charged: list[int], applied: int
) -> None:
    """To the one invoice; what covers it all makes both active without any charge."""
    merchant = await Consolidating.open(world)
    customer, _ = await in_trials(world)
    await world.balance(customer, balance)

    await merchant.travel(ENDS)

    (whole,), members, others = await merchant.of(DAY)
    assert (whole["applied_balance"], whole["payment_status"]) == (applied, "PAID")
    assert [one["applied_balance"] for one in members] == [0, 0]
    assert (await world.charges(), others) == (charged, [])
    left = await world.one("select balance, held from customer_balances")
    assert (left["balance"], left["held"]) == (balance - applied, 0)
    assert await statuses(world) == ["ACTIVE"] * 2


async def test_too_little_to_charge(world: World) -> None:
    """EUR 0.10 each after a coupon: EUR 0.20 are written off, and both go on."""
    merchant = await Consolidating.open(world)
    coupon = await world.coupon("NEARLY", Fixed(amount=Decimal("48.90"), currency="EUR"))
    await in_trials(world, coupon_ids=[coupon])

    await merchant.travel(ENDS)

    (whole,), _, _ = await merchant.of(DAY)
    assert (whole["total"], whole["written_off"], whole["payment_status"]) == (20, 20, "PAID")
    assert (await statuses(world), await world.charges()) == (["ACTIVE"] * 2, [])


async def test_two_cards_are_two_charges(world: World) -> None:
    """Each is charged to the card that was agreed on for it."""
    merchant = await Consolidating.open(world)
    await in_trials(world, None, OTHER_CARD)

    await merchant.travel(ENDS)

    whole, members, alone = await merchant.of(DAY)
    assert (whole, members) == ([], [])
    assert [one["payment_status"] for one in alone] == ["PAID"] * 2
    assert await world.charges() == [4900, 4900]


async def test_without_the_setting_each_goes_alone(world: World) -> None:
    """Switched off before the trials end: two charges, two invoices."""
    merchant = await Consolidating.open(world)
    await in_trials(world)
    await world.execute("update invoicing_entities set consolidate_recurring_invoices = false")

    await merchant.travel(ENDS)

    assert await world.charges() == [4900, 4900]
    assert len(await merchant.invoices()) == 2


async def test_a_renewal_of_the_day_has_its_own_invoice(world: World) -> None:
    """What is owed anyway does not wait for the trials to be paid, nor they for its grace."""
    merchant = await Consolidating.open(world)
    customer, _ = await in_trials(world)
    await merchant.sells(customer, [await world.plan()], date(2026, 2, 24))

    await merchant.travel(datetime(2026, 3, 24, 12, tzinfo=UTC))

    (whole,), members, (renewed,) = await merchant.of(DAY)
    assert (whole["total"], len(members), whole["finalized_at"]) == (9800, 2, ENDS)
    assert (renewed["total"], renewed["status"]) == (4900, "FINALIZED")


async def test_no_card_that_can_be_charged(world: World) -> None:
    """The bank is not asked: every try fails because the card has expired."""
    merchant = await Consolidating.open(world)
    await in_trials(world)
    await world.execute("update payment_methods set card_expiry = '02/2026'")

    await merchant.travel(date(2026, 4, 20))

    rows = await world.fetch("select distinct failure, reference from collections")
    assert [(row["failure"], row["reference"]) for row in rows] == [("CARD_EXPIRED", None)]
    assert await statuses(world) == ["TRIAL_EXPIRED"] * 2
    assert await world.fetch("select * from plan_places") == []
