"""What a person does to an invoice: refresh and finalize drafts, void, note money that came."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db import (
    due_drafts,
    dunning,
    invoice_changes,
    invoice_facts,
    slot_entries,
    transactions,
    trial_charges,
)
from tallystick.db.invoice_changes import LockedInvoice
from tallystick.db.refusals import UniqueViolation
from tallystick.domain.errors import Busy, Conflict, Fault, InvalidInput, NotFound
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.invoice import InvoiceStatus, PaymentStatus
from tallystick.services.context import Context
from tallystick.services.events import record
from tallystick.services.finalize_due import finalize_locked
from tallystick.services.ids import new_id
from tallystick.services.pay_slots import slots_of_paid
from tallystick.services.refresh_drafts import BUSY_SECONDS, refresh_drafts, tax_again


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyReceived:
    """Money that came another way than through the product; `amount` in minor units."""

    amount: int
    paid_at: datetime | None
    reference: str | None


async def finalize_invoice(ctx: Context, invoice_id: UUID) -> None:
    """Finalize a draft now, whatever it waited for; late usage is taken in first.

    Raises:
        NotFound: There is no such invoice.
        Conflict: It is no draft, has no lines, is part of a consolidated invoice, or is
            charged before it is final.
    """
    _is_whole(await _locked(ctx, invoice_id), "finalized")
    if await trial_charges.is_charged_first(ctx.transaction, ctx.tenant.id, invoice_id):
        raise Conflict("This draft is charged first: it becomes final when it is paid.")
    drafts = await due_drafts.lock_draft(ctx.transaction, ctx.tenant.id, invoice_id)
    if not drafts:
        raise Conflict("Only a draft can be finalized: this invoice is final already.")
    done = await finalize_locked(ctx, ctx.transaction, drafts)
    if not done.invoices:
        raise Conflict("This draft has no lines: nothing was used yet that it could bill.")


async def refresh_invoice(ctx: Context, invoice_id: UUID) -> None:
    """Make a draft again from today's usage, customer, taxes and coupons; its day stays.

    Raises:
        NotFound: There is no such invoice.
        Conflict: It is no draft, or is part of a consolidated invoice.
        Busy: A payment for it is under way.
    """
    invoice = await _locked(ctx, invoice_id)
    _is_whole(invoice, "refreshed")
    if invoice.status is not InvoiceStatus.DRAFT:
        raise Conflict(
            f"Only a draft can be refreshed: this invoice is {invoice.status.value}."
        )
    if invoice.is_collected:
        raise payment_under_way()
    (draft,) = await due_drafts.lock_draft(ctx.transaction, ctx.tenant.id, invoice_id)
    if draft.bills_usage:
        await refresh_drafts(ctx, ctx.transaction, [invoice_id], always=True)
    else:
        await tax_again(ctx, ctx.transaction, invoice_id)


async def void_invoice(ctx: Context, invoice_id: UUID) -> None:
    """Void a finalized invoice of which nothing is paid; the balance it used is given back.

    What was paid and taken back by its provider is not paid.

    Raises:
        NotFound: There is no such invoice.
        Conflict: It is a draft or void, something is paid on it, or credit notes have given
            back what had paid it, or the balance has spent what its provider took again.
        Busy: A payment for it is under way.
    """
    invoice = await lock_open(ctx, invoice_id, "voided")
    if invoice.settled > invoice.reversed or invoice.payment_status is PaymentStatus.PAID:
        raise Conflict("An invoice that was paid, even in part, cannot be voided.")
    if invoice.reversed > invoice.settled:
        raise Conflict(
            f"The customer's balance has used {invoice.reversed - invoice.settled} of what had"
            " paid this invoice, in minor units, before it was taken back: it is paid, or the"
            " debt cancelled."
        )
    if invoice.returned_payments:
        raise Conflict(
            f"Credit notes have given back {invoice.returned_payments} of what had paid this"
            " invoice, in minor units: void them first, or cancel the debt that is left."
        )
    await invoice_changes.void(ctx.transaction, ctx.tenant.id, invoice, new_id(), ctx.now)
    await slot_entries.drop(ctx.transaction, ctx.tenant.id, invoice_id, ctx.now)
    await tell_of_invoice(ctx, "invoice.voided", invoice_id)


async def give_up_invoice(ctx: Context, invoice_id: UUID) -> None:
    """Mark a finalized invoice uncollectible: it stays owed, and nobody collects it by itself.

    It may still be paid, in full or in part, and credited; paid in full it is FINALIZED again.

    Raises:
        NotFound: There is no such invoice.
        Conflict: It is a draft, void or given up already, or nothing is due on it.
        Busy: A payment for it is under way.
    """
    invoice = await lock_open(ctx, invoice_id, "marked uncollectible")
    if invoice.status is InvoiceStatus.UNCOLLECTIBLE:
        raise Conflict("This invoice is UNCOLLECTIBLE already.")
    if invoice.amount_due == 0:
        raise Conflict(f"Nothing is due on this invoice: it is {invoice.payment_status.value}.")
    await dunning.give_up(ctx.transaction, ctx.tenant.id, invoice_id, ctx.now)
    await tell_of_invoice(ctx, "invoice.marked_uncollectible", invoice_id)


async def receive_money(ctx: Context, invoice_id: UUID, money: MoneyReceived) -> None:
    """Note money that came another way; the whole amount due makes the invoice PAID.

    Raises:
        NotFound: There is no such invoice.
        InvalidInput: More than is due, or a day in the future.
        Conflict: It is a draft or void, nothing is due on it, or the reference is known.
        Busy: A payment for it is under way.
    """
    invoice = await lock_open(ctx, invoice_id, "paid")
    if invoice.amount_due == 0:
        raise Conflict(f"Nothing is due on this invoice: it is {invoice.payment_status.value}.")
    faults = []
    if not 0 < money.amount <= invoice.amount_due:
        message = f"must be from 1 to the {invoice.amount_due} that are due, in minor units"
        faults.append(Fault("amount", "out_of_range", message))
    if money.paid_at is not None and money.paid_at > ctx.now:
        faults.append(Fault("paid_at", "in_the_future", "must not lie in the future"))
    if faults:
        raise InvalidInput(faults[0].message, tuple(faults))
    transaction_id = new_id()
    paid_at = money.paid_at or ctx.now
    try:
        await invoice_changes.insert_payment(
            ctx.transaction,
            ctx.tenant.id,
            invoice,
            transaction_id=transaction_id,
            amount=money.amount,
            reference=money.reference or encode(Prefix.TRANSACTION, transaction_id),
            paid_at=paid_at,
        )
    except UniqueViolation:
        fault = Fault("reference", "known", "names a payment that was noted already")
        raise Conflict(f"reference: {fault.message}", (fault,)) from None
    paid = await transactions.credit(
        ctx.transaction, ctx.tenant.id, invoice_id, money.amount, paid_at, now=ctx.now
    )
    if paid:
        await tell_of_invoice(ctx, "invoice.paid", invoice_id)
        await slots_of_paid(ctx, ctx.transaction, invoice_id)


async def lock_open(ctx: Context, invoice_id: UUID, done: str) -> LockedInvoice:
    """Lock a final invoice for which no payment is under way; `done` is what becomes of it.

    Raises:
        NotFound: There is no such invoice.
        Conflict: It is a draft or void, or part of a consolidated invoice.
        Busy: A payment for it is under way.
    """
    invoice = await _locked(ctx, invoice_id)
    _is_whole(invoice, done)
    if not invoice.status.is_owed:
        raise Conflict(
            f"Only a finalized invoice can be {done}: this one is {invoice.status.value}."
        )
    if invoice.is_collected or invoice.payment_status is PaymentStatus.PROCESSING:
        raise payment_under_way()
    return invoice


def payment_under_way() -> Busy:
    """What a request is told that must wait for a payment of its invoice."""
    return Busy("A payment for this invoice is under way; ask again.", BUSY_SECONDS)


def _is_whole(invoice: LockedInvoice, done: str) -> None:
    """Refuse what is part of another invoice, and say of which."""
    if invoice.consolidated_into is not None:
        whole = encode(Prefix.INVOICE, invoice.consolidated_into)
        raise Conflict(
            f"This draft is part of the consolidated invoice {whole}: "
            f"only that one can be {done}."
        )


async def _locked(ctx: Context, invoice_id: UUID) -> LockedInvoice:
    invoice = await invoice_changes.lock(ctx.transaction, ctx.tenant.id, invoice_id)
    if invoice is None:
        raise NotFound("There is no such invoice.")
    return invoice


async def tell_of_invoice(ctx: Context, event_type: str, invoice_id: UUID) -> None:
    """Record an event of an invoice, as it stands now."""
    body = await invoice_facts.event_body(ctx.transaction, ctx.tenant.id, invoice_id)
    await record(ctx, event_type, invoice_id, body)
