"""Show a checkout: the session, today's quote of it, and what the page says around it."""

from uuid import UUID

from tallystick.db import attempts, checkout_sessions, invoice_facts
from tallystick.db.checkout_facts import PartyFacts
from tallystick.db.engine import Tx
from tallystick.domain.attempt import Attempt, AttemptState
from tallystick.domain.errors import NotFound
from tallystick.domain.offer import BankTransfer
from tallystick.domain.parties import BankAccount
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
from tallystick.services.quoting import load_parties, quote_session, vat_number_valid


async def show_checkout(ctx: Context, session_id: UUID, *, by_buyer: bool) -> CheckoutView:
    """Everything the page shows; what a completed checkout came to only to the buyer's browser.

    Nothing is stored: the form carries the quote that is shown.

    Raises:
        NotFound: there is no such session.
    """
    async with ctx.app.database.connection() as tx:
        record = await checkout_sessions.load(tx, ctx.tenant.id, session_id)
        if record is None:
            raise NotFound("There is no such checkout")
        session = record.session
        parties = await load_parties(ctx, tx, session)
        attempt = await attempts.latest(tx, ctx.tenant.id, session_id)
        quote = _quote(ctx, session, parties, attempt)
        status = session.status(ctx.now)
        completed = None
        if by_buyer and status is SessionState.COMPLETED and attempt is not None:
            completed = await _completed(ctx, tx, attempt)
    buyer = session.buyer or parties.customer.details
    live = attempt is not None and attempt.state is AttemptState.LIVE
    error = session.last_payment_error
    return CheckoutView(
        session=session,
        status=status,
        now=ctx.now,
        offer=session.offer,
        quote=None if status.is_terminal else quote,
        seller=_seller(ctx, session, parties),
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
        mandate_reference=ctx.app.provider_of(ctx.tenant).mandate_reference(session_id),
    )


def _quote(
    ctx: Context, session: Session, parties: PartyFacts, attempt: Attempt | None
) -> Quote | None:
    """Today's quote; what is being paid, while that is so; None where the session has ended.

    What an attempt holds is not available to a quote made meanwhile, though it is its own.
    """
    if session.status(ctx.now).is_terminal:
        return None
    if attempt is not None and attempt.state is AttemptState.LIVE:
        return attempt.obligation.quote
    return quote_session(ctx, session, parties)


def _seller(ctx: Context, session: Session, parties: PartyFacts) -> SellerCard:
    entity = parties.entity
    return SellerCard(
        legal_name=entity.legal_name,
        address=entity.address,
        vat_number=entity.vat_number,
        creditor_identifier=entity.creditor_identifier,
        logo_url=entity.logo_url,
        brand_color=entity.brand_color,
        email=entity.email,
        is_test=ctx.tenant.is_test,
        bank_account=_bank_account(session, entity.bank_accounts),
    )


def _bank_account(session: Session, accounts: tuple[BankAccount, ...]) -> BankAccount | None:
    """The account that a transfer goes to: the one the offer names, else the entity's first."""
    payment = session.offer.payment
    if not isinstance(payment, BankTransfer) or not accounts:
        return None
    named = [account for account in accounts if account.id == payment.account_id]
    return named[0] if named else accounts[0]


async def _completed(ctx: Context, tx: Tx, attempt: Attempt) -> CompletedCard:
    quote = attempt.obligation.quote
    card: InvoiceCard | None = None
    if attempt.invoice_id is not None and quote.bill is not None:
        stands = await invoice_facts.standing(tx, ctx.tenant.id, attempt.invoice_id)
        card = InvoiceCard(
            number=stands.number,
            invoice_date=stands.invoice_date,
            due_date=stands.due_date,
            amount_due=stands.amount_due,
            payment_status=stands.payment_status,
        )
    return CompletedCard(method=attempt.method, invoice=card, quote=quote)
