"""A tenant with a million of everything: one of each is made over the API, and copied."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

from tallystick.cli.bench.many_subscriptions import settle_down
from tallystick.cli.bench.stage import Stage
from tallystick.cli.demo_customers import GLOBEX
from tallystick.db.engine import Tx
from tallystick.domain.ids import Prefix, decode

SECONDS_MAX = 3600
WORDS = ("Acme", "Globex", "Initech", "Umbrella", "Hooli", "Vandelay", "Stark", "Wayne", "Wonka")
KINDS = ("Systems", "Labs", "Foods", "Energy", "Media", "Freight", "Health", "Studio")

_MADE = """
    create temporary table made as
    select n, uuidv7() as customer, uuidv7() as subscription, uuidv7() as session,
           uuidv7() as invoice, uuidv7() as item, uuidv7() as line,
           $2::timestamptz - make_interval(mins => ($1 - n)::integer) as at
    from generate_series(1, $1) as n
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
    "subscription_items": {"id": "made.item", "subscription_id": "made.subscription"},
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
        "subscription_id": "made.subscription",
        "number": "made.n + 10",
        "invoice_number": "'INV-' || (made.n + 10)",
        "invoice_date": "x.invoice_date - (made.n % 1500)::integer",
        "due_date": "x.due_date - (made.n % 1500)::integer",
        "created_at": "made.at",
    },
    "invoice_lines": {"id": "made.line", "invoice_id": "made.invoice"},
}
"""The tables that are filled, and the columns in which a copy differs."""

_OF_FIRST = {
    "customers": "x.id = key.customer",
    "subscriptions": "x.id = key.subscription",
    "subscription_items": "x.subscription_id = key.subscription",
    "checkout_sessions": "x.id = key.session",
    "invoices": "x.subscription_id = key.subscription",
    "invoice_lines": "x.invoice_id in (select i.id from invoices i"
    " where i.tenant_id = key.tenant and i.subscription_id = key.subscription)",
}

_COLUMNS = """
    select column_name from information_schema.columns
    where table_schema = 'public' and table_name = $1 order by ordinal_position
"""

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
