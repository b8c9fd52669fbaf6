"""The test bank's part, played by hand: `/test-provider`. Test tenants have no other bank."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.errors import Conflict, Fault, fail_if
from tallystick.domain.reversal import ReportedReversal
from tallystick.http.door import Door, Entered, Operation, Route
from tallystick.http.v1.credit_note_schemas import Part
from tallystick.http.v1.invoice_schemas import InvoiceOut, shown_through
from tallystick.http.v1.scalars import RequestModel, ShortText, TransactionId
from tallystick.providers.sandbox import Sandbox
from tallystick.services.context import SANDBOX, Context
from tallystick.services.decide_debit import decide_debit
from tallystick.services.ids import new_id
from tallystick.services.reverse_payment import reverse_payment

router = APIRouter(prefix="/test-provider", tags=["Test provider"], route_class=Route)


@router.post("/payments/{payment_id}/settle", response_model=InvoiceOut)
async def settle(door: Entered, payment_id: TransactionId) -> Response:
    """Let a pending debit settle now: the answer is its invoice."""
    return await _decide(door, payment_id, settles=True)


@router.post("/payments/{payment_id}/fail", response_model=InvoiceOut)
async def fail(door: Entered, payment_id: TransactionId) -> Response:
    """Let a pending debit fail now: the answer is its invoice."""
    return await _decide(door, payment_id, settles=False)


class ReversalRequest(RequestModel):
    """What the bank takes back of a payment; may be left out."""

    amount: Annotated[
        Part | None, Field(description="In minor units; default all that is left.")
    ] = None
    reason: Annotated[
        ShortText | None, Field(description="The cause, in the bank's words.")
    ] = None


class DisputeRequest(ReversalRequest):
    """A dispute that is opened, or how the open one ends; it may take more than is left."""

    outcome: Annotated[
        Literal["OPENED", "WON", "LOST"],
        Field(description="OPENED takes the money, WON gives it back, LOST keeps it for good."),
    ] = "OPENED"


@router.post("/payments/{payment_id}/refund", response_model=InvoiceOut)
async def refund(
    door: Entered, payment_id: TransactionId, body: ReversalRequest | None = None
) -> Response:
    """Let the bank give a payment back by itself: the answer is its invoice."""
    asked = body or ReversalRequest()
    return await _take_back(door, payment_id, asked, "REFUND")


@router.post("/payments/{payment_id}/dispute", response_model=InvoiceOut)
async def dispute(
    door: Entered, payment_id: TransactionId, body: DisputeRequest | None = None
) -> Response:
    """Open a dispute of a payment, or decide it: the answer is its invoice."""
    asked = body or DisputeRequest()
    if asked.outcome == "OPENED":
        return await _take_back(door, payment_id, asked, "DISPUTE")
    fail_if(
        [
            Fault(field, "not_with_outcome", "is said when the dispute is opened")
            for field in ("amount", "reason")
            if getattr(asked, field) is not None
        ]
    )
    won = asked.outcome == "WON"

    async def play(tenant_id: UUID, reference: str) -> ReportedReversal:
        return await _bank(door).decide_dispute(tenant_id, reference, won=won)

    async def decide(ctx: Context, operation: Operation) -> InvoiceEntry:
        return await reverse_payment(ctx, operation.subject, play)

    return await door.long(decide, shown_through(door), subject=payment_id)


async def _take_back(
    door: Door, payment_id: UUID, asked: ReversalRequest, kind: Literal["REFUND", "DISPUTE"]
) -> Response:
    async def take(ctx: Context, operation: Operation) -> InvoiceEntry:
        async def play(tenant_id: UUID, reference: str) -> ReportedReversal:
            return await _bank(door).take_back(
                tenant_id,
                reference,
                f"sbx_rev_{operation.subject.hex}",
                kind,
                asked.amount,
                asked.reason,
            )

        return await reverse_payment(ctx, payment_id, play)

    return await door.long(take, shown_through(door), subject=new_id())


def _bank(door: Door) -> Sandbox:
    bank = door.app.providers.get(SANDBOX)
    if not isinstance(bank, Sandbox) or not door.tenant.is_test:
        raise Conflict("Only the test bank can be told what to do.")
    return bank


async def _decide(door: Door, payment_id: UUID, *, settles: bool) -> Response:
    async def play(tenant_id: UUID, reference: str) -> None:
        await _bank(door).decide_debit(tenant_id, reference, settles=settles)

    async def decide(ctx: Context, operation: Operation) -> InvoiceEntry:
        return await decide_debit(ctx, operation.subject, play, resumed=operation.resumed)

    return await door.long(decide, shown_through(door), subject=payment_id)
