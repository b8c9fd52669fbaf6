"""A tenant with a million of everything: one of each is made over the API, and copied."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tallystick.cli.bench.many_subscriptions import (
    copy_rows,
    first_subscription,
    settle_down,
)
from tallystick.cli.bench.stage import Stage
from tallystick.cli.demo_customers import GLOBEX
from tallystick.domain.ids import Prefix, decode

SECONDS_MAX = 3600
WORDS = (
    "Acme",
    "Globex",
    "Initech",
    "Umbrella",
    "Hooli",
    "Vandelay",
    "Stark",
    "Wayne",
    "Wonka",
)
KINDS = ("Systems", "Labs", "Foods", "Energy", "Media", "Freight", "Health", "Studio")

_MADE = """
    create temporary table made as
    select n, uuidv7() as customer, uuidv7() as subscription, uuidv7() as session,
           uuidv7() as invoice,
           ($3::uuid[])[1 + n % cardinality($3)] as plan,
           ($4::uuid[])[1 + n % cardinality($3)] as version,
           '2020-01-01'::timestamptz + make_interval(mins => n) as at
    from generate_series($1::integer, $2::integer) as n
"""

_NAME = f"""
    format('%s %s %s', ('{{{",".join(WORDS)}}}'::text[])[1 + made.n % {len(WORDS)}],
           ('{{{",".join(KINDS)}}}'::text[])[1 + made.n / 7 % {len(KINDS)}],
           upper(to_hex(hashint8(made.n))))
"""

_STATE = """
    case when made.n % 10 < 6 then 'COMPLETED' when made.n % 10 < 8 then 'EXPIRED'
         when made.n % 10 < 9 then 'CANCELLED' else 'CREATED' end
"""

_COPIED: Mapping[str, Mapping[str, str]] = {
    "customers": {
        "id": "made.customer",
        "name": _NAME,
        "alias": "'account-' || made.n",
        "billing_email": "format('ap%s@shop-%s.example', made.n, made.n % 9973)",
        "archived_at": "case when made.n % 50 = 0 then made.at end",
        "created_at": "made.at",
    },
    "subscriptions": {
        "id": "made.subscription",
        "customer_id": "made.customer",
        "customer_sort_name": f"lower({_NAME})",
        "plan_id": "made.plan",
        "plan_version_id": "made.version",
        "checkout_session_id": "null",
        "mrr": "100 * (made.n % 997)",
        "billing_start_date": "x.billing_start_date + (made.n % 1000)::integer",
        "end_date": "case when made.n % 3 = 0"
        " then x.billing_start_date + 2000 + (made.n % 700)::integer end",
        "status": "case when made.n % 10 = 0 then 'SUSPENDED' else x.status end",
        "created_at": "made.at",
    },
    "subscription_items": {"id": "uuidv7()", "subscription_id": "made.subscription"},
    "checkout_sessions": {
        "id": "made.session",
        "customer_id": "made.customer",
        "state": _STATE,
        "subscription_id": f"case when {_STATE} = 'COMPLETED' then made.subscription end",
        "completed_at": f"case when {_STATE} = 'COMPLETED' then made.at end",
        "expires_at": "made.at + interval '1 hour'",
        "created_at": "made.at",
    },
    "invoices": {
        "id": "made.invoice",
        "customer_id": "made.customer",
        "customer_sort_name": f"lower({_NAME})",
        "subscription_id": "made.subscription",
        "number": "made.n + 10",
        "invoice_number": "'INV-' || (made.n + 10)",
        "invoice_date": "x.invoice_date - (made.n % 1500)::integer",
        "due_date": "x.due_date - (made.n % 1500)::integer",
        "created_at": "made.at",
    },
    "invoice_lines": {"id": "uuidv7()", "invoice_id": "made.invoice"},
}
"""The tables that are filled, and the columns in which a copy differs."""

_OF_FIRST = {
    "customers": "x.id = (select s.customer_id from subscriptions s"
    " where s.tenant_id = key.tenant and s.id = key.subscription)",
    "subscriptions": "x.id = key.subscription",
    "subscription_items": "x.subscription_id = key.subscription",
    "checkout_sessions": "x.id = key.other",
    "invoices": "x.subscription_id = key.subscription",
    "invoice_lines": "x.invoice_id in (select i.id from invoices i"
    " where i.tenant_id = key.tenant and i.subscription_id = key.subscription)",
}

_LENGTHS = """
    insert into list_counts (tenant_id, list, facet, difference)
    select tenant_id, 'customers',
           case when archived_at is null then 'ACTIVE' else 'ARCHIVED' end, count(*)
    from customers group by 1, 3
    union all select tenant_id, 'checkout_sessions', state, count(*)
    from checkout_sessions group by 1, 3
    union all select tenant_id, 'invoices', status, count(*) from invoices group by 1, 3
"""

_LENGTHS_BY_PLAN = """
    insert into list_counts (tenant_id, list, facet, plan_id, difference)
    select tenant_id, 'subscriptions', status, plan_id, count(*) from subscriptions
    group by 1, 3, 4
"""


_INDEXES = """
    select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as text
    from pg_index i
    where i.indrelid = any($1::text[]::regclass[])
      and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
"""
"""The indexes of the tables that no constraint stands on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firsts:
    """What is copied: one subscription with its invoice, and one session."""

    subscription: UUID
    session: UUID


async def one_of_each(stage: Stage) -> Firsts:
    """Make one of everything over the API."""
    subscription = await first_subscription(stage, grace_hours=0)
    customer = await stage.api.post("/customers", {**GLOBEX, "alias": "session"})
    await stage.session(stage.body(str(customer["id"])))
    made = (await stage.api.get("/checkout-sessions"))["sessions"][0]
    return Firsts(
        subscription=subscription, session=decode(Prefix.CHECKOUT_SESSION, str(made["id"]))
    )


async def fill(stage: Stage, firsts: Firsts, begin: int, end: int) -> None:
    """Copy each of them, so that copies of the numbers from `begin` to `end` are there.

    Triggers and references are not checked meanwhile: what is copied has passed them. The
    lengths of the lists, which triggers keep, are counted afterwards, and the indexes are made
    anew, which takes half as long as adding to them.
    """
    plans = [one for one in stage.catalog.plans.values() if one["currency"] == "EUR"]
    async with stage.app.database.own_connection() as tx:
        await tx.execute("set statement_timeout = 0")
        await tx.execute("set session_replication_role = replica")
        await tx.execute(
            _MADE,
            begin,
            end,
            [decode(Prefix.PLAN, str(one["id"])) for one in plans],
            [decode(Prefix.PLAN_VERSION, str(one["version_id"])) for one in plans],
            timeout=SECONDS_MAX,
        )
        await tx.execute("set maintenance_work_mem = '512MB'")
        indexes = await tx.fetch(_INDEXES, list(_COPIED))
        await tx.execute("drop index " + ", ".join(index["name"] for index in indexes))
        key = (stage.tenant_id, firsts.subscription, firsts.session)
        for table, columns in _COPIED.items():
            await copy_rows(tx, table, columns, _OF_FIRST[table], key)
        for index in indexes:
            await tx.execute(index["text"], timeout=SECONDS_MAX)
        await tx.execute("drop table made")
        await tx.execute("delete from list_counts where tenant_id = $1", stage.tenant_id)
        for statement in (_LENGTHS, _LENGTHS_BY_PLAN):
            await tx.execute(statement, timeout=SECONDS_MAX)
    await settle_down(stage)
