"""The test bank's part, played by hand: `/test-provider`. Test tenants have no other bank."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.errors import Conflict
from tallystick.http.door import Door, Entered, Operation, Route
from tallystick.http.v1.invoice_schemas import InvoiceOut, show_invoice
from tallystick.http.v1.scalars import TransactionId
from tallystick.providers.sandbox import Sandbox
from tallystick.services.context import Context
from tallystick.services.decide_debit import decide_debit

router = APIRouter(prefix="/test-provider", tags=["Test provider"], route_class=Route)


@router.post("/payments/{payment_id}/settle", response_model=InvoiceOut)
async def settle(door: Entered, payment_id: TransactionId) -> Response:
    """Let a pending debit settle now: the answer is its invoice."""
    return await _decide(door, payment_id, settles=True)


@router.post("/payments/{payment_id}/fail", response_model=InvoiceOut)
async def fail(door: Entered, payment_id: TransactionId) -> Response:
    """Let a pending debit fail now: the answer is its invoice."""
    return await _decide(door, payment_id, settles=False)


async def _decide(door: Door, payment_id: UUID, *, settles: bool) -> Response:
    async def play(tenant_id: UUID, reference: str) -> None:
        bank = door.app.provider_of(door.tenant)
        if not isinstance(bank, Sandbox):
            raise Conflict("Only the test bank can be told what to do.")
        await bank.decide_debit(tenant_id, reference, settles=settles)

    async def decide(ctx: Context, operation: Operation) -> InvoiceEntry:
        return await decide_debit(ctx, operation.subject, play, resumed=operation.resumed)

    return await door.long(decide, show_invoice, subject=payment_id)
