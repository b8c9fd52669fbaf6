"""Credit what is removed from a subscription against the lines that billed it."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from tallystick.db import creditable_invoices, due_drafts
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.domain.credit_removed import LineShare, removal_credits
from tallystick.services.change_invoice import payment_under_way
from tallystick.services.context import Context
from tallystick.services.issue_credit_note import CreditRequest, issue_credit_note

REASON = "Removed from the subscription"


async def credit_removed(
    ctx: Context, customer_id: UUID, shares: Sequence[LineShare]
) -> list[CreditNoteEntry]:
    """Issue the notes for shares of lines; they are final at once.

    Raises `Busy` while one of the invoices is being collected.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    by_invoice: dict[UUID, dict[UUID, int]] = defaultdict(lambda: defaultdict(int))
    inclusive = {share.line.invoice_id for share in shares if share.line.tax_inclusive}
    for share in shares:
        by_invoice[share.line.invoice_id][share.line.id] += share.amount
    requests = []
    for invoice_id in sorted(by_invoice):
        invoice = await creditable_invoices.lock(tx, tenant_id, invoice_id)
        assert invoice is not None, "its line was read"
        if invoice.is_collected:
            raise payment_under_way()
        requests += [
            CreditRequest(invoice_id=invoice_id, kind=kind, scope=scope, reason=REASON)
            for kind, scope in removal_credits(
                invoice, by_invoice[invoice_id], tax_inclusive=invoice_id in inclusive
            )
        ]
    if requests:
        # Before the counter of the notes, as whoever finalizes an invoice has them.
        await due_drafts.lock_balances(tx, tenant_id, [customer_id])
    return [await issue_credit_note(ctx, one) for one in requests]
