"""Collecting invoices while nobody is at a page: one charge, whatever fails in between."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from typing_extensions import override

from tallystick.domain.attempt import AttemptState
from tallystick.domain.payment import (
    Cancelled,
    Declined,
    FailureReason,
    NeedsAction,
    PaymentOrder,
    Pending,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tallystick.services.change_invoice import MoneyReceived, receive_money
from tallystick.services.collect_invoice import collect_due
from tallystick.services.due_work import bill_due
from tallystick.services.examine import examine
from tallystick.services.finalize_due import finalize_due
from tallystick.services.renew_due import renew_due
from tallystick.services.try_to_collect import sweep_collections
from tests.crowds import open_crowd
from tests.real_time import debits_are_decided
from tests.scripted_bank import ScriptedBank, Step, after, lost, says, silent, with_bank
from tests.world import World

RENEWED = datetime(2026, 4, 10, 12, tzinfo=UTC)


async def renewed(world: World) -> World:
    """A subscription of EUR 49 whose first renewal is finalized and waits to be collected."""
    await world.confirm(await world.session(await world.customer(), await world.plan()))
    return await a_month_later(world)


async def a_month_later(world: World) -> World:
    """The tenant's clock, too, stands where the renewal's grace is over."""
    await world.execute("update tenants set clock = $1", RENEWED)
    later = world.at(RENEWED)
    await renew_due(later.ctx)
    await finalize_due(later.ctx)
    return later


async def swept(world: World) -> int:
    """Real time passes until the sweeper takes up what was not recorded."""
    await world.execute(
        "update collections set check_at = now() - interval '1 second' where state = 'LIVE'"
    )
    return await sweep_collections(world.app, RENEWED)


async def invoice(world: World) -> dict[str, Any]:
    """The renewal's invoice."""
    return await world.one(
        "select payment_status, amount_due, collect_at from invoices where number = 2"
    )


async def tries(world: World) -> list[str]:
    """How the tries stand, oldest first."""
    rows = await world.fetch("select state from collections order by id")
    return [row["state"] for row in rows]


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
    """The sweeper finds the money that was taken, or makes sure that none will be."""
    later = await renewed(world)
    bank = ScriptedBank(later.sandbox)
    bank.script(call, step)
    later = with_bank(later, bank)

    await collect_due(later.ctx)
    assert await tries(later) == ["LIVE"]
    await swept(later)
    await swept(later)

    owing = await invoice(later)
    if charged:
        assert await later.charges() == [4900, 4900]
        assert (owing["payment_status"], owing["amount_due"]) == ("PAID", 0)
    else:
        assert await later.charges() == [4900]
        assert (owing["payment_status"], owing["amount_due"]) == ("ERRORED", 4900)
        assert owing["collect_at"] == datetime(2026, 4, 13, 12, tzinfo=UTC)
    assert await tries(later) == ["SUCCEEDED" if charged else "FAILED"]


async def test_nobody_is_there_to_authenticate(world: World) -> None:
    """Where the bank wants the buyer, the try is cancelled there, and has failed here."""
    later = await renewed(world)
    bank = ScriptedBank(later.sandbox)
    bank.script("confirm", says(NeedsAction("https://bank.example/challenge")))
    later = with_bank(later, bank)

    await collect_due(later.ctx)

    assert await tries(later) == ["FAILED"]
    assert bank.calls[-1] == "cancel"
    told = await later.one(
        "select data ->> 'error' as error from events where type like 'payment.f%'"
    )
    assert told["error"] == FailureReason.AUTHENTICATION_FAILED


async def test_a_bank_that_refuses_to_open(world: World) -> None:
    """A refusal for good ends the try at once."""

    class Refusing(ScriptedBank):
        @override
        async def open(self, _: PaymentOrder) -> Declined:
            """Refuse every order for good."""
            return Declined(FailureReason.CARD_EXPIRED)

    later = await renewed(world)
    later = with_bank(later, Refusing(later.sandbox))

    await collect_due(later.ctx)

    assert await tries(later) == ["FAILED"]
    assert (await invoice(later))["payment_status"] == "ERRORED"


async def test_a_promise_is_not_money_yet(world: World) -> None:
    """An accepted debit leaves the invoice PROCESSING until the bank has decided; then it is
    paid.
    """
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.debit())
    await debits_are_decided(world)
    later = await a_month_later(world)

    await collect_due(later.ctx)
    waiting = await invoice(later)
    await debits_are_decided(later)

    assert (waiting["payment_status"], waiting["amount_due"]) == ("PROCESSING", 4900)
    paid = await invoice(later)
    assert (paid["payment_status"], paid["amount_due"]) == ("PAID", 0)
    assert await later.charges() == [4900, 4900]


async def test_twenty_workers_collect_once(busy: World) -> None:
    """Whoever comes at the same time finds the invoice claimed: one try, one charge."""
    later = await renewed(busy)

    await asyncio.gather(*(collect_due(later.ctx) for _ in range(20)))

    assert await tries(later) == [AttemptState.SUCCEEDED]
    assert await later.charges() == [4900, 4900]


async def test_a_card_that_is_over_is_not_charged(world: World) -> None:
    """The bank is not asked: the try fails, and there is another one after some days."""
    later = await renewed(world)
    await later.execute("update payment_methods set card_expiry = '03/2026'")

    assert await collect_due(later.ctx) == 1

    assert await later.charges() == [4900]
    row = await later.one("select state, failure, reference from collections")
    assert (row["state"], row["failure"], row["reference"]) == ("FAILED", "CARD_EXPIRED", None)
    owing = await invoice(later)
    assert owing["payment_status"] == "ERRORED"
    assert owing["collect_at"] == datetime(2026, 4, 13, 12, tzinfo=UTC)


async def test_without_a_method_the_invoice_waits(world: World) -> None:
    """Nothing is on file: it waits, unpaid, for its buyer."""
    later = await renewed(world)
    await later.execute("update payment_methods set archived_at = created_at")

    assert await collect_due(later.ctx) == 0

    assert await tries(later) == []
    owing = await invoice(later)
    assert (owing["payment_status"], owing["collect_at"]) == ("UNPAID", None)


async def test_a_card_that_is_still_undecided_is_asked_about_again(world: World) -> None:
    """A pending card is not cancelled while the bank thinks; its success is recorded."""
    later = await renewed(world)
    bank = ScriptedBank(later.sandbox)
    bank.script("confirm", says(Pending()))
    bank.script("look", says(Pending()), says(Succeeded()))
    later = with_bank(later, bank)

    await collect_due(later.ctx)
    await swept(later)
    assert await tries(later) == ["LIVE"]
    await swept(later)

    assert await tries(later) == ["SUCCEEDED"]
    assert "cancel" not in bank.calls


async def test_the_newest_method_is_charged_where_there_is_no_own_one(world: World) -> None:
    """What was saved at another checkout pays an invoice without a method of its own."""
    later = await renewed(world)
    await later.execute("update subscriptions set payment_method_id = null")

    await collect_due(later.ctx)

    assert await later.charges() == [4900, 4900]


async def by_debit(world: World) -> World:
    """A renewal that is to be collected from an account."""
    session = await world.session(await world.customer(), await world.plan())
    await world.confirm(session, method=await world.debit())
    await debits_are_decided(world)
    return await a_month_later(world)


async def test_news_that_comes_before_the_answer_is_kept(world: World) -> None:
    """The bank decides about a debit before its acceptance is recorded: it is asked again."""
    later = await by_debit(world)
    bank = ScriptedBank(later.sandbox)
    bank.script("confirm", after(lambda: debits_are_decided(world)))
    later = with_bank(later, bank)

    await collect_due(later.ctx)
    await debits_are_decided(later)

    paid = await invoice(later)
    assert (paid["payment_status"], paid["amount_due"]) == ("PAID", 0)
    assert await later.charges() == [4900, 4900]


async def test_a_debit_that_comes_after_its_try_was_given_up(world: World) -> None:
    """It pays the invoice that it was asked for, which is not collected a second time."""
    later = await by_debit(world)
    bank = ScriptedBank(later.sandbox)
    bank.script("confirm", lost)
    bank.script("look", says(Unconfirmed()))
    bank.script("cancel", says(Cancelled()))
    later = with_bank(later, bank)
    await collect_due(later.ctx)
    await swept(later)
    assert await tries(later) == ["FAILED"]

    await debits_are_decided(later)

    paid = await invoice(later)
    assert (paid["payment_status"], paid["amount_due"]) == ("PAID", 0)
    assert paid["collect_at"] is None
    assert await tries(later) == ["SUCCEEDED"]
    assert await later.charges() == [4900, 4900]
    assert (await examine(world.database)).breaches == ()


async def test_what_is_too_little_to_be_charged_is_not_tried(world: World) -> None:
    """After a part was paid another way, the bank is not asked for 20 cents."""
    later = await renewed(world)
    (row,) = await later.fetch("select id from invoices where number = 2")
    async with later.app.transaction() as tx:
        money = MoneyReceived(amount=4880, paid_at=None, reference=None)
        await receive_money(later.ctx.within(tx), row["id"], money)

    assert await collect_due(later.ctx) == 0

    assert await tries(later) == []
    owing = await invoice(later)
    assert (owing["payment_status"], owing["amount_due"]) == ("PARTIALLY_PAID", 20)
    assert owing["collect_at"] is None


async def test_one_connection_is_enough_to_bill(database_dsn: str) -> None:
    """The lock on the tenant's clock takes none away from the work."""
    async with open_crowd(database_dsn, connections=1) as world:
        await world.confirm(await world.session(await world.customer(), await world.plan()))
        after_grace = datetime(2026, 4, 11, 12, tzinfo=UTC)
        await world.execute(
            "update tenants set clock = $1 where id = $2", after_grace, world.tenant_id
        )

        await bill_due(world.app, RENEWED)

        assert await world.charges() == [4900, 4900]
