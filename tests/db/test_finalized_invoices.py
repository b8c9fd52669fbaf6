"""A finalized invoice and its lines never change, whoever asks and whoever is at it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from uuid import UUID

import asyncpg
import pytest

from tallystick.db.engine import Database, Tx, connect
from tallystick.domain.offer import ExternalPayment
from tallystick.services.confirm_result import Completed
from tallystick.services.ids import new_id
from tests.shops import invoice
from tests.soundness import assert_sound
from tests.world import World, open_world

Pair = tuple[Tx, Tx]

ONE_MORE_LINE = """
    insert into invoice_lines
    select tenant_id, $2, invoice_id, 77, item_id, product_id, name, start_date, end_date,
           quantity, unit_price, quoted_unit_price, amount * $3, discount * $3, tax * $3,
           amount_total * $3, tax_rate, taxes, computation
    from invoice_lines where invoice_id = $1 and position = 0
"""
FINALIZE = """
    update invoices set status = 'FINALIZED', number = 1, invoice_number = 'INV-1',
        finalized_at = now() where id = $1
"""


@pytest.fixture
async def world(db: Database) -> World:
    """A shop of its own."""
    return await open_world(db)


@pytest.fixture
async def pair(database_dsn: str) -> AsyncIterator[Pair]:
    """Two connections to the shop's database."""
    first, second = await connect(database_dsn), await connect(database_dsn)
    yield first, second
    await first.close()
    await second.close()


async def finalized(world: World) -> UUID:
    """The finalized invoice of a purchase."""
    session = await world.session(await world.customer(), await world.plan())
    assert await world.confirm(session) == Completed()
    row = await world.one("select id from invoices where status = 'FINALIZED'")
    found: UUID = row["id"]
    return found


async def draft(world: World) -> UUID:
    """The draft of a purchase whose invoices are finalized by hand."""
    session = await world.session(
        await world.customer("Draft"),
        await world.plan(name="Drafted"),
        auto_advance_invoices=False,
        charge_automatically=False,
        payment=ExternalPayment(),
    )
    assert await world.confirm(session, chooses=False, agrees=False) == Completed()
    row = await world.one("select id from invoices where status = 'DRAFT'")
    found: UUID = row["id"]
    return found


async def waits(work: Awaitable[object]) -> bool:
    """Whether something that was begun waits for somebody."""
    done, _ = await asyncio.wait([asyncio.ensure_future(work)], timeout=0.3)
    return not done


async def test_no_line_leaves_a_finalized_invoice_or_joins_it(world: World) -> None:
    """A line moves neither out of a finalized invoice nor into it."""
    fixed, open_one = await finalized(world), await draft(world)
    move = "update invoice_lines set invoice_id = $2, position = 9 where invoice_id = $1"
    for places in ((fixed, open_one), (open_one, fixed)):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never change"):
            await world.execute(move, *places)
    await assert_sound(world)


@pytest.mark.parametrize(
    "change",
    [
        "delete from invoice_lines where invoice_id = $1",
        "update invoice_lines set tax = 1, amount_total = amount + 1 where invoice_id = $1",
    ],
)
async def test_a_drafts_lines_sum_to_its_total(world: World, change: str) -> None:
    """A change of a draft's lines that its total does not follow is refused at the commit."""
    with pytest.raises(asyncpg.CheckViolationError, match="differ from its total"):
        await world.execute(change, await draft(world))


async def test_a_draft_changes_with_its_total(world: World) -> None:
    """Lines and total of a draft may change together, in any order."""
    subject = await draft(world)
    async with world.database.transaction() as tx:
        await tx.execute(ONE_MORE_LINE, subject, new_id(), 1)
        await tx.execute(
            "update invoices set subtotal = 2 * subtotal, total = 2 * total,"
            " amount_due = 2 * amount_due where id = $1",
            subject,
        )
        await tx.execute(
            "delete from invoice_lines where position = 0 and invoice_id = $1", subject
        )
        await tx.execute(
            "update invoices set subtotal = subtotal / 2, total = total / 2,"
            " amount_due = amount_due / 2 where id = $1",
            subject,
        )
    assert (await invoice(world))["total"] == 4900


async def test_a_line_comes_before_the_end_of_a_draft_or_not_at_all(
    world: World, pair: Pair
) -> None:
    """Who finalizes waits for the line that is being written."""
    subject, (writer, closer) = await draft(world), pair
    writing = writer.transaction()
    await writing.start()
    await writer.execute(ONE_MORE_LINE, subject, new_id(), 0)
    closing = asyncio.create_task(closer.execute(FINALIZE, subject))

    assert await waits(closing)
    await writing.commit()
    await closing

    lines = await world.fetch("select from invoice_lines where invoice_id = $1", subject)
    assert len(lines) == 2


async def test_a_line_that_comes_too_late_is_refused(world: World, pair: Pair) -> None:
    """Who writes a line waits for the end of a draft, and is refused by it."""
    subject, (writer, closer) = await draft(world), pair
    closing = closer.transaction()
    await closing.start()
    await closer.execute(FINALIZE, subject)
    writing = asyncio.create_task(writer.execute(ONE_MORE_LINE, subject, new_id(), 0))

    assert await waits(writing)
    await closing.commit()

    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never change"):
        await writing


MAY_CHANGE = {
    "policy_at": "its last try has failed",
    "reminders": "a reminder was dealt with",
    "suspends": "its last try has failed, and its entity suspends",
    "marked_as_uncollectible_at": "given up",
    "status": "voided, or given up",
    "payment_status": "paid later",
    "settled": "paid later",
    "amount_due": "paid later",
    "reversed": "taken back by the provider",
    "lost": "taken by the provider beyond its payments",
    "spare": "came back from the provider when it was not needed",
    "awaits_person": "taken back: nobody collects it by himself",
    "paid_at": "paid later",
    "cancelled": "a credit note cancels a debt",
    "applied_balance": "given back when it is voided",
    "voided_at": "voided",
    "finalize_at": "a draft's alone: a check keeps it null",
    "recipe": "a draft's alone: a check keeps it null",
    "charged_first": "a draft's alone: a check keeps it false",
    "billing_error": "a draft's alone: a check keeps it null",
    "billing_tried_at": "when it was set aside as a draft",
    "may_merge": "says what might have become of it as a draft",
    "consolidated_into_invoice_id": "a draft's alone: a check keeps it null",
    "collect_at": "tried again, or not any more",
    "collection_failures": "a try failed",
    "custom_properties": "the merchant's own",
    "customer_sort_name": "lists order by the name that the customer has today",
    "updated_at": "says when",
}
"""Column -> why it may change after the invoice was finalized."""

OTHER_VALUE = {
    "bigint": "{} + 1",
    "boolean": "not {}",
    "date": "coalesce({}, '2026-01-01') + 1",
    "integer": "{} + 1",
    "jsonb": """'{{"other": 1}}'""",
    "text": "left(coalesce({}, ''), 2) || 'X'",
    "timestamp with time zone": "{} + interval '1 day'",
    "uuid": "gen_random_uuid()",
}


async def test_of_a_finalized_invoice_its_payment_changes_alone(world: World) -> None:
    """Whatever is not about its payment is refused to change, column by column."""
    subject = await finalized(world)
    columns = await world.fetch(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = 'public' and table_name = 'invoices'"
    )
    refused = []
    for column in columns:
        name = column["column_name"]
        value = OTHER_VALUE[column["data_type"]].format(name)
        try:
            await world.execute(f"update invoices set {name} = {value} where id = $1", subject)
        except asyncpg.IntegrityConstraintViolationError as refusal:
            if "never changes once it is finalized" in str(refusal):
                refused.append(name)

    assert {column["column_name"] for column in columns} - set(refused) == set(MAY_CHANGE)
