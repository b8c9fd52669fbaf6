"""Hand what the buyer typed to the provider, which makes a token of it."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

import structlog

from tallystick.domain.errors import Fault
from tallystick.domain.payment import Method, MethodKind, MethodRefused
from tallystick.services.context import Context

log = structlog.get_logger(__name__)


async def collect_method(
    ctx: Context, entity_id: UUID, session_id: UUID, kind: MethodKind, fields: Mapping[str, str]
) -> Method:
    """The payment method behind the fields of the payment panel. No money moves.

    It is kept by the provider of the entity that sells.

    A call that gives no answer in time is refused like a number that is none: nothing has
    happened, and the buyer tries again.

    Raises:
        MethodRefused: What was typed is no way to pay, or the provider did not say.
    """
    provider = ctx.app.provider_of(ctx.tenant, entity_id)
    if provider is None:
        raise MethodRefused((Fault("form", "not_connected", "ask the seller for a new link"),))
    try:
        async with asyncio.timeout(ctx.app.call_limit_seconds):
            return await provider.collect(ctx.tenant.id, session_id, kind, fields)
    except MethodRefused:
        raise
    except Exception:
        log.warning("provider.no_answer", tenant_id=str(ctx.tenant.id), exc_info=True)
        raise MethodRefused((Fault("form", "no_answer", "try again"),)) from None
