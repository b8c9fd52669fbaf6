"""What a new payment method sets going again: open invoices, and drafts charged first."""

from datetime import date, datetime
from uuid import UUID

from tallystick.db.engine import Tx

_FAILED = """
    i.collection_failures > 0 and i.amount_due > 0
    and (i.status in ('FINALIZED', 'UNCOLLECTIBLE') or i.charged_first)
"""


async def replace_methods(
    tx: Tx, tenant_id: UUID, customer_id: UUID, method_id: UUID, today: date
) -> list[UUID]:
    """Subscriptions whose method failed, or has expired, have this one from now on.

    Returns which ones.
    """
    rows = await tx.fetch(
        f"""
        with mine as (
            select s.id from subscriptions s
            left join payment_methods m
              on m.tenant_id = s.tenant_id and m.id = s.payment_method_id
            where s.tenant_id = $1 and s.customer_id = $2 and s.charge_automatically
              and s.payment_method_id is distinct from $3
              and (m.archived_at is not null or m.expires_on <= $4
                or exists (
                    select from invoices i
                    where i.tenant_id = s.tenant_id and i.subscription_id = s.id and {_FAILED})
                or exists (
                    select from invoices o join invoices i
                      on i.tenant_id = o.tenant_id and i.id = o.consolidated_into_invoice_id
                    where o.tenant_id = s.tenant_id and o.subscription_id = s.id and {_FAILED}))
            order by s.id for no key update of s)
        update subscriptions s set payment_method_id = $3
        from mine where s.tenant_id = $1 and s.id = mine.id
        returning s.id
        """,
        tenant_id,
        customer_id,
        method_id,
        today,
    )
    return sorted(row["id"] for row in rows)


async def collect_open(tx: Tx, tenant_id: UUID, customer_id: UUID, now: datetime) -> None:
    """What the customer owes and is charged for automatically is due for a try now.

    A draft that is charged first keeps count of its failures, by which it is dated anew; one
    that was never tried counts one, for the same reason.
    """
    await tx.execute(
        """
        with open as (
            select i.id from invoices i
            left join subscriptions s
              on s.tenant_id = i.tenant_id and s.id = coalesce(i.subscription_id, (
                  select o.subscription_id from invoices o
                  where o.tenant_id = i.tenant_id and o.consolidated_into_invoice_id = i.id
                  order by o.created_at, o.id limit 1))
            where i.tenant_id = $1 and i.customer_id = $2 and s.charge_automatically
              and i.amount_due > 0 and not i.awaits_person
              and i.consolidated_into_invoice_id is null
              and (i.status = 'FINALIZED' or i.charged_first)
              and i.payment_status <> 'PROCESSING'
              and not exists (
                select from collections c where c.tenant_id = i.tenant_id
                  and c.invoice_id = i.id and c.state = 'LIVE')
            order by i.id for no key update of i)
        update invoices i
        set collect_at = $3, policy_at = null,
            collection_failures = case when i.charged_first
                then greatest(i.collection_failures, 1) else 0 end
        from open where i.tenant_id = $1 and i.id = open.id
        """,
        tenant_id,
        customer_id,
        now,
    )
