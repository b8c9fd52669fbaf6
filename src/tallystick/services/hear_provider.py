"""What a provider tells us by itself: kept at once, looked into later.

An event names what has changed; what it has become is asked of the provider, and then recorded
by the same verbs as everything else. So an event is worth no more than an early look: one that
comes too early, too late, twice or never does no harm.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never
from uuid import UUID

from tallystick.db import (
    attempts,
    collections,
    job_queue,
    provider_connections,
    provider_events,
    saved_methods,
    undecided_debits,
)
from tallystick.db.engine import retrying
from tallystick.domain.attempt import AttemptState
from tallystick.domain.errors import NotFound
from tallystick.domain.payment import Unknown
from tallystick.domain.provider_event import (
    IntentMoved,
    MethodMoved,
    MoneyMovedBack,
    NothingNew,
)
from tallystick.services.charge import take_up
from tallystick.services.context import App, Context
from tallystick.services.ids import new_id
from tallystick.services.keep_method import remove_method
from tallystick.services.look_into_money import NoAnswer, look_into_money
from tallystick.services.method_events import RemovedBy
from tallystick.services.ports import PaymentProvider
from tallystick.services.provider_call import answer_in_time
from tallystick.services.settle_debit import settle_debit
from tallystick.services.tenant_context import tenant_context
from tallystick.services.try_to_collect import look_again

HEARD_JOB = "provider_event"
"""The job that looks into an event, in `jobs/handlers.py`."""


async def hear_provider(
    app: App, connection_id: UUID, headers: Mapping[str, str], body: bytes, real_now: datetime
) -> bool:
    """Keep what a provider sent to a connection, with a job to look into it.

    False where it was kept before, and where it is nothing that concerns us.

    Raises:
        NotFound: There is no such connection.
        EventRefused: The message is not the provider's, too old, or not for this account.
    """
    async with app.database.connection() as tx:
        tenant_id = await provider_connections.owner_of(tx, connection_id)
        if tenant_id is None:
            raise NotFound("There is no such connection.")
        ctx = await tenant_context(app, tx, tenant_id, real_now, actor="provider")
    connection = next(one for one in ctx.tenant.connections if one.id == connection_id)
    event = app.connect(connection).parse_event(headers, body)
    event_id = new_id()
    async with app.transaction() as tx:
        if not await provider_events.keep(tx, tenant_id, event_id, connection_id, event):
            return False
        if isinstance(event.news, NothingNew):
            return False
        await job_queue.enqueue(tx, HEARD_JOB, {"tenant_id": tenant_id, "event_id": event_id})
    return True


async def look_into_event(ctx: Context, event_id: UUID) -> None:
    """Ask the provider about what an event names, and record what it says. A long verb.

    Raises:
        NotFound: There is no such event.
        NoAnswer: The provider did not answer.
    """
    async with ctx.app.database.connection() as tx:
        event = await provider_events.load(tx, ctx.tenant.id, event_id)
    if event is None:
        raise NotFound("There is no such event.")
    if event.is_looked_into:
        return
    connection = next(one for one in ctx.tenant.connections if one.id == event.connection_id)
    provider = ctx.app.connect(connection)
    match event.news:
        case IntentMoved(reference=reference):
            await look_into_intent(ctx, provider, reference)
        case MoneyMovedBack(reference=reference):
            await look_into_money(ctx, provider, reference)
        case MethodMoved(token=token):
            await _look_into_method(ctx, provider, token)
        case NothingNew():
            pass
        case _:
            assert_never(event.news)
    async with ctx.app.database.connection() as tx:
        await provider_events.done(tx, ctx.tenant.id, event_id)


async def look_into_intent(ctx: Context, provider: PaymentProvider, reference: str) -> None:
    """Record where an intent stands: of an attempt, of a try to collect, or of a debit.

    One whose reference nobody has stored yet is left to whoever is about to, and one that is
    none of ours is not even looked at: a look may end it.

    Raises:
        NoAnswer: The provider did not say.
    """
    tenant_id = ctx.tenant.id
    names = ctx.tenant.names_of_account(provider.name)
    async with ctx.app.database.connection() as tx:
        name = await undecided_debits.asked_as(tx, tenant_id, names, reference)
        if name is None:
            return
        attempt_id = await attempts.live_under(tx, tenant_id, name, reference)
        tried = await collections.under(tx, tenant_id, name, reference, AttemptState.LIVE)
    if attempt_id is not None:
        await take_up(ctx, attempt_id, give_up=False)
        return
    if tried is not None:
        await look_again(ctx, tried)
        return
    standing = await answer_in_time(ctx, provider.look(tenant_id, reference))
    if standing is None or isinstance(standing, Unknown):
        raise NoAnswer(reference)
    await settle_debit(ctx, reference, standing, name)


async def _look_into_method(ctx: Context, provider: PaymentProvider, token: str) -> None:
    """Show a saved method as it is now; one that is gone is charged no more."""
    try:
        method = await provider.look_at_method(ctx.tenant.id, token)
    except Exception as silence:
        raise NoAnswer(token) from silence
    async with ctx.app.transaction() as tx:
        if method is not None:
            await saved_methods.keep_changed(tx, ctx.tenant.id, method)
            return
        gone = await saved_methods.kept_under(tx, ctx.tenant.id, provider.name, token)
    for one in gone:
        await _gone(ctx, *one)


async def _gone(ctx: Context, customer_id: UUID, method_id: UUID) -> None:
    await retrying(
        ctx.app.database,
        lambda tx: remove_method(ctx, tx, customer_id, method_id, RemovedBy.PROVIDER),
    )
