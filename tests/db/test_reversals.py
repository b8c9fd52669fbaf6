"""What is taken back of a payment is within it, and never changes, whoever asks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import asyncpg
import pytest

from tallystick.db.engine import Database, Tx, connect
from tallystick.services.ids import new_id
from tallystick.services.pay_invoice import pay_invoice
from tests.crediting import bought, sound
from tests.reversing import reversible
from tests.world import World, open_world

COPY = """
    insert into reversals
    select tenant_id, $1::uuid, payment_id, invoice_id, provider, 'dp_' || $1::uuid, kind,
           amount, returned, to_balance, reason, created_at, updated_at
    from reversals limit 1
"""

NOT_OF_THE_BALANCE = """
    insert into reversals
    select tenant_id, gen_random_uuid(), payment_id, invoice_id, provider, 'dp_2', kind, 1, 0,
           0, reason, created_at, updated_at, 1
    from reversals
"""


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own, in which EUR 20 of 49 are disputed."""
    world = await open_world(db)
    await (await reversible(await bought(world))).disputed(2000)
    return world


@pytest.fixture
async def pair(database_dsn: str) -> AsyncIterator[tuple[Tx, Tx]]:
    """Two connections to the shop's database."""
    first, second = await connect(database_dsn), await connect(database_dsn)
    yield first, second
    await first.close()
    await second.close()


async def copy(tx: Tx) -> None:
    """The same reversal a second time, with its invoice, behind the product's back."""
    await tx.execute(COPY, new_id())
    await tx.execute(
        "update invoices set reversed = reversed + 2000, amount_due = amount_due + 2000"
    )


async def waits(work: Awaitable[object]) -> bool:
    """Whether something that was begun waits for somebody."""
    done, _ = await asyncio.wait([asyncio.ensure_future(work)], timeout=0.3)
    return not done


@pytest.mark.parametrize(
    "change",
    [
        "update invoices set reversed = 2001, amount_due = 2001",
        "update reversals set returned = 1",
        "update invoices set spare = 1",
        "update invoices set lost = 1",
        "update reversals set returned = 1, to_balance = 1",
        NOT_OF_THE_BALANCE,
        "update transactions set amount = 1999; update reversals set updated_at = now()",
    ],
)
async def test_the_invoice_says_what_is_reversed(world: World, change: str) -> None:
    """One without the other is refused at the commit."""
    with pytest.raises(asyncpg.CheckViolationError, match="tallystick"):
        async with world.database.transaction() as tx:
            await tx.execute(change)
    await sound(world)


@pytest.mark.usefixtures("world")
async def test_two_at_once_cannot_pass_each_other(pair: tuple[Tx, Tx]) -> None:
    """With EUR 20 reversed of 49, 20 more fit, and another 20 do not."""
    first, second = pair
    await first.execute("begin")
    await copy(first)
    await first.execute("set constraints all immediate")
    await second.execute("begin")
    closing = asyncio.create_task(copy(second))
    assert await waits(closing)
    await first.execute("commit")

    with pytest.raises(asyncpg.CheckViolationError, match="reversed_was_settled"):
        await closing
    await second.execute("rollback")


async def test_another_payment_does_not_make_up_for_it(world: World) -> None:
    """EUR 20 were paid again: of 60 taken of the first payment of 49, 11 are not reversed."""
    row = await world.one("select id from invoices")
    await pay_invoice(world.ctx, row["id"], new_id())

    with pytest.raises(asyncpg.CheckViolationError, match="what is reversed"):
        await three_times(world)

    await sound(world)


async def three_times(world: World) -> None:
    """The same reversal twice more, in one transaction."""
    async with world.database.transaction() as tx:
        await tx.execute("update invoices set payment_status = 'UNPAID', paid_at = null")
        await copy(tx)
        await copy(tx)


@pytest.mark.parametrize(
    "change",
    [
        "update reversals set amount = 100",
        "update reversals set amount = amount + 5, from_balance = 6",
        "update reversals set from_balance = 100",
        "update reversals set provider_reversal_id = 'other'",
        "update reversals set reason = 'other'",
        "update reversals set kind = 'CHARGEBACK'; update reversals set kind = 'DISPUTE'",
        "delete from reversals",
    ],
)
async def test_a_reversal_never_changes(world: World, change: str) -> None:
    """It is not taken away, and what was lost is not open again."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changes"):
        await world.execute(change)
    await sound(world)


@pytest.mark.parametrize(
    "change",
    [
        "update invoices set amount_due = 2001",
        "update invoices set reversed = 4901, amount_due = 4901",
        "update invoices set status = 'VOID', voided_at = now(), awaits_person = false",
        "update invoices set reversed = 0, amount_due = 0",
    ],
)
async def test_the_figures_of_the_invoice_agree(world: World, change: str) -> None:
    """Due, reversed and settled, and who is waited for."""
    with pytest.raises(asyncpg.CheckViolationError):
        await world.execute(change)
    await sound(world)
