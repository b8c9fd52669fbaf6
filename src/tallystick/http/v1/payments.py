"""Payments: `/payments`."""

from dataclasses import replace

from fastapi import APIRouter
from starlette.responses import Response

from tallystick.db.engine import Tx
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.http.door import Entered, Operation, Route
from tallystick.http.v1.credit_note_schemas import (
    SHOWN,
    CreditNoteOut,
    RefundRequest,
    show_credit_note,
)
from tallystick.http.v1.scalars import TransactionId
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.issue_credit_note import CreditRequest, preview_credit_note
from tallystick.services.refund_invoice import payment_to_refund, refund_invoice

router = APIRouter(prefix="/payments", tags=["Payments"], route_class=Route)


@router.post(
    "/{payment_id}/refund", status_code=201, response_model=CreditNoteOut, responses=SHOWN
)
async def refund(
    door: Entered, payment_id: TransactionId, body: RefundRequest | None = None
) -> Response:
    """Give a payment back, all of it or in part, under a credit note of its invoice."""
    asked = body or RefundRequest()

    async def request(ctx: Context, tx: Tx) -> CreditRequest:
        wanted = await payment_to_refund(ctx, tx, payment_id, asked.amount)
        return replace(wanted, reason=asked.reason, memo=asked.memo)

    async def preview(ctx: Context) -> CreditNoteEntry:
        return await preview_credit_note(ctx, await request(ctx, ctx.transaction))

    async def give_back(ctx: Context, operation: Operation) -> CreditNoteEntry:
        async with ctx.app.database.connection() as tx:
            wanted = await request(ctx, tx)
        return await refund_invoice(ctx, wanted, operation.subject)

    if asked.preview:
        return await door.write(preview, show_credit_note)
    return await door.long(give_back, show_credit_note, subject=new_id(), status=201)
