"""The test bank's ledger: every movement of money, never changed (schema `sandbox`)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from tallystick.db.engine import Row, Tx
from tallystick.db.sandbox_bank import Intent
from tallystick.domain.orphan import AllRefunded, Holding, NotToGive, TakenPage, TakenPayment

MovementKind: TypeAlias = Literal[
    "CHARGE", "REFUND", "REFUND_FAILED", "REVERSAL", "REINSTATEMENT"
]

_LISTED_AT_ONCE = 500

_CHARGES = """
    select m.id, m.reference, m.currency, m.created_at as taken_at, i.customer_id,
           i.amount - i.refunded - i.reversed as amount
    from sandbox.movements m
    join sandbox.intents i on i.tenant_id = m.tenant_id and i.reference = m.reference
    where m.tenant_id = $1 and m.kind = 'CHARGE'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One movement of money, in minor units: what the bank took or gave back.

    What it takes back without being asked is a REVERSAL, its return a REINSTATEMENT. A refund
    that did not reach its account is with it again: REFUND_FAILED.
    """

    reference: str
    kind: MovementKind
    amount: int
    currency: str


async def add_charge(tx: Tx, tenant_id: UUID, intent: Intent) -> None:
    """The money of an intent is taken; a second time is refused by a unique index."""
    await _move(tx, tenant_id, intent, "CHARGE", intent.amount)


async def add_refund(tx: Tx, tenant_id: UUID, intent: Intent, amount: int) -> None:
    """Part of an intent's money is given back; more than was taken is refused by a check."""
    await tx.execute(
        """
        update sandbox.intents set refunded = refunded + $3
        where tenant_id = $1 and reference = $2
        """,
        tenant_id,
        intent.reference,
        amount,
    )
    await _move(tx, tenant_id, intent, "REFUND", amount)


async def add_failed_refund(tx: Tx, tenant_id: UUID, intent: Intent, amount: int) -> None:
    """A refund did not reach its account: the bank has its money again."""
    await tx.execute(
        """
        update sandbox.intents set refunded = refunded - $3
        where tenant_id = $1 and reference = $2
        """,
        tenant_id,
        intent.reference,
        amount,
    )
    await _move(tx, tenant_id, intent, "REFUND_FAILED", amount)


async def add_reversal(tx: Tx, tenant_id: UUID, intent: Intent, amount: int) -> None:
    """The bank takes part of an intent's money back by itself."""
    await _move(tx, tenant_id, intent, "REVERSAL", amount)


async def add_reinstatement(tx: Tx, tenant_id: UUID, intent: Intent, amount: int) -> None:
    """What the bank had taken back comes again."""
    await _move(tx, tenant_id, intent, "REINSTATEMENT", amount)


async def movements(tx: Tx, tenant_id: UUID) -> list[Movement]:
    """Every movement of a tenant's money, in the order in which they happened."""
    rows = await tx.fetch(
        """
        select reference, kind, amount, currency
        from sandbox.movements where tenant_id = $1 order by id
        """,
        tenant_id,
    )
    return [Movement(**row) for row in rows]


async def held_between(
    tx: Tx, tenant_id: UUID, since: datetime, until: datetime, after: str | None
) -> TakenPage:
    """A page of a tenant's charges between two instants, with what is still held of each.

    What was given back or taken back in full is left out. The mark is the last one's place in
    the ledger.
    """
    rows = await tx.fetch(
        f"""
        {_CHARGES} and m.created_at >= $2 and m.created_at < $3 and m.id > $4
        order by m.id limit $5
        """,
        tenant_id,
        since,
        until,
        int(after or 0),
        _LISTED_AT_ONCE,
    )
    return TakenPage(
        payments=tuple(_taken(row) for row in rows if row["amount"] > 0),
        mark=str(rows[-1]["id"]) if len(rows) == _LISTED_AT_ONCE else None,
    )


async def held(tx: Tx, tenant_id: UUID, reference: str) -> Holding:
    """The charge under a reference with what is held of it.

    It was refunded where refunds alone, by whomever, come to all of it: what a dispute took
    did not go back to the customer by us.
    """
    row = await tx.fetchrow(f"{_CHARGES} and m.reference = $2", tenant_id, reference)
    if row is None:
        return NotToGive()
    if row["amount"] > 0:
        return _taken(row)
    is_disputed = await tx.fetchval(
        """
        select exists (
            select from sandbox.reversals
            where tenant_id = $1 and reference = $2 and kind <> 'REFUND' and returned < amount)
        """,
        tenant_id,
        reference,
    )
    return NotToGive() if is_disputed else AllRefunded()


def _taken(row: Row) -> TakenPayment:
    return TakenPayment(**{name: value for name, value in row.items() if name != "id"})


async def _move(
    tx: Tx, tenant_id: UUID, intent: Intent, kind: MovementKind, amount: int
) -> None:
    await tx.execute(
        """
        insert into sandbox.movements (tenant_id, reference, kind, amount, currency)
        values ($1, $2, $3, $4, $5)
        """,
        tenant_id,
        intent.reference,
        kind,
        amount,
        intent.currency,
    )
