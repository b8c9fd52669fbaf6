"""What must hold between what was paid online and the accounts that it is paid through."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

_TABLES = (
    "payment_attempts",
    "payment_methods",
    "method_setups",
    "transactions",
    "collections",
    "refunds",
    "reversals",
)
_NAMED = " union all ".join(
    f"select tenant_id, id, provider, '{table}' as place from {table}" for table in _TABLES
)

LAGS = "interval '1 day'"
"""Longer than a worker takes to go on with every account."""

PROVIDER_RULES = (
    Rule(
        name="provider-connection",
        holds="Whatever was asked of a connection was asked of one of its own tenant's",
        kind=None,
        query=f"""
            select n.tenant_id, n.id, format('%s of %s', n.provider, n.place) as about
            from ({_NAMED}) n
            where n.provider like '%:%' and not exists (
                select from provider_connections c
                where c.tenant_id = n.tenant_id and c.provider || ':' || c.id = n.provider)
        """,
    ),
    Rule(
        name="provider-live",
        holds="A live tenant is paid with real money, and a test tenant with none",
        kind=Prefix.TENANT,
        query=f"""
            select t.id as tenant_id, t.id, format('%s of the test bank in %s', count(*),
                n.place) as about
            from tenants t join ({_NAMED}) n on n.tenant_id = t.id and n.provider = 'sandbox'
            where not t.is_test group by t.id, n.place
            union all
            select c.tenant_id, c.tenant_id, 'the connection ' || c.id
            from provider_connections c join tenants t on t.id = c.tenant_id
            where c.is_live = t.is_test
        """,
    ),
    Rule(
        name="provider-reconciled",
        holds="What an account took is compared with the books within a day",
        kind=None,
        # A closed connection is looked at for 60 days, if its provider lets us.
        query=f"""
            select c.tenant_id, c.id, format('%s of %s is compared up to %s%s', c.account,
                c.provider, coalesce(r.reconciled_until, c.connected_at),
                coalesce(': ' || r.refusal, '; does a worker run?')) as about
            from provider_connections c
            left join reconciled_accounts r
              on r.tenant_id = c.tenant_id and r.provider = c.provider
             and r.account = c.account and r.is_live = c.is_live
            where coalesce(r.reconciled_until, c.connected_at) < least(
                    now() - {LAGS}, c.disconnected_at + interval '60 days')
              and (c.disconnected_at is null or r.refusal is null)
        """,
    ),
    Rule(
        name="provider-heard",
        holds="What a provider has told is looked into within a day",
        kind=None,
        query="""
            select tenant_id, id, format('%s, received %s', kind, received_at) as about
            from provider_events
            where looked_into_at is null and received_at < now() - interval '1 day'
        """,
    ),
)
