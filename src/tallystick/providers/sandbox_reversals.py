"""Money that the test bank takes back by itself: refunds of its own, and disputes.

Each step is inside the caller's transaction and starts from an intent that it holds.
"""

from uuid import UUID

from tallystick.db import sandbox_ledger as ledger
from tallystick.db import sandbox_reversals as reversals
from tallystick.db.engine import Tx
from tallystick.db.sandbox_bank import Intent
from tallystick.db.sandbox_reversals import TakenAs, TakenBack
from tallystick.domain.errors import Conflict
from tallystick.domain.reversal import ReportedReversal, ReversalKind

_AT_ONCE = 100


async def take_back(
    tx: Tx,
    intent: Intent,
    reversal_id: str,
    kind: TakenAs,
    amount: int | None,
    reason: str | None,
) -> ReportedReversal:
    """Take back `amount`, or all that is left; under a known id, tell what was done.

    A dispute may be of more than is left: the payer's bank says how much.

    Raises:
        Conflict: So much is not left to refund, nothing is left and no amount named, no money
            was taken, or a dispute of it is open.
    """
    known = await reversals.find(tx, intent.tenant_id, reversal_id)
    if known is None:
        left = intent.left
        most = (amount or left) if kind == "DISPUTE" and intent.is_paid else left
        if not 0 < (amount or left) <= most:
            raise Conflict(f"Of this payment {left} can still be taken back, in minor units.")
        if kind == "DISPUTE":
            other = await reversals.newest_dispute(tx, intent.tenant_id, intent.reference)
            if other is not None and other.is_open:
                raise Conflict("A dispute of this payment is open: it is won or lost first.")
        await reversals.take(
            tx,
            intent.tenant_id,
            intent,
            reversal_id=reversal_id,
            kind=kind,
            amount=amount or left,
            reason=reason,
        )
        await ledger.add_reversal(tx, intent.tenant_id, intent, amount or left)
    return await _told(tx, intent.tenant_id, reversal_id)


async def decide_dispute(tx: Tx, intent: Intent, *, won: bool) -> ReportedReversal:
    """Decide the open dispute of a payment; one that was decided so is told again.

    Raises:
        Conflict: There is none, or it was decided otherwise.
    """
    found = await reversals.newest_dispute(tx, intent.tenant_id, intent.reference)
    if found is None:
        raise Conflict("This payment has no dispute that could be decided.")
    if found.is_open:
        if won:
            await reversals.give_back(tx, intent.tenant_id, found)
            await ledger.add_reinstatement(tx, intent.tenant_id, intent, found.amount)
        else:
            await reversals.charge_back(tx, intent.tenant_id, found)
    elif won != bool(found.returned):
        raise Conflict(f"This dispute was {'lost' if won else 'won'} already.")
    return await _told(tx, intent.tenant_id, found.id)


async def to_tell(tx: Tx) -> list[tuple[UUID, ReportedReversal]]:
    """What nobody has acknowledged, with its tenant."""
    told = await reversals.to_tell(tx, _AT_ONCE)
    return [(tenant_id, _report(taken)) for tenant_id, taken in told]


async def acknowledge(tx: Tx, tenant_id: UUID, reported: ReportedReversal) -> None:
    """The caller has recorded a report; what has changed since is told again."""
    await reversals.acknowledge(
        tx, tenant_id, reported.id, kind=reported.kind, returned=reported.returned
    )


def _report(taken: TakenBack) -> ReportedReversal:
    """How it stands, in the port's words."""
    return ReportedReversal(
        id=taken.id,
        reference=taken.reference,
        kind=ReversalKind(taken.kind),
        amount=taken.amount,
        returned=taken.returned,
        reason=taken.reason,
    )


async def _told(tx: Tx, tenant_id: UUID, reversal_id: str) -> ReportedReversal:
    taken = await reversals.find(tx, tenant_id, reversal_id)
    assert taken is not None, "what was taken back is not forgotten"
    return _report(taken)
