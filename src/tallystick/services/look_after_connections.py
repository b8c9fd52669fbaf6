"""What nobody told us: each connection is asked about what it has still to decide.

The events of a provider are the quick way to know; this is the sure one.
"""

import asyncio
from datetime import datetime
from uuid import UUID

import structlog

from tallystick.db import provider_connections, provider_events, undecided_debits
from tallystick.db.leases import Leased
from tallystick.domain.errors import TallystickError
from tallystick.services.context import App, Context
from tallystick.services.each_alone import each_alone
from tallystick.services.hear_provider import look_into_intent
from tallystick.services.look_into_money import look_into_refunds
from tallystick.services.ports import PaymentProvider
from tallystick.services.record_reversal import record_reversal
from tallystick.services.tenant_context import tenant_context

CONNECTIONS_AT_ONCE = 4
DEBITS_AT_ONCE = 4
DEBITS_PER_PAGE = 200
EVENTS_AT_ONCE = 2_000
REVERSALS_SECONDS = 300.0
"""How long a provider may take to tell what it took back: it reads page by page."""

log = structlog.get_logger(__name__)


async def look_after_connections(app: App, real_now: datetime, seconds: float) -> int:
    """Look after every connection that was not looked after for so long; return how many.

    A long verb. A connection is leased for that time, so that one worker looks after it.
    """

    async def look_after(one: Leased) -> None:
        async with app.database.connection() as tx:
            ctx = await tenant_context(app, tx, one.tenant_id, real_now, actor="worker")
        connection = next(known for known in ctx.tenant.connections if known.id == one.id)
        provider = app.connect(connection)
        for known in ctx.tenant.connections:
            # What was begun by a closed one may be told of through this one alone.
            is_its = known.id == one.id or not known.is_open
            if is_its and known.leads_to == connection.leads_to:
                await _debits(ctx, provider, known.name)
        await _reversals(ctx, provider)
        await _failed_refunds(ctx, provider)

    total = 0
    while True:
        async with app.transaction() as tx:
            due = await provider_connections.lease_due(tx, CONNECTIONS_AT_ONCE, seconds)
        total += await each_alone(
            due, look_after, at_once=CONNECTIONS_AT_ONCE, work="look_after_connections"
        )
        if len(due) < CONNECTIONS_AT_ONCE:
            return total


async def purge_provider_events(app: App) -> int:
    """Forget what providers told us 30 days ago, batch by batch; return how many events."""
    total = 0
    while True:
        async with app.transaction() as tx:
            purged = await provider_events.forget_old(tx, EVENTS_AT_ONCE)
        total += purged
        if purged < EVENTS_AT_ONCE:
            return total


async def _debits(ctx: Context, provider: PaymentProvider, name: str) -> None:
    """Ask about every accepted debit that is not decided, oldest first, of one of the names by
    which something was asked of the account.
    """

    async def ask(reference: str) -> None:
        await look_into_intent(ctx, provider, reference)

    after: tuple[datetime, UUID] | None = None
    while True:
        async with ctx.app.database.connection() as tx:
            page = await undecided_debits.pending(
                tx, ctx.tenant.id, name, after, DEBITS_PER_PAGE
            )
        await each_alone(
            [one.reference for one in page], ask, at_once=DEBITS_AT_ONCE, work="ask_debits"
        )
        if len(page) < DEBITS_PER_PAGE:
            return
        after = (page[-1].created_at, page[-1].id)


async def _reversals(ctx: Context, provider: PaymentProvider) -> None:
    """Record what the account took back lately of this tenant's payments."""
    async with asyncio.timeout(REVERSALS_SECONDS):
        told = await provider.reversals_to_record()
    for tenant_id, reported in told:
        if tenant_id != ctx.tenant.id:
            # One account may be that of several tenants.
            continue
        try:
            await record_reversal(ctx, reported, provider.name)
        except TallystickError as refusal:
            log.warning("reversal.not_recorded", id=reported.id, reason=refusal.message)
            continue
        await provider.acknowledge_reversal(tenant_id, reported)


async def _failed_refunds(ctx: Context, provider: PaymentProvider) -> None:
    """Record which refunds of this tenant's came back lately."""
    async with asyncio.timeout(REVERSALS_SECONDS):
        failed = await provider.failed_refunds()

    async def look(reference: str) -> None:
        await look_into_refunds(ctx, provider, reference)

    theirs = [reference for tenant, reference in failed if tenant in {None, ctx.tenant.id}]
    await each_alone(theirs, look, at_once=DEBITS_AT_ONCE, work="look_into_refunds")
