"""Create a checkout session: one read, one decision, one write.

Everything that could go wrong later is resolved and refused here, before a link exists. What
remains is an offer, frozen in the session.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from tallystick.db import checkout_facts, checkout_sessions, plan_versions
from tallystick.db.checkout_facts import CreationFacts, Holder, Named, PartyFacts
from tallystick.db.checkout_sessions import NewSession, SessionRecord, StoredAnswer
from tallystick.db.engine import Tx
from tallystick.domain.catalog import PlanVersion
from tallystick.domain.checkout_request import CheckoutRequest
from tallystick.domain.errors import Conflict, Fault, InvalidInput, NotFound, sentence
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.money import AmountTooLarge
from tallystick.domain.offer import Offer
from tallystick.domain.offer_request import CouponFacts, OfferFacts
from tallystick.domain.quote import Quote
from tallystick.domain.resolve_offer import faults_apart, resolve_offer
from tallystick.domain.schedule import closing_day
from tallystick.domain.session import CheckoutType, Session, SessionState
from tallystick.services.checkout_events import session_event_text
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.quoting import price_offer, quoted


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
    facts = await _read(ctx, tx, request)
    if facts.parties is None or facts.plan is None:
        raise _not_found(ctx, request, facts)
    version = await _version(ctx, tx, request.plan_version_id)
    parties = facts.parties
    faults = _customer_faults(parties)
    offer: Offer | None = None
    try:
        offer = resolve_offer(
            request.offer,
            _offer_facts(request, facts, parties, version),
            now=ctx.now,
            today=ctx.today,
            new_id=new_id,
            trial_used=parties.trial_used,
        )
    except InvalidInput as refused:
        faults.extend(refused.faults)
    if faults or offer is None:
        raise InvalidInput(sentence(faults), tuple(faults))
    try:
        priced = price_offer(ctx, offer, parties, buyer=parties.customer.details)
    except AmountTooLarge:
        fault = Fault("components", "too_large", "must not cost more than can be charged")
        raise InvalidInput(sentence([fault]), (fault,)) from None
    return PricedOffer(offer=offer, quote=priced, parties=parties, holders=facts.holders)


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
        UniqueViolation: the key is taken by another request.
    """
    async with ctx.app.database.connection() as tx:
        resolved = await resolve_checkout(ctx, tx, request)
        if len(resolved.holders) >= ctx.tenant.places_per_plan:
            raise _no_place(resolved.holders[0])
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


async def _read(ctx: Context, tx: Tx, request: CheckoutRequest) -> CreationFacts:
    wanted = request.offer
    return await checkout_facts.load_for_creation(
        tx,
        ctx.tenant.id,
        request.customer_id,
        None if request.customer_id is not None else request.customer,
        request.plan_version_id,
        Named(
            add_on_ids=[entry.add_on_id for entry in wanted.add_ons],
            coupon_ids=list(wanted.coupon_ids),
            coupon_code=wanted.coupon_code,
            price_ids=request.price_ids,
            product_ids=request.product_ids,
            metric_ids=request.metric_ids,
        ),
    )


async def _version(ctx: Context, tx: Tx, version_id: UUID) -> PlanVersion:
    """The plan version, from memory where it is known: once published it never changes."""
    key = (ctx.tenant.id, version_id)
    known = ctx.app.plan_versions.get(key)
    if known is not None:
        return known
    version = await plan_versions.load(tx, ctx.tenant.id, version_id)
    assert version is not None, "the same statement found its plan"
    if version.is_published:
        ctx.app.plan_versions[key] = version
    return version


def _offer_facts(
    request: CheckoutRequest, facts: CreationFacts, parties: PartyFacts, version: PlanVersion
) -> OfferFacts:
    assert facts.plan is not None, "checked by the caller"
    return OfferFacts(
        version=version,
        plan_name=facts.plan.name,
        plan_is_sold=not facts.plan.is_archived,
        entity=parties.entity,
        add_ons=facts.add_ons,
        products=facts.products,
        prices=facts.prices,
        metric_ids=facts.metric_ids,
        coupons=_coupon_facts(request, facts),
    )


def _coupon_facts(request: CheckoutRequest, facts: CreationFacts) -> CouponFacts:
    found = facts.coupons.values()
    return CouponFacts(
        by_id={one.terms.id: (one.terms, one.state) for one in found},
        ids_by_code={
            one.terms.code: one.terms.id
            for one in found
            if one.terms.code == request.offer.coupon_code and not one.state.archived
        },
    )


def _not_found(
    ctx: Context, request: CheckoutRequest, facts: CreationFacts
) -> NotFound | InvalidInput:
    """Who or what is unknown, and whatever else is wrong that can be told without it.

    A request of which a part could not be read is malformed before anything else.
    """
    faults = []
    if facts.parties is None:
        who = request.customer
        if request.customer_id is not None:
            who = encode(Prefix.CUSTOMER, request.customer_id)
        message = f"must be a customer's id or alias, and `{who}` is neither"
        faults.append(Fault("customer_id", "unknown", message))
    if facts.plan is None:
        version = encode(Prefix.PLAN_VERSION, request.plan_version_id)
        message = f"must be a plan version, and `{version}` is none"
        faults.append(Fault("plan_version_id", "unknown", message))
    faults += faults_apart(
        request.offer,
        _coupon_facts(request, facts),
        None if facts.plan is None else (facts.plan.plan_id, facts.plan.currency),
        now=ctx.now,
        today=ctx.today,
    )
    error = InvalidInput if request.offer.unread.fields else NotFound
    return error(sentence(faults), tuple(faults))


def _customer_faults(parties: PartyFacts) -> list[Fault]:
    if parties.customer.is_archived:
        return [Fault("customer_id", "archived", "this customer is archived")]
    return []


def _no_place(holder: Holder) -> Conflict:
    if holder.held_by == "ATTEMPT":
        name = encode(Prefix.CHECKOUT_SESSION, holder.id)
        message = f"This customer is paying for this plan right now, in {name}"
    else:
        name = encode(Prefix.SUBSCRIPTION, holder.id)
        message = f"This customer has this plan already: {name}"
    return Conflict(message, (Fault("plan_version_id", "already_held", f"is held by {name}"),))


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
