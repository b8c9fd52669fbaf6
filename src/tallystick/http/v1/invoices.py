"""Invoices: `/invoices`."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import document_facts, invoices, kept_invoices
from tallystick.db.paging import Page
from tallystick.documents.pdf import invoice_pdf
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.domain.explain_invoice import InvoiceExplanation, explain_invoice
from tallystick.http.door import Entered, Operation, Route
from tallystick.http.pdf import DOCUMENT_ANSWERS, PdfResponse, pdf_answer
from tallystick.http.v1.existing import existing
from tallystick.http.v1.explanation_schemas import InvoiceExplanationOut, show_explanation
from tallystick.http.v1.free_form import NotYet
from tallystick.http.v1.invoice_schemas import (
    InvoiceList,
    InvoiceOut,
    InvoiceStatusName,
    show_invoice,
    shown_through,
)
from tallystick.http.v1.paging import Order, OrderBy, PageQuery
from tallystick.http.v1.property_values import CustomPropertiesRequest
from tallystick.http.v1.scalars import (
    Amount,
    CustomerIdOrAlias,
    Instant,
    InvoiceId,
    RequestModel,
    ShortText,
    SubscriptionId,
)
from tallystick.services.change_invoice import (
    MoneyReceived,
    finalize_invoice,
    give_up_invoice,
    receive_money,
    refresh_invoice,
    void_invoice,
)
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tallystick.services.pay_invoice import pay_invoice
from tallystick.services.property_values import edit_invoice_properties

router = APIRouter(prefix="/invoices", tags=["Invoices"], route_class=Route)


class InvoiceQuery(PageQuery):
    """Filters and order of the list; `statuses` can be repeated."""

    order_by: Annotated[Order, OrderBy(*invoices.ORDERS)] = Order(
        "invoice_date", descending=True
    )
    customer_id: CustomerIdOrAlias | None = None
    subscription_id: SubscriptionId | None = None
    statuses: Annotated[
        list[InvoiceStatusName], Field(default_factory=list, max_length=len(InvoiceStatusName))
    ]
    einvoicing_status: NotYet = None


@router.get("", response_model=InvoiceList)
async def list_invoices(door: Entered, query: Annotated[InvoiceQuery, Query()]) -> Response:
    """List invoices."""

    def show(page: Page[InvoiceEntry]) -> InvoiceList:
        return InvoiceList(
            data=[show_invoice(one, door) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: invoices.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            customer=query.customer_id,
            subscription_id=query.subscription_id,
            statuses=query.statuses,
        ),
        show,
    )


class PaymentRequest(RequestModel):
    """Money that came another way than through the product."""

    amount: Annotated[Amount, Field(description="In minor units; at most what is due.")]
    paid_at: Annotated[Instant | None, Field(description="When it came; default now.")] = None
    reference: Annotated[
        ShortText | None, Field(description="What it is known by, once per tenant.")
    ] = None


@router.get("/{invoice_id}", response_model=InvoiceOut)
async def get_invoice(door: Entered, invoice_id: InvoiceId) -> Response:
    """Get an invoice with its payments."""
    return await door.read(
        lambda ctx: existing(
            invoices.load(ctx.transaction, ctx.tenant.id, invoice_id), "invoice"
        ),
        shown_through(door),
    )


@router.get("/{invoice_id}/explain", response_model=InvoiceExplanationOut)
async def explain(door: Entered, invoice_id: InvoiceId) -> Response:
    """Tell how every figure of an invoice came about, drafts included.

    Everything is computed once more. Where that does not arrive at what is stored, the answer
    is 409 with the figure that differs.
    """

    async def explained(ctx: Context) -> InvoiceExplanation:
        found = kept_invoices.load(ctx.transaction, ctx.tenant.id, invoice_id)
        return explain_invoice(await existing(found, "invoice"))

    return await door.read(explained, show_explanation)


@router.get("/{invoice_id}/download", response_class=PdfResponse, responses=DOCUMENT_ANSWERS)
async def download(door: Entered, invoice_id: InvoiceId) -> Response:
    """Download an invoice as PDF, in its customer's language.

    It shows how the invoice stands now: a draft and a void one say so across the page, and what
    was paid is listed with its days. Archivable (PDF/A-3a) and accessible (PDF/UA-1). 409 with
    `Retry-After` where it could not be made in time.
    """
    found = await door.look(
        lambda ctx: existing(
            document_facts.of_invoice(
                ctx.transaction, ctx.tenant.id, invoice_id, ctx.tenant.time_zone
            ),
            "invoice",
        )
    )
    return pdf_answer(await invoice_pdf(found))


@router.post("/{invoice_id}/refresh", response_model=InvoiceOut)
async def refresh(door: Entered, invoice_id: InvoiceId) -> Response:
    """Compute a draft again from today's usage, customer, taxes and coupons.

    Its date and its fixed fees stay. Drafts take late usage in by themselves before they become
    final: this is for those who look at one before. 409 for what is final, part of a
    consolidated invoice, or being paid.
    """
    return await door.write(_changed(invoice_id, refresh_invoice), shown_through(door))


@router.post("/{invoice_id}/finalize", response_model=InvoiceOut)
async def finalize(door: Entered, invoice_id: InvoiceId) -> Response:
    """Finalize a draft now; from then on it never changes."""
    return await door.write(_changed(invoice_id, finalize_invoice), shown_through(door))


@router.post("/{invoice_id}/void", response_model=InvoiceOut)
async def void(door: Entered, invoice_id: InvoiceId) -> Response:
    """Void a finalized invoice on which nothing was paid."""
    return await door.write(_changed(invoice_id, void_invoice), shown_through(door))


@router.post("/{invoice_id}/mark-uncollectible", response_model=InvoiceOut)
async def mark_uncollectible(door: Entered, invoice_id: InvoiceId) -> Response:
    """Mark a finalized invoice UNCOLLECTIBLE: it is collected no more by itself.

    It stays owed: it can be paid, in part or in full, and credited; paid in full it is
    FINALIZED again. 409 where nothing is due, it is void or a draft, or a payment for it is
    under way.
    """
    return await door.write(_changed(invoice_id, give_up_invoice), shown_through(door))


@router.post("/{invoice_id}/payments", response_model=InvoiceOut)
async def add_payment(door: Entered, invoice_id: InvoiceId, body: PaymentRequest) -> Response:
    """Note money that came another way; the whole amount due makes the invoice PAID."""
    money = MoneyReceived(amount=body.amount, paid_at=body.paid_at, reference=body.reference)

    async def receive(ctx: Context, of: UUID) -> None:
        await receive_money(ctx, of, money)

    return await door.write(_changed(invoice_id, receive), shown_through(door))


@router.post("/{invoice_id}/pay", response_model=InvoiceOut)
async def pay(door: Entered, invoice_id: InvoiceId) -> Response:
    """Charge what is due now to the saved payment method; 409 says why it was not charged."""

    async def charge(ctx: Context, operation: Operation) -> InvoiceEntry:
        return await pay_invoice(ctx, invoice_id, operation.subject)

    return await door.long(charge, shown_through(door), subject=new_id())


@router.patch("/{invoice_id}/custom-properties", response_model=InvoiceOut)
async def patch_custom_properties(
    door: Entered, invoice_id: InvoiceId, body: CustomPropertiesRequest
) -> Response:
    """Merge custom properties into an invoice, final or not; null takes one away."""
    return await door.write(
        lambda ctx: edit_invoice_properties(ctx, invoice_id, body.custom_properties),
        shown_through(door),
    )


def _changed(
    invoice_id: UUID, change: Callable[[Context, UUID], Awaitable[None]]
) -> Callable[[Context], Awaitable[InvoiceEntry]]:
    """Change an invoice, and return it as it stands then."""

    async def verb(ctx: Context) -> InvoiceEntry:
        await change(ctx, invoice_id)
        entry = await invoices.load(ctx.transaction, ctx.tenant.id, invoice_id)
        assert entry is not None, "it was just changed"
        return entry

    return verb
