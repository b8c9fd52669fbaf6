"""Checkout sessions as they are listed."""

from datetime import datetime
from uuid import UUID

from tallystick.db.checkout_sessions import SESSION_COLUMNS, SessionRecord, session_record
from tallystick.db.engine import Tx
from tallystick.db.list_counts import length_of
from tallystick.db.paging import Length, Matching, Window, pick
from tallystick.domain.session import SessionState


async def page(
    tx: Tx,
    tenant_id: UUID,
    window: Window,
    *,
    customer_id: UUID | None,
    status: SessionState | None,
    now: datetime,
) -> tuple[list[SessionRecord], int]:
    """Sessions by status as reported at `now`, and how many there are in all.

    `window.order` is `created_at`, the only one there is.
    """
    matching = Matching(tenant_id, "s")
    matching.only("s.customer_id = {}", customer_id)
    match status:
        case None:
            pass
        case SessionState.CREATED:
            matching.always("s.state = 'CREATED'")
            matching.only("s.expires_at is null or s.expires_at > {}", now)
        case SessionState.EXPIRED:
            matching.only(
                "s.state = 'EXPIRED' or (s.state = 'CREATED' and s.expires_at <= {})", now
            )
        case _:
            matching.only("s.state = {}", status.value)
    picked = await pick(
        tx,
        tables="checkout_sessions s",
        matching=matching,
        order="s.created_at",
        window=window,
        length=_length(tenant_id, status, now) if customer_id is None else None,
    )
    if picked.rows is None:
        return [], picked.total
    rows = await tx.fetch(
        f"""
        with listed as materialized ({picked.rows})
        select {SESSION_COLUMNS} from checkout_sessions s join listed on listed.id = s.id
        where s.tenant_id = $1 order by {picked.order}
        """,
        *picked.values,
    )
    return [session_record(row) for row in rows], picked.total


def _length(tenant_id: UUID, status: SessionState | None, now: datetime) -> Length:
    """How many sessions have a status as reported: the sweeper may not have been there yet."""
    counted = length_of(tenant_id, "checkout_sessions", status and [status.value])
    match status:
        case SessionState.CREATED:
            sign = "-"
        case SessionState.EXPIRED:
            sign = "+"
        case _:
            return counted
    return Length(
        sql=f"""
            select ({counted.sql}) {sign} (
                select count(*) from checkout_sessions s
                where s.tenant_id = $1 and s.state = 'CREATED' and s.expires_at <= $5)
        """,
        values=(*counted.values, now),
    )
