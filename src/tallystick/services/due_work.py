"""What is due at a tenant's now: the one question that the worker and a moving clock ask."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tallystick.db import due_contracts, due_drafts, due_moments, due_sessions, usage_marks
from tallystick.domain.life import StepKind
from tallystick.services.collect_invoice import collect_due
from tallystick.services.context import App, Context
from tallystick.services.each_alone import each_alone
from tallystick.services.end_dunning import end_dunning
from tallystick.services.end_session import expire_session
from tallystick.services.finalize_due import finalize_due
from tallystick.services.look_at_thresholds import look_at_thresholds
from tallystick.services.remind import remind
from tallystick.services.renew_due import renew_due
from tallystick.services.tenant_context import tenant_context

SESSIONS_AT_ONCE = 4
AGAIN_AFTER_SECONDS = 3600.0
"""How long, in real time, a step that could not be taken is left alone."""


@dataclass(slots=True, kw_only=True)
class Done:
    """What was done: steps of subscriptions by kind, invoices finalized and tried, sessions.

    `dropped` are drafts that billed nothing after all; `dunned` are invoices about which was
    decided after their last try, or that are paid and suspended something, `reminded` those and
    cards that reminders were due of; `looked_at` are
    customers whose usage was compared with their thresholds, and `thresholds` the invoices
    that came of it.
    """

    steps: Counter[StepKind] = field(default_factory=Counter)
    finalized: int = 0
    dropped: int = 0
    collected: int = 0
    dunned: int = 0
    reminded: int = 0
    expired: int = 0
    looked_at: int = 0
    thresholds: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing to do."""
        return not (
            self.steps
            or self.finalized
            or self.dropped
            or self.collected
            or self.dunned
            or self.reminded
            or self.expired
            or self.looked_at
        )

    def add(self, more: "Done") -> None:
        """Count what was done besides."""
        self.steps.update(more.steps)
        self.finalized += more.finalized
        self.dropped += more.dropped
        self.collected += more.collected
        self.dunned += more.dunned
        self.reminded += more.reminded
        self.expired += more.expired
        self.looked_at += more.looked_at
        self.thresholds += more.thresholds


async def do_due_work(ctx: Context) -> Done:
    """Do everything that is due at the tenant's now: steps, thresholds, drafts, collections."""
    done = Done()
    renewed = await renew_due(ctx)
    done.steps = renewed.steps
    looked = await look_at_thresholds(ctx)
    done.looked_at, done.thresholds = looked.customers, looked.invoices
    finalized, dropped = await finalize_due(ctx)
    done.finalized = renewed.invoices + finalized
    done.dropped = renewed.gone + dropped
    done.collected = await collect_due(ctx)
    done.dunned = await end_dunning(ctx)
    done.reminded = await remind(ctx)
    return done


async def expire_sessions_of(ctx: Context) -> int:
    """Expire the tenant's sessions whose time is up."""
    async with ctx.app.database.connection() as tx:
        due = await due_sessions.due_of_tenant(tx, ctx.tenant.id, ctx.now)
    return await each_alone(
        due, lambda one: expire_session(ctx, one), at_once=SESSIONS_AT_ONCE, work="expire"
    )


async def bill_due(app: App, real_now: datetime) -> int:
    """Bill what is due, tenant by tenant, each at its own now; how much there was.

    A tenant whose clock is being moved is left to whoever moves it, and one that fails stops
    no other. What was set aside an hour ago is tried again.

    Raises:
        DatabaseUnavailable: It went away; the rest was not billed.
    """
    async with app.database.connection() as tx:
        tenants = await due_moments.tenants_with_due_work(tx, real_now, AGAIN_AFTER_SECONDS)
    if not tenants:
        return 0
    total = 0
    # The locks live on a connection of their own: they end with it, however this ends, and the
    # work itself never waits for one that is held.
    async with app.database.own_connection() as holder:

        async def bill(tenant_id: UUID) -> None:
            nonlocal total
            async with due_moments.sharing_clock(holder, tenant_id) as shared:
                if not shared:
                    return
                ctx = await tenant_context(app, holder, tenant_id, real_now, actor="worker")
                await take_up_again(ctx, AGAIN_AFTER_SECONDS)
                done = await do_due_work(ctx)
            total += sum(done.steps.values()) + done.finalized + done.collected
            total += done.thresholds + done.dunned + done.reminded

        await each_alone(tenants, bill, at_once=1, work="bill")
    return total


async def take_up_again(ctx: Context, after_seconds: float) -> None:
    """Let what was set aside, so much real time ago at least, be due again."""
    async with ctx.app.transaction() as tx:
        await due_contracts.take_up_again(tx, ctx.tenant.id, after_seconds)
        await due_drafts.take_up_again(tx, ctx.tenant.id, after_seconds)
        await usage_marks.take_up_again(tx, ctx.tenant.id, after_seconds)
