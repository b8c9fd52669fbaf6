"""What must hold of money that providers took back."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

LATE = "interval '10 minutes'"

REVERSAL_RULES = (
    Rule(
        name="invoice-reversed",
        holds="What is reversed of an invoice is what was taken back of its payments, and it"
        " waits for a person only while that is due",
        kind=Prefix.INVOICE,
        query="""
            select i.tenant_id, i.id, format('%s reversed of %s settled, %s taken back%s',
                i.reversed, i.settled, coalesce(r.taken, 0),
                case when i.awaits_person then ', waits for a person' else '' end) as about
            from invoices i
            left join (
                select tenant_id, invoice_id, sum(amount - returned + to_balance) as taken
                from reversals group by tenant_id, invoice_id) r
              on r.tenant_id = i.tenant_id and r.invoice_id = i.id
            where i.reversed <> coalesce(r.taken, 0) or i.reversed not between 0 and i.settled
               or i.awaits_person and (i.reversed = 0 or i.amount_due = 0)
        """,
    ),
    Rule(
        name="reversal-of-payment",
        holds="No more of a payment is taken back than it was, and only of a settled one",
        kind=Prefix.TRANSACTION,
        query="""
            select r.tenant_id, r.payment_id as id, format('%s of %s taken back, %s',
                sum(r.amount - r.returned + r.to_balance), coalesce(min(t.amount), 0),
                coalesce(min(t.status), 'of no payment of its invoice')) as about
            from reversals r
            left join transactions t on t.tenant_id = r.tenant_id and t.id = r.payment_id
                and t.invoice_id = r.invoice_id and t.payment_type = 'PAYMENT'
            group by r.tenant_id, r.payment_id
            having sum(r.amount - r.returned + r.to_balance) > coalesce(min(t.amount), -1)
                or min(t.status) <> 'SETTLED'
        """,
    ),
    Rule(
        name="reversal-balance",
        holds="What came back and was not due any more is the customer's, once",
        kind=Prefix.INVOICE,
        query="""
            select tenant_id, invoice_id as id, format('%s came back to spare, the balance got'
                ' %s', coalesce(r.spare, 0), coalesce(e.given, 0)) as about
            from (
                select tenant_id, invoice_id, sum(to_balance) as spare
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
