"""Real time passing in a test: what is due becomes due at once, and the worker works."""

from dataclasses import replace
from datetime import datetime

from tallystick.services.expire_sessions import expire_due_sessions
from tallystick.services.settle_debits import settle_debits
from tallystick.services.sweep_attempts import sweep_attempts
from tests.world import NOON, World


async def sweep(world: World) -> int:
    """Let every live attempt become due, as if its lease were over, and sweep."""
    await world.execute(
        "update payment_attempts set check_at = now() - interval '1 second' "
        "where tenant_id = $1 and state = 'LIVE'",
        world.tenant_id,
    )
    return await sweep_attempts(world.app, NOON)


async def challenges_end(world: World) -> None:
    """Let the half hour of every challenge be over, and sweep."""
    await world.execute(
        "update payment_attempts set challenge_until = now() - interval '1 second' "
        "where tenant_id = $1 and challenge_until is not null and state = 'LIVE'",
        world.tenant_id,
    )
    await sweep(world)


async def debits_are_decided(world: World) -> int:
    """Let the bank decide every accepted debit, and record what it says."""
    await world.execute(
        "update sandbox.intents set settle_at = now() - interval '1 second' "
        "where tenant_id = $1 and state = 'PENDING'",
        world.tenant_id,
    )
    return await settle_debits(world.app, NOON)


async def travel(world: World, now: datetime) -> World:
    """The same shop at another business time, its frozen clock moved there."""
    await world.execute("update tenants set clock = $2 where id = $1", world.tenant_id, now)
    ctx = world.ctx
    return replace(world, ctx=replace(ctx, now=now, tenant=replace(ctx.tenant, clock=now)))


async def expire_due(world: World) -> int:
    """Let the worker expire what is due at the tenant's now."""
    return await expire_due_sessions(world.app, NOON)
