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
)
