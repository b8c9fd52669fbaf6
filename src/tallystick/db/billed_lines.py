"""How items of a subscription were billed last: what their credits go by."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.db.invoice_writes import EXPLANATION
from tallystick.domain.plan_change import Billed

_LAST = """
    select distinct on (l.item_id) l.item_id, l.computation
    from invoice_lines l
    join invoices i on i.tenant_id = l.tenant_id and i.id = l.invoice_id
    where l.tenant_id = $1 and i.subscription_id = $2 and l.item_id = any($3)
      and i.status <> 'VOID' and l.start_date <= $4 and l.end_date > $4
      and (l.computation ->> 'quoted_amount')::bigint > 0
      and jsonb_typeof(l.computation -> 'usage') is distinct from 'object'
    order by l.item_id, i.invoice_date desc, i.created_at desc, l.position
"""


async def last_billed(
    tx: Tx, tenant_id: UUID, subscription_id: UUID, item_ids: Sequence[UUID], day: date
) -> dict[UUID, Billed]:
    """The line that billed a day of each item, as far as there is one that is not void."""
    rows = await tx.fetch(_LAST, tenant_id, subscription_id, item_ids, day)
    found = {}
    for row in rows:
        known = EXPLANATION.load(row["computation"])
        found[row["item_id"]] = Billed(
            quoted_amount=known.quoted_amount,
            quoted_discount=known.quoted_discount,
            decision=known.decision,
        )
    return found
