"""Show a checkout: the session, today's quote of it, and what the page says around it."""

from dataclasses import replace
from uuid import UUID

from tallystick.db import attempts, checkout_sessions, invoice_facts
from tallystick.db.checkout_facts import PartyFacts
from tallystick.db.engine import Tx
from tallystick.domain.attempt import Attempt, AttemptState
from tallystick.domain.errors import Conflict, NotFound
from tallystick.domain.offer import BankTransfer, OnlinePayment
from tallystick.domain.parties import BankAccount, InvoicingEntity
from tallystick.domain.payment_panel import TypedPanel
from tallystick.domain.quote import Quote
from tallystick.domain.session import Session, SessionState
from tallystick.services.checkout_view import (
    CheckoutView,
    CompletedCard,
    InvoiceCard,
    LiveAttempt,
    SellerCard,
)
from tallystick.services.context import Context
from tallystick.services.quoting import (
    load_parties,
    todays_offer,
    vat_number_valid,
)
from tallystick.services.todays_quote import todays_quote


async def show_checkout(
    ctx: Context, session_id: UUID, *, paid_with: UUID | None
) -> CheckoutView:
    """Everything the page shows; what a completed checkout came to only to the buyer's browser.

    `paid_with` is the attempt that the browser is known to have begun: it must be the one that
    has bought.

    Nothing is stored: the form carries the quote that is shown.

    Raises:
        NotFound: there is no such session.
        Conflict: its seller can be paid online no more.
    """
    async with ctx.app.database.connection() as tx:
        record = await checkout_sessions.load(tx, ctx.tenant.id, session_id)
        if record is None:
            raise NotFound("There is no such checkout")
        session = record.session
        session = replace(session, offer=todays_offer(ctx, session))
        parties = await load_parties(ctx, tx, session)
        attempt = await attempts.latest(tx, ctx.tenant.id, session_id)
        quote = await _quote(ctx, tx, session, parties, attempt)
        status = _status(ctx, session, quote)
        completed = None
        if status is SessionState.COMPLETED and attempt is not None and attempt.id == paid_with:
            completed = await _completed(ctx, tx, attempt)
    buyer = session.buyer or parties.customer.details
    provider = ctx.app.provider_of(ctx.tenant, session.offer.invoicing_entity_id)
    if provider is None and not status.is_terminal and _is_paid_online(session):
        raise Conflict("The seller cannot be paid on this page any more: ask for a new link.")
    live = attempt is not None and attempt.state is AttemptState.LIVE
    error = session.last_payment_error
    return CheckoutView(
        session=session,
        status=status,
        now=ctx.now,
        offer=session.offer,
        quote=None if status.is_terminal else quote,
        seller=_seller(ctx, session, parties.entity, attempt),
        buyer=buyer,
        vat_number_valid=vat_number_valid(buyer),
        page_code=None if session.page_coupon is None else session.page_coupon.code,
        last_failure=None if error is None else error.reason,
        attempt=LiveAttempt(
            id=attempt.id, step=attempt.step.value, challenge_url=attempt.challenge_url
        )
        if attempt is not None and live
        else None,
        completed=completed,
        locales=parties.customer.locales,
        mandate_reference=None if provider is None else provider.mandate_reference(session_id),
        # Where there is no provider, nothing of a panel is shown.
        panel=TypedPanel() if provider is None else provider.panel(),
    )


def _status(ctx: Context, session: Session, quote: Quote | None) -> SessionState:
    """The state as reported; EXPIRED, too, when no day is left that the offer could bill."""
    status = session.status(ctx.now)
    is_open = status is SessionState.CREATED
    if is_open and (quote is None or quote.dates.is_over):
        return SessionState.EXPIRED
    return status


async def _quote(
    ctx: Context, tx: Tx, session: Session, parties: PartyFacts, attempt: Attempt | None
) -> Quote | None:
    """Today's quote; what is being paid, while that is so; None where the session has ended.

    What an attempt holds is not available to a quote made meanwhile, though it is its own.
    """
    if session.status(ctx.now).is_terminal:
        return None
    if attempt is not None and attempt.state is AttemptState.LIVE:
        return attempt.obligation.quote
    return await todays_quote(ctx, tx, session, parties)


def _seller(
    ctx: Context, session: Session, entity: InvoicingEntity, attempt: Attempt | None
) -> SellerCard:
    return SellerCard(
        legal_name=entity.legal_name,
        address=entity.address,
        vat_number=entity.vat_number,
        creditor_identifier=entity.creditor_identifier,
        logo_url=entity.logo_url,
        brand_color=entity.brand_color,
        email=entity.email,
        is_test=ctx.tenant.is_test,
        bank_account=_bank_account(session, entity, attempt),
    )


def _bank_account(
    session: Session, entity: InvoicingEntity, attempt: Attempt | None
) -> BankAccount | None:
    """The account that a transfer goes to: the one the offer names, else the entity's first.

    One that was removed after the order is still what was ordered; before it, there is none.
    """
    payment = session.offer.payment
    if not isinstance(payment, BankTransfer):
        return None
    account = entity.account(payment.account_id)
    if account is None and attempt is not None and attempt.state is AttemptState.SUCCEEDED:
        return attempt.obligation.entity.account(payment.account_id)
    return account


async def _completed(ctx: Context, tx: Tx, attempt: Attempt) -> CompletedCard:
    quote = attempt.obligation.quote
    card: InvoiceCard | None = None
    if attempt.invoice_id is not None and quote.bill is not None:
        stands = await invoice_facts.standing(tx, ctx.tenant.id, attempt.invoice_id)
        card = InvoiceCard(
            id=attempt.invoice_id,
            number=stands.number,
            invoice_date=stands.invoice_date,
            due_date=stands.due_date,
            amount_due=stands.amount_due,
            payment_status=stands.payment_status,
        )
    return CompletedCard(method=attempt.method, invoice=card, quote=quote)


def _is_paid_online(session: Session) -> bool:
    return isinstance(session.offer.payment, OnlinePayment)
