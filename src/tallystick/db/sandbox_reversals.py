"""Money that the test bank took back, and whom it has told of it (schema `sandbox`)."""

from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from tallystick.db.engine import Row, Tx
from tallystick.db.sandbox_bank import Intent

TakenAs: TypeAlias = Literal["REFUND", "DISPUTE", "CHARGEBACK"]

_COLUMNS = "id, reference, kind, amount, returned, reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """Money that was taken back: a DISPUTE is open until it is returned or a CHARGEBACK."""

    id: str
    reference: str
    kind: str
    amount: int
    returned: int
    reason: str | None

    @property
    def is_open(self) -> bool:
        """Whether it is a dispute that nobody has decided."""
        return self.kind == "DISPUTE" and not self.returned


async def take(
    tx: Tx,
    tenant_id: UUID,
    intent: Intent,
    *,
    reversal_id: str,
    kind: TakenAs,
    amount: int,
    reason: str | None,
) -> None:
    """Take money back of a locked intent, which may be more than is left of it."""
    await tx.execute(
        """
        update sandbox.intents set reversed = reversed + $3
        where tenant_id = $1 and reference = $2
        """,
        tenant_id,
        intent.reference,
        amount,
    )
    await tx.execute(
        """
        insert into sandbox.reversals (tenant_id, id, reference, kind, amount, reason)
        values ($1, $2, $3, $4, $5, $6)
        """,
        tenant_id,
        reversal_id,
        intent.reference,
        kind,
        amount,
        reason,
    )


async def give_back(tx: Tx, tenant_id: UUID, taken: TakenBack) -> None:
    """A dispute of a locked intent was won: all of it comes back."""
    await tx.execute(
        """
        update sandbox.intents set reversed = reversed - $3
        where tenant_id = $1 and reference = $2
        """,
        tenant_id,
        taken.reference,
        taken.amount,
    )
    await tx.execute(
        """
        update sandbox.reversals
        set returned = amount, stands_since = now(), told_at = null, acknowledged_at = null
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        taken.id,
    )


async def charge_back(tx: Tx, tenant_id: UUID, taken: TakenBack) -> None:
    """A dispute was lost: the money is gone for good."""
    await tx.execute(
        """
        update sandbox.reversals
        set kind = 'CHARGEBACK', stands_since = now(), told_at = null, acknowledged_at = null
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        taken.id,
    )


async def find(tx: Tx, tenant_id: UUID, reversal_id: str) -> TakenBack | None:
    """What was taken back under an id."""
    row = await tx.fetchrow(
        f"select {_COLUMNS} from sandbox.reversals where tenant_id = $1 and id = $2",
        tenant_id,
        reversal_id,
    )
    return None if row is None else _taken(row)


async def newest_dispute(tx: Tx, tenant_id: UUID, reference: str) -> TakenBack | None:
    """The newest dispute of a payment, open or decided."""
    row = await tx.fetchrow(
        f"""
        select {_COLUMNS} from sandbox.reversals
        where tenant_id = $1 and reference = $2 and kind <> 'REFUND'
        order by kind = 'DISPUTE' and returned = 0 desc, stands_since desc, id desc limit 1
        """,
        tenant_id,
        reference,
    )
    return None if row is None else _taken(row)


async def to_tell(tx: Tx, limit: int) -> list[tuple[UUID, TakenBack]]:
    """What nobody has acknowledged, with its tenant.

    What was told longest ago comes first, so that one that cannot be recorded holds up no
    other.
    """
    rows = await tx.fetch(
        """
        with told as (
            select tenant_id, id from sandbox.reversals where acknowledged_at is null
            order by told_at nulls first, stands_since limit $1 for no key update skip locked)
        update sandbox.reversals r set told_at = clock_timestamp() from told
        where r.tenant_id = told.tenant_id and r.id = told.id
        returning r.tenant_id, r.id, r.reference, r.kind, r.amount, r.returned, r.reason
        """,
        limit,
    )
    found = []
    for row in rows:
        fields = dict(row)
        found.append((fields.pop("tenant_id"), TakenBack(**fields)))
    return found


async def acknowledge(
    tx: Tx, tenant_id: UUID, reversal_id: str, *, kind: str, returned: int
) -> None:
    """The caller has recorded how it stood; what has changed since is told once more."""
    await tx.execute(
        """
        update sandbox.reversals set acknowledged_at = now()
        where tenant_id = $1 and id = $2 and kind = $3 and returned = $4
          and acknowledged_at is null
        """,
        tenant_id,
        reversal_id,
        kind,
        returned,
    )


def _taken(row: Row) -> TakenBack:
    return TakenBack(**dict(row))
