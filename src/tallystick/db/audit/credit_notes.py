"""What must hold of credit notes, and of the refunds behind them."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

CREDIT_NOTE_RULES = (
    Rule(
        name="credit-note-lines",
        holds="A credit note's amounts are the sums of its lines",
        kind=Prefix.CREDIT_NOTE,
        query="""
            select n.tenant_id, n.id, format(
                'lines sum to %s - %s + %s = %s, the note says %s - %s + %s = %s',
                coalesce(l.amount, 0), coalesce(l.discount, 0), coalesce(l.tax, 0),
                coalesce(l.total, 0), n.subtotal, n.discount, n.tax_amount, n.total) as about
            from credit_notes n
            left join (
                select tenant_id, credit_note_id, sum(amount) as amount,
                       sum(discount) as discount, sum(tax) as tax, sum(amount_total) as total
                from credit_note_lines group by tenant_id, credit_note_id) l
              on l.tenant_id = n.tenant_id and l.credit_note_id = n.id
            where (n.subtotal, n.discount, n.tax_amount, n.total) is distinct from
                  (coalesce(l.amount, 0), coalesce(l.discount, 0), coalesce(l.tax, 0),
                   coalesce(l.total, 0))
               or n.subtotal - n.discount + n.tax_amount <> n.total
        """,
    ),
    Rule(
        name="credit-note-line",
        holds="No line of an invoice is credited beyond itself",
        kind=Prefix.INVOICE,
        query="""
            select l.tenant_id, l.invoice_id as id, format(
                'line %s: %s of %s credited, tax %s of %s', l.position, c.total, l.amount_total,
                c.tax, l.tax) as about
            from invoice_lines l
            join (
                select c.tenant_id, c.invoice_line_id, sum(c.amount) as amount,
                       sum(c.tax) as tax, sum(c.amount_total) as total
                from credit_note_lines c
                join credit_notes n on n.tenant_id = c.tenant_id and n.id = c.credit_note_id
                where n.status <> 'VOIDED' group by c.tenant_id, c.invoice_line_id) c
              on c.tenant_id = l.tenant_id and c.invoice_line_id = l.id
            where c.amount not between least(l.amount, 0) and greatest(l.amount, 0)
               or c.tax not between least(l.tax, 0) and greatest(l.tax, 0)
               or c.total not between least(l.amount_total, 0) and greatest(l.amount_total, 0)
        """,
    ),
    Rule(
        name="credit-note-invoice",
        holds="The credit notes of an invoice exceed neither it nor what was written off, and"
        " cancel what it says",
        kind=Prefix.INVOICE,
        query="""
            select i.tenant_id, i.id, format(
                '%s credited of %s, %s of it debt (the invoice says %s), %s from the balance'
                ' of %s, %s written off of %s', coalesce(n.total, 0), i.total,
                coalesce(n.cancelled, 0), i.cancelled, coalesce(n.from_balance, 0),
                i.applied_balance, coalesce(n.from_write_off, 0), i.written_off) as about
            from invoices i
            left join (
                select tenant_id, invoice_id, sum(total) as total,
                       sum(from_balance) as from_balance,
                       sum(from_write_off) as from_write_off,
                       sum(total) filter (where credit_type = 'DEBT_CANCELLATION') as cancelled
                from credit_notes where status <> 'VOIDED' group by tenant_id, invoice_id) n
              on n.tenant_id = i.tenant_id and n.invoice_id = i.id
            where coalesce(n.total, 0) > i.total and n.total is not null
               or coalesce(n.cancelled, 0) <> i.cancelled
               or i.status <> 'VOID' and coalesce(n.from_balance, 0) > i.applied_balance
               or n.from_write_off > i.written_off
        """,
    ),
    Rule(
        name="credit-note-numbers",
        holds="Each entity's credit notes are numbered from 1 without gap, as its counter says",
        kind=Prefix.INVOICING_ENTITY,
        query="""
            select tenant_id, invoicing_entity_id as id, format(
                '%s notes from %s to %s, the counter says %s', coalesce(n.numbers, 0),
                coalesce(n.first, 0), coalesce(n.last, 0), coalesce(c.last_number, 0)) as about
            from (
                select tenant_id, invoicing_entity_id, count(distinct number) as numbers,
                       count(number) as numbered, min(number) as first, max(number) as last
                from credit_notes where number is not null
                group by tenant_id, invoicing_entity_id) n
            full join credit_note_counters c using (tenant_id, invoicing_entity_id)
            where coalesce(n.numbers, 0) <> coalesce(c.last_number, 0)
               or n.numbers <> n.numbered or n.first <> 1 or n.last <> c.last_number
        """,
    ),
    Rule(
        name="credit-note-balance",
        holds="A final note gave the balance what it says, any other nothing",
        kind=Prefix.CREDIT_NOTE,
        query="""
            select n.tenant_id, n.id, format('%s %s gave %s', n.status, n.credit_type,
                                             coalesce(e.given, 0)) as about
            from credit_notes n
            left join (
                select tenant_id, credit_note_id, sum(amount) as given from balance_entries
                where credit_note_id is not null group by tenant_id, credit_note_id) e
              on e.tenant_id = n.tenant_id and e.credit_note_id = n.id
            where coalesce(e.given, 0) <> case
                when n.status <> 'FINALIZED' then 0
                when n.credit_type = 'CREDIT_TO_BALANCE' then n.from_balance + n.from_payments
                when n.credit_type = 'REFUND' then n.from_balance else 0 end
        """,
    ),
    Rule(
        name="refund-recorded",
        holds="A refund note is as its refund is, and money that went back is a transaction",
        kind=Prefix.CREDIT_NOTE,
        query="""
            select n.tenant_id, n.id, format('%s, its refund %s of %s, transactions of %s',
                n.status, coalesce(r.state, 'missing'), r.amount, coalesce(t.amount, 0))
                as about
            from credit_notes n
            left join refunds r on r.tenant_id = n.tenant_id and r.credit_note_id = n.id
            left join (
                select tenant_id, credit_note_id, sum(amount) as amount from transactions
                where payment_type = 'REFUND' and status = 'SETTLED'
                group by tenant_id, credit_note_id) t
              on t.tenant_id = n.tenant_id and t.credit_note_id = n.id
            where n.credit_type = 'REFUND'
              and ((n.status, r.state) not in (('DRAFT', 'LIVE'), ('FINALIZED', 'SUCCEEDED'),
                                               ('VOIDED', 'FAILED'))
                   or r.state is null or r.amount <> n.from_payments
                   or coalesce(t.amount, 0)
                      <> case r.state when 'SUCCEEDED' then r.amount else 0 end)
        """,
    ),
    Rule(
        name="refund-of-payment",
        holds="No more of a payment goes back than it was",
        kind=Prefix.TRANSACTION,
        query="""
            select t.tenant_id, t.id, format('%s of %s %s refunded', sum(r.amount), t.amount,
                                             t.currency) as about
            from transactions t
            join refunds r on r.tenant_id = t.tenant_id and r.payment_id = t.id
            where r.state <> 'FAILED'
            group by t.tenant_id, t.id having sum(r.amount) > t.amount
        """,
    ),
    Rule(
        name="refund-taken-up",
        holds="A refund comes to its end within an hour",
        kind=None,
        query="""
            select tenant_id, id, format('LIVE since %s, %s', claimed_on, reference) as about
            from refunds
            where state = 'LIVE' and claimed_on < clock_timestamp() - interval '1 hour'
        """,
    ),
)
