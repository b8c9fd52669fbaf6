"""What must hold between our books and the test bank's ledger: no money without an owner."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

LATE = "interval '10 minutes'"

BANK_RULES = (
    Rule(
        name="bank-orphan-money",
        holds="What the bank took was recorded, is being recorded, or is on its way back",
        kind=None,
        query="""
            select m.tenant_id, a.id, format('%s %s taken under %s: %s', m.amount, m.currency,
                m.reference, coalesce('the attempt is ' || a.state, 'no attempt knows of it'))
                as about
            from sandbox.movements m
            left join payment_attempts a on a.tenant_id = m.tenant_id
                and a.provider = 'sandbox' and a.reference = m.reference
            where m.kind = 'CHARGE'
              and (a.id is null or a.state = 'FAILED' and a.late_money is null)
              and not exists (
                select from collections c
                where c.tenant_id = m.tenant_id and c.provider = 'sandbox'
                  and c.reference = m.reference and c.state <> 'FAILED')
              and not exists (
                select from refunds r
                where r.tenant_id = m.tenant_id and r.provider = 'sandbox'
                  and r.reference = m.reference and r.collection_id is not null
                  and r.state <> 'FAILED')
              and not exists (
                select from orphan_payments o
                where o.tenant_id = m.tenant_id and o.provider = 'sandbox'
                  and o.reference = m.reference and o.state in ('REFUNDING', 'REFUNDED'))
        """,
    ),
    Rule(
        name="orphan-payment",
        holds="Money that a provider took and nobody knew of is attached or given back",
        kind=Prefix.TRANSACTION,
        query="""
            select tenant_id, id, format('%s %s taken by %s under %s: %s%s', amount, currency,
                provider, reference, state, coalesce(' (' || failure || ')', '')) as about
            from orphan_payments where state in ('FOUND', 'REFUSED')
        """,
    ),
    Rule(
        name="bank-unrecorded",
        holds="What the bank took is recorded within ten minutes of the news",
        kind=None,
        # Nobody has asked since the buyer was sent to the bank: the challenge may go on.
        query=f"""
            select m.tenant_id, a.id, format(
                '%s %s taken at %s under %s, still %s (session %s)', m.amount, m.currency,
                m.created_at, m.reference, a.step, a.session_id) as about
            from sandbox.movements m
            join payment_attempts a on a.tenant_id = m.tenant_id
                and a.provider = 'sandbox' and a.reference = m.reference
            where m.kind = 'CHARGE' and a.state = 'LIVE' and m.created_at < now() - {LATE}
              and (a.challenge_until is distinct from a.check_at
                   or a.check_at < now() - {LATE})
        """,
    ),
    Rule(
        name="bank-charge",
        holds="A settled payment was taken by the bank exactly once, in its amount",
        kind=Prefix.TRANSACTION,
        query="""
            select t.tenant_id, t.id, format('%s %s settled, the bank took %s (%s)', t.amount,
                t.currency, coalesce(m.amounts::text, 'nothing'), t.reference) as about
            from transactions t
            left join (
                select tenant_id, reference, array_agg(amount) as amounts,
                       array_agg(currency::text) as currencies
                from sandbox.movements where kind = 'CHARGE'
                group by tenant_id, reference) m
              on m.tenant_id = t.tenant_id and m.reference = t.reference
            where t.provider = 'sandbox' and t.payment_type = 'PAYMENT' and t.status = 'SETTLED'
              and (m.amounts is distinct from array[t.amount]
                   or m.currencies is distinct from array[t.currency::text])
        """,
    ),
    Rule(
        name="bank-unsettled",
        holds="No payment that we hold for unpaid was taken by the bank",
        kind=Prefix.TRANSACTION,
        query="""
            select t.tenant_id, t.id,
                   format('%s here, taken at the bank (%s)', t.status, t.reference) as about
            from transactions t
            join sandbox.movements m on m.tenant_id = t.tenant_id
                and m.reference = t.reference and m.kind = 'CHARGE'
            where t.provider = 'sandbox' and t.payment_type = 'PAYMENT'
              and t.status in ('FAILED', 'CANCELLED', 'READY')
        """,
    ),
    Rule(
        name="bank-decided",
        holds="A payment is pending until the bank has decided about it, and not for longer",
        kind=Prefix.TRANSACTION,
        query=f"""
            select t.tenant_id, t.id, format(
                'pending here, %s at the bank since %s, %s (%s)', i.state, i.settle_at,
                case when i.acknowledged_at is null then 'to be recorded; does a worker run?'
                     else 'and acknowledged' end, t.reference) as about
            from transactions t
            join sandbox.intents i on i.tenant_id = t.tenant_id and i.reference = t.reference
            where t.provider = 'sandbox' and t.payment_type = 'PAYMENT' and t.status = 'PENDING'
              and (i.acknowledged_at is not null or i.settle_at < now() - {LATE})
        """,
    ),
    Rule(
        name="bank-refund",
        holds="What went back at the bank and arrived is late money and the refunds of the"
        " books, once; what came back is known ten minutes later at most",
        kind=None,
        # What is on its way may have gone back already, and what came back may be news. Money
        # that nobody knew of may have gone back by hand, in part or in full.
        query=f"""
            select tenant_id, about_id as id, format(
                '%s went back under %s, the books say %s, and %s on its way',
                coalesce(m.amount, 0), reference, coalesce(b.gone, 0), coalesce(b.going, 0))
                as about
            from (
                select tenant_id, reference,
                       sum(case kind when 'REFUND' then amount else -amount end) as amount,
                       coalesce(sum(amount) filter (
                           where kind = 'REFUND_FAILED' and created_at > now() - {LATE}), 0)
                           as news
                from sandbox.movements where kind in ('REFUND', 'REFUND_FAILED')
                group by tenant_id, reference) m
            full join (
                select tenant_id, reference, min(id::text)::uuid as about_id,
                       sum(amount) filter (where state = 'GONE') as gone,
                       sum(amount) filter (where state = 'GOING') as going
                from (
                    select tenant_id, reference, id, amount,
                           case late_money when 'REFUNDED' then 'GONE' else 'GOING' end as state
                    from payment_attempts a
                    where provider = 'sandbox' and late_money in ('REFUNDING', 'REFUNDED')
                      and not exists (
                        select from orphan_payments o
                        where o.tenant_id = a.tenant_id and o.provider = a.provider
                          and o.reference = a.reference and o.came_back_of = a.id)
                    union all
                    select tenant_id, reference, id, amount,
                           case state when 'SUCCEEDED' then 'GONE' else 'GOING' end
                    from refunds
                    where provider = 'sandbox' and state <> 'FAILED' and came_back_at is null
                    union all
                    select tenant_id, reference, id, amount,
                           case state when 'REFUNDED' then 'GONE' else 'GOING' end
                    from orphan_payments
                    where provider = 'sandbox' and state in ('REFUNDING', 'REFUNDED')) one
                group by tenant_id, reference) b using (tenant_id, reference)
            left join (
                select v.tenant_id, v.reference, sum(v.amount - v.returned) as amount
                from sandbox.reversals v
                join orphan_payments o on o.tenant_id = v.tenant_id
                    and o.provider = 'sandbox' and o.reference = v.reference
                where v.kind = 'REFUND' and o.state = 'REFUNDED'
                group by v.tenant_id, v.reference) h using (tenant_id, reference)
            where coalesce(m.amount, 0) + coalesce(m.news, 0) + coalesce(h.amount, 0)
                  < coalesce(b.gone, 0)
               or coalesce(m.amount, 0) > coalesce(b.gone, 0) + coalesce(b.going, 0)
        """,
    ),
    Rule(
        name="bank-refund-asked",
        holds="Late money that is to go back has its job",
        kind=None,
        query="""
            select a.tenant_id, a.id,
                   format('%s %s under %s is REFUNDING, and no job knows of it', a.amount,
                          a.currency, a.reference) as about
            from payment_attempts a
            where a.late_money = 'REFUNDING' and not exists (
                select from pgqueuer j
                where position(a.id::text in encode(j.payload, 'escape')) > 0)
        """,
    ),
)
