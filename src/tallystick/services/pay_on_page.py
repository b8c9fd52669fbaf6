"""Pay an invoice on its own page: claim, charge, record, with the buyer there.

The link opens one invoice. What was shown is what is charged: an invoice that owes another
amount by now is not. One try lives at a time, whoever made it; a page that is sent twice, or
from two tabs, shows that one.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from tallystick.db import collections, document_facts, invoice_changes, page_tries
from tallystick.db.codec import Codec
from tallystick.db.engine import Tx, retrying
from tallystick.domain.attempt import AttemptState
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.collection import Collection
from tallystick.domain.document_facts import InvoiceDocument
from tallystick.domain.errors import Fault, NotFound
from tallystick.domain.explain_invoice import InvoiceExplanation
from tallystick.domain.ids import MalformedId, Prefix, decode, encode
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.domain.offer import PaymentConfig
from tallystick.domain.payment import FailureReason, Method
from tallystick.domain.payment_panel import PaymentPanel, TypedPanel
from tallystick.services.checkout_view import SellerCard
from tallystick.services.claim import lease_seconds
from tallystick.services.confirm_result import Challenge, Consent, InFlight, PaymentFailed
from tallystick.services.context import App, Context
from tallystick.services.end_dunning import bring_back
from tallystick.services.ids import new_id
from tallystick.services.link import Purpose, verify
from tallystick.services.show_portal import explained, seller_of
from tallystick.services.tenant_context import tenant_context
from tallystick.services.try_limits import too_many_tries
from tallystick.services.try_to_collect import carry_on, charge, look_again, take_up

TRIES_MAX = 20
"""More tries than this on one page in a day are no customer's any more (card testing)."""

_CONSENT: Codec[Consent] = Codec(Consent)


@dataclass(frozen=True, slots=True)
class Paid:
    """The money came, or is promised by an accepted debit."""


@dataclass(frozen=True, slots=True)
class AmountChanged:
    """Another amount is due than was shown; nothing was charged."""


@dataclass(frozen=True, slots=True)
class NotPayable:
    """Nothing can be paid here: it is paid, void, on its way, or too little to charge."""


@dataclass(frozen=True, slots=True)
class TooManyTries:
    """Too many tries have failed, of this page, its customer, or the address they come from;
    nothing was charged.
    """

    fault: Fault


PageResult: TypeAlias = (
    Paid | AmountChanged | NotPayable | TooManyTries | Challenge | InFlight | PaymentFailed
)
"""What pressing the button of an invoice's page can come to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedInvoice:
    """A link that opens: the invoice, and the context to work on it in."""

    context: Context
    invoice_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceView:
    """An invoice as its own page shows it.

    Attributes:
        entry: As it stands.
        explanation: How its figures came about, None where that cannot be told.
        seller: Who bills it.
        payment: How it is paid.
        locales: The customer's languages.
        live: The try that is under way, None where none is.
        last_failure: Why the buyer's last try failed, None where it did not.
        can_be_charged: Whether what is due can be charged here now; without a provider nothing
            can.
        panel: How its provider asks for a method.
        mandate_reference: The reference that a mandate signed here will have.
    """

    entry: InvoiceEntry
    explanation: InvoiceExplanation | None
    seller: SellerCard
    payment: PaymentConfig
    locales: tuple[str, ...]
    live: Collection | None
    last_failure: FailureReason | None
    can_be_charged: bool
    panel: PaymentPanel
    mandate_reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePayment:
    """What the button sends: the amount that was shown, and how it is to be paid.

    `amount` is in minor units, 0 where we did not show it. `return_url` is where a challenge
    leads back to; for `payer` see `try_limits`.
    """

    amount: int
    method: Method
    consent: Consent | None
    return_url: str
    payer: bytes | None = None


async def open_invoice(
    app: App, link: tuple[str, str, str], real_now: datetime
) -> OpenedInvoice:
    """The invoice behind a link (tenant, invoice, signature), and a context of its tenant
    without a transaction.

    Raises:
        NotFound: There is no such tenant, or the signature is not the link's.
    """
    tenant_name, invoice_name, signature = link
    try:
        tenant_id = decode(Prefix.TENANT, tenant_name)
        invoice_id = decode(Prefix.INVOICE, invoice_name)
    except MalformedId:
        raise _unknown() from None
    async with app.database.connection() as tx:
        ctx = await tenant_context(app, tx, tenant_id, real_now, actor="buyer")
    name = encode(Prefix.INVOICE, invoice_id)
    if not verify(ctx.tenant.link_secret, Purpose.INVOICE, name, signature):
        raise _unknown()
    return OpenedInvoice(context=ctx, invoice_id=invoice_id)


async def invoice_document(ctx: Context, invoice_id: UUID) -> InvoiceDocument:
    """What the document of an invoice says.

    Raises:
        NotFound: There is no such invoice, or it is a draft.
    """
    async with ctx.app.database.connection() as tx:
        return await _document(ctx, tx, invoice_id)


async def show_invoice_page(ctx: Context, invoice_id: UUID) -> InvoiceView:
    """What the page of an invoice shows.

    Raises:
        NotFound: There is no such invoice, or it is a draft.
    """
    async with ctx.app.database.connection() as tx:
        found = await _document(ctx, tx, invoice_id)
        entry = found.invoice
        provider = ctx.app.provider_of(ctx.tenant, entry.invoicing_entity_id)
        newest = await page_tries.newest_of(tx, ctx.tenant.id, invoice_id)
        own = await page_tries.newest_of(tx, ctx.tenant.id, invoice_id, by_buyer=True)
        seller = await seller_of(ctx, tx, entry.invoicing_entity_id)
        how = await explained(ctx, tx, invoice_id)
    live = newest if newest is not None and newest.state is AttemptState.LIVE else None
    return InvoiceView(
        entry=entry,
        explanation=how,
        seller=replace(seller, bank_account=found.facts.account),
        payment=found.facts.payment,
        locales=found.facts.locales,
        live=live,
        last_failure=None if own is None else own.failure,
        can_be_charged=provider is not None
        and live is None
        and _owes(entry.status, entry.payment_status, entry.amount_due)
        and provider.chargeable(entry.amount_due, entry.currency),
        panel=TypedPanel() if provider is None else provider.panel(),
        mandate_reference=None if provider is None else provider.mandate_reference(invoice_id),
    )


async def pay_on_page(ctx: Context, invoice_id: UUID, payment: PagePayment) -> PageResult:
    """Charge what the page showed, if that is still what is due.

    A long verb.

    Raises:
        NotFound: There is no such invoice.
    """
    claimed = await retrying(ctx.app.database, lambda tx: _claim(ctx, tx, invoice_id, payment))
    if not isinstance(claimed, Collection):
        return claimed
    await carry_on(ctx, claimed, await charge(ctx, claimed))
    return await _ended(ctx, claimed.id)


async def continue_on_page(ctx: Context, invoice_id: UUID, *, asks: bool = True) -> PageResult:
    """How the payment of an invoice stands, asking the provider about the buyer's live try.

    For the way back from the bank, and for a page that waits. Without `asks` the provider is
    left alone. A long verb.
    """
    newest = await _newest(ctx, invoice_id)
    if newest is None:
        return NotPayable()
    if asks and newest.by_buyer:
        await look_again(ctx, newest)
    return await _ended(ctx, newest.id)


async def leave_on_page(ctx: Context, invoice_id: UUID) -> PageResult:
    """Cancel the buyer's live try, so that another method can be used.

    `Paid` when the money was taken after all. A long verb.
    """
    newest = await _newest(ctx, invoice_id)
    if newest is None:
        return NotPayable()
    if newest.by_buyer:
        await take_up(ctx, newest, FailureReason.CANCELLED_BY_BUYER)
    return await _ended(ctx, newest.id)


async def _document(ctx: Context, tx: Tx, invoice_id: UUID) -> InvoiceDocument:
    found = await document_facts.of_invoice(tx, ctx.tenant.id, invoice_id, ctx.tenant.time_zone)
    if found is None or found.invoice.status is InvoiceStatus.DRAFT:
        raise _unknown()
    return found


async def _claim(
    ctx: Context, tx: Tx, invoice_id: UUID, payment: PagePayment
) -> Collection | PageResult:
    """Lock the invoice and write the try, or say why there is none."""
    tenant_id = ctx.tenant.id
    invoice = await invoice_changes.lock(tx, tenant_id, invoice_id)
    if invoice is None:
        raise _unknown()
    newest = await page_tries.newest_of(tx, tenant_id, invoice_id)
    if newest is not None and newest.state is AttemptState.LIVE:
        return _describe(newest)
    if not _owes(invoice.status, invoice.payment_status, invoice.amount_due):
        return NotPayable()
    if invoice.amount_due != payment.amount:
        return AmountChanged()
    provider = ctx.app.provider_named(ctx.tenant, payment.method.provider)
    if not provider.chargeable(invoice.amount_due, invoice.currency):
        return NotPayable()
    fault = await too_many_on_page(ctx, tx, invoice_id, invoice.customer_id, payment.payer)
    if fault is not None:
        return TooManyTries(fault)
    made = Collection(
        id=new_id(),
        invoice_id=invoice_id,
        customer_id=invoice.customer_id,
        payment_method_id=None,
        transaction_id=new_id(),
        provider=provider.name,
        reference=None,
        method=payment.method,
        amount=invoice.amount_due,
        currency=invoice.currency,
        state=AttemptState.LIVE,
        failure=None,
        claimed_at=ctx.now,
        by_buyer=True,
        return_url=payment.return_url,
        acceptance=None if payment.consent is None else payment.consent.acceptance,
    )
    consent = _CONSENT.dump_optional(payment.consent)
    await collections.insert(
        tx, tenant_id, made, lease_seconds(ctx.app), consent, payment.payer
    )
    return made


async def too_many_on_page(
    ctx: Context, tx: Tx, invoice_id: UUID, customer_id: UUID, payer: bytes | None
) -> Fault | None:
    """Why nobody may try to pay on this page now, None where somebody may.

    A page has its tries a day beside what holds for a customer and an address everywhere.
    """
    if await page_tries.buyers_tries(tx, ctx.tenant.id, invoice_id) >= TRIES_MAX:
        return Fault("form", "too_many_attempts", "try again tomorrow")
    return await too_many_tries(ctx, tx, customer_id, payer)


def _owes(status: InvoiceStatus, payment_status: PaymentStatus, amount_due: int) -> bool:
    """Whether something is due of an invoice that is not on its way already."""
    on_its_way = payment_status is PaymentStatus.PROCESSING
    return status.is_owed and amount_due > 0 and not on_its_way


async def _newest(ctx: Context, invoice_id: UUID) -> Collection | None:
    async with ctx.app.database.connection() as tx:
        return await page_tries.newest_of(tx, ctx.tenant.id, invoice_id)


async def _ended(ctx: Context, collection_id: UUID) -> PageResult:
    """How a try stands by now; what it has paid is brought back into service at once."""
    async with ctx.app.database.connection() as tx:
        known = await collections.load(tx, ctx.tenant.id, collection_id)
    assert known is not None, "tries are kept"
    if known.state is AttemptState.SUCCEEDED:
        await bring_back(ctx, known.invoice)
    return _describe(known)


def _describe(known: Collection) -> PageResult:
    match known.state:
        case AttemptState.SUCCEEDED:
            return Paid()
        case AttemptState.FAILED:
            return PaymentFailed(known.failure or FailureReason.INTERRUPTED)
        case _ if known.challenge_url is not None:
            return Challenge(known.challenge_url)
        case _:
            return InFlight()


def _unknown() -> NotFound:
    return NotFound("There is no such invoice.")
