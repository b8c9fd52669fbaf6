"""Take the due steps of subscriptions: trials that end, periods that begin, ends.

Set by set: a batch is locked with SKIP LOCKED, priced in memory, and written by COPY, so any
number of workers may run. A batch that fails is halved until the bad one is alone, and that one
is set aside with its reason.
"""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from tallystick.db import due_contracts
from tallystick.db.engine import Tx
from tallystick.domain.life import StepKind
from tallystick.services.context import Context
from tallystick.services.in_halves import DueSets, set_by_set
from tallystick.services.take_steps import take_steps

BATCH = 250
"""Steps in one transaction: enough that the round trips do not count, few enough that a
failure does not undo much."""


async def renew_due(ctx: Context) -> Counter[StepKind]:
    """Take every step that is due at the tenant's now, in the order of their days.

    Returns how many steps of each kind were taken. What cannot be billed is set aside.
    """
    taken: Counter[StepKind] = Counter()

    def count(found: Counter[StepKind]) -> int:
        taken.update(found)
        return found.total()

    async def set_aside(subscription_id: UUID, reason: str) -> None:
        async with ctx.app.transaction() as tx:
            await due_contracts.set_aside(tx, ctx.tenant.id, subscription_id, reason)

    await set_by_set(
        ctx.app.database,
        DueSets(
            lock_due=lambda tx: due_contracts.lock_due(tx, ctx.tenant.id, ctx.today, BATCH),
            do=lambda tx, ids: _batch(ctx, tx, ids),
            count=count,
            set_aside=set_aside,
        ),
    )
    return taken


async def _batch(ctx: Context, tx: Tx, ids: Sequence[UUID]) -> Counter[StepKind]:
    """Lock, decide, write: one step of each of these subscriptions."""
    due = await due_contracts.lock(tx, ctx.tenant.id, ids, ctx.today)
    if not due:
        return Counter()
    taken = await take_steps(ctx, tx, due)
    return Counter(one.step.kind for one in taken)
