"""How items of a subscription were billed: what their credits go by."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.db.invoice_writes import EXPLANATION
from tallystick.domain.credit_removed import BillingLine
from tallystick.domain.rest_of_period import Billed

# A draft that became part of another invoice is billed by that one. Amounts are as quoted: with
# tax where prices include it. `adds` is the invoice where it brought slots to the item.
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
                 and n.status <> 'VOIDED'), 0)::bigint as credited,
           case when exists (
               select from slot_entries e
               where e.tenant_id = l.tenant_id and e.item_id = l.item_id
                 and e.invoice_id = i.id) then i.id end as adds
    from billing
    join invoices i on i.tenant_id = $1 and i.id = billing.id
    join invoice_lines l on l.tenant_id = i.tenant_id and l.invoice_id = i.id
    where l.item_id = any($3) and l.start_date <= $4 and l.end_date > $4
      and ((l.computation ->> 'quoted_amount')::bigint > 0
           or l.computation ->> 'replaced' is not null)
      and jsonb_typeof(l.computation -> 'usage') is distinct from 'object'
      and jsonb_typeof(l.computation -> 'shortfall') is distinct from 'object'
    order by l.item_id, i.invoice_date desc, i.created_at desc, l.position
"""

_AROUND = """
    with own as (
        select id, consolidated_into_invoice_id from invoices
        where tenant_id = $1 and subscription_id = $2)
    select l.id, l.invoice_id, l.item_id, l.start_date, l.end_date,
           case when i.tax_inclusive then l.amount_total else l.amount end as amount,
           case when i.tax_inclusive then 0 else l.discount end as discount,
           i.status <> 'DRAFT' as is_final, i.tax_inclusive,
           exists (select from invoice_lines o
                   where o.tenant_id = i.tenant_id and o.invoice_id = i.id and o.amount < 0)
               as is_offset
    from invoices i
    join invoice_lines l on l.tenant_id = i.tenant_id and l.invoice_id = i.id
    where i.tenant_id = $1 and i.status <> 'VOID'
      and i.id in (select coalesce(consolidated_into_invoice_id, id) from own)
      and l.item_id = any($3) and l.start_date <= $4 and l.end_date > $4
      and jsonb_typeof(l.computation -> 'usage') is distinct from 'object'
      and jsonb_typeof(l.computation -> 'shortfall') is distinct from 'object'
    order by i.invoice_date desc, i.created_at desc, i.number desc nulls first,
             l.position desc
"""


async def around(
    tx: Tx, tenant_id: UUID, subscription_id: UUID, item_ids: Sequence[UUID], day: date
) -> list[BillingLine]:
    """Every line that billed a day of the items in advance and is not void, newest first.

    Of what was consolidated, the line of the one invoice.
    """
    rows = await tx.fetch(_AROUND, tenant_id, subscription_id, item_ids, day)
    return [
        BillingLine(
            id=row["id"],
            invoice_id=row["invoice_id"],
            is_final=row["is_final"],
            item_id=row["item_id"],
            start=row["start_date"],
            end=row["end_date"],
            amount=row["amount"],
            discount=row["discount"],
            tax_inclusive=row["tax_inclusive"],
            is_offset=row["is_offset"],
        )
        for row in rows
    ]


async def last_billed(
    tx: Tx, tenant_id: UUID, subscription_id: UUID, item_ids: Sequence[UUID], day: date
) -> dict[UUID, list[Billed]]:
    """What billed a day of each item, as far as anything did: its lines that are not void.

    First the item as it was billed, and after it, each for itself, what slots cost that came
    later. Where all lines are void nothing was billed.
    """
    rows = await tx.fetch(_LINES, tenant_id, subscription_id, item_ids, day)
    found: defaultdict[UUID, dict[UUID | None, Billed]] = defaultdict(dict)
    for row in rows:
        known, adds = EXPLANATION.load(row["computation"]), row["adds"]
        of_item, units = found[row["item_id"]], known.computation.units
        one = of_item.setdefault(
            adds, Billed(decision=known.decision, units=units, adds=adds is not None)
        )
        if not row["is_void"]:
            # What an item replaces has paid its part of it.
            paid = 0 if known.replaced is None else known.replaced.credit
            of_item[adds] = one.with_line(
                known.quoted_amount + paid,
                known.quoted_discount,
                row["credited"],
                known.decision,
                units,
            )
    return {
        item_id: sorted(parts.values(), key=lambda one: one.adds)
        for item_id, parts in found.items()
    }
