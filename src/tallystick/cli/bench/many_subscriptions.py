"""A hundred thousand subscriptions: one is made over the API, and copied set by set."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from tallystick.cli.bench.stage import Stage
from tallystick.cli.demo_customers import GLOBEX
from tallystick.db.engine import Tx
from tallystick.domain.ids import Prefix, decode
from tallystick.services.context import App

SECONDS_MAX = 1800
CODE = "measured_calls"
USED_EACH = 5
"""Events of usage of each subscription in each of its periods."""

_COPIED: Mapping[str, Mapping[str, str]] = {
    "customers": {"id": "made.customer", "alias": "null"},
    "subscriptions": {"id": "made.id", "customer_id": "made.customer"},
    "subscription_items": {"id": "uuidv7()", "subscription_id": "made.id"},
    "plan_places": {"customer_id": "made.customer", "holder": "made.id"},
}
"""The tables of a subscription, and the columns in which a copy differs."""

_OF_FIRST = {
    "customers": "x.id = key.other",
    "subscriptions": "x.id = key.subscription",
    "subscription_items": "x.subscription_id = key.subscription",
    "plan_places": "x.holder = key.subscription",
}

_COLUMNS = """
    select column_name from information_schema.columns
    where table_schema = 'public' and table_name = $1 order by ordinal_position
"""

_USAGE = """
    insert into usage_events (tenant_id, customer_id, event_id, code, happened_at, received_at,
                              properties)
    select s.tenant_id, s.customer_id, uuidv7()::text, $2,
           $3::date + make_interval(hours => 1 + 5 * n), $3::date + make_interval(days => 2),
           jsonb_build_object('calls', (10 * n)::text)
    from subscriptions s, generate_series(1, $4::integer) as n
    where s.tenant_id = $1
"""


async def first_subscription(stage: Stage, grace_hours: int) -> UUID:
    """Make what is sold, EUR 49, seats and usage, and the subscription that is copied.

    Its customer pays by transfer: no bank is measured.
    """
    entity = (await stage.api.get("/invoicing-entities"))["data"][0]
    await stage.api.patch(
        f"/invoicing-entities/{entity['id']}", {"grace_period_hours": grace_hours}
    )
    plan = await stage.api.post("/plans", await _plan(stage))
    customer = await stage.api.post("/customers", {**GLOBEX, "alias": "measured"})
    made = await stage.api.post(
        "/subscriptions",
        {
            "customer_id_or_alias": customer["id"],
            "plan_id": plan["id"],
            "start_date": stage.today.isoformat(),
            "activation_condition": "ON_START",
            "charge_automatically": False,
            "net_terms": 30,
        },
    )
    return decode(Prefix.SUBSCRIPTION, str(made["id"]))


async def copy_first(app: App, tenant_id: UUID, first: UUID, copies: int) -> None:
    """Copy a subscription with its customer, its items and its place, so many times."""
    async with app.database.own_connection() as tx:
        await tx.execute("set statement_timeout = 0")
        customer: UUID = await tx.fetchval(
            "select customer_id from subscriptions where tenant_id = $1 and id = $2",
            tenant_id,
            first,
        )
        await tx.execute("create temporary table made (id uuid, customer uuid)")
        await tx.execute(
            "insert into made select uuidv7(), uuidv7() from generate_series(1, $1::integer)",
            copies,
            timeout=SECONDS_MAX,
        )
        for table, columns in _COPIED.items():
            which = _OF_FIRST[table]
            await copy_rows(tx, table, columns, which, (tenant_id, first, customer))


async def use(stage: Stage, month: date) -> None:
    """Report usage of every subscription in the month that begins on a day."""
    async with stage.app.database.own_connection() as tx:
        await tx.execute("set statement_timeout = 0")
        values = (stage.tenant_id, CODE, month, USED_EACH)
        await tx.execute(_USAGE, *values, timeout=SECONDS_MAX)


async def settle_down(stage: Stage) -> None:
    """Let nothing of what was written be written out during the next measurement."""
    async with stage.app.database.own_connection() as tx:
        await tx.execute("set statement_timeout = 0")
        await tx.execute("vacuum (analyze)", timeout=SECONDS_MAX)
        await tx.execute("checkpoint", timeout=SECONDS_MAX)


async def copy_rows(
    tx: Tx,
    table: str,
    differing: Mapping[str, str],
    which: str,
    key: tuple[UUID, UUID, UUID],
) -> None:
    """Copy rows of a table once for each row of the temporary table `made`.

    Args:
        tx: A connection that has `made`.
        table: The table.
        differing: The columns in which a copy differs, and the expression of each.
        which: The condition on the rows `x` that are copied, by what `key` holds.
        key: The tenant, the subscription that is copied, and what else is: a customer, or a
            session, as `other`.
    """
    columns = [row["column_name"] for row in await tx.fetch(_COLUMNS, table)]
    values = [differing.get(column, f"x.{column}") for column in columns]
    # Every name in it is the schema's or ours.
    statement = f"""
        insert into {table} ({", ".join(columns)}) overriding system value
        select {", ".join(values)}
        from (select $1::uuid as tenant, $2::uuid as subscription, $3::uuid as other) key
        join {table} x on x.tenant_id = key.tenant and {which} cross join made
    """  # noqa: S608
    await tx.execute(statement, *key, timeout=SECONDS_MAX)


async def _plan(stage: Stage) -> dict[str, Any]:
    family = await stage.api.post("/product_families", {"name": "Measured"})
    metric = await stage.api.post(
        "/metrics",
        {
            "product_family_id": family["id"],
            "code": CODE,
            "name": "Calls",
            "aggregation_type": "SUM",
            "aggregation_key": "calls",
        },
    )
    usage = {
        "type": "USAGE",
        "metric_id": metric["id"],
        "cadence": "MONTHLY",
        "pricing": {
            "type": "TIERED",
            "tiers": [{"first_unit": 0, "rate": "0.00"}, {"first_unit": 100, "rate": "0.10"}],
        },
    }
    seats = {
        "type": "SLOT",
        "slot_unit_name": "seat",
        "rates": [{"term": "MONTHLY", "price": "7.50"}],
        "minimum_count": 3,
    }
    fee = {"type": "RATE", "rates": [{"term": "MONTHLY", "price": "49.00"}]}
    return {
        "product_family_id": family["id"],
        "name": "Measured",
        "currency": "EUR",
        "status": "ACTIVE",
        "plan_type": "STANDARD",
        "components": [
            {"name": "Fee", "fee": fee},
            {"name": "Seats", "fee": seats},
            {"name": "Calls", "fee": usage},
        ],
    }
