"""What must hold of payment methods: how they came, who is charged to them, and how they go."""

from tallystick.db.audit.machinery import LATE
from tallystick.db.audit.rule import Rule
from tallystick.db.saved_methods import IN_NO_USE
from tallystick.domain.ids import Prefix

_TRIES = 30
"""So many tries take a day: an hour at most lies between two."""

_IS_CONNECTED = """
    not exists (
        select from provider_connections k
        where k.tenant_id = m.tenant_id and k.provider || ':' || k.id = m.provider
          and k.disconnected_at is not null)
"""
"""Of an account that was disconnected nobody can be sure that it answers."""

METHOD_RULES = (
    Rule(
        name="setup-saved",
        holds="A set-up that succeeded has saved the method that was asked for, any other none",
        kind=Prefix.PAYMENT_METHOD,
        query="""
            select s.tenant_id, s.id, format('%s, of %s; saved is %s of %s', s.state,
                s.method ->> 'token', coalesce(m.token, 'nothing'), m.customer_id) as about
            from method_setups s
            left join payment_methods m on m.tenant_id = s.tenant_id and m.id = s.id
            where case when s.state = 'SUCCEEDED'
                then (m.customer_id, m.provider, m.token) is distinct from
                     (s.customer_id, s.provider, s.method ->> 'token')
                else m.id is not null end
        """,
    ),
    Rule(
        name="setup-swept",
        holds="A set-up that nobody came back to is taken up in time, and over within a day",
        kind=Prefix.PAYMENT_METHOD,
        query=f"""
            select tenant_id, id, format('begun at %s, due at %s; does a worker run?',
                claimed_on, check_at) as about
            from method_setups
            where state = 'LIVE' and (check_at is null or check_at < now() - {LATE}
                or claimed_on < now() - interval '1 day')
        """,
    ),
    Rule(
        name="method-removed",
        holds="Nothing is charged to a method that was removed, nor to somebody else's",
        kind=Prefix.SUBSCRIPTION,
        query="""
            select s.tenant_id, s.id, format('charged to %s, which %s', s.payment_method_id,
                case when m.id is null then 'is not there'
                     when m.archived_at is not null then 'was removed'
                     else 'is of ' || m.customer_id end) as about
            from subscriptions s
            left join payment_methods m
              on m.tenant_id = s.tenant_id and m.id = s.payment_method_id
            where s.payment_method_id is not null
              and (m.id is null or m.archived_at is not null
                   or m.customer_id <> s.customer_id)
        """,
    ),
    Rule(
        name="method-forgotten",
        holds="A method that was removed is let go by its provider within a day",
        kind=Prefix.PAYMENT_METHOD,
        query=f"""
            select m.tenant_id, m.id, format('of %s, asked %s times, due at %s', m.provider,
                m.forget_tries, m.forget_at) as about
            from payment_methods m
            where m.archived_at is not null and m.forgotten_at is null
              and (m.forget_at is null or m.forget_at < now() - {LATE}
                   or m.forget_tries > {_TRIES})
              and {IN_NO_USE} and {_IS_CONNECTED}
        """,
    ),
    Rule(
        name="customer-told",
        holds="A provider knows what its customers are called, or is told within a day",
        kind=Prefix.CUSTOMER,
        query=f"""
            select m.tenant_id, m.customer_id as id,
                format('%s knows %s, asked %s times, due at %s', m.provider,
                    coalesce(m.told_name, 'nobody'), m.tell_tries, m.tell_at) as about
            from provider_customers m
            join customers c on c.tenant_id = m.tenant_id and c.id = m.customer_id
            where (case when m.tell_at is null
                then (m.told_name, m.told_email) is distinct from (c.name, c.billing_email)
                else m.tell_at < now() - {LATE} or m.tell_tries > {_TRIES} end)
              and {_IS_CONNECTED}
        """,
    ),
)
