"""How items of a subscription were billed: what their credits go by."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.db.invoice_writes import EXPLANATION
from tallystick.domain.plan_change import Billed

# A draft that became part of another invoice is billed by that one. Amounts are as quoted: with
# tax where prices include it.
_LINES = """
    with billing as (
        select distinct coalesce(consolidated_into_invoice_id, id) as id from invoices
        where tenant_id = $1 and subscription_id = $2)
    select l.item_id, l.computation, i.status = 'VOID' as is_void, coalesce((
               select sum(case when i.tax_inclusive then c.amount_total
                               else c.amount - c.discount end)
               from credit_note_lines c
               join credit_notes n on n.tenant_id = c.tenant_id and n.id = c.credit_note_id
               where c.tenant_id = l.tenant_id and c.invoice_line_id = l.id
                 and n.status <> 'VOIDED'), 0)::bigint as credited
    from billing
    join invoices i on i.tenant_id = $1 and i.id = billing.id
    join invoice_lines l on l.tenant_id = i.tenant_id and l.invoice_id = i.id
    where l.item_id = any($3) and l.start_date <= $4 and l.end_date > $4
      and (l.computation ->> 'quoted_amount')::bigint > 0
      and jsonb_typeof(l.computation -> 'usage') is distinct from 'object'
      and jsonb_typeof(l.computation -> 'shortfall') is distinct from 'object'
    order by l.item_id, i.invoice_date desc, i.created_at desc, l.position
"""


async def last_billed(
    tx: Tx, tenant_id: UUID, subscription_id: UUID, item_ids: Sequence[UUID], day: date
) -> dict[UUID, Billed]:
    """What billed a day of each item, as far as anything did: its lines that are not void.

    Where all of them are void nothing was billed.
    """
    rows = await tx.fetch(_LINES, tenant_id, subscription_id, item_ids, day)
    found: dict[UUID, Billed] = {}
    for row in rows:
        known = EXPLANATION.load(row["computation"])
        one = found.setdefault(row["item_id"], Billed(decision=known.decision))
        if not row["is_void"]:
            found[row["item_id"]] = one.with_line(
                known.quoted_amount, known.quoted_discount, row["credited"], known.decision
            )
    return found
