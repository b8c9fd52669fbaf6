"""Changes of slots that meet each other, a renewal, or a payment: nothing is lost."""

import asyncio
from datetime import UTC, date, datetime

import pytest

from tallystick.db.engine import Tx, retrying
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.errors import InvalidInput
from tallystick.domain.slot_change import SlotMode
from tallystick.services.change_invoice import MoneyReceived, receive_money, void_invoice
from tallystick.services.change_slots import SlotsAfter, SlotsRequest, change_slots
from tallystick.services.due_work import do_due_work
from tests.cases.golden import case
from tests.scenarios.slots import Seats, begin, begin_case
from tests.world import World

ROUNDS = 6


async def change(
    seats: Seats, delta: int, mode: SlotMode = SlotMode.OPTIMISTIC, pause: float = 0
) -> SlotsAfter | None:
    """Ask for a change as the door does; None where it is refused."""
    request = SlotsRequest(item_id=seats.item_id, delta=delta, mode=mode)

    async def ask(tx: Tx) -> SlotsAfter:
        ctx = seats.world.ctx.within(tx)
        return await change_slots(ctx, seats.subscription_id, request, preview=False)

    await asyncio.sleep(pause)
    try:
        return await retrying(seats.world.app.database, ask)
    except InvalidInput:
        return None


@pytest.mark.parametrize("case_id", ["SLT-08"])
async def test_three_at_once_are_three(busy: World, case_id: str) -> None:
    """Twenty and three times one are 23, and each is billed: 8.00 x 17 / 31 = 4.39."""
    golden = case(case_id)
    seats = await begin_case(busy, golden)
    await seats.merchant.travel(date(2024, 1, 15))
    asked = golden["steps"][1]["actions"]

    done = await asyncio.gather(*(change(seats, one["delta"]) for one in asked))

    assert all(done) == golden["expected"]["all_succeed"]
    assert await seats.count() == golden["derived"]["active_slots"]
    assert await seats.value() == 23 * 800
    assert await seats.totals() == [16000, 439, 439, 439]
    await seats.merchant.is_sound()


async def test_two_for_the_last_one(busy: World) -> None:
    """One seat is left: of two who want it one has it, and only that one is billed."""
    for _ in range(ROUNDS):
        seats = await begin(busy, most=6)
        before = len(await seats.totals())

        done = await asyncio.gather(
            change(seats, 1), change(seats, 1, SlotMode.ON_INVOICE_PAID)
        )

        assert sorted(one is None for one in done) == [False, True]
        assert len(await seats.totals()) == before + 1
        await seats.merchant.is_sound()


async def test_more_beside_a_renewal(busy: World) -> None:
    """Asked on the boundary: five are renewed and one more is billed for the month, always.

    The request takes the step itself where the worker has not, so the month comes first.
    """
    for number in range(ROUNDS):
        seats = await begin(busy)
        await seats.merchant.stand_at(datetime(2024, 2, 1, tzinfo=UTC))

        await asyncio.gather(do_due_work(seats.world.ctx), change(seats, 1, pause=number / 200))

        rows = await busy.fetch(
            "select total from invoices where subscription_id = $1 order by total",
            seats.subscription_id,
        )
        assert [row["total"] for row in rows] == [1000, 5000, 5000]
        assert (await seats.count(), await seats.value()) == (6, 6000)
        await seats.merchant.is_sound()


async def test_fewer_beside_a_renewal(busy: World) -> None:
    """Given up on the boundary: the new month has five, and the next one four."""
    for number in range(ROUNDS):
        seats = await begin(busy, least=1, count=5)
        await seats.merchant.stand_at(datetime(2024, 2, 1, tzinfo=UTC))

        _, done = await asyncio.gather(
            do_due_work(seats.world.ctx), change(seats, -1, pause=number / 200)
        )

        assert done is not None
        assert (done.effective_on, done.slots) == (date(2024, 3, 1), 5)
        await seats.merchant.is_sound()


async def test_paid_or_void(busy: World) -> None:
    """Paid and voided in one moment: there and PAID, or dropped and VOID."""
    for number in range(ROUNDS):
        seats = await begin(busy)
        asked = await change(seats, 5, SlotMode.ON_INVOICE_PAID)
        assert asked is not None
        assert asked.invoice is not None
        invoice = asked.invoice

        async def pay(tx: Tx, invoice: InvoiceEntry = invoice) -> None:
            money = MoneyReceived(amount=invoice.total, paid_at=None, reference=None)
            await receive_money(busy.ctx.within(tx), invoice.id, money)

        async def void(tx: Tx, invoice: InvoiceEntry = invoice) -> None:
            await void_invoice(busy.ctx.within(tx), invoice.id)

        await asyncio.gather(
            retrying(busy.app.database, pay),
            retrying(busy.app.database, void),
            change(seats, 1, pause=number / 500),
            return_exceptions=True,
        )

        row = await busy.one("select status from invoices where id = $1", invoice.id)
        there = 6 if row["status"] == "VOID" else 11
        assert (await seats.count(), await seats.value()) == (there, there * 1000)
        await seats.merchant.is_sound()
