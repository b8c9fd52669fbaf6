"""Ask a provider, and wait for its answer no longer than a call may take."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import structlog

from tallystick.domain.attempt import Attempt
from tallystick.services.context import Context
from tallystick.services.ports import PaymentProvider

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")


async def answer_in_time(ctx: Context, call: Awaitable[Answer]) -> Answer | None:
    """The provider's answer, or None when there was none in time.

    Whatever a call raises means the same as silence: nobody knows what happened. It is
    logged, and the sweeper asks again.
    """
    try:
        async with asyncio.timeout(ctx.app.call_limit_seconds):
            return await call
    except Exception:
        log.warning("provider.no_answer", tenant_id=str(ctx.tenant.id), exc_info=True)
        return None


async def done_in_time(ctx: Context, call: Awaitable[None]) -> bool:
    """Whether the provider has answered that something is done; as `answer_in_time`."""

    async def done() -> bool:
        await call
        return True

    return await answer_in_time(ctx, done()) or False


def provider_asked(ctx: Context, attempt: Attempt) -> PaymentProvider:
    """The provider that an attempt was claimed for, whatever its entity has connected since."""
    assert attempt.provider is not None, "an attempt that asks a provider names it"
    return ctx.app.provider_named(ctx.tenant, attempt.provider)
