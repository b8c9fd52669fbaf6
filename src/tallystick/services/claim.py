"""Claim: decide once, under lock, what will be charged, and take everything it needs.

After the claim nobody prices, validates, or reads catalog, coupons, customer or clock again:
the attempt owns the whole quote, the buyer as quoted, the method, the dates, and the ids of
what it will make. Exclusivity, coupons and balance are taken here, so that `record` cannot
refuse.
"""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from tallystick.db import (
    attempts,
    balance_holds,
    checkout_sessions,
    coupon_redemptions,
)
from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.attempt import Attempt, AttemptState, AttemptStep, Obligation
from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.errors import Fault, NotFound
from tallystick.domain.offer import BankTransfer, OnlinePayment
from tallystick.domain.payment import Method, MethodKind
from tallystick.domain.quote import AttemptKind, Quote
from tallystick.domain.session import Session, SessionState
from tallystick.services.activation import lock_activated, take_place
from tallystick.services.changing_plan import lock_changed
from tallystick.services.confirm_result import (
    AlreadyHeld,
    Completed,
    ConfirmResult,
    Consent,
    Ended,
    InFlight,
    QuoteChanged,
    Refused,
)
from tallystick.services.context import App, Context
from tallystick.services.edit_checkout import keep_typed
from tallystick.services.ids import new_id
from tallystick.services.leave_session import leave_session
from tallystick.services.ports import PaymentProvider
from tallystick.services.quoting import load_parties, quoted
from tallystick.services.todays_quote import todays_quote
from tallystick.services.try_limits import too_many_tries

SWEEP_MARGIN_SECONDS = 10.0
"""How long after a call's limit the sweeper takes an attempt up, at the earliest."""

ATTEMPTS_PER_SESSION_MAX = 50
"""More tries than this on one link are no buyer's any more (card testing)."""

_CONSENT: Codec[Consent] = Codec(Consent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What the buyer sent with the button.

    `shown` is the canonical form of the quote seen, `browser` a mark of who sends it,
    `payer` one of the address that it comes from.
    """

    shown: str
    buyer: BuyerDetails
    code: str | None
    method: Method | None
    consent: Consent | None
    return_url: str
    browser: str | None = None
    payer: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The session's live attempt; `is_new` when this claim made it, so that it is to be
    charged.
    """

    attempt: Attempt
    is_new: bool


def lease_seconds(app: App) -> float:
    """How long an attempt is left alone after a call to the provider has begun."""
    return app.call_limit_seconds + SWEEP_MARGIN_SECONDS


async def claim(
    ctx: Context, tx: Tx, session_id: UUID, confirmation: Confirmation
) -> Claimed | ConfirmResult:
    """Claim an attempt, or say why there is none; everything happens in the given transaction.

    A session that has a live attempt gets no other one: its live attempt is the answer.
    """
    record = await checkout_sessions.lock(tx, ctx.tenant.id, session_id)
    if record is None:
        raise NotFound("There is no such checkout")
    session = record.session
    if session.state is SessionState.COMPLETED:
        return Completed()
    if session.status(ctx.now).is_terminal:
        return Ended(session.status(ctx.now))
    if session.state is SessionState.AWAITING_PAYMENT:
        live = await attempts.live(tx, ctx.tenant.id, session.id)
        return InFlight() if live is None else Claimed(attempt=live, is_new=False)
    if session.attempt_count >= ATTEMPTS_PER_SESSION_MAX:
        fault = Fault("form", "too_many_attempts", "ask for a new link")
        return Refused((fault,))
    session = await lock_activated(ctx, tx, session)
    if session.activating is not None and not session.activating.can_be_activated:
        return Ended(SessionState.EXPIRED)
    refused = await lock_changed(ctx, tx, session)
    if refused is not None:
        return refused
    typed = await keep_typed(ctx, tx, session, confirmation.buyer, confirmation.code)
    if typed.faults:
        return Refused(typed.faults)
    session = typed.session
    obligation = await _todays(ctx, tx, session, confirmation)
    quote = obligation.quote
    end = _end_of(obligation)
    if end is not None:
        await leave_session(ctx, tx, record, end)
        return Ended(end)
    if quote.id != hashlib.sha256(confirmation.shown.encode()).hexdigest():
        return QuoteChanged(confirmation.shown, quote)
    provider = ctx.app.provider_of(ctx.tenant, obligation.offer.invoicing_entity_id)
    faults = _faults(obligation, confirmation, provider)
    faults += await _tried_too_often(ctx, tx, session, confirmation, quote)
    if faults:
        return Refused(tuple(faults))
    return await _take(ctx, tx, session, confirmation, obligation)


async def _todays(
    ctx: Context, tx: Tx, session: Session, confirmation: Confirmation
) -> Obligation:
    """What would be owed, with today's quote, priced under the locks that the claim needs."""
    coupon_ids = [terms.id for terms in session.offer.coupons]
    if session.page_coupon is not None:
        coupon_ids.append(session.page_coupon.id)
    await coupon_redemptions.lock_coupons(tx, ctx.tenant.id, coupon_ids)
    parties = await load_parties(ctx, tx, session)
    quote = await todays_quote(ctx, tx, session, parties)
    assert quote is not None, "what it changes was looked at under lock"
    return Obligation(
        offer=session.offer,
        quote=quote,
        buyer=session.buyer or parties.customer.details,
        customer=parties.customer,
        entity=parties.entity,
        return_url=confirmation.return_url,
        redemption_ids=tuple(new_id() for _ in quote.coupons),
    )


def _end_of(obligation: Obligation) -> SessionState | None:
    """How a session ends that nothing can be bought at any more, None where something can."""
    if obligation.customer.is_archived:
        return SessionState.CANCELLED
    return SessionState.EXPIRED if obligation.quote.dates.is_over else None


def _faults(
    obligation: Obligation, confirmation: Confirmation, provider: PaymentProvider | None
) -> list[Fault]:
    """What is missing on the page before anything may be charged."""
    offer, quote, entity = obligation.offer, obligation.quote, obligation.entity
    faults: list[Fault] = []
    if quote.needs_country:
        faults.append(Fault("country", "required", "say where you are; tax depends on it"))
    if isinstance(offer.payment, BankTransfer) and not entity.account(offer.payment.account_id):
        faults.append(Fault("form", "no_account", "ask the seller for a new link"))
    if quote.kind is AttemptKind.NONE:
        return faults
    method = confirmation.method
    payment = offer.payment
    assert isinstance(payment, OnlinePayment), "only an online purchase pays or saves a method"
    if method is None:
        faults.append(Fault("method", "required", "choose how to pay"))
    elif not (payment.card if method.kind is MethodKind.CARD else payment.direct_debit):
        faults.append(Fault("method", "not_offered", "choose one of the methods offered"))
    elif method.provider != (provider and provider.name):
        # The seller has connected another account, or none, since it was typed.
        faults.append(Fault("method", "other_provider", "say how to pay once more"))
    is_debit = method is not None and method.kind is MethodKind.DIRECT_DEBIT
    if confirmation.consent is None and (quote.saves_method or is_debit):
        faults.append(Fault("consent", "required", "agree to the mandate or later charges"))
    return faults


async def _tried_too_often(
    ctx: Context, tx: Tx, session: Session, confirmation: Confirmation, quote: Quote
) -> list[Fault]:
    """Why no other card is tried: too many have failed."""
    if quote.kind is AttemptKind.NONE:
        return []
    fault = await too_many_tries(ctx, tx, session.customer_id, confirmation.payer)
    return [] if fault is None else [fault]


async def _take(
    ctx: Context, tx: Tx, session: Session, confirmation: Confirmation, obligation: Obligation
) -> Claimed | AlreadyHeld:
    """Take place, coupons and balance, and write the attempt."""
    quote = obligation.quote
    needs_provider = quote.kind is not AttemptKind.NONE
    pays = quote.kind is AttemptKind.PAYMENT
    method = confirmation.method if needs_provider else None
    consent = confirmation.consent if needs_provider else None
    attempt = Attempt(
        id=new_id(),
        session_id=session.id,
        customer_id=session.customer_id,
        kind=quote.kind,
        state=AttemptState.LIVE,
        step=AttemptStep.CLAIMED,
        provider=None if method is None else method.provider,
        reference=None,
        challenge_url=None,
        obligation=obligation,
        method=method,
        amount=quote.amount_due if pays else 0,
        currency=quote.currency,
        balance_held=quote.balance_applied,
        business_date=ctx.today,
        subscription_id=session.subscription_there or new_id(),
        invoice_id=None if quote.bill is None else new_id(),
        transaction_id=new_id() if pays else None,
        payment_method_id=new_id() if quote.saves_method else None,
        failure=None,
        challenge_is_over=False,
        claimed_at=ctx.now,
        acceptance=None if consent is None else consent.acceptance,
    )
    if not await take_place(ctx, tx, session, attempt.id):
        return AlreadyHeld()
    await attempts.insert(
        tx,
        ctx.tenant.id,
        attempt,
        _CONSENT.dump_optional(consent),
        confirmation.browser,
        confirmation.payer,
        lease_seconds(ctx.app),
    )
    await coupon_redemptions.reserve(tx, ctx.tenant.id, attempt)
    await balance_holds.hold(
        tx, ctx.tenant.id, session.customer_id, quote.currency, quote.balance_applied
    )
    await checkout_sessions.keep_quoted(tx, ctx.tenant.id, session.id, quoted(quote))
    await checkout_sessions.await_payment(tx, ctx.tenant.id, session.id, ctx.now)
    return Claimed(attempt=attempt, is_new=True)
