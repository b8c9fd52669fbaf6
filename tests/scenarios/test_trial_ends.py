"""The end of a free trial with a method on file: charged first, billed when that went well."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from tallystick.domain.errors import Busy, Conflict
from tallystick.domain.life import StepKind
from tallystick.domain.payment import Unknown
from tallystick.services.advance_clock import advance_clock
from tallystick.services.collect_invoice import collect_due
from tallystick.services.confirm_result import Completed
from tallystick.services.due_work import bill_due
from tallystick.services.renew_due import renew_due
from tests.real_time import debits_are_decided
from tests.scripted_bank import ScriptedBank, Step, lost, says, silent, with_bank
from tests.soundness import assert_sound
from tests.subscribing import Merchant
from tests.trials import ENDS, at_the_end, finalize, in_trial, stands, swept
from tests.world import World

FAILS_WHEN_CHARGED = "4000000000000341"


@pytest.fixture
def merchant(world: World) -> Merchant:
    """Whoever moves the shop's clock."""
    return Merchant(world=world)


async def test_a_good_card_goes_on(world: World, merchant: Merchant) -> None:
    """TRIAL_EXPIRED with a draft of EUR 49, charged at once, ACTIVE with invoice 1."""
    await in_trial(world)

    moved = await merchant.travel(date(2026, 4, 24))

    assert moved.done.steps == {StepKind.TRIAL_EXPIRED: 1, StepKind.RENEWED: 1}
    assert await world.charges() == [4900]
    first, second = await merchant.invoices()
    assert (first["status"], first["payment_status"]) == ("FINALIZED", "PAID")
    assert (first["number"], first["invoice_date"]) == (1, date(2026, 3, 24))
    assert first["due_date"] == date(2026, 3, 24)
    assert first["billing_period_end"] == date(2026, 4, 24)
    assert second["status"] == "DRAFT"
    now = await stands(world)
    assert (now["status"], now["mrr"], now["cycle_index"]) == ("ACTIVE", 4900, 1)
    assert now["is_being_paid"] is False


async def test_what_is_told(world: World, merchant: Merchant) -> None:
    """The trial ends, the draft is made, the subscription goes on, the invoice is final."""
    await in_trial(world)
    known = len(await merchant.events())

    await merchant.travel(ENDS)

    assert (await merchant.events())[known:] == [
        ("subscription.updated", "trial_ended"),
        ("invoice.created", None),
        ("subscription.updated", "activated"),
        ("invoice.finalized", None),
        ("invoice.paid", None),
    ]


async def test_before_the_answer_it_has_expired(world: World) -> None:
    """While nobody has been asked: a draft without number, no value, and its place is kept."""
    customer, plan = await in_trial(world)

    later = await at_the_end(world)

    now = await stands(later)
    assert (now["status"], now["mrr"], now["current_period_end"]) == ("TRIAL_EXPIRED", 0, None)
    assert now["current_period_start"] == date(2026, 3, 24)
    draft = await later.one("select status, number, collect_at from invoices")
    assert (draft["status"], draft["number"], draft["collect_at"]) == ("DRAFT", None, ENDS)
    with pytest.raises(Conflict, match="has this plan already"):
        await later.session(customer, plan)
    await Merchant(world=later).is_sound()


async def test_a_retry_bills_from_its_own_day(world: World, merchant: Merchant) -> None:
    """Declined on the 24th and the 27th, paid on April 1: lines, period, anchor follow."""
    await in_trial(world, FAILS_WHEN_CHARGED)

    await merchant.travel(ENDS)
    declined = await stands(world)
    assert (declined["status"], declined["next_step_on"]) == ("TRIAL_EXPIRED", None)
    assert await world.fetch("select * from plan_places") == []
    await merchant.travel(date(2026, 3, 28))
    again = await world.one("select invoice_date, status, collection_failures from invoices")
    assert again["invoice_date"] == date(2026, 3, 27)
    assert (again["status"], again["collection_failures"]) == ("DRAFT", 2)
    good = (await world.card()).token
    await world.execute("update payment_methods set token = $1", good)
    await merchant.travel(date(2026, 5, 2))

    assert await world.charges() == [4900, 4900]
    first, second = await merchant.invoices()
    assert (first["invoice_date"], first["number"]) == (date(2026, 4, 1), 1)
    assert (first["billing_period_start"], first["billing_period_end"]) == (
        date(2026, 4, 1),
        date(2026, 5, 1),
    )
    assert '"start" : "2026-04-01", "end" : "2026-05-01"' in first["lines"]
    assert second["invoice_date"] == date(2026, 5, 1)
    now = await stands(world)
    assert (now["status"], now["billing_day_anchor"]) == ("ACTIVE", 1)
    assert now["billing_start_date"] == date(2026, 4, 1)
    assert now["trial_end"] == date(2026, 3, 24)


async def test_a_given_anchor_stays(world: World, merchant: Merchant) -> None:
    """Anchor 1: 8 of March's 31 days on the 24th, 5 of them when it is paid on the 27th."""
    await in_trial(world, FAILS_WHEN_CHARGED, billing_day_anchor=1)
    await merchant.travel(ENDS)
    draft = await world.one("select total from invoices")
    assert draft["total"] == 1265
    good = (await world.card()).token
    await world.execute("update payment_methods set token = $1", good)

    await merchant.travel(date(2026, 3, 28))

    assert await world.charges() == [790]
    now = await stands(world)
    assert (now["billing_day_anchor"], now["current_period_end"]) == (1, date(2026, 4, 1))


async def test_no_try_is_left(world: World, merchant: Merchant) -> None:
    """The first try and the tenant's three: then the draft waits, and nothing was charged."""
    await in_trial(world, FAILS_WHEN_CHARGED)

    await merchant.travel(date(2026, 12, 1))

    assert await world.charges() == []
    draft = await world.one("select * from invoices")
    assert (draft["status"], draft["collection_failures"]) == ("DRAFT", 4)
    assert draft["collect_at"] is None
    assert draft["invoice_date"] == date(2026, 4, 8)
    assert (await stands(world))["status"] == "TRIAL_EXPIRED"
    with pytest.raises(Conflict, match="charged first"):
        await finalize(world, draft["id"])


@pytest.mark.parametrize(
    ("call", "step", "charged"),
    [
        ("open", silent, False),
        ("open", lost, False),
        ("confirm", silent, False),
        ("confirm", lost, True),
        ("confirm", says(Unknown()), False),
    ],
)
async def test_an_answer_that_does_not_come(
    world: World, call: str, step: Step, charged: bool
) -> None:
    """Expired while nobody knows; the sweeper finds the money, or that there is none."""
    await in_trial(world)
    bank = ScriptedBank(world.sandbox)
    bank.script(call, step)
    later = with_bank(await at_the_end(world), bank)

    await collect_due(later.ctx)
    waits = await stands(later)
    assert (waits["status"], waits["is_being_paid"]) == ("TRIAL_EXPIRED", True)
    await collect_due(later.ctx)
    await renew_due(later.ctx)
    await swept(later)

    now = await stands(later)
    made = await later.one("select * from invoices")
    if charged:
        assert await later.charges() == [4900]
        assert (now["status"], made["payment_status"]) == ("ACTIVE", "PAID")
    else:
        assert await later.charges() == []
        assert (now["status"], made["status"]) == ("TRIAL_EXPIRED", "DRAFT")
        assert made["collect_at"] == datetime(2026, 3, 27, tzinfo=UTC)
    await Merchant(world=later).is_sound()


async def test_while_it_is_asked_for_nothing_else_moves(world: World) -> None:
    """No cancellation, no second try, and no other checkout of the plan: it has its place."""
    customer, plan = await in_trial(world)
    bank = ScriptedBank(world.sandbox)
    bank.script("confirm", lost)
    later = with_bank(await at_the_end(world), bank)
    await collect_due(later.ctx)

    with pytest.raises(Busy):
        await Merchant(world=later).cancel((await stands(later))["id"])
    with pytest.raises(Conflict, match="has this plan already"):
        await later.session(customer, plan)
    await swept(later)

    await Merchant(world=later).cancel((await stands(later))["id"])
    assert await later.charges() == [4900]


async def test_workers_at_once_charge_once(busy: World) -> None:
    """Four workers and a moved clock meet at the same trial's end."""
    await in_trial(busy)
    await busy.execute("update tenants set clock = $1", ENDS)

    await asyncio.gather(*(bill_due(busy.app, ENDS) for _ in range(4)))
    await advance_clock(busy.at(ENDS).ctx, ENDS)

    assert await busy.charges() == [4900]
    assert (await stands(busy))["status"] == "ACTIVE"
    assert len(await busy.fetch("select * from collections")) == 1
    await assert_sound(busy)


async def test_a_debit_that_is_accepted_is_enough(world: World, merchant: Merchant) -> None:
    """ACTIVE and PROCESSING at once; PAID when the bank has decided."""
    customer, plan = await world.customer(), await world.plan()
    session = await world.session(customer, plan, trial_duration_days=14)
    assert await world.confirm(session, method=await world.debit()) == Completed()

    await merchant.travel(ENDS)

    made = await world.one("select status, payment_status, number from invoices")
    assert (made["status"], made["payment_status"], made["number"]) == (
        "FINALIZED",
        "PROCESSING",
        1,
    )
    assert (await stands(world))["status"] == "ACTIVE"
    await debits_are_decided(world)
    assert (await world.one("select payment_status from invoices")) == {
        "payment_status": "PAID"
    }
    assert await world.charges() == [4900]
