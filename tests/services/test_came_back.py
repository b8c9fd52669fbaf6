"""Refunds that did not reach their account: looked up, told once, and given back anew."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tallystick.db import given_refunds, orphans
from tallystick.domain.credit_note import PaidAmount, Refund
from tallystick.domain.errors import Conflict, NotFound
from tallystick.domain.orphan import OrphanState
from tallystick.domain.payment import Cancelled, Refunded, Unknown
from tallystick.services.came_back import give_back_again, record_came_back
from tallystick.services.end_session import cancel_session
from tallystick.services.examine import examine
from tallystick.services.ids import new_id
from tallystick.services.late_money import refund_late_money
from tallystick.services.look_into_money import (
    NoAnswer,
    look_into_money,
    record_failed_refunds,
)
from tallystick.services.reconcile import give_back_orphan, reconcile
from tallystick.services.refund_invoice import sweep_refunds
from tests.crediting import Billed, bought
from tests.scripted_bank import ScriptedBank, says, silent, with_bank
from tests.services.test_late_money import Late
from tests.services.test_reconcile import RENEWED, failed_but_taken, in_a_while, states, taken
from tests.soundness import unreadable
from tests.world import NOON, World


async def comes_back(world: World, reference: str, key: str) -> None:
    """The customer's bank sends a refund back, and the worker hears of it, twice."""
    await world.sandbox.send_refund_back(world.tenant_id, reference, key, "account closed")
    for _ in range(2):
        await record_failed_refunds(world.app, NOON)


async def failures(world: World) -> list[UUID]:
    """What `refund.failed` was told of."""
    rows = await world.fetch(
        "select object_id from events where type = 'refund.failed' order by position"
    )
    return [row["object_id"] for row in rows]


async def orphan(world: World) -> dict[str, object]:
    """The only payment that nobody owes."""
    return await world.one("select id, state, amount, failure, tries from orphan_payments")


async def named_by_doctor(world: World) -> set[str]:
    """The rules that do not hold; every event can be read."""
    assert await unreadable(world) == []
    return {one.rule for one in (await examine(world.database)).breaches}


async def given_back(world: World) -> list[int]:
    """What went back at the bank, and came again."""
    moved = await world.sandbox.movements(world.tenant_id)
    signs = {"REFUND": -1, "REFUND_FAILED": 1}
    return [one.amount * signs[one.kind] for one in moved if one.kind in signs]


async def test_orphan_money_that_comes_back_is_given_back_anew(world: World) -> None:
    """EUR 49 that nobody owed went back and came again: told, named, and given under another
    key; by nobody before a person says so.
    """
    reference = await taken(world)
    assert await states(world) == [OrphanState.REFUNDED]
    found = await orphan(world)
    orphan_id = found["id"]
    assert isinstance(orphan_id, UUID)

    await comes_back(world, reference, f"{orphan_id}:refund")

    why = "The refund did not reach its account: account closed."
    now = await orphan(world)
    assert (now["state"], now["failure"], now["amount"]) == ("REFUSED", why, 4900)
    assert await failures(world) == [orphan_id]
    assert "orphan-payment" in await named_by_doctor(world)
    assert await states(world) == [OrphanState.REFUSED]
    assert await given_back(world) == [-4900, 4900]

    assert await give_back_again(world.ctx, orphan_id) is OrphanState.REFUNDED

    assert await given_back(world) == [-4900, 4900, -4900]
    assert await named_by_doctor(world) == set()
    with pytest.raises(Conflict, match="this payment is REFUNDED"):
        await give_back_again(world.ctx, orphan_id)
    await comes_back(world, reference, f"{orphan_id}:refund:2")
    assert (await orphan(world))["tries"] == 2
    assert await failures(world) == [orphan_id, orphan_id]
    with pytest.raises(NotFound):
        await give_back_again(world.ctx, new_id())


async def test_given_back_anew_without_an_answer(world: World) -> None:
    """Asked again under the same key, by the sweep or by the person: the money goes once."""
    reference = await taken(world)
    await states(world)
    orphan_id = (await orphan(world))["id"]
    assert isinstance(orphan_id, UUID)
    await comes_back(world, reference, f"{orphan_id}:refund")
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", silent, says(Unknown()))
    scripted = with_bank(world, bank)

    for _ in range(2):
        assert await give_back_again(scripted.ctx, orphan_id) is OrphanState.REFUNDING
    assert (await orphan(world))["tries"] == 2
    assert await states(scripted) == [OrphanState.REFUNDED]

    assert await given_back(world) == [-4900, 4900, -4900]
    assert await named_by_doctor(world) == set()


async def test_late_money_of_a_checkout_comes_back(world: World) -> None:
    """It was refunded after the end of its session, and is an orphan from then on."""
    late = Late(world)
    session = await world.session(await world.customer(), await world.plan())
    attempt = await late.ended(session)
    late.bank.script("cancel", says(Cancelled()))
    await cancel_session(late.world.ctx, session)
    await late.news(attempt)
    await refund_late_money(late.world.ctx, attempt.id)
    assert attempt.reference is not None
    assert await named_by_doctor(world) == set()

    await comes_back(late.world, attempt.reference, f"{attempt.id}:refund")

    found = await orphan(world)
    assert (found["state"], found["amount"]) == ("REFUSED", 4900)
    assert await failures(world) == [attempt.id]
    assert "orphan-payment" in await named_by_doctor(world)
    assert isinstance(found["id"], UUID)
    assert await give_back_again(late.world.ctx, found["id"]) is OrphanState.REFUNDED
    assert await given_back(world) == [-4900, 4900, -4900]
    assert await named_by_doctor(world) == set()


async def test_late_money_of_a_try_to_collect_comes_back(world: World) -> None:
    """Its invoice was void by then; without an answer the sweep asks again."""
    later = await failed_but_taken(world)
    await later.execute(
        "update invoices set status = 'VOID', voided_at = now(), amount_due = 0,"
        " payment_status = 'UNPAID' where number = 2"
    )
    assert await states(later) == [OrphanState.RETURNED]
    await sweep_refunds(later.app, RENEWED)
    row = await later.one("select id, reference from refunds")

    await comes_back(later, row["reference"], f"{row['id']}:refund")

    found = await orphan(later)
    assert (found["state"], await failures(later)) == ("REFUSED", [row["id"]])
    assert isinstance(found["id"], UUID)
    bank = ScriptedBank(later.sandbox)
    bank.script("refund", silent)
    scripted = with_bank(later, bank)
    assert await give_back_again(scripted.ctx, found["id"]) is OrphanState.REFUNDING
    now = in_a_while()
    (one,) = await reconcile(scripted.app, now, now - timedelta(days=1))
    assert one.state is OrphanState.REFUNDED
    assert await given_back(later) == [-4900, 4900, -4900]
    assert await named_by_doctor(later) == set()


async def test_a_notes_refund_comes_back(world: World) -> None:
    """The note stays: the money is the customer's, and a person decides how she gets it."""
    billed = await bought(world)
    reference = await refunded_in_part(billed)
    row = await world.one("select id from refunds")

    await comes_back(world, reference, f"{row['id']}:refund")

    kept = await world.one("select state, came_back_because from refunds")
    assert (kept["state"], kept["came_back_because"]) == (
        "SUCCEEDED",
        "The refund did not reach its account: account closed.",
    )
    assert await failures(world) == [row["id"]]
    assert await world.fetch("select id from orphan_payments") == []
    assert await named_by_doctor(world) == set()


async def refunded_in_part(billed: Billed) -> str:
    """EUR 10 of 49 went back under a note; the reference of the payment."""
    await billed.credit(Refund(payment_id=await billed.payment()), PaidAmount(1000))
    row = await billed.world.one(
        "select reference from transactions where payment_type = 'PAYMENT'"
    )
    return str(row["reference"])


async def test_looking_asks_for_nothing(world: World) -> None:
    """Only the look-up of the port is called, and where it is not answered nothing is said."""
    bank = ScriptedBank(world.sandbox)
    scripted = with_bank(world, bank)
    reference = await refunded_in_part(await bought(scripted))
    bank.calls.clear()
    bank.script("look_at_refund", silent, says(Unknown()), says(Refunded()))

    for _ in range(2):
        with pytest.raises(NoAnswer):
            await look_into_money(scripted.ctx, bank, reference)
    await look_into_money(scripted.ctx, bank, reference)

    assert set(bank.calls) == {"reversals_of", "look_at_refund"}
    assert await failures(world) == []


async def test_what_nobody_hears_is_missed_by_the_doctor(world: World) -> None:
    """Ten minutes after a refund came back the books must know; until then it is news."""
    reference = await taken(world)
    await states(world)
    orphan_id = (await orphan(world))["id"]
    await world.sandbox.send_refund_back(
        world.tenant_id, reference, f"{orphan_id}:refund", "account closed"
    )
    assert await named_by_doctor(world) == set()
    await world.execute(
        "update sandbox.movements set created_at = now() - interval '11 minutes'"
    )
    assert await named_by_doctor(world) == {"bank-refund"}


async def test_found_money_whose_attempt_was_refunded_comes_back(world: World) -> None:
    """REPORT had found it before the attempt gave it back: the same orphan is open again."""
    late = Late(world)
    session = await world.session(await world.customer(), await world.plan())
    attempt = await late.ended(session)
    late.bank.script("cancel", says(Cancelled()))
    await cancel_session(late.world.ctx, session)
    await world.execute("update tenants set orphan_policy = 'REPORT'")
    assert attempt.reference is not None
    await world.sandbox.answer_challenge(world.tenant_id, attempt.reference, approve=True)
    assert await states(world) == [OrphanState.FOUND]
    await late.news(attempt)
    await refund_late_money(late.world.ctx, attempt.id)

    await comes_back(late.world, attempt.reference, f"{attempt.id}:refund")

    found = await orphan(world)
    assert found["state"] == "REFUSED"
    assert isinstance(found["id"], UUID)
    again = replace(late.world.ctx, now=datetime(2026, 4, 1, tzinfo=UTC))
    assert await give_back_again(again, found["id"]) is OrphanState.REFUNDED
    assert await named_by_doctor(world) == set()


async def test_old_news_says_nothing_of_a_later_refund(world: World) -> None:
    """Who looked at the first refund, and records when the second was given, changes nothing;
    nor does a late answer to the first while the second is under way.
    """
    reference = await taken(world)
    await states(world)
    orphan_id = (await orphan(world))["id"]
    assert isinstance(orphan_id, UUID)
    async with world.database.connection() as tx:
        (old,) = await given_refunds.under(tx, world.tenant_id, ["sandbox"], reference)
        first = await orphans.lock(tx, world.tenant_id, "sandbox", reference)
    await comes_back(world, reference, old.key)
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", silent)
    asked = await give_back_again(with_bank(world, bank).ctx, orphan_id)
    assert asked is OrphanState.REFUNDING

    late = replace(first, state=OrphanState.REFUNDING)
    assert await give_back_orphan(world.ctx, world.provider, late) is OrphanState.REFUSED
    assert (await orphan(world))["state"] == "REFUNDING"
    assert await give_back_again(world.ctx, orphan_id) is OrphanState.REFUNDED
    await record_came_back(world.ctx, old, "account closed")

    assert (await orphan(world))["state"] == "REFUNDED"
    assert await given_back(world) == [-4900, 4900, -4900]
    assert len(await failures(world)) == 1


async def test_ten_give_it_back_at_once(busy: World) -> None:
    """And ten hear that it came back: told once, and given once."""
    reference = await taken(busy)
    await states(busy)
    orphan_id = (await orphan(busy))["id"]
    assert isinstance(orphan_id, UUID)
    await busy.sandbox.send_refund_back(
        busy.tenant_id, reference, f"{orphan_id}:refund", "account closed"
    )
    await asyncio.gather(*(record_failed_refunds(busy.app, NOON) for _ in range(10)))
    assert await failures(busy) == [orphan_id]

    await asyncio.gather(
        *(give_back_again(busy.ctx, orphan_id) for _ in range(10)), return_exceptions=True
    )

    found = await orphan(busy)
    assert (found["state"], found["tries"]) == ("REFUNDED", 2)
    assert await given_back(busy) == [-4900, 4900, -4900]
    assert await named_by_doctor(busy) == set()
