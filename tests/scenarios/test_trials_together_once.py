"""Trials that are charged as one meet lost answers, debits, workers and tampering."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tallystick.domain.errors import Busy, Conflict
from tallystick.domain.payment import Cancelled
from tallystick.services.change_invoice import finalize_invoice
from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed
from tallystick.services.due_work import bill_due
from tallystick.services.refund_invoice import sweep_refunds
from tallystick.services.renew_due import renew_due
from tests.crowds import at_once
from tests.real_time import debits_are_decided
from tests.scenarios.consolidating import Consolidating
from tests.scenarios.trials_together import (
    DAY,
    FAILS_WHEN_CHARGED,
    in_trials,
    statuses,
    unanswered,
)
from tests.scripted_bank import Ask, silent
from tests.trials import ENDS, swept
from tests.world import World


async def test_while_it_is_asked_for_nothing_else_moves(world: World) -> None:
    """None of them is cancelled, bought anew or finalized by hand, nor the one draft."""
    merchant = await Consolidating.open(world)
    customer, plans = await in_trials(world)
    later = await unanswered(world)
    before = await merchant.of(DAY)

    for row in await later.fetch("select id from subscriptions"):
        with pytest.raises(Busy):
            await Consolidating(world=later).cancel(row["id"])
    for plan in plans:
        with pytest.raises(Conflict, match="has this plan already"):
            await later.session(customer, plan)
    for row in await later.fetch("select id from invoices"):
        with pytest.raises(Conflict, match=r"charged first|part of the consolidated"):
            async with later.app.transaction() as tx:
                await finalize_invoice(later.ctx.within(tx), row["id"])
    assert await collect_due(later.ctx) == 0

    assert await merchant.of(DAY) == before
    await merchant.is_sound()


async def test_silence_is_no_answer(world: World) -> None:
    """Nothing was taken: the sweeper finds out, and both drafts stand again."""
    merchant = await Consolidating.open(world)
    await in_trials(world)
    later = await unanswered(world, silent)

    await swept(later)

    whole, members, alone = await merchant.of(DAY)
    assert (whole, members, len(alone)) == ([], [], 2)
    assert (await statuses(later), await later.charges()) == (["TRIAL_EXPIRED"] * 2, [])
    await merchant.is_sound()


async def denies(ask: Ask) -> object:
    """The bank takes the debit and says that it did not."""
    await ask()
    return Cancelled()


async def by_debit(world: World, *, mandates: int = 1) -> None:
    """Two trials of one customer and account, with EUR 9 of balance."""
    customer = await world.customer()
    await world.balance(customer, 900)
    for _ in range(2):
        session = await world.session(customer, await world.plan(), trial_duration_days=14)
        assert await world.confirm(session, method=await world.debit()) == Completed()
    if mandates == 1:
        await world.execute(
            "update subscriptions set payment_method_id ="
            " (select id from payment_methods order by created_at, id limit 1)"
        )


async def test_an_accepted_debit_is_enough(world: World) -> None:
    """Both are active while the one invoice is PROCESSING; PAID when the bank has decided."""
    merchant = await Consolidating.open(world)
    await by_debit(world)

    await merchant.travel(ENDS)

    (whole,), _, _ = await merchant.of(DAY)
    assert (whole["status"], whole["payment_status"]) == ("FINALIZED", "PROCESSING")
    assert await statuses(world) == ["ACTIVE"] * 2
    await debits_are_decided(world)
    (whole,), _, _ = await merchant.of(DAY)
    assert (whole["payment_status"], await world.charges()) == ("PAID", [8900])
    await merchant.is_sound()


async def test_two_mandates_are_two_debits(world: World) -> None:
    """One account, and an agreement for each trial: EUR 40 after the balance, and EUR 49."""
    merchant = await Consolidating.open(world)
    await by_debit(world, mandates=2)

    await merchant.travel(ENDS)

    whole, members, alone = await merchant.of(DAY)
    assert (whole, members) == ([], [])
    assert sorted(one["amount_due"] for one in alone) == [4000, 4900]
    assert {one["payment_status"] for one in alone} == {"PROCESSING"}


async def test_a_debit_that_comes_after_all_goes_back(world: World) -> None:
    """The drafts stand by themselves again: nobody knows any more what it was for."""
    merchant = await Consolidating.open(world)
    await by_debit(world)
    later = await unanswered(world, denies)
    assert await statuses(later) == ["TRIAL_EXPIRED"] * 2

    await debits_are_decided(later)
    await sweep_refunds(later.app, ENDS)

    assert await statuses(later) == ["TRIAL_EXPIRED"] * 2
    taken, given = await later.sandbox.movements(later.tenant_id)
    assert (taken.kind, taken.amount) == ("CHARGE", 8900)
    assert (given.kind, given.amount) == ("REFUND", 8900)
    left = await later.one("select balance, held from customer_balances")
    assert (left["balance"], left["held"]) == (900, 0)
    await merchant.is_sound()


async def test_workers_at_once_charge_once(busy: World) -> None:
    """Four workers find two customers with three trials each: two charges of EUR 147."""
    merchant = await Consolidating.open(busy)
    for name in ("Globex", "Initech"):
        await in_trials(busy, None, None, None, customer=await busy.customer(name))
    await busy.execute("update tenants set clock = $1", ENDS)

    await at_once([bill_due(busy.app, ENDS) for _ in range(4)])
    await bill_due(busy.app, ENDS)

    assert await busy.charges() == [14700, 14700]
    assert await statuses(busy) == ["ACTIVE"] * 6
    whole, members, alone = await merchant.of(DAY)
    assert (len(whole), len(members), alone) == (2, 6, [])
    await merchant.is_sound()


async def test_it_waits_for_those_that_are_to_come(busy: World) -> None:
    """While another worker holds a trial of the day, nothing is charged without it."""
    merchant = await Consolidating.open(busy)
    await in_trials(busy)
    await busy.execute("update tenants set clock = $1", ENDS)
    later = busy.at(ENDS)
    held = (await busy.fetch("select id from subscriptions order by id"))[0]["id"]

    async with busy.database.transaction() as other:
        await other.execute("select from subscriptions where id = $1 for update", held)
        await renew_due(later.ctx)
        assert await collect_due(later.ctx) == 0
    await renew_due(later.ctx)
    assert await collect_due(later.ctx) == 1

    assert await busy.charges() == [9800]
    await merchant.is_sound()


async def test_tries_of_different_days_meet(world: World) -> None:
    """Declined on the 24th; another ends on the 27th: both are one invoice of that day."""
    merchant = await Consolidating.open(world)
    customer, _ = await in_trials(world, FAILS_WHEN_CHARGED)
    await merchant.travel(datetime(2026, 3, 26, tzinfo=UTC))
    plan = await world.plan()
    session = await world.session(customer, plan, trial_duration_days=1)
    method = await world.card(FAILS_WHEN_CHARGED)
    assert await world.confirm(session, method=method) == Completed()
    await world.execute("update payment_methods set token = $1", (await world.card()).token)

    await merchant.travel(ENDS + timedelta(days=3))

    (whole,), members, others = await merchant.of(date(2026, 3, 27))
    assert (whole["total"], len(members), others) == (9800, 2, [])
    assert await world.charges() == [9800]


PARENT = "where subscription_id is null"
MEMBERS = "where consolidated_into_invoice_id is not null"
TAMPERED = (
    f"update invoices set total = total + 1 {MEMBERS}",
    f"update invoices set collect_at = now() {MEMBERS}",
    f"update invoices set collect_at = now() {PARENT}",
    f"update invoices set charged_first = false {MEMBERS}",
    f"update invoices set charged_first = false {PARENT}",
    f"update invoices set consolidated_into_invoice_id = null {MEMBERS}",
    f"delete from invoices {MEMBERS}",
    f"delete from invoice_lines where invoice_id in (select id from invoices {MEMBERS})",
)


@pytest.mark.parametrize("statement", TAMPERED)
async def test_what_is_being_paid_never_changes(world: World, statement: str) -> None:
    """The schema refuses what no verb tries: other amounts, a second try, a way out."""
    await Consolidating.open(world)
    await in_trials(world)
    await unanswered(world)

    with pytest.raises(Exception, match=r"tallystick: |check constraint"):
        await world.execute(statement)
