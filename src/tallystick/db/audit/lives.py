"""What must hold of subscriptions while they live, and of what they brought along."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

LIFE_RULES = (
    Rule(
        name="next-step",
        holds="A subscription that lives by itself has its next day, one that is over has none",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select tenant_id, id,
                   format('%s, its next step is on %s', status,
                       coalesce(next_step_on::text, 'no day')) as about
            from subscriptions
            where case
                when status in ('CANCELLED', 'COMPLETED', 'SUPERSEDED')
                    then next_step_on is not null
                when status = 'TRIAL_EXPIRED' or awaits_activation then false
                else next_step_on is null end
        """,
    ),
    Rule(
        name="coupon-of-subscription",
        holds="A coupon that no attempt took is taken by a subscription of its customer",
        kind=Prefix.APPLIED_COUPON,
        query="""
            select r.tenant_id, r.id,
                   format('%s for the subscription %s of %s', r.state, r.subscription_id,
                       coalesce(s.customer_id::text, 'nobody')) as about
            from coupon_redemptions r
            left join subscriptions s
              on s.tenant_id = r.tenant_id and s.id = r.subscription_id
            where r.attempt_id is null
              and (r.state <> 'REDEEMED' or s.customer_id is distinct from r.customer_id)
        """,
    ),
    Rule(
        name="mrr-movements",
        holds="A subscription's monthly value is the sum of its movements, each beginning "
        "where the last has ended",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select s.tenant_id, s.id,
                   format('worth %s a month, %s movements of %s in all', s.mrr,
                       coalesce(m.count, 0), coalesce(m.amount, 0)) as about
            from subscriptions s
            left join (
                select tenant_id, subscription_id, count(*) as count, sum(amount) as amount,
                       max(position) as last, bool_or(broken) as broken
                from (select *, mrr_before <> lag(mrr_after, 1, 0::bigint) over (
                          partition by tenant_id, subscription_id order by position) as broken
                      from mrr_movements) one
                group by tenant_id, subscription_id) m
              on m.tenant_id = s.tenant_id and m.subscription_id = s.id
            where s.mrr <> coalesce(m.amount, 0) or m.broken or m.last <> m.count
        """,
    ),
)
