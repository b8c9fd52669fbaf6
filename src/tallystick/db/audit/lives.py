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
                when status = 'TRIAL_EXPIRED' then false
                when awaits_activation and (end_date is null or billing_cycles is not null)
                    then false
                else next_step_on is null end
        """,
    ),
    Rule(
        name="trial-draft",
        holds="A draft that is charged first waits for an expired trial to be paid",
        kind=Prefix.INVOICE,
        query="""
            select i.tenant_id, i.id, format('the subscription %s is %s', s.id, s.status)
                as about
            from invoices i
            join subscriptions s on s.tenant_id = i.tenant_id and s.id = i.subscription_id
            where i.charged_first and s.status <> 'TRIAL_EXPIRED'
        """,
    ),
    Rule(
        name="trials-together",
        holds="A draft of several trials is there while it is charged, and as long as it is "
        "charged first so are theirs",
        kind=Prefix.INVOICE,
        query="""
            select p.tenant_id, p.id, format(
                'charged first: %s, of its members %s are and %s are not, live tries: %s',
                p.charged_first, m.waiting, m.done, c.live) as about
            from invoices p
            cross join lateral (
                select count(*) filter (where charged_first) as waiting,
                       count(*) filter (where not charged_first) as done
                from invoices m where m.tenant_id = p.tenant_id
                  and m.consolidated_into_invoice_id = p.id) m
            cross join lateral (
                select count(*) as live from collections c
                where c.tenant_id = p.tenant_id and c.invoice_id = p.id
                  and c.state = 'LIVE') c
            where p.subscription_id is null and case when p.charged_first
                then m.waiting < 2 or m.done > 0 or c.live <> 1 else m.waiting > 0 end
        """,
    ),
    Rule(
        name="trial-paid",
        holds="A trial that was paid for has gone on, with a final invoice",
        kind=Prefix.SUBSCRIPTION,
        query="""
            with paid as (
                select tenant_id, activates as id, invoice_id from collections
                where state = 'SUCCEEDED' and activates is not null
                union
                select c.tenant_id, m.subscription_id, c.invoice_id
                from collections c
                join invoices m on m.tenant_id = c.tenant_id
                    and m.consolidated_into_invoice_id = c.invoice_id
                where c.state = 'SUCCEEDED' and c.activates is not null)
            select p.tenant_id, p.id, format('%s, its invoice is %s', s.status,
                coalesce(i.status, 'not there')) as about
            from paid p
            join subscriptions s on s.tenant_id = p.tenant_id and s.id = p.id
            left join invoices i on i.tenant_id = p.tenant_id and i.id = p.invoice_id
                and (i.subscription_id = s.id or exists (
                    select from invoices m where m.tenant_id = i.tenant_id
                      and m.consolidated_into_invoice_id = i.id and m.subscription_id = s.id))
            where s.status = 'TRIAL_EXPIRED' or coalesce(i.status, 'DRAFT') = 'DRAFT'
        """,
    ),
    Rule(
        name="being-paid",
        holds="A subscription is being paid while a payment that activates it lives",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select s.tenant_id, s.id, format('%s, is being paid: %s, live payments: %s',
                s.status, s.is_being_paid, live.count) as about
            from subscriptions s
            cross join lateral (
                select (select count(*) from collections c
                        where c.tenant_id = s.tenant_id and c.state = 'LIVE'
                          and c.activates is not null and (c.activates = s.id or exists (
                            select from invoices m where m.tenant_id = c.tenant_id
                              and m.consolidated_into_invoice_id = c.invoice_id
                              and m.subscription_id = s.id)))
                     + (select count(*) from payment_attempts a
                        where a.tenant_id = s.tenant_id and a.subscription_id = s.id
                          and a.state = 'LIVE') as count) live
            where live.count <> s.is_being_paid::int
        """,
    ),
    Rule(
        name="activation-session",
        holds="A session that activates has its subscription, which waits until it is bought",
        kind=Prefix.CHECKOUT_SESSION,
        query="""
            select c.tenant_id, c.id, format('%s, its subscription is %s', c.state,
                case when s.id is null then 'missing'
                     when s.awaits_checkout then 'waiting' else 'checked out' end) as about
            from checkout_sessions c
            left join subscriptions s on s.tenant_id = c.tenant_id
                and s.checkout_session_id = c.id and s.customer_id = c.customer_id
                and s.activation = 'ON_CHECKOUT'
            where c.checkout_type = 'SUBSCRIPTION_ACTIVATION'
              and s.awaits_checkout is distinct from (c.state <> 'COMPLETED')
        """,
    ),
    Rule(
        name="scheduled-change",
        holds="What is scheduled is for the end of the period of a subscription that goes on",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select c.tenant_id, c.subscription_id as id,
                   format('%s scheduled for %s, it is %s until %s', c.kind, c.effective_on,
                       s.status, least(s.current_period_end, s.end_date, s.cancelled_on))
                       as about
            from scheduled_changes c
            join subscriptions s on s.tenant_id = c.tenant_id and s.id = c.subscription_id
            where s.status not in ('ACTIVE', 'TRIAL_ACTIVE', 'SUSPENDED')
               or c.effective_on is distinct from s.current_period_end
               or s.end_date <= c.effective_on or s.cancelled_on is not null
        """,
    ),
    Rule(
        name="suspended-for",
        holds="A suspended subscription has an invoice that suspends it",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select s.tenant_id, s.id, 'nothing suspends it' as about
            from subscriptions s
            where s.status = 'SUSPENDED' and not exists (
                select from invoices i
                where i.tenant_id = s.tenant_id and i.subscription_id = s.id and i.suspends)
              and not exists (
                select from invoices m
                join invoices i on i.tenant_id = m.tenant_id
                    and i.id = m.consolidated_into_invoice_id
                where m.tenant_id = s.tenant_id and m.subscription_id = s.id and i.suspends)
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
