"""Movements of recurring revenue as they are read.

Nobody writes them: the trigger `follow_mrr` does, in the transaction of whatever changes the
monthly value of a subscription, so that no way of changing it can leave them out.
"""

from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.mrr import Movement

ORDERS = {"date": "movement.day"}

_JSON = """
    json_build_object('position', movement.position, 'day', movement.day,
        'currency', movement.currency, 'before', movement.mrr_before,
        'after', movement.mrr_after, 'created_at', movement.created_at)
"""

# Movements of one day keep the order in which they were made.
_TABLES = "(select m.*, m.position as id from mrr_movements m) movement"

_movements: Codec[tuple[Movement, ...]] = Codec(tuple[Movement, ...])


async def page(
    tx: Tx, tenant_id: UUID, window: Window, subscription_id: UUID
) -> Page[Movement]:
    """The window's movements of a subscription."""
    matching = Matching(tenant_id, "movement")
    matching.only("movement.subscription_id = {}", subscription_id)
    return await fetch_page(
        tx,
        _movements,
        item=_JSON,
        tables=_TABLES,
        matching=matching,
        orders=ORDERS,
        window=window,
    )
