"""Former names of customers, where subscriptions and invoices are still ordered by them.

A renaming passes the new name on to a thousand rows itself; the others, and what was written
meanwhile by somebody who had read the former name, follow here.
"""

from datetime import datetime

from tallystick.db.engine import Tx

ROWS_MAX = 2000
"""So many subscriptions and invoices of one customer get their new name in one transaction."""

RENAMINGS_MAX = 5
"""So many renamings are looked at in one transaction."""

# `settled`: everybody who may have read the former name has ended, and what they wrote is seen
# by the statements that follow.
_LOCK = """
    select tenant_id, customer_id, sort_name,
           coalesce(settles_at <= pg_snapshot_xmin(pg_current_snapshot()), false) as settled
    from customer_renamings where looked_at < $1
    order by looked_at limit $2 for update skip locked
"""

_MOVE = "select pass_on_customer_name($1, $2, $3, $4)"

_FORGET = """
    delete from customer_renamings where tenant_id = $1 and customer_id = $2 and sort_name = $3
"""

# The renaming is committed: whoever reads the name from now on reads the new one. A number that
# is not given out yet is another server's, whose data was restored here.
_LOOK_AGAIN = """
    update customer_renamings
    set settles_at = least(settles_at, pg_snapshot_xmax(pg_current_snapshot())),
        looked_at = case when $4 then looked_at else clock_timestamp() end
    where tenant_id = $1 and customer_id = $2 and sort_name = $3
"""


async def real_time(tx: Tx) -> datetime:
    """The database's clock."""
    now: datetime = await tx.fetchval("select clock_timestamp()")
    return now


async def pass_on(tx: Tx, since: datetime) -> int:
    """Pass on some new names, and return how many renamings were looked at.

    Args:
        tx: A short transaction: what it changes is locked until its end.
        since: Renamings that were looked at later have had their turn.
    """
    rows = await tx.fetch(_LOCK, since, RENAMINGS_MAX)
    for row in rows:
        key = (row["tenant_id"], row["customer_id"], row["sort_name"])
        state: str = await tx.fetchval(_MOVE, *key, ROWS_MAX)
        if state == "DONE" and row["settled"]:
            await tx.execute(_FORGET, *key)
        else:
            await tx.execute(_LOOK_AGAIN, *key, state == "MORE")
    return len(rows)
