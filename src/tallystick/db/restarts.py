"""What a new payment method sets going again: open invoices, and drafts charged first."""

from datetime import date, datetime
from uuid import UUID

from tallystick.db.collections import METHOD
from tallystick.db.engine import Tx
from tallystick.domain.payment import Method

_FAILED = """
    i.collection_failures > 0 and i.amount_due > 0
    and (i.status in ('FINALIZED', 'UNCOLLECTIBLE') or i.charged_first)
"""

_LOOKS = "({} - '{{provider,token,mandate_reference}}'::text[])"
"""What tells a method in its JSON from others to whoever looks at it: kind, digits, expiry."""

_FAILED_WITH = f"""
    failed as (
        select c.invoice_id, c.activates, c.payment_method_id as saved_id,
               {_LOOKS.format("c.method")} as looks
        from collections c
        where c.tenant_id = $1 and c.customer_id = $2 and c.state = 'FAILED' and not c.by_buyer
        union all
        select t.invoice_id, null, t.payment_method_id, {_LOOKS.format("t.method")}
        from transactions t
        where t.tenant_id = $1 and t.customer_id = $2 and t.status = 'FAILED')
"""
"""With which methods on file a customer's charges have failed, at once or days later."""

_OF_INVOICE = """
    (f.invoice_id = i.id or (i.charged_first and f.activates = i.subscription_id))
"""
"""Of a charge `f` that has failed: it was one of invoice `i`, or of an earlier draft of it."""


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


async def collect_open(
    tx: Tx, tenant_id: UUID, customer_id: UUID, saved_id: UUID, saved: Method, now: datetime
) -> None:
    """What the customer owes and is charged for automatically is due for a try now.

    Not what has failed with this method: that has its days. Tries are counted from the
    beginning, but not of what has failed with the same card or account, saved before under
    another id.

    A draft that is charged first keeps count of its failures, by which it is dated anew; one
    that was never tried counts one, for the same reason.
    """
    await tx.execute(
        f"""
        with {_FAILED_WITH},
        open as (
            select i.id, exists (
                select from failed f
                where {_OF_INVOICE} and f.looks = {_LOOKS.format("$5::jsonb")}) as counts_on
            from invoices i
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
              and not exists (select from failed f where {_OF_INVOICE} and f.saved_id = $4)
            order by i.id for no key update of i)
        update invoices i
        set collect_at = $3, policy_at = null,
            collection_failures = case
                when i.charged_first then greatest(i.collection_failures, 1)
                when open.counts_on then i.collection_failures
                else 0 end
        from open where i.tenant_id = $1 and i.id = open.id
        """,
        tenant_id,
        customer_id,
        now,
        saved_id,
        METHOD.dump(saved),
    )
