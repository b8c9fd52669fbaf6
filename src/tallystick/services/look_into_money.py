"""What became of money that went back: looked up at the provider, and never asked for."""

import asyncio
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import structlog

from tallystick.db import given_refunds, undecided_debits
from tallystick.db.given_refunds import GivenFor, GivenRefund
from tallystick.domain.errors import TallystickError
from tallystick.domain.orphan import TakenPayment
from tallystick.domain.payment import NotAsked, RefundRefused, Unknown
from tallystick.services.came_back import record_came_back
from tallystick.services.context import App, Context
from tallystick.services.each_alone import each_alone
from tallystick.services.ports import PaymentProvider
from tallystick.services.provider_call import answer_in_time
from tallystick.services.record_reversal import record_reversal
from tallystick.services.tenant_context import tenant_context

AT_ONCE = 4
BY_HAND_CAME_BACK = "A refund that was made at the provider did not reach its account."

log = structlog.get_logger(__name__)


class NoAnswer(Exception):
    """The provider did not say what has become of it; it is looked into again."""


async def look_into_money(ctx: Context, provider: PaymentProvider, reference: str) -> None:
    """Record what was taken back of a payment, and refunds of it that did not arrive.

    A long verb. A payment that is none of ours is not looked at.

    Raises:
        NoAnswer: The provider did not say.
    """
    names = ctx.tenant.names_of_account(provider.name)
    async with ctx.app.database.connection() as tx:
        name = await undecided_debits.asked_as(tx, ctx.tenant.id, names, reference)
    if name is not None:
        await _look_into_reversals(ctx, provider, reference)
    await look_into_refunds(ctx, provider, reference)


async def look_into_refunds(ctx: Context, provider: PaymentProvider, reference: str) -> None:
    """Record which refunds of a payment came back, of those that are held for given.

    A long verb.

    Raises:
        NoAnswer: The provider did not say.
    """
    tenant_id = ctx.tenant.id
    names = ctx.tenant.names_of_account(provider.name)
    async with ctx.app.database.connection() as tx:
        given = await given_refunds.under(tx, tenant_id, names, reference)
    for one in given:
        standing = await answer_in_time(
            ctx, provider.look_at_refund(tenant_id, reference, one.key)
        )
        if standing is None or isinstance(standing, Unknown):
            raise NoAnswer(reference)
        if isinstance(standing, RefundRefused):
            await record_came_back(ctx, one, standing.message)
        elif isinstance(standing, NotAsked) and one.given_for is GivenFor.ORPHAN:
            await _look_into_gone(ctx, provider, one)


async def _look_into_gone(ctx: Context, provider: PaymentProvider, gone: GivenRefund) -> None:
    """Money that nobody owed, and that somebody else gave back in full, may be there again."""
    held = await answer_in_time(ctx, provider.payment_held(ctx.tenant.id, gone.reference))
    if held is None:
        raise NoAnswer(gone.reference)
    if isinstance(held, TakenPayment):
        again = replace(gone, amount=min(held.amount, gone.amount))
        await record_came_back(ctx, again, BY_HAND_CAME_BACK)


async def record_failed_refunds(app: App, real_now: datetime) -> int:
    """Look into the refunds that the program's own providers say have failed lately.

    A long verb. Returns how many payments were looked at well. Connections are asked by
    `look_after_connections`.
    """
    done = 0
    for provider in app.providers.values():
        async with asyncio.timeout(app.call_limit_seconds):
            failed = await provider.failed_refunds()

        async def take_up(
            one: tuple[UUID | None, str], provider: PaymentProvider = provider
        ) -> None:
            tenant_id, reference = one
            assert tenant_id is not None, "it serves every tenant, and knows whose it is"
            async with app.database.connection() as tx:
                ctx = await tenant_context(app, tx, tenant_id, real_now, actor="worker")
            await look_into_refunds(ctx, provider, reference)

        done += await each_alone(failed, take_up, at_once=AT_ONCE, work="failed_refunds")
    return done


async def _look_into_reversals(ctx: Context, provider: PaymentProvider, reference: str) -> None:
    taken = await answer_in_time(ctx, provider.reversals_of(ctx.tenant.id, reference))
    if taken is None:
        raise NoAnswer(reference)
    for one in taken:
        try:
            await record_reversal(ctx, one, provider.name)
        except TallystickError as refusal:
            # It is told again by the hourly look.
            log.warning("reversal.not_recorded", id=one.id, reason=refusal.message)
            continue
        await answer_in_time(ctx, provider.acknowledge_reversal(ctx.tenant.id, one))
