"""What threshold invoices have billed of subscriptions, read back from their lines.

A void invoice counts, too: what it billed is forgiven, and not billed again.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.domain.billed_ahead import NOTHING_AHEAD, Ahead, BilledAhead

_LINES = """
    select i.subscription_id, l.item_id, l.start_date as start,
           l.computation #>> '{usage,group}' as "group",
           sum((l.computation ->> 'quoted_amount')::bigint)::bigint as amount,
           sum(l.quantity) as quantity
    from unnest($2::uuid[], $3::date[]) as asked (subscription_id, since)
    join invoices i on i.tenant_id = $1 and i.subscription_id = asked.subscription_id
        and i.invoice_type = 'USAGE_THRESHOLD' and i.invoice_date >= asked.since
    join invoice_lines l on l.tenant_id = i.tenant_id and l.invoice_id = i.id
    group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""

_COUPONS = """
    select r.subscription_id, r.id, r.ahead_amount
    from unnest($2::uuid[], $3::date[]) as asked (subscription_id, period_start)
    join coupon_redemptions r on r.tenant_id = $1
        and r.subscription_id = asked.subscription_id
        and r.ahead_since = asked.period_start
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAhead:
    """A locked subscription: of which windows, from the earliest on, and of which period."""

    subscription_id: UUID
    since: date
    period_start: date


async def load(tx: Tx, tenant_id: UUID, asked: Sequence[AskedAhead]) -> dict[UUID, BilledAhead]:
    """What was billed of each of these subscriptions, by their ids."""
    if not asked:
        return {}
    ids = [one.subscription_id for one in asked]
    lines = await tx.fetch(_LINES, tenant_id, ids, [one.since for one in asked])
    coupons = await tx.fetch(_COUPONS, tenant_id, ids, [one.period_start for one in asked])
    if not lines and not coupons:
        return dict.fromkeys(ids, NOTHING_AHEAD)
    usage: dict[UUID, list[Ahead]] = defaultdict(list)
    for row in lines:
        subscription_id, *rest = row.values()
        item_id, start, group, amount, quantity = rest
        usage[subscription_id].append(
            Ahead(item_id=item_id, start=start, group=group, amount=amount, quantity=quantity)
        )
    given: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    for row in coupons:
        given[row["subscription_id"]][row["id"]] = row["ahead_amount"]
    return {one: BilledAhead(usage=tuple(usage[one]), coupons=given[one]) for one in ids}
