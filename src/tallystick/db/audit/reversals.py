"""What must hold of money that providers took back."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

LATE = "interval '10 minutes'"

_PAYMENTS = """
    select r.tenant_id, r.invoice_id, r.payment_id, sum(r.amount - r.returned) as taken,
           sum(r.to_balance - r.from_balance) as spare, coalesce(min(t.amount), 0) as paid
    from reversals r
    left join transactions t on t.tenant_id = r.tenant_id and t.id = r.payment_id
    group by r.tenant_id, r.invoice_id, r.payment_id
"""
"""What of each payment its provider has, and the balance."""

REVERSAL_NOTICES = (
    Rule(
        name="payment-lost",
        holds="What a provider took beyond what a payment had brought is lost, unless its"
        " dispute is won",
        kind=Prefix.TRANSACTION,
        query=f"""
            select p.tenant_id, p.payment_id as id, format(
                '%s %s of invoice %s: %s taken back of a payment of %s', p.taken - p.paid,
                i.currency, i.invoice_number, p.taken, p.paid) as about
            from ({_PAYMENTS}) p
            join invoices i on i.tenant_id = p.tenant_id and i.id = p.invoice_id
            where p.taken > p.paid
        """,
    ),
)
"""What a person should know of, though the books agree."""

REVERSAL_RULES = (
    Rule(
        name="invoice-reversed",
        holds="What is reversed of an invoice is what was taken back of its payments, up to"
        " each, and what of that the balance has; it waits for a person only while that is due",
        kind=Prefix.INVOICE,
        query=f"""
            select i.tenant_id, i.id, format('%s reversed of %s settled, %s of it spare, %s'
                ' taken back, %s of it spare%s', i.reversed, i.settled, i.spare,
                coalesce(r.taken, 0), coalesce(r.spare, 0),
                case when i.awaits_person then ', waits for a person' else '' end) as about
            from invoices i
            left join (
                select tenant_id, invoice_id, sum(spare) as spare,
                       sum(least(taken, paid) + spare) as taken
                from ({_PAYMENTS}) payment group by tenant_id, invoice_id) r
              on r.tenant_id = i.tenant_id and r.invoice_id = i.id
            where i.reversed <> coalesce(r.taken, 0) or i.spare <> coalesce(r.spare, 0)
               or i.spare < 0 or i.reversed - i.spare not between 0 and i.settled
               or i.awaits_person and (i.reversed = 0 or i.amount_due = 0)
        """,
    ),
    Rule(
        name="invoice-lost",
        holds="What is lost of an invoice is what was taken of each payment beyond it",
        kind=Prefix.INVOICE,
        query=f"""
            select i.tenant_id, i.id, format('%s lost, %s taken beyond its payments', i.lost,
                coalesce(r.lost, 0)) as about
            from invoices i
            left join (
                select tenant_id, invoice_id, sum(greatest(taken - paid, 0)) as lost
                from ({_PAYMENTS}) payment group by tenant_id, invoice_id) r
              on r.tenant_id = i.tenant_id and r.invoice_id = i.id
            where i.lost <> coalesce(r.lost, 0)
        """,
    ),
    Rule(
        name="reversal-of-payment",
        holds="Only of a settled payment anything is with its provider, and no more is taken"
        " from the balance than it was given of it",
        kind=Prefix.TRANSACTION,
        query="""
            select r.tenant_id, r.payment_id as id, format(
                '%s of %s taken back, %s of %s from the balance, %s',
                sum(r.amount - r.returned), coalesce(min(t.amount), 0), sum(r.from_balance),
                sum(r.to_balance),
                coalesce(min(t.status), 'of no payment of its invoice')) as about
            from reversals r
            left join transactions t on t.tenant_id = r.tenant_id and t.id = r.payment_id
                and t.invoice_id = r.invoice_id and t.payment_type = 'PAYMENT'
            group by r.tenant_id, r.payment_id
            having sum(r.from_balance) > sum(r.to_balance)
                or min(t.status) is distinct from 'SETTLED'
        """,
    ),
    Rule(
        name="reversal-balance",
        holds="What came back and was not due any more is the customer's, once, until it is"
        " taken again",
        kind=Prefix.INVOICE,
        query="""
            select tenant_id, invoice_id as id, format('%s came back to spare, the balance got'
                ' %s', coalesce(r.spare, 0), coalesce(e.given, 0)) as about
            from (
                select tenant_id, invoice_id, sum(to_balance - from_balance) as spare
                from reversals group by tenant_id, invoice_id) r
            full join (
                select tenant_id, invoice_id, sum(amount) as given
                from balance_entries where reason = 'REVERSAL'
                group by tenant_id, invoice_id) e using (tenant_id, invoice_id)
            where coalesce(r.spare, 0) <> coalesce(e.given, 0)
        """,
    ),
    Rule(
        name="bank-reversal",
        holds="What the bank took back is in the books as it says, ten minutes later at most",
        kind=None,
        query=f"""
            select coalesce(b.tenant_id, r.tenant_id) as tenant_id,
                   coalesce(r.id, t.id) as id, format(
                '%s under %s: %s taken and %s returned at the bank, %s and %s here%s', name,
                coalesce(b.reference, t.reference), coalesce(b.amount, 0),
                coalesce(b.returned, 0), coalesce(r.amount, 0), coalesce(r.returned, 0),
                case when b.acknowledged_at is null and b.id is not null
                     then '; to be recorded: does a worker run?' else '' end) as about
            from (select *, id as name from sandbox.reversals) b
            full join (
                select tenant_id, provider_reversal_id as name, id, payment_id, kind, amount,
                       returned
                from reversals where provider = 'sandbox') r using (tenant_id, name)
            left join transactions t on t.tenant_id = coalesce(r.tenant_id, b.tenant_id)
                and t.payment_type = 'PAYMENT' and t.provider = 'sandbox'
                and case when r.id is null then t.reference = b.reference
                         else t.id = r.payment_id end
            where (b.amount, b.returned, b.kind, b.reference)
                  is distinct from (r.amount, r.returned, r.kind, t.reference)
              and (b.id is null or b.acknowledged_at is not null
                   or b.stands_since < now() - {LATE})
        """,
    ),
)
