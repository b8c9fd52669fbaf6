"""Credit notes are within their invoice, and never change, whoever asks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from uuid import UUID

import asyncpg
import pytest

from tallystick.db.engine import Database, Tx, connect
from tallystick.domain.credit_note import Amount, DebtCancellation, Refund
from tallystick.services.ids import new_id
from tests.crediting import Billed, bought, sound
from tests.world import World, open_world

COPY_NOTE = """
    insert into credit_notes (tenant_id, id, invoice_id, customer_id, invoicing_entity_id,
        credit_type, status, number, credit_note_number, currency, subtotal, discount,
        tax_amount, total, from_balance, from_payments, tax_breakdown, created_at,
        finalized_at, updated_at)
    select tenant_id, $2, invoice_id, customer_id, invoicing_entity_id, credit_type, status,
           number + 1, 'CN-X', currency, subtotal, discount, tax_amount, total, from_balance,
           from_payments, tax_breakdown, created_at, finalized_at, updated_at
    from credit_notes where id = $1
"""
COPY_LINES = """
    insert into credit_note_lines
    select tenant_id, gen_random_uuid(), $2, invoice_line_id, position, quantity, amount,
           discount, tax, amount_total, taxes
    from credit_note_lines where credit_note_id = $1
"""


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@pytest.fixture
async def pair(database_dsn: str) -> AsyncIterator[tuple[Tx, Tx]]:
    """Two connections to the shop's database."""
    first, second = await connect(database_dsn), await connect(database_dsn)
    yield first, second
    await first.close()
    await second.close()


async def credited(world: World, amount: int) -> tuple[Billed, UUID]:
    """An invoice of EUR 49 with a note of an amount to the balance."""
    billed = await bought(world)
    note = await billed.credit(scope=Amount(amount))
    return billed, note.id


async def copy(tx: Tx, note_id: UUID) -> None:
    """The same note a second time, behind the product's back."""
    other = new_id()
    await tx.execute(COPY_LINES, note_id, other)
    await tx.execute(COPY_NOTE, note_id, other)


async def waits(work: Awaitable[object]) -> bool:
    """Whether something that was begun waits for somebody."""
    done, _ = await asyncio.wait([asyncio.ensure_future(work)], timeout=0.3)
    return not done


async def test_notes_do_not_exceed_their_invoice(world: World) -> None:
    """Twice EUR 25 of EUR 49 are refused at the commit."""
    _, note_id = await credited(world, 2500)

    with pytest.raises(asyncpg.CheckViolationError, match="exceed it"):
        async with world.database.transaction() as tx:
            await copy(tx, note_id)

    await sound(world)


async def test_two_at_once_cannot_pass_each_other(world: World, pair: tuple[Tx, Tx]) -> None:
    """With EUR 16.40 credited of 49, one of two more fits beside it, the third does not."""
    _, note_id = await credited(world, 1640)
    first, second = pair
    for tx in pair:
        await tx.execute("begin")
    await copy(first, note_id)
    other = new_id()
    await second.execute(COPY_LINES, note_id, other)
    await second.execute(COPY_NOTE.replace("number + 1", "number + 2"), note_id, other)
    await first.execute("set constraints all immediate")

    closing = asyncio.create_task(second.execute("set constraints all immediate"))
    assert await waits(closing)
    await first.execute("commit")

    with pytest.raises(asyncpg.CheckViolationError, match="exceed it"):
        await closing
    await second.execute("rollback")


async def test_lines_are_the_notes_total(world: World) -> None:
    """A note without its lines is refused at the commit, a line that comes later at once."""
    _, note_id = await credited(world, 1000)

    with pytest.raises(asyncpg.CheckViolationError, match="differ from its total"):
        await world.execute(COPY_NOTE, note_id, new_id())
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="note that stands"):
        await world.execute(COPY_LINES.replace("$2", "$1"), note_id)


@pytest.mark.parametrize(
    "change",
    [
        "update credit_notes set total = total + 1, subtotal = subtotal + 1",
        "update credit_notes set reason = 'other'",
        "update credit_notes set number = 7",
        "update credit_notes set credit_type = 'DEBT_CANCELLATION', from_payments = 0",
        "update credit_notes set finalized_at = finalized_at + interval '1 day'",
        "delete from credit_notes",
        "update credit_note_lines set amount = amount + 1, amount_total = amount_total + 1",
        "delete from credit_note_lines",
    ],
)
async def test_a_note_never_changes(world: World, change: str) -> None:
    """Neither amounts nor words nor number, and it is not taken away."""
    await credited(world, 1000)

    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changes"):
        await world.execute(change)

    await sound(world)


async def test_a_voided_note_stays_void(world: World) -> None:
    """Nobody makes it final again."""
    billed = await bought(world)
    note = await billed.credit(scope=Amount(100))
    await world.execute(
        "update credit_notes set status = 'VOIDED', voided_at = now() where id = $1", note.id
    )

    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changes"):
        await world.execute(
            "update credit_notes set status = 'FINALIZED', voided_at = null where id = $1",
            note.id,
        )


async def test_a_payment_is_not_refunded_beyond_itself(world: World) -> None:
    """A second refund of all of it is refused, whatever the notes say."""
    billed = await bought(world)
    await billed.credit(Refund(), Amount(100))

    with pytest.raises(asyncpg.CheckViolationError, match="refunds of payment"):
        await world.execute("update refunds set amount = 4901")


async def test_a_debt_is_cancelled_by_notes_only(world: World) -> None:
    """A note of it without the invoice, or more of it than the invoice says, is refused."""
    billed = await bought(world)
    await world.execute(
        "update transactions set status = 'FAILED' where invoice_id = $1", billed.id
    )
    await world.execute(
        "update invoices set settled = 0, amount_due = total, payment_status = 'UNPAID',"
        " paid_at = null where id = $1",
        billed.id,
    )
    note = await billed.credit(DebtCancellation(), Amount(100))

    with pytest.raises(asyncpg.CheckViolationError, match="exceed it"):
        async with world.database.transaction() as tx:
            await copy(tx, note.id)
