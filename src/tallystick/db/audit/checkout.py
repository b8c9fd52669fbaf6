"""What must hold of sessions, attempts, places and the subscriptions they made."""

from tallystick.db.attempts import CHALLENGE_LIFE
from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix
from tallystick.domain.purchase import SubscriptionStatus

STUCK = "interval '10 minutes'"
"""So long after its time an attempt was not taken up: the sweeper comes every few seconds."""

LIVE = str(tuple(status.value for status in SubscriptionStatus if status.is_live))
"""The statuses in which a subscription holds a place for its plan."""

CHECKOUT_RULES = (
    Rule(
        name="session-awaits-payment",
        holds="A session awaits payment while exactly one attempt of it lives, and then only",
        kind=Prefix.CHECKOUT_SESSION,
        query="""
            select s.tenant_id, s.id,
                   format('%s with %s live attempts', s.state, coalesce(a.live, 0)) as about
            from checkout_sessions s
            left join (
                select tenant_id, session_id, count(*) as live from payment_attempts
                where state = 'LIVE' group by tenant_id, session_id) a
              on a.tenant_id = s.tenant_id and a.session_id = s.id
            where coalesce(a.live, 0) <> (s.state = 'AWAITING_PAYMENT')::int
        """,
    ),
    Rule(
        name="session-completed",
        holds="A session is completed by exactly one successful attempt, and its subscription",
        kind=Prefix.CHECKOUT_SESSION,
        query="""
            select s.tenant_id, s.id, format(
                '%s with %s successful attempts for %s, its subscription is %s', s.state,
                coalesce(a.won, 0), coalesce(a.subscriptions::text, '{}'),
                coalesce(s.subscription_id::text, 'none')) as about
            from checkout_sessions s
            left join (
                select tenant_id, session_id, count(*) as won,
                       array_agg(subscription_id) as subscriptions
                from payment_attempts where state = 'SUCCEEDED'
                group by tenant_id, session_id) a
              on a.tenant_id = s.tenant_id and a.session_id = s.id
            where coalesce(a.won, 0) <> (s.state = 'COMPLETED')::int
               or s.subscription_id <> all (a.subscriptions)
               or (s.state = 'COMPLETED') <> (s.subscription_id is not null)
        """,
    ),
    Rule(
        name="session-ending",
        holds="An ending is noted only while a payment is under way",
        kind=Prefix.CHECKOUT_SESSION,
        query="""
            select tenant_id, id, format('%s, to be ended by %s', state, ending_requested)
                as about
            from checkout_sessions
            where ending_requested is not null and state <> 'AWAITING_PAYMENT'
        """,
    ),
    Rule(
        name="attempt-taken-up",
        holds="An attempt that nobody has recorded is taken up within ten minutes of its time",
        kind=None,
        query=f"""
            select tenant_id, id, format(
                '%s since %s, due at %s (session %s); does a worker run?', step, claimed_at,
                check_at, session_id) as about
            from payment_attempts
            where state = 'LIVE' and (check_at is null or check_at < now() - {STUCK})
        """,
    ),
    Rule(
        name="attempt-ended",
        holds="An attempt has ended ten minutes after the longest that a challenge lives",
        kind=None,
        query=f"""
            select tenant_id, id, format(
                '%s, claimed at %s of real time (session %s); what does %s say of %s?', step,
                claimed_on, session_id, coalesce(provider, 'the log'),
                coalesce(reference, 'it')) as about
            from payment_attempts
            where state = 'LIVE' and claimed_on < now() - ({CHALLENGE_LIFE} + {STUCK})
        """,
    ),
    Rule(
        name="attempt-recorded",
        holds="A successful attempt made the subscription, invoice, payment and method it owns",
        kind=None,
        query="""
            select a.tenant_id, a.id, format(
                '%s (session %s): subscription %s, invoice %s, payment %s, method %s', a.kind,
                a.session_id,
                case when s.id is null then 'missing' else 'there' end,
                case when a.invoice_id is null then 'none' when i.id is null then 'missing'
                     else 'there' end,
                case when a.transaction_id is null then 'none' when t.id is null then 'missing'
                     when t.amount <> a.amount then format('of %s, not %s', t.amount, a.amount)
                     else 'there' end,
                case when a.payment_method_id is null then 'none'
                     when m.id is null then 'missing' else 'there' end) as about
            from payment_attempts a
            left join subscriptions s on s.tenant_id = a.tenant_id
                and s.id = a.subscription_id and (s.checkout_session_id = a.session_id
                    or exists (select from checkout_sessions c
                               where c.tenant_id = a.tenant_id and c.id = a.session_id
                                 and c.changes = s.id))
            left join invoices i on i.tenant_id = a.tenant_id and i.id = a.invoice_id
                and i.subscription_id = a.subscription_id
            left join transactions t on t.tenant_id = a.tenant_id and t.id = a.transaction_id
                and t.attempt_id = a.id and t.invoice_id = a.invoice_id
                and t.reference = a.reference and t.currency = a.currency
            left join payment_methods m on m.tenant_id = a.tenant_id
                and m.id = a.payment_method_id and m.customer_id = a.customer_id
            where a.state = 'SUCCEEDED'
              and (s.id is null
                   or (a.invoice_id is null) <> (i.id is null)
                   or (a.kind = 'PAYMENT') <> (t.id is not null)
                   or t.amount <> a.amount
                   or (a.payment_method_id is null) <> (m.id is null))
        """,
    ),
    Rule(
        name="attempt-unrecorded",
        holds="An attempt that did not succeed made no subscription, invoice or payment",
        kind=None,
        query="""
            select a.tenant_id, a.id, format(
                '%s (session %s): subscription %s, invoice %s, payment %s', a.state,
                a.session_id, coalesce(s.id::text, 'none'), coalesce(i.id::text, 'none'),
                coalesce(t.id::text, 'none')) as about
            from payment_attempts a
            join checkout_sessions c on c.tenant_id = a.tenant_id and c.id = a.session_id
            left join subscriptions s on s.tenant_id = a.tenant_id and s.id = a.subscription_id
                and c.checkout_type = 'SELF_SERVE'
            left join invoices i on i.tenant_id = a.tenant_id and i.id = a.invoice_id
            left join transactions t on t.tenant_id = a.tenant_id and t.attempt_id = a.id
            where a.state <> 'SUCCEEDED' and num_nonnulls(s.id, i.id, t.id) > 0
        """,
    ),
    Rule(
        name="subscription-of-checkout",
        holds="A subscription bought at a checkout belongs to the session it completed",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select s.tenant_id, s.id, format('the session %s has %s', s.checkout_session_id,
                coalesce(c.subscription_id::text, 'no subscription')) as about
            from subscriptions s
            join checkout_sessions c
              on c.tenant_id = s.tenant_id and c.id = s.checkout_session_id
            where c.checkout_type = 'SELF_SERVE' and c.subscription_id is distinct from s.id
        """,
    ),
    Rule(
        name="place-holder",
        holds="A place is held by a live attempt or subscription of its customer and plan",
        kind=Prefix.CUSTOMER,
        query=f"""
            select p.tenant_id, p.customer_id as id, format(
                'place %s of the plan %s is held by the %s %s, which is %s', p.place, p.plan_id,
                lower(p.held_by), p.holder, coalesce(a.state, s.status, 'not there')) as about
            from plan_places p
            left join (
                payment_attempts a
                join checkout_sessions c on c.tenant_id = a.tenant_id and c.id = a.session_id)
              on p.held_by = 'ATTEMPT' and a.tenant_id = p.tenant_id and a.id = p.holder
                and a.customer_id = p.customer_id and c.plan_id = p.plan_id
            left join subscriptions s on p.held_by = 'SUBSCRIPTION'
                and s.tenant_id = p.tenant_id and s.id = p.holder
                and s.customer_id = p.customer_id and s.plan_id = p.plan_id
            where coalesce(a.state = 'LIVE', s.status in {LIVE} or exists (
                    -- The end of its trial is about to be charged.
                    select from invoices i
                    where i.tenant_id = s.tenant_id and i.subscription_id = s.id
                      and i.charged_first)) is not true
        """,
    ),
    Rule(
        name="place-once",
        holds="An attempt or a subscription holds one place at most",
        kind=Prefix.CUSTOMER,
        query="""
            select tenant_id, (array_agg(customer_id))[1] as id,
                   format('%s places are held by the %s %s', count(*), lower(held_by), holder)
                   as about
            from plan_places group by tenant_id, held_by, holder having count(*) > 1
        """,
    ),
    Rule(
        name="place-of-subscription",
        holds="A live subscription of the plan that it bought at a checkout holds one place",
        kind=Prefix.SUBSCRIPTION,
        query=f"""
            select s.tenant_id, s.id, format('%s, and holds %s places', s.status, p.count)
                as about
            from subscriptions s
            cross join lateral (
                select count(*) from plan_places p
                where p.tenant_id = s.tenant_id and p.holder = s.id
                  and p.held_by = 'SUBSCRIPTION' and p.customer_id = s.customer_id
                  and p.plan_id = s.plan_id) p
            where s.activation = 'CHECKOUT' and s.status in {LIVE} and p.count <> 1
              and exists (select from checkout_sessions c
                          where c.tenant_id = s.tenant_id and c.id = s.checkout_session_id
                            and c.plan_id = s.plan_id)
        """,
    ),
    Rule(
        name="place-of-attempt",
        holds="A live attempt for a new subscription holds a place",
        kind=None,
        query="""
            select a.tenant_id, a.id, format('no place (session %s)', a.session_id) as about
            from payment_attempts a
            join checkout_sessions c on c.tenant_id = a.tenant_id and c.id = a.session_id
            left join plan_places p on p.tenant_id = a.tenant_id and p.holder = a.id
                and p.held_by = 'ATTEMPT' and p.plan_id = c.plan_id
            where a.state = 'LIVE' and c.checkout_type = 'SELF_SERVE' and p.holder is null
        """,
    ),
)
