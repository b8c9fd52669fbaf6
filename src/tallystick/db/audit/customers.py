"""What must hold of customers, and of what merchants keep with their objects."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

_KEPT = " union all ".join(
    f"select tenant_id, id, '{table}' as place, custom_properties from {table}"
    for table in ("customers", "subscriptions", "invoices", "credit_notes")
)

CUSTOMER_RULES = (
    Rule(
        name="customer-archived",
        holds="An archived customer has no live subscription, and pays at no checkout",
        kind=Prefix.CUSTOMER,
        query="""
            select c.tenant_id, c.id, format('%s subscriptions, %s checkouts', s.live, p.paying)
                as about
            from customers c
            cross join lateral (
                select count(*) as live from subscriptions s
                where s.tenant_id = c.tenant_id and s.customer_id = c.id
                  and s.status not in ('CANCELLED', 'COMPLETED', 'SUPERSEDED')
                  and (s.status <> 'TRIAL_EXPIRED' or exists (
                      select from invoices i where i.tenant_id = s.tenant_id
                        and i.subscription_id = s.id and i.charged_first))) s
            cross join lateral (
                select count(*) as paying from checkout_sessions p
                where p.tenant_id = c.tenant_id and p.customer_id = c.id
                  and p.state = 'AWAITING_PAYMENT') p
            where c.archived_at is not null and (s.live > 0 or p.paying > 0)
        """,
    ),
    Rule(
        name="custom-properties",
        holds="Custom properties are an object of values",
        kind=None,
        query=f"""
            select tenant_id, id, format('of %s: %s', place, left(custom_properties::text, 80))
                as about
            from ({_KEPT}) kept
            where jsonb_typeof(custom_properties) <> 'object'
               or exists (select from jsonb_each(case jsonb_typeof(custom_properties)
                              when 'object' then custom_properties else '{{}}' end) v
                          where jsonb_typeof(v.value) = 'null')
        """,
    ),
)
