"""Take the due steps of subscriptions: trials that end, periods that begin, ends.

Set by set: a batch is locked with SKIP LOCKED, priced in memory, and written by COPY, so any
number of workers may run. A batch that fails is halved until the bad one is alone, and that one
is set aside with its reason.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
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


@dataclass(slots=True, kw_only=True)
class Renewed:
    """Steps that were taken, by kind, and what they made final at once.

    `invoices` counts those, `gone` the drafts besides that would have billed nothing.
    """

    steps: Counter[StepKind] = field(default_factory=Counter)
    invoices: int = 0
    gone: int = 0


async def renew_due(ctx: Context) -> Renewed:
    """Take every step that is due at the tenant's now, in the order of their days.

    What has nothing to wait for is finalized with its step. What cannot be billed is set aside.
    """
    renewed = Renewed()

    def count(found: Renewed) -> int:
        renewed.steps.update(found.steps)
        renewed.invoices += found.invoices
        renewed.gone += found.gone
        return found.steps.total()

    async def set_aside(subscription_id: UUID, reason: str) -> None:
        async with ctx.app.transaction() as tx:
            await due_contracts.set_aside(tx, ctx.tenant.id, subscription_id, reason)

    await set_by_set(
        ctx.app.database,
        DueSets(
            lock_due=lambda tx: due_contracts.lock_due(tx, ctx.tenant.id, ctx.today, BATCH),
            do=lambda tx, ids: _batch(ctx, tx, ids, finalizes=True),
            # Where it is the invoice that fails, the step is taken, and its draft set aside.
            alone=lambda tx, ids: _batch(ctx, tx, ids, finalizes=False),
            count=count,
            set_aside=set_aside,
        ),
    )
    return renewed


async def _batch(ctx: Context, tx: Tx, ids: Sequence[UUID], *, finalizes: bool) -> Renewed:
    """Lock, decide, write: one step of each of these subscriptions."""
    due = await due_contracts.lock(tx, ctx.tenant.id, ids, ctx.today)
    if not due:
        return Renewed()
    taken = await take_steps(ctx, tx, due, finalizes=finalizes)
    final = [one.draft for one in taken if one.is_final and one.draft is not None]
    invoices = sum(bool(one.invoice.lines) for one in final)
    return Renewed(
        steps=Counter(one.step.kind for one in taken),
        invoices=invoices,
        gone=len(final) - invoices,
    )
