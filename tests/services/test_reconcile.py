"""Money that a provider took and nobody knew of: found, and attached or given back, once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tallystick.domain.orphan import NotToGive, OrphanState
from tallystick.domain.payment import (
    PaymentOrder,
    RefundRefused,
    Succeeded,
    Unknown,
)
from tallystick.services.collect_invoice import collect_due
from tallystick.services.examine import examine
from tallystick.services.finalize_due import finalize_due
from tallystick.services.ids import new_id
from tallystick.services.reconcile import find_orphans, reconcile
from tallystick.services.refund_invoice import sweep_refunds
from tallystick.services.renew_due import renew_due
from tallystick.services.settle_debit import settle_debit
from tests.scripted_bank import ScriptedBank, after, says, silent, with_bank
from tests.soundness import unreadable
from tests.world import World

RENEWED = datetime(2026, 4, 10, 12, tzinfo=UTC)


def in_a_while() -> datetime:
    """Real time, when what was just taken is old enough to be looked at."""
    return datetime.now(UTC) + timedelta(hours=1)  # noqa: TID251 - real time, as a worker


async def holds(world: World) -> None:
    """Every rule of the doctor, and every event can be read."""
    assert (await examine(world.database)).breaches == ()
    assert await unreadable(world) == []


async def states(world: World) -> list[OrphanState | None]:
    """What is found and done now."""
    now = in_a_while()
    return [one.state for one in await reconcile(world.app, now, now - timedelta(days=1))]


async def taken(world: World, amount: int = 4900) -> str:
    """Money that the bank takes behind the product's back."""
    order = PaymentOrder(
        tenant_id=world.tenant_id,
        attempt_id=new_id(),
        customer_id=await world.customer(),
        amount=amount,
        currency="EUR",
        method=await world.card(),
        save=False,
        return_url="https://shop.example",
    )
    reference = await world.sandbox.open(order)
    assert await world.sandbox.confirm(order, reference) == Succeeded()
    return reference


async def told(world: World) -> list[str]:
    """The events of such money."""
    rows = await world.fetch(
        "select type from events where type like 'payment.orphan%' order by position"
    )
    return [row["type"].removeprefix("payment.orphan_") for row in rows]


async def given_back(world: World) -> list[int]:
    """What went back at the bank."""
    moved = await world.sandbox.movements(world.tenant_id)
    return [one.amount for one in moved if one.kind == "REFUND"]


async def test_money_without_an_owner_goes_back(world: World) -> None:
    """EUR 49 are found, told of, and given back, all of it once."""
    reference = await taken(world)
    now = in_a_while()
    (found,) = await find_orphans(world.app, now, now - timedelta(days=1))
    assert (found.payment.reference, found.payment.amount) == (reference, 4900)
    assert await told(world) == []

    assert await states(world) == [OrphanState.REFUNDED]
    assert await states(world) == []

    assert await given_back(world) == [4900]
    assert await told(world) == ["found", "refunded"]
    await holds(world)


async def test_what_was_just_taken_is_left_alone(world: World) -> None:
    """It may just be being recorded."""
    await taken(world)
    now = in_a_while() - timedelta(hours=1)
    assert await reconcile(world.app, now, now - timedelta(days=1)) == []


async def test_what_the_books_know_is_no_orphan(world: World) -> None:
    """A purchase, and its payment."""
    await world.confirm(await world.session(await world.customer(), await world.plan()))
    assert await states(world) == []


async def test_only_reported(world: World) -> None:
    """REPORT: told of once, listed each time, and nothing moves; doctor says so."""
    await taken(world)
    await world.execute("update tenants set orphan_policy = 'REPORT'")
    assert await states(world) == [OrphanState.FOUND]
    assert await states(world) == [OrphanState.FOUND]
    assert (await told(world), await given_back(world)) == (["found"], [])

    await world.execute("update tenants set orphan_policy = 'ATTACH_OR_REFUND'")
    assert await states(world) == [OrphanState.REFUNDED]
    await holds(world)


async def test_no_answer_to_the_refund(world: World) -> None:
    """It is asked again, under the same key: the money goes back once."""
    await taken(world)
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", says(Unknown()), silent)
    scripted = with_bank(world, bank)

    assert await states(scripted) == [OrphanState.REFUNDING]
    assert await states(scripted) == [OrphanState.REFUNDING]
    assert await states(scripted) == [OrphanState.REFUNDED]
    assert await given_back(world) == [4900]
    assert await told(world) == ["found", "refunded"]


async def test_a_refund_that_is_refused(world: World) -> None:
    """A person must decide: it is told by doctor, and asked no more."""
    await taken(world)
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", says(RefundRefused("too old")))
    scripted = with_bank(world, bank)

    assert await states(scripted) == [OrphanState.REFUSED]
    assert await states(scripted) == [OrphanState.REFUSED]
    row = await world.one("select failure from orphan_payments")
    assert (row["failure"], await given_back(world)) == ("too old", [])


async def failed_but_taken(world: World) -> World:
    """A renewal whose try is recorded as failed, though the bank took the money after that."""
    await world.confirm(await world.session(await world.customer(), await world.plan()))
    await world.execute("update tenants set clock = $1", RENEWED)
    later = world.at(RENEWED)
    later = replace(
        later, ctx=replace(later.ctx, tenant=replace(later.ctx.tenant, clock=RENEWED))
    )
    await renew_due(later.ctx)
    await finalize_due(later.ctx)
    await collect_due(later.ctx)
    # As if the answer had been a decline.
    row: dict[str, Any] = await later.one("select id, invoice_id from collections")
    await _unrecord(later, row["id"], row["invoice_id"])
    return later


async def _unrecord(world: World, collection_id: UUID, invoice_id: UUID) -> None:
    await world.execute("delete from transactions where collection_id = $1", collection_id)
    await world.execute(
        "update collections set state = 'FAILED', failure = 'DECLINED' where id = $1",
        collection_id,
    )
    await world.execute(
        "update invoices set settled = 0, amount_due = 4900, payment_status = 'ERRORED',"
        " paid_at = null where id = $1",
        invoice_id,
    )


async def test_money_of_a_try_that_had_failed_pays_its_invoice(world: World) -> None:
    """It belongs to an invoice that owes it still: attached, and nothing goes back."""
    later = await failed_but_taken(world)
    assert await states(later) == [OrphanState.ATTACHED]

    row = await later.one("select payment_status, amount_due from invoices where number = 2")
    assert (row["payment_status"], row["amount_due"]) == ("PAID", 0)
    assert await told(later) == ["found", "attached"]
    assert await given_back(later) == []
    assert await states(later) == []
    await holds(later)


async def test_money_of_a_try_that_nobody_owes_any_more(world: World) -> None:
    """The invoice was void by then: the money goes back through the try's own refund."""
    later = await failed_but_taken(world)
    await later.execute(
        "update invoices set status = 'VOID', voided_at = now(), amount_due = 0,"
        " payment_status = 'UNPAID' where number = 2"
    )
    assert await states(later) == [OrphanState.RETURNED]
    await sweep_refunds(later.app, RENEWED)

    assert await given_back(later) == [4900]
    assert await told(later) == ["found", "refunded"]
    assert await states(later) == []


@pytest.mark.parametrize("amount", [50, 123456])
async def test_what_is_left_of_it(world: World, amount: int) -> None:
    """What the bank has given back already is not given back again."""
    reference = await taken(world, amount)
    await world.sandbox.refund(world.tenant_id, reference, amount - 1, "by hand")
    now = in_a_while()
    (found,) = await find_orphans(world.app, now, now - timedelta(days=1))

    assert found.payment.amount == 1


async def test_what_is_recorded_while_its_provider_is_asked(world: World) -> None:
    """The news of it is heard just then: it has paid its invoice, and nothing goes back."""
    later = await failed_but_taken(world)
    row = await later.one("select reference from collections")

    async def heard() -> None:
        await settle_debit(later.ctx, row["reference"], Succeeded())

    bank = ScriptedBank(later.sandbox)
    bank.script("payment_held", after(heard))
    assert await states(with_bank(later, bank)) == [OrphanState.ATTACHED]

    assert await given_back(later) == []
    assert await told(later) == ["found", "attached"]
    await holds(later)


async def test_money_that_was_taken_back_and_more(world: World) -> None:
    """A dispute took more than nobody knew of: nothing is held that could go back."""
    reference = await taken(world)
    bank, tenant_id = world.sandbox, world.tenant_id
    await bank.take_back(tenant_id, reference, "d", "DISPUTE", 6000)
    assert await states(world) == []
    assert await bank.payment_held(tenant_id, reference) == NotToGive()
