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
    Rule(
        name="list-names",
        holds="Lists order by the name that a customer has, or is just getting",
        kind=Prefix.CUSTOMER,
        query="""
            select c.tenant_id, c.id, format('%s of %L are ordered by %L', listed.what, c.name,
                listed.customer_sort_name) as about
            from (
                select tenant_id, customer_id, 'subscriptions' as what, customer_sort_name
                from subscriptions
                union
                select tenant_id, customer_id, 'invoices', customer_sort_name
                from invoices) listed
            join customers c on c.tenant_id = listed.tenant_id and c.id = listed.customer_id
            where listed.customer_sort_name <> lower(c.name)
              and not exists (
                select from customer_renamings r
                where r.tenant_id = c.tenant_id and r.customer_id = c.id
                  and r.sort_name = listed.customer_sort_name)
        """,
    ),
)
