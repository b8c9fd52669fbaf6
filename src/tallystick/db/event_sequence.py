"""Giving committed events their number: gapless per tenant, in the order of their objects.

The order is that of `position` among what is committed. It keeps the events of one object in
their order, because whoever changes an object holds its lock until the commit: the second
change writes its event after the first one is committed and with a higher position, so that a
snapshot that shows the second event shows the first one, too. Transactions that met on no
object have no order to keep.

The writer's transaction id plays no part, on purpose: see `docs/decisions`.
"""

from tallystick.db.engine import Tx

_LOCK = "select pg_try_advisory_xact_lock($1)"
_LOCK_NUMBER = 7_102_511_485
"""The advisory lock under which one process at a time gives out numbers."""

_NUMBER = """
    with batch as (
        select tenant_id, id, position from events
        where sequence is null order by position limit $1),
    counted as (
        select tenant_id, count(*) as events from batch group by tenant_id),
    counters as (
        insert into event_counters as k (tenant_id, last_sequence)
        select tenant_id, events from counted order by tenant_id
        on conflict (tenant_id) do update
            set last_sequence = k.last_sequence + excluded.last_sequence
        returning tenant_id, last_sequence),
    numbered as (
        select b.tenant_id, b.id,
               k.last_sequence - c.events
               + row_number() over (partition by b.tenant_id order by b.position) as sequence
        from batch b join counted c using (tenant_id) join counters k using (tenant_id))
    update events e set sequence = n.sequence
    from numbered n where e.tenant_id = n.tenant_id and e.id = n.id
"""


async def number(tx: Tx, limit: int) -> int | None:
    """Number up to `limit` committed events, lowest position first, and return how many.

    None when another transaction is at it. The numbers become visible with the commit.
    """
    # A statement of its own: the next one's snapshot then begins after the lock was taken, and
    # shows everything that the former holder committed.
    if not await tx.fetchval(_LOCK, _LOCK_NUMBER):
        return None
    tag: str = await tx.execute(_NUMBER, limit)
    return int(tag.rpartition(" ")[2])
