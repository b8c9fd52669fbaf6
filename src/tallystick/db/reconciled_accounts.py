"""How far what accounts took was compared with the books. All of it is real time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tallystick.db.engine import Row, Tx
from tallystick.domain.provider_connection import Account
from tallystick.domain.reconciliation import Progress

_COLUMNS = """
    r.tenant_id, r.provider, r.account, r.is_live, r.reconciled_until, r.piece_until,
    r.piece_mark, r.compared_at
"""

_IS = """
    r.tenant_id = $1 and r.provider = $2 and r.account = $3 and r.is_live = $4
"""

_CONNECTIONS = """
    c.tenant_id = r.tenant_id and c.provider = r.provider and c.account = r.account
    and c.is_live = r.is_live
"""


_CLOSED_AT = f"""
    (select nullif(max(coalesce(c.disconnected_at, 'infinity')), 'infinity')
     from provider_connections c where {_CONNECTIONS})
"""
"""When its last connection was closed; null where one is open, and of the test bank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciledAccount:
    """Where an account stands.

    `closed_at` is when its last connection was closed, None of one that is connected.
    """

    account: Account
    progress: Progress
    closed_at: datetime | None


async def begin(tx: Tx) -> None:
    """Begin with new accounts, at the first instant at which they may have taken money.

    One that is connected again goes on.
    """
    await tx.execute(
        """
        insert into reconciled_accounts (tenant_id, provider, account, is_live,
            reconciled_until)
        select c.tenant_id, c.provider, c.account, c.is_live, min(c.connected_at)
        from provider_connections c
        where not exists (
            select from reconciled_accounts r
            where r.tenant_id = c.tenant_id and r.provider = c.provider
              and r.account = c.account and r.is_live = c.is_live)
        group by c.tenant_id, c.provider, c.account, c.is_live
        union all
        select t.id, 'sandbox', '', false, m.created_at
        from tenants t cross join lateral (
            select created_at from sandbox.movements
            where tenant_id = t.id order by id limit 1) m
        where not exists (
            select from reconciled_accounts r
            where r.tenant_id = t.id and r.provider = 'sandbox')
        on conflict do nothing
        """
    )
    await tx.execute(
        f"""
        update reconciled_accounts r set check_at = clock_timestamp()
        where r.check_at is null and exists (
            select from provider_connections c
            where {_CONNECTIONS} and c.disconnected_at is null)
        """
    )


async def lease_due(tx: Tx, limit: int, seconds: float) -> list[ReconciledAccount]:
    """Lease accounts that are to go on, of every tenant; those that wait longest first."""
    rows = await tx.fetch(
        f"""
        with due as (
            select tenant_id, provider, account, is_live from reconciled_accounts
            where check_at <= clock_timestamp()
            order by check_at limit $1 for no key update skip locked)
        update reconciled_accounts r
        set check_at = clock_timestamp() + make_interval(secs => $2)
        from due
        where r.tenant_id = due.tenant_id and r.provider = due.provider
          and r.account = due.account and r.is_live = due.is_live
        returning {_COLUMNS}, {_CLOSED_AT} as closed_at
        """,
        limit,
        seconds,
    )
    return [_account(row) for row in rows]


async def go_on(tx: Tx, account: Account, stood: Progress, stands: Progress) -> bool:
    """A page was compared; False where another worker has compared it meanwhile."""
    done = await tx.execute(
        f"""
        update reconciled_accounts r
        set reconciled_until = $8, piece_until = $9, piece_mark = $10, compared_at = $11,
            refused_at = null, refusal = null
        where {_IS} and r.reconciled_until = $5 and r.piece_until is not distinct from $6
          and r.piece_mark is not distinct from $7
        """,
        *_key(account),
        stood.until,
        stood.piece_until,
        stood.after,
        stands.until,
        stands.piece_until,
        stands.after,
        stands.compared_at,
    )
    return bool(done == "UPDATE 1")


async def check_again(tx: Tx, account: Account, seconds: float | None) -> None:
    """It goes on after so many seconds; None where nothing more can come."""
    await tx.execute(
        f"""
        update reconciled_accounts r
        set check_at = clock_timestamp() + make_interval(secs => $5) where {_IS}
        """,
        *_key(account),
        seconds,
    )


async def refused(tx: Tx, account: Account, why: str, now: datetime) -> None:
    """Its provider does not let us look."""
    await tx.execute(
        f"""
        update reconciled_accounts r
        set refused_at = coalesce(r.refused_at, $6), refusal = $5 where {_IS}
        """,
        *_key(account),
        why,
        now,
    )


async def taking(tx: Tx, since: datetime, closed_after: datetime) -> list[Account]:
    """Accounts that may have taken money since an instant, of every tenant.

    Those that were closed before the other instant are left out.
    """
    rows = await tx.fetch(
        """
        select distinct tenant_id, provider, account, is_live from provider_connections
        where disconnected_at is null or disconnected_at > $2
        union all
        select t.id, 'sandbox', '', false from tenants t
        where exists (
            select from sandbox.movements m
            where m.tenant_id = t.id and m.kind = 'CHARGE' and m.created_at >= $1)
        order by 1, 2, 3, 4
        """,
        since,
        closed_after,
    )
    return [Account(**dict(row)) for row in rows]


def _key(account: Account) -> Sequence[object]:
    return account.tenant_id, account.provider, account.account, account.is_live


def _account(row: Row) -> ReconciledAccount:
    return ReconciledAccount(
        account=Account(
            tenant_id=row["tenant_id"],
            provider=row["provider"],
            account=row["account"],
            is_live=row["is_live"],
        ),
        progress=Progress(
            until=row["reconciled_until"],
            piece_until=row["piece_until"],
            after=row["piece_mark"],
            compared_at=row["compared_at"],
        ),
        closed_at=row["closed_at"],
    )
