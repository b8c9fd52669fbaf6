"""What must hold of subscriptions that go on, and of invoices that are collected."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

BILLING_RULES = (
    Rule(
        name="collection-payment",
        holds="A try to collect that succeeded has one payment of its amount, any other none",
        kind=None,
        query="""
            select c.tenant_id, c.id, format('%s of %s %s, payments: %s', c.state, c.amount,
                   c.currency, count(t.id)) as about
            from collections c
            left join transactions t on t.tenant_id = c.tenant_id and t.collection_id = c.id
            group by c.tenant_id, c.id
            having (c.state = 'SUCCEEDED') <> (count(t.id) = 1)
                or coalesce(max(t.amount), c.amount) <> c.amount
        """,
    ),
    Rule(
        name="collection-taken-up",
        holds="A try to collect comes to its end within an hour",
        kind=None,
        query="""
            select c.tenant_id, c.id,
                   format('LIVE since %s, %s', c.claimed_on,
                          coalesce(c.reference, 'not opened')) as about
            from collections c
            where c.state = 'LIVE' and c.claimed_on < clock_timestamp() - interval '1 hour'
        """,
    ),
    Rule(
        name="set-aside",
        holds="Every subscription can be billed",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select s.tenant_id, s.id,
                   format('set aside on %s: %s', s.billing_tried_at, s.billing_error) as about
            from subscriptions s where s.billing_error is not null
        """,
    ),
    Rule(
        name="draft-set-aside",
        holds="Every draft can be finalized",
        kind=Prefix.INVOICE,
        query="""
            select i.tenant_id, i.id,
                   format('set aside on %s: %s', i.billing_tried_at, i.billing_error) as about
            from invoices i where i.billing_error is not null
        """,
    ),
    Rule(
        name="consolidated-lines",
        holds="A consolidated invoice carries the lines of its members, and no others",
        kind=Prefix.INVOICE,
        query="""
            with own as (
                select p.tenant_id, p.id, l.item_id, l.name, l.start_date, l.end_date, l.amount,
                       l.discount, l.tax, count(*) as times
                from invoices p
                join invoice_lines l on l.tenant_id = p.tenant_id and l.invoice_id = p.id
                where exists (select from invoices m where m.tenant_id = p.tenant_id
                                and m.consolidated_into_invoice_id = p.id)
                group by 1, 2, 3, 4, 5, 6, 7, 8, 9),
            theirs as (
                select m.tenant_id, m.consolidated_into_invoice_id as id, l.item_id, l.name,
                       l.start_date, l.end_date, l.amount, l.discount, l.tax,
                       count(*) as times
                from invoices m
                join invoice_lines l on l.tenant_id = m.tenant_id and l.invoice_id = m.id
                where m.consolidated_into_invoice_id is not null
                group by 1, 2, 3, 4, 5, 6, 7, 8, 9)
            select tenant_id, id, format('%s of %s, and not so in its %s', name, amount, place)
                as about
            from (
                (select *, 'members' as place from (table own except table theirs) o)
                union all
                (select *, 'own lines' as place from (table theirs except table own) t)) odd
        """,
    ),
    Rule(
        name="consolidated-members",
        holds="What was consolidated stays an unnumbered draft that is not paid, of an invoice "
        "without subscription",
        kind=Prefix.INVOICE,
        query="""
            select m.tenant_id, m.id, format(
                '%s %s, number %s, %s from the balance, part of %s', m.status,
                m.payment_status, coalesce(m.invoice_number, 'none'), m.applied_balance,
                coalesce(p.invoice_number, p.id::text, 'nothing')) as about
            from invoices m
            left join invoices p
              on p.tenant_id = m.tenant_id and p.id = m.consolidated_into_invoice_id
            where m.consolidated_into_invoice_id is not null
              and (m.status <> 'DRAFT' or m.payment_status <> 'UNPAID' or m.number is not null
                   or m.applied_balance <> 0 or m.settled <> 0 or m.finalize_at is not null
                   or p.subscription_id is not null
                   or (p.customer_id, p.currency, p.invoice_date, p.invoice_type)
                       is distinct from
                      (m.customer_id, m.currency, m.invoice_date, 'RECURRING'))
        """,
    ),
)
