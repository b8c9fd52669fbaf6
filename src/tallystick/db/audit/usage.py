"""What must hold of usage."""

from tallystick.db.audit.rule import Rule
from tallystick.domain.ids import Prefix

USAGE_RULES = (
    Rule(
        name="usage-event-customer",
        holds="A usage event is of a customer that its tenant has",
        kind=Prefix.CUSTOMER,
        query="""
            select tenant_id, customer_id as id, format('%s usage events', events) as about
            from (select tenant_id, customer_id, count(*) as events from usage_events
                  group by tenant_id, customer_id) used
            where not exists (select from customers c where c.tenant_id = used.tenant_id
                              and c.id = used.customer_id)
        """,
    ),
)
