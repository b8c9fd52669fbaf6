"""Create a checkout session: one read, one decision, one write.

Everything that could go wrong later is resolved and refused here, before a link exists. What
remains is an offer, frozen in the session.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from tallystick.db import checkout_sessions
from tallystick.db.checkout_facts import Holder, PartyFacts
from tallystick.db.checkout_sessions import NewSession, SessionRecord, StoredAnswer
from tallystick.db.engine import Tx
from tallystick.domain.checkout_request import CheckoutRequest
from tallystick.domain.errors import Busy, Conflict, Fault, InvalidInput, sentence
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.money import AmountTooLarge
from tallystick.domain.offer import Offer
from tallystick.domain.quote import Quote
from tallystick.domain.schedule import closing_day
from tallystick.domain.session import CheckoutType, Session, SessionState
from tallystick.services.checkout_events import session_event_text
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.quoting import price_offer, quoted
from tallystick.services.resolve_request import resolve_request

BUSY_SECONDS = 15
"""When to ask again while a place is being paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedOffer:
    """What a request resolves to, with today's quote of it. Nothing is stored."""

    offer: Offer
    quote: Quote
    parties: PartyFacts
    holders: tuple[Holder, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedSession:
    """A session that was just made: as stored, and as quoted."""

    record: SessionRecord
    quote: Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationKey:
    """The idempotency key that a creation is stored under, with the request's hash."""

    operation: str
    key: str
    request_hash: bytes


async def resolve_checkout(ctx: Context, tx: Tx, request: CheckoutRequest) -> PricedOffer:
    """Resolve and price a request without storing anything.

    Raises:
        NotFound: no such customer or plan version.
        InvalidInput: every other fault of the request, all together.
    """
    found = await resolve_request(ctx, tx, request)
    offer, parties = found.offer, found.parties
    try:
        priced = price_offer(ctx, offer, parties, buyer=parties.customer.details)
    except AmountTooLarge:
        fault = Fault("components", "too_large", "must not cost more than can be charged")
        raise InvalidInput(sentence([fault]), (fault,)) from None
    return PricedOffer(offer=offer, quote=priced, parties=parties, holders=found.holders)


async def create_checkout_session(
    ctx: Context,
    request: CheckoutRequest,
    key: CreationKey | None,
    show: Callable[[CreatedSession], str],
) -> str:
    """Create a session and return its answer, as `show` writes it.

    The answer is stored with the session, in the same statement, where a key is given. The
    context has no transaction: read and write are one statement each.

    Raises:
        NotFound: no such customer or plan version.
        InvalidInput: every other fault of the request, all together.
        Conflict: no place for the plan is free; the message names a holder.
        Busy: the same, while one of the places is being paid for.
        UniqueViolation: the key is taken by another request.
    """
    async with ctx.app.database.connection() as tx:
        resolved = await resolve_checkout(ctx, tx, request)
        if len(resolved.holders) >= ctx.tenant.places_per_plan:
            raise _no_place(resolved.holders)
        created = _session(ctx, request, resolved)
        answer = show(created)
        session = created.record.session
        await checkout_sessions.insert(
            tx,
            ctx.tenant.id,
            NewSession(
                id=session.id,
                customer_id=session.customer_id,
                offer=session.offer,
                quoted=session.quoted,
                request=request.echo,
                metadata=request.metadata,
                success_url=session.success_url,
                cancel_url=session.cancel_url,
                expires_at=session.expires_at,
                created_at=ctx.now,
                event_id=new_id(),
                event_data=session_event_text(created.record, status=SessionState.CREATED),
            ),
            None
            if key is None
            else StoredAnswer(
                operation=key.operation,
                key=key.key,
                request_hash=key.request_hash,
                status=200,
                body=answer,
            ),
        )
    return answer


def _expiry(ctx: Context, resolved: PricedOffer, hours: int) -> datetime | None:
    """When a session made now expires; 0 hours mean never.

    It expires no later than the day from which on nothing of it would be billed.
    """
    wanted = None if hours == 0 else ctx.now + timedelta(hours=hours)
    closing = closing_day(resolved.offer, trial_used=resolved.parties.trial_used)
    if closing is None:
        return wanted
    closes = datetime.combine(closing, time(), ZoneInfo(ctx.tenant.time_zone))
    return closes if wanted is None else min(wanted, closes)


def _no_place(holders: Sequence[Holder]) -> Conflict:
    """Why there is none; a payment that is under way may end without taking its place."""
    for holder in holders:
        if holder.held_by == "ATTEMPT":
            name = encode(Prefix.CHECKOUT_SESSION, holder.id)
            message = f"This customer is paying for this plan right now, in {name}"
            return Busy(message, BUSY_SECONDS, (_held_by(name),))
    name = encode(Prefix.SUBSCRIPTION, holders[0].id)
    return Conflict(f"This customer has this plan already: {name}", (_held_by(name),))


def _held_by(name: str) -> Fault:
    return Fault("plan_version_id", "already_held", f"is held by {name}")


def _session(ctx: Context, request: CheckoutRequest, resolved: PricedOffer) -> CreatedSession:
    session = Session(
        id=new_id(),
        customer_id=resolved.parties.customer.id,
        plan_id=resolved.offer.plan_id,
        plan_version_id=resolved.offer.plan_version_id,
        state=SessionState.CREATED,
        ending=None,
        offer=resolved.offer,
        buyer=None,
        page_coupon=None,
        success_url=request.success_url,
        cancel_url=request.cancel_url,
        expires_at=_expiry(ctx, resolved, request.expires_in_hours),
        completed_at=None,
        subscription_id=None,
        quoted=quoted(resolved.quote),
        last_payment_error=None,
        attempt_count=0,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    record = SessionRecord(
        session=session,
        request=request.echo,
        metadata=request.metadata,
        checkout_type=CheckoutType.SELF_SERVE,
    )
    return CreatedSession(record=record, quote=resolved.quote)
