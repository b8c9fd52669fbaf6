"""What must hold of usage that is billed ahead of its window's end, and of minimums."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

THRESHOLD_RULES = (
    Rule(
        name="billed-ahead",
        holds="The invoices of a window of usage bill it once: together what it costs",
        kind=Prefix.INVOICE,
        query="""
            select i.tenant_id, i.id, format('line %s: %s after %s, of %s', l.position,
                l.computation ->> 'quoted_amount', ahead.amount,
                l.computation #>> '{usage,amount}') as about
            from invoices i
            join invoice_lines l on l.tenant_id = i.tenant_id and l.invoice_id = i.id
            cross join lateral (
                select coalesce(sum((b.computation ->> 'quoted_amount')::bigint), 0) as amount
                from invoices a
                join invoice_lines b on b.tenant_id = a.tenant_id and b.invoice_id = a.id
                where a.tenant_id = i.tenant_id and a.subscription_id = i.subscription_id
                  and a.invoice_type = 'USAGE_THRESHOLD' and b.item_id = l.item_id
                  and b.start_date = l.start_date
                  and b.computation #>> '{usage,group}'
                      is not distinct from l.computation #>> '{usage,group}') ahead
            where i.invoice_type = 'RECURRING' and i.status <> 'DRAFT'
              and i.subscription_id is not null
              and l.computation #>> '{before,amount}' is not null
              and ((l.computation #>> '{before,amount}')::bigint <> ahead.amount
                   or (l.computation ->> 'quoted_amount')::bigint >= 0
                      and (l.computation ->> 'quoted_amount')::bigint + ahead.amount
                          is distinct from (l.computation #>> '{usage,amount}')::bigint)
        """,
    ),
    Rule(
        name="true-up",
        holds="A true-up is what the service of its window cost less than its minimum",
        kind=Prefix.INVOICE,
        query="""
            select tenant_id, invoice_id as id, format('line %s: %s of %s less %s', position,
                computation ->> 'quoted_amount', computation #>> '{shortfall,least}',
                computation #>> '{shortfall,cost}') as about
            from invoice_lines
            where computation #>> '{shortfall,least}' is not null
              and ((computation #>> '{shortfall,least}')::bigint
                   - (computation #>> '{shortfall,cost}')::bigint
                   <> (computation ->> 'quoted_amount')::bigint
                   or (computation ->> 'quoted_amount')::bigint <= 0)
        """,
    ),
    Rule(
        name="usage-set-aside",
        holds="Every customer's usage can be compared with the thresholds",
        kind=Prefix.CUSTOMER,
        query="""
            select tenant_id, customer_id as id,
                   format('set aside on %s: %s', tried_at, error) as about
            from usage_marks where error is not null
        """,
    ),
)
