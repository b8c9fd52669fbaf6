"""Settle debits: record what became of the accepted ones that the providers have decided."""

import asyncio
from datetime import datetime
from uuid import UUID

from tallystick.db import undecided_debits
from tallystick.services.context import App
from tallystick.services.each_alone import each_alone
from tallystick.services.ports import PaymentProvider
from tallystick.services.settle_debit import settle_debit
from tallystick.services.tenant_context import tenant_context

DEBITS_AT_ONCE = 4


async def settle_debits(app: App, real_now: datetime) -> int:
    """Record every debit that a provider has decided, and return how many went well.

    A long verb. A debit is acknowledged once nothing waits for its outcome any more; until then
    it is listed again, and recording twice is the same as once.
    """
    total = 0
    for provider in app.providers.values():
        async with asyncio.timeout(app.call_limit_seconds):
            decided = await provider.debits_to_settle()

        async def settle(debit: tuple[UUID, str], provider: PaymentProvider = provider) -> None:
            await _settle(app, provider, *debit, real_now)

        total += await each_alone(decided, settle, at_once=DEBITS_AT_ONCE, work="settle_debits")
    return total


async def _settle(
    app: App, provider: PaymentProvider, tenant_id: UUID, reference: str, real_now: datetime
) -> None:
    async with asyncio.timeout(app.call_limit_seconds):
        outcome = await provider.look(tenant_id, reference)
    async with app.database.connection() as tx:
        ctx = await tenant_context(app, tx, tenant_id, real_now, actor="worker")
    await settle_debit(ctx, reference, outcome, provider.name)
    async with app.database.connection() as tx:
        # The purchase itself may be recorded only now, as one whose debit is on its way.
        if await undecided_debits.exists(tx, tenant_id, provider.name, reference):
            return
    async with asyncio.timeout(app.call_limit_seconds):
        await provider.acknowledge_debit(tenant_id, reference)
