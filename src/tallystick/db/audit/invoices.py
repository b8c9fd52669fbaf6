"""What must hold of invoices and of the payments for them."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

INVOICE_RULES = (
    Rule(
        name="invoice-lines",
        holds="An invoice's amounts are the sums of its lines",
        kind=Prefix.INVOICE,
        query="""
            select i.tenant_id, i.id, format(
                'lines sum to %s - %s + %s = %s, the invoice says %s - %s + %s = %s',
                coalesce(l.amount, 0), coalesce(l.discount, 0), coalesce(l.tax, 0),
                coalesce(l.total, 0), i.subtotal, i.discount, i.tax_amount, i.total) as about
            from invoices i
            left join (
                select tenant_id, invoice_id, sum(amount) as amount, sum(discount) as discount,
                       sum(tax) as tax, sum(amount_total) as total
                from invoice_lines group by tenant_id, invoice_id) l
              on l.tenant_id = i.tenant_id and l.invoice_id = i.id
            where (i.subtotal, i.discount, i.tax_amount, i.total) is distinct from
                  (coalesce(l.amount, 0), coalesce(l.discount, 0), coalesce(l.tax, 0),
                   coalesce(l.total, 0))
        """,
    ),
    Rule(
        name="invoice-arithmetic",
        holds="Subtotal less discount plus tax is the total, of each line and each invoice",
        kind=Prefix.INVOICE,
        query="""
            select tenant_id, id, format('%s - %s + %s is not %s',
                                         subtotal, discount, tax_amount, total) as about
            from invoices where subtotal - discount + tax_amount <> total
            union all
            select tenant_id, invoice_id, format('line %s: %s - %s + %s is not %s',
                                                 position, amount, discount, tax, amount_total)
            from invoice_lines where amount - discount + tax <> amount_total
        """,
    ),
    Rule(
        name="invoice-amount-due",
        holds="The total less balance, write-off, cancelled debt and what was paid and not"
        " taken back is due, and PAID owes nothing",
        kind=Prefix.INVOICE,
        query="""
            select tenant_id, id, format(
                '%s due of %s, %s from the balance, %s written off, %s cancelled, %s settled,'
                ' %s reversed, %s', amount_due, total, applied_balance, written_off, cancelled,
                settled, reversed, payment_status) as about
            from invoices
            where status <> 'VOID'
              and (amount_due <> greatest(total, 0) - applied_balance - written_off
                        - cancelled - (settled - reversed)
                   or amount_due < 0
                   or status in ('FINALIZED', 'UNCOLLECTIBLE')
                      and (payment_status = 'PAID') <> (amount_due = 0))
        """,
    ),
    Rule(
        name="invoice-settled",
        holds="What is settled of an invoice is the sum of its settled payments",
        kind=Prefix.INVOICE,
        query="""
            select i.tenant_id, i.id, format('%s settled, payments of %s',
                                             i.settled, coalesce(t.settled, 0)) as about
            from invoices i
            left join (
                select tenant_id, invoice_id, sum(amount) as settled from transactions
                where payment_type = 'PAYMENT' and status = 'SETTLED'
                group by tenant_id, invoice_id) t
              on t.tenant_id = i.tenant_id and t.invoice_id = i.id
            where i.settled <> coalesce(t.settled, 0)
        """,
    ),
    Rule(
        name="invoice-processing",
        holds="An invoice is PROCESSING while a payment for it is pending, and then only",
        kind=Prefix.INVOICE,
        query="""
            select i.tenant_id, i.id, format('%s, %s pending', i.payment_status,
                                             coalesce(t.pending, 0)) as about
            from invoices i
            left join (
                select tenant_id, invoice_id, count(*) as pending from transactions
                where payment_type = 'PAYMENT' and status = 'PENDING'
                group by tenant_id, invoice_id) t
              on t.tenant_id = i.tenant_id and t.invoice_id = i.id
            where (i.payment_status = 'PROCESSING') <> (coalesce(t.pending, 0) > 0)
        """,
    ),
    Rule(
        name="invoice-balance",
        holds="Entries took what is applied to an invoice, or gave its total below zero",
        kind=Prefix.INVOICE,
        query="""
            select i.tenant_id, i.id, format('%s applied, entries of %s', i.applied_balance,
                                             coalesce(e.taken, 0)) as about
            from invoices i
            left join (
                select tenant_id, invoice_id, -sum(amount) as taken from balance_entries
                where reason = 'INVOICE' group by tenant_id, invoice_id) e
              on e.tenant_id = i.tenant_id and e.invoice_id = i.id
            where i.status <> 'VOID' and coalesce(e.taken, 0) <> i.applied_balance
                + case when i.status = 'DRAFT' then 0 else least(i.total, 0) end
        """,
    ),
    Rule(
        name="invoice-numbers",
        holds="Each entity's invoices are numbered from 1 without gap, and its counter agrees",
        kind=Prefix.INVOICING_ENTITY,
        query="""
            select tenant_id, invoicing_entity_id as id, format(
                '%s invoices from %s to %s, the counter says %s',
                coalesce(i.numbers, 0), coalesce(i.first, 0), coalesce(i.last, 0),
                coalesce(c.last_number, 0)) as about
            from (
                select tenant_id, invoicing_entity_id, count(distinct number) as numbers,
                       count(number) as numbered, min(number) as first, max(number) as last
                from invoices where number is not null
                group by tenant_id, invoicing_entity_id) i
            full join invoice_counters c using (tenant_id, invoicing_entity_id)
            where coalesce(i.numbers, 0) <> coalesce(c.last_number, 0)
               or i.numbers <> i.numbered or i.first <> 1 or i.last <> c.last_number
        """,
    ),
    Rule(
        name="invoice-finalized",
        holds="A finalized invoice has its number and its dates, and a draft has no number",
        kind=Prefix.INVOICE,
        query="""
            select tenant_id, id, format('%s, number %s, finalized at %s', status,
                coalesce(invoice_number, 'none'), finalized_at) as about
            from invoices
            where (status = 'DRAFT') <> (number is null)
               or (number is null) <> (invoice_number is null)
               or (status = 'DRAFT') <> (finalized_at is null)
               or due_date <> invoice_date + net_terms
        """,
    ),
    Rule(
        name="invoice-once-per-period",
        holds="A subscription has one recurring invoice per period",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select tenant_id, subscription_id as id, format('%s invoices of %s: %s', count(*),
                billing_period_start, string_agg(invoice_number, ', ')) as about
            from invoices
            where invoice_type = 'RECURRING' and status <> 'VOID'
              and subscription_id is not null
            group by tenant_id, subscription_id, billing_period_start having count(*) > 1
        """,
    ),
)
