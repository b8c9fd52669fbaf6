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
)
