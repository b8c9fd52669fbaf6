"""A database that is lent again is as good as a new clone, or it is not lent again."""

import pytest

from tallystick.db.engine import Database, Tx, connect
from tallystick.db.server import EmbeddedServer
from tests.database import fresh_database, in_own_loop
from tests.emptying import Emptying
from tests.world import open_world

ALTER_DATABASE = """
    do $$ begin
        execute format('alter database %I set work_mem = %L', current_database(), '8MB');
    end $$
"""


async def used(dsn: str, *statements: str) -> None:
    """Sell something, and do this, too."""
    db = await Database.open(dsn)
    world = await open_world(db)
    await world.confirm(await world.session(await world.customer(), await world.plan()))
    for statement in statements:
        await world.execute(statement)
    await db.close()


async def held(tx: Tx) -> tuple[int, int]:
    """How many tenants and events there are, and where the numbers of events stand."""
    rows = await tx.fetchval(
        "select (select count(*) from tenants) + (select count(*) from events)"
    )
    numbers = "pg_get_serial_sequence('events', 'position')"
    last = await tx.fetchval(f"select coalesce(pg_sequence_last_value({numbers}), 0)")
    return rows, last


def test_it_is_empty_and_knows_nobody(server: EmbeddedServer, template: str) -> None:
    """Rows are gone, numbers begin anew, and who was connected is not any more."""

    async def look(dsn: str) -> None:
        emptying = Emptying()
        await emptying.learn(dsn)
        await used(dsn)
        stranger = await connect(dsn)
        assert all(await held(stranger))

        assert await emptying.empty(dsn)

        assert stranger.is_closed()
        again = await connect(dsn)
        assert await held(again) == (0, 0)
        assert await again.fetchval("select version_num from alembic_version")
        await again.close()

    with fresh_database(server, template) as dsn:
        in_own_loop(look(dsn))


@pytest.mark.parametrize(
    "statement",
    [
        "alter table events disable trigger all",
        "create table more (id int)",
        "alter table invoices add column more int",
        "create or replace function more() returns int language sql as 'select 1'",
        "alter table coupons alter column code drop not null",
        "update alembic_version set version_num = '0001'",
        ALTER_DATABASE,
        "analyze customers",
    ],
)
def test_what_a_test_has_changed_is_not_lent_again(
    server: EmbeddedServer, template: str, statement: str
) -> None:
    """Its schema, its settings, its statistics and the rows that it had from the start."""

    async def look(dsn: str) -> bool:
        emptying = Emptying()
        await emptying.learn(dsn)
        await used(dsn, statement)
        return await emptying.empty(dsn)

    with fresh_database(server, template) as dsn:
        assert not in_own_loop(look(dsn))
