"""Issue a credit note that needs no provider, show what one would be, or void one."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db import (
    balance_holds,
    balances,
    credit_note_writes,
    creditable_invoices,
    invoice_changes,
    invoice_facts,
    number_counters,
)
from tallystick.db.credit_note_writes import WrittenNote
from tallystick.domain.credit_invoice import credit
from tallystick.domain.credit_note import (
    CreditableInvoice,
    CreditKind,
    CreditNote,
    CreditNoteStatus,
    CreditType,
    Scope,
    number_text,
)
from tallystick.domain.credit_note_entry import CreditNoteEntry, CreditNoteLineEntry
from tallystick.domain.errors import Conflict, NotFound
from tallystick.domain.invoice import PaymentStatus
from tallystick.services.change_invoice import payment_under_way
from tallystick.services.context import Context
from tallystick.services.credit_note_events import loaded, tell
from tallystick.services.events import record
from tallystick.services.ids import new_id
from tallystick.services.pay_slots import slots_of_paid


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRequest:
    """What of an invoice is to be credited, and how; the words are for people."""

    invoice_id: UUID
    kind: CreditKind
    scope: Scope
    reason: str | None = None
    memo: str | None = None


async def plan_credit_note(
    ctx: Context, request: CreditRequest
) -> tuple[CreditableInvoice, CreditNote]:
    """Lock the invoice, and decide about the note.

    Raises:
        NotFound: There is no such invoice.
        InvalidInput: A line, a quantity or an amount that the invoice does not have.
        Conflict: The invoice's state, or how it was paid, forbids it.
        Busy: A payment for it is under way.
    """
    invoice = await creditable_invoices.lock(ctx.transaction, ctx.tenant.id, request.invoice_id)
    if invoice is None:
        raise NotFound("There is no such invoice.")
    if invoice.is_collected:
        raise payment_under_way()
    return invoice, credit(invoice, request.kind, request.scope)


async def preview_credit_note(ctx: Context, request: CreditRequest) -> CreditNoteEntry:
    """What the note would be; nothing is stored. Raises as `plan_credit_note` does."""
    invoice, note = await plan_credit_note(ctx, request)
    return CreditNoteEntry(
        id=new_id(),
        invoice_id=invoice.id,
        invoice_number=invoice.number or "",
        customer_id=invoice.customer_id,
        subscription_id=invoice.subscription_id,
        plan_version_id=invoice.plan_version_id,
        type=note.type,
        status=CreditNoteStatus.DRAFT,
        number=None,
        currency=note.currency,
        subtotal=note.subtotal,
        discount=note.discount,
        tax_amount=note.tax_amount,
        total=note.total,
        credited=note.credited,
        refunded=note.refunded,
        breakdown=note.breakdown,
        lines=tuple(
            CreditNoteLineEntry(
                id=new_id(),
                invoice_line_id=one.line.id,
                product_id=one.line.product_id,
                name=one.line.name,
                start_date=one.line.start_date,
                end_date=one.line.end_date,
                quantity=one.quantity,
                amount=one.share.amount,
                discount=one.share.discount,
                tax=one.share.tax,
                amount_total=one.share.total,
                tax_rate=one.line.tax_rate,
                computation=one.line.computation,
            )
            for one in note.lines
        ),
        reason=request.reason,
        memo=request.memo,
        custom_properties={},
        failure=None,
        created_at=ctx.now,
        finalized_at=None,
        voided_at=None,
        updated_at=ctx.now,
        written_off=note.from_write_off,
    )


async def issue_credit_note(ctx: Context, request: CreditRequest) -> CreditNoteEntry:
    """Issue a note to the balance, or one that cancels a debt; it is final at once.

    Raises as `plan_credit_note` does.
    """
    invoice, note = await plan_credit_note(ctx, request)
    note_id = new_id()
    paid = False
    match note.type:
        case CreditType.CREDIT_TO_BALANCE:
            pass
        case CreditType.DEBT_CANCELLATION:
            paid = await invoice_changes.cancel_debt(
                ctx.transaction, ctx.tenant.id, invoice.id, note.total, ctx.now
            )
        case CreditType.REFUND:
            raise AssertionError("a refund is a long verb: `refund_invoice`")
    await write_note(ctx, invoice, note, request, note_id, final=True)
    if note.credited:
        await balances.move(
            ctx.transaction,
            ctx.tenant.id,
            entry_id=new_id(),
            note_id=note_id,
            invoice_id=invoice.id,
            customer_id=invoice.customer_id,
            currency=invoice.currency,
            amount=note.credited,
            reason="CREDIT_NOTE",
            at=ctx.now,
        )
    entry = await loaded(ctx, note_id)
    await tell(ctx, entry, ("credit_note.created", "credit_note.finalized"))
    if paid:
        body = await invoice_facts.event_body(ctx.transaction, ctx.tenant.id, invoice.id)
        await record(ctx, "invoice.paid", invoice.id, body)
        await slots_of_paid(ctx, ctx.transaction, invoice.id)
    return entry


async def write_note(
    ctx: Context,
    invoice: CreditableInvoice,
    note: CreditNote,
    request: CreditRequest,
    note_id: UUID,
    *,
    final: bool,
) -> None:
    """Write a note with its lines, with the next number if it is final."""
    number: int | None = None
    if final:
        number = await number_counters.next_credit_note(
            ctx.transaction, ctx.tenant.id, invoice.invoicing_entity_id
        )
    await credit_note_writes.insert(
        ctx.transaction,
        ctx.tenant.id,
        invoice,
        WrittenNote(
            id=note_id,
            line_ids=tuple(new_id() for _ in note.lines),
            note=note,
            reason=request.reason,
            memo=request.memo,
            number=number,
            number_text=None if number is None else number_text(number),
            created_at=ctx.now,
        ),
    )


async def void_credit_note(ctx: Context, note_id: UUID) -> CreditNoteEntry:
    """Void a note: the debt is due again, or the balance gives the money back.

    Raises:
        NotFound: There is no such note.
        Conflict: It is void, is a refund, or the balance does not have the money any more.
        Busy: A payment for its invoice is under way.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    invoice_id = await credit_note_writes.invoice_of(tx, tenant_id, note_id)
    if invoice_id is None:
        raise NotFound("There is no such credit note.")
    invoice = await creditable_invoices.lock(tx, tenant_id, invoice_id)
    note = await credit_note_writes.lock(tx, tenant_id, note_id)
    assert invoice is not None, "a note has its invoice"
    assert note is not None, "notes are kept"
    if note.status is not CreditNoteStatus.FINALIZED or note.type is CreditType.REFUND:
        raise Conflict(
            "Only a final credit note that is no refund can be voided:"
            f" this one is {note.status.value}, {note.type.value}."
        )
    if not invoice.status.is_owed:
        raise Conflict(f"The invoice of this credit note is {invoice.status.value}.")
    if invoice.is_collected or invoice.payment_status is PaymentStatus.PROCESSING:
        raise payment_under_way()
    if note.type is CreditType.DEBT_CANCELLATION:
        await invoice_changes.restore_debt(tx, tenant_id, invoice_id, note.total, ctx.now)
    elif note.credited:
        available = await balance_holds.available(
            tx, tenant_id, invoice.customer_id, invoice.currency
        )
        if available < note.credited:
            raise Conflict(
                f"The balance has {available} left of the {note.credited} that this credit note"
                " gave to it, in minor units."
            )
        await balances.move(
            tx,
            tenant_id,
            entry_id=new_id(),
            note_id=note_id,
            invoice_id=invoice_id,
            customer_id=invoice.customer_id,
            currency=invoice.currency,
            amount=-note.credited,
            reason="CREDIT_NOTE",
            at=ctx.now,
        )
    await credit_note_writes.void(tx, tenant_id, note_id, ctx.now)
    entry = await loaded(ctx, note_id)
    await tell(ctx, entry, ("credit_note.voided",))
    return entry
