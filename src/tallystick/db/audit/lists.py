"""What must hold of the lists whose length is known without counting."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

LIST_RULES = (
    Rule(
        name="list-length",
        holds="A list is as long as the differences that were written about it say",
        kind=Prefix.TENANT,
        query="""
            select tenant_id, tenant_id as id, format('%s %s%s: differences of %s, counted %s',
                list, facet, ' of plan ' || plan_id, sum(said), sum(rows)) as about
            from (
                select tenant_id, list, facet, plan_id, difference as said, 0 as rows
                from list_counts
                union all select tenant_id, 'customers',
                    case when archived_at is null then 'ACTIVE' else 'ARCHIVED' end, null, 0, 1
                from customers
                union all select tenant_id, 'checkout_sessions', state, null, 0, 1
                from checkout_sessions
                union all select tenant_id, 'invoices', status, null, 0, 1 from invoices
                union all select tenant_id, 'subscriptions', status, plan_id, 0, 1
                from subscriptions) counted
            group by tenant_id, list, facet, plan_id having sum(said) <> sum(rows)
        """,
    ),
)
