"""A database that is in use is brought to a later schema with all that is in it."""

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tallystick.db import migrate as migrations
from tallystick.db.engine import Database, connect
from tallystick.db.server import EmbeddedServer
from tallystick.services.examine import examine
from tests.database import administer, in_own_loop

IN_USE = """
    insert into tenants (id, name, currency, is_test, link_secret)
        values (t(1), 'Acme', 'EUR', true, decode(repeat('00', 32), 'hex'));
    insert into invoicing_entities (tenant_id, id, legal_name) values (t(1), t(2), 'Acme');
    insert into invoice_counters values (t(1), t(2), 1);
    insert into customers (tenant_id, id, invoicing_entity_id, name, currency, created_at,
        updated_at) values (t(1), t(3), t(2), 'Globex', 'EUR', now(), now());
    insert into product_families values (t(1), t(4), 'Cloud', now());
    insert into product_families values (t(1), t(20), 'Cloud!', now() + interval '1 day');
    insert into plans (tenant_id, id, product_family_id, name, plan_type, status, archived_at,
        created_at) values (t(1), t(21), t(4), 'Old', 'STANDARD', 'ACTIVE', now(), now());
    insert into plans (tenant_id, id, product_family_id, name, plan_type, status, created_at)
        values (t(1), t(5), t(4), 'Pro', 'STANDARD', 'ACTIVE', now());
    insert into plan_versions (tenant_id, id, plan_id, version, currency, published_at,
        created_at) values (t(1), t(6), t(5), 1, 'EUR', now(), now());
    insert into checkout_sessions (tenant_id, id, customer_id, plan_id, plan_version_id, state,
        request, offer, quote_id, amount_total, amount_due, created_at, updated_at)
        values (t(1), t(7), t(3), t(5), t(6), 'AWAITING_PAYMENT', '{}', '{}', '', 1, 1,
                '2026-01-01', '2026-01-01');
    insert into payment_attempts (tenant_id, id, session_id, customer_id, kind, obligation,
        amount, currency, business_date, subscription_id, invoice_id, transaction_id, check_at,
        claimed_at) values (t(1), t(8), t(7), t(3), 'PAYMENT', '{}', 1, 'EUR', '2026-01-01',
                            t(9), t(10), t(11), now(), '2026-01-01');
    insert into plan_places values (t(1), t(3), t(5), 0, t(8), 'ATTEMPT');
    insert into subscriptions (tenant_id, id, customer_id, plan_id, plan_version_id,
        invoicing_entity_id, status, currency, tax_inclusive, cadence, start_date,
        billing_start_date, billing_day_anchor, current_period_start, current_period_end,
        net_terms, auto_advance_invoices, charge_automatically, payment_methods_config, mrr,
        created_at, updated_at)
        values (t(1), t(15), t(3), t(5), t(6), t(2), 'ACTIVE', 'EUR', false, 'MONTHLY',
                '2026-01-01', '2026-01-01', 1, '2026-01-01', '2026-02-01', 0, true, false,
                '{}', 4900, '2026-01-03', '2026-01-03');
    insert into plan_places values (t(1), t(3), t(5), 1, t(15), 'SUBSCRIPTION');
    insert into products (tenant_id, id, product_family_id, name, fee_type, fee_structure,
        created_at) values (t(1), t(16), t(4), 'Seats', 'SLOT', '{}', now());
    insert into prices (tenant_id, id, product_id, cadence, currency, pricing, created_at)
        values (t(1), t(17), t(16), 'MONTHLY', 'EUR', '{}', now());
    insert into subscription_items (tenant_id, id, subscription_id, kind, position, name,
        product_id, price_id, instances, item)
        values (t(1), t(18), t(15), 'COMPONENT', 0, 'Seats', t(16), t(17), 1,
                '{"slots": 7, "pricing": {"type": "SLOT", "min_slots": 2}}');
    insert into slot_entries (tenant_id, id, item_id, delta, effective_on, created_at)
        values (t(1), t(18), t(18), 7, '2026-01-01', now());
    insert into invoice_lines (tenant_id, id, invoice_id, position, name, start_date, end_date,
        amount, discount, tax, amount_total, tax_rate, taxes, computation)
        values (t(1), t(12), t(13), 0, 'Fee', '2026-01-01', '2026-01-01', 100, 0, 0, 100, 0,
                '[]', '{}');
    insert into invoices (tenant_id, id, customer_id, invoicing_entity_id, invoice_type, status,
        payment_status, number, invoice_number, invoice_date, due_date, billing_period_start,
        net_terms, currency, tax_inclusive, subtotal, subtotal_recurring, discount, tax_amount,
        total, settled, amount_due, customer_details, seller_details, finalized_at, paid_at,
        created_at, updated_at)
        values (t(1), t(13), t(3), t(2), 'ONE_OFF', 'FINALIZED', 'PAID', 1, 'INV-1',
                '2026-01-01', '2026-01-01', '2026-01-01', 0, 'EUR', false, 100, 0, 0, 0, 100,
                100, 0, '{}', '{}', now(), now(), now(), now());
    insert into transactions (tenant_id, id, invoice_id, customer_id, payment_type, status,
        provider, reference, amount, currency, created_at)
        values (t(1), t(14), t(13), t(3), 'PAYMENT', 'SETTLED', 'other', 'r', 100, 'EUR',
                now());
"""
"""A shop with a payment under way, a subscription and a paid invoice; `t` makes ids."""

IDS = """
    create function t(n integer) returns uuid language sql
        as $$ select lpad(n::text, 32, '0')::uuid $$
"""


UNPAID = """
    insert into invoice_lines (tenant_id, id, invoice_id, position, name, start_date, end_date,
        amount, discount, tax, amount_total, tax_rate, taxes, computation)
        select tenant_id, t(1{n}0), t(2{n}0), position, name, start_date, end_date, amount,
            discount, tax, amount_total, tax_rate, taxes, computation
        from invoice_lines where id = t(12);
    insert into invoices (tenant_id, id, customer_id, invoicing_entity_id, invoice_type, status,
        payment_status, number, invoice_number, invoice_date, due_date, billing_period_start,
        net_terms, currency, tax_inclusive, subtotal, subtotal_recurring, discount, tax_amount,
        total, settled, amount_due, customer_details, seller_details, finalized_at, created_at,
        updated_at)
        values (t(1), t(2{n}0), t(3), t(2), 'ONE_OFF', 'FINALIZED', 'UNPAID', {n}, 'INV-{n}',
                (now() at time zone 'UTC')::date + {days},
                (now() at time zone 'UTC')::date + {days}, '2026-01-01', 0, 'EUR',
                false, 100, 0, 0, 0, 100, 0, 100, '{{}}', '{{}}', now(), now(), now());
"""
"""Another invoice of the shop, number `n`, due in so many days."""


@pytest.fixture
def old_dsn(server: EmbeddedServer) -> Iterator[str]:
    """A database of the fourth revision that is in use."""
    name = "of_the_fourth_revision"
    in_own_loop(administer(server, f"create database {name}"))
    in_own_loop(fill(server.dsn_of(name)))
    yield server.dsn_of(name)
    in_own_loop(administer(server, f"drop database {name} with (force)"))


async def fill(dsn: str) -> None:
    """Apply four revisions, and let something happen."""

    def upgrade(connection: Connection) -> None:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect(dsn), poolclass=NullPool
    )
    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
    driver = await connect(dsn)
    async with driver.transaction():
        await driver.execute(f"{IDS}; {IN_USE}; drop function t")
    await driver.close()


async def test_a_shop_in_use_is_migrated(old_dsn: str) -> None:
    """Payments under way count from the migration; everything that must hold holds.

    A subscription counts from its start, with what it is worth; its slots are counted by their
    ledger. Families are found by their names, the first of a name; what is archived says so.
    """
    await migrations.migrate(old_dsn)

    database = await Database.open(old_dsn)
    assert (await examine(database)).breaches == ()
    async with database.connection() as connection:
        attempt = await connection.fetchrow(
            "select claimed_on > now() - interval '1 minute' as is_new, browser"
            " from payment_attempts"
        )
        assert attempt is not None
        assert (attempt["is_new"], attempt["browser"]) == (True, None)
        moved = await connection.fetchrow("select day::text, amount from mrr_movements")
        assert moved is not None
        assert (moved["day"], moved["amount"]) == ("2026-01-01", 4900)
        seats = await connection.fetchrow(
            "select i.item ->> 'slots' as beside, e.delta from subscription_items i"
            " join slot_entries e on e.item_id = i.id"
        )
        assert seats is not None
        assert (seats["beside"], seats["delta"]) == (None, 7)
        families = await connection.fetch("select alias from product_families order by id")
        assert [row["alias"] for row in families] == ["cloud", None]
        plans = await connection.fetch("select status from plans order by id")
        assert [row["status"] for row in plans] == ["ACTIVE", "ARCHIVED"]
    await database.close()


async def test_invoices_that_were_overdue_before_reminders_began(old_dsn: str) -> None:
    """They are told of no more, and one that is due tomorrow as from tomorrow."""
    driver = await connect(old_dsn)
    for number, days in ((2, -400), (3, 1), (4, -2)):
        await driver.execute(f"{IDS}; {UNPAID}; drop function t".format(n=number, days=days))
    await driver.execute("update invoice_counters set last_number = 4")
    await driver.close()

    await migrations.migrate(old_dsn)

    database = await Database.open(old_dsn)
    async with database.connection() as connection:
        rows = await connection.fetch("select number, reminders from invoices order by number")
    assert [(row["number"], row["reminders"]) for row in rows] == [
        (1, 0),
        (2, 4),
        (3, 1),
        (4, 2),
    ]
    await database.close()
