"""Credit notes: `/credit-notes`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from tallystick.db import credit_notes, document_facts
from tallystick.db.paging import Page
from tallystick.documents.pdf import credit_note_pdf
from tallystick.domain.credit_note import CreditNoteStatus, Refund
from tallystick.domain.credit_note_entry import CreditNoteEntry
from tallystick.http.door import Entered, Route
from tallystick.http.pdf import DOCUMENT_ANSWERS, PdfResponse, pdf_answer
from tallystick.http.v1.credit_note_schemas import (
    SHOWN,
    CreditNoteList,
    CreditNoteOut,
    CreditNoteRequest,
    show_credit_note,
    to_credit_request,
)
from tallystick.http.v1.existing import existing
from tallystick.http.v1.paging import NEWEST_FIRST, Order, OrderBy, PageQuery
from tallystick.http.v1.property_values import CustomPropertiesRequest
from tallystick.http.v1.scalars import (
    CreditNoteId,
    CustomerIdOrAlias,
    InvoiceId,
    ShortText,
)
from tallystick.services.ids import new_id
from tallystick.services.issue_credit_note import (
    issue_credit_note,
    preview_credit_note,
    void_credit_note,
)
from tallystick.services.property_values import edit_note_properties
from tallystick.services.refund_invoice import refund_invoice

router = APIRouter(prefix="/credit-notes", tags=["Credit notes"], route_class=Route)


class CreditNoteQuery(PageQuery):
    """Filters and order of the list."""

    order_by: Annotated[Order, OrderBy(*credit_notes.ORDERS)] = NEWEST_FIRST
    customer_id: CustomerIdOrAlias | None = None
    invoice_id: InvoiceId | None = None
    status: CreditNoteStatus | None = None
    search: ShortText | None = None


@router.post("", status_code=201, response_model=CreditNoteOut, responses=SHOWN)
async def post_credit_note(door: Entered, body: CreditNoteRequest) -> Response:
    """Credit an invoice, all of it or in part; a refund asks the payment provider."""
    request = to_credit_request(body)
    if body.preview:
        return await door.write(lambda ctx: preview_credit_note(ctx, request), show_credit_note)
    if isinstance(request.kind, Refund):
        return await door.long(
            lambda ctx, operation: refund_invoice(ctx, request, operation.subject),
            show_credit_note,
            subject=new_id(),
            status=201,
        )
    return await door.write(
        lambda ctx: issue_credit_note(ctx, request), show_credit_note, status=201
    )


@router.get("", response_model=CreditNoteList)
async def list_credit_notes(
    door: Entered, query: Annotated[CreditNoteQuery, Query()]
) -> Response:
    """List credit notes."""

    def show(page: Page[CreditNoteEntry]) -> CreditNoteList:
        return CreditNoteList(
            data=[show_credit_note(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: credit_notes.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            customer=query.customer_id,
            invoice_id=query.invoice_id,
            status=query.status,
            search=query.search,
        ),
        show,
    )


@router.get("/{credit_note_id}", response_model=CreditNoteOut)
async def get_credit_note(door: Entered, credit_note_id: CreditNoteId) -> Response:
    """Get a credit note."""
    return await door.read(
        lambda ctx: existing(
            credit_notes.load(ctx.transaction, ctx.tenant.id, credit_note_id), "credit note"
        ),
        show_credit_note,
    )


@router.get(
    "/{credit_note_id}/download", response_class=PdfResponse, responses=DOCUMENT_ANSWERS
)
async def download(door: Entered, credit_note_id: CreditNoteId) -> Response:
    """Download a credit note as PDF, in its customer's language.

    It names the invoice that it credits, and where the money goes; a draft and a void one say
    so across the page. 409 with `Retry-After` where it could not be made in time.
    """
    found = await door.look(
        lambda ctx: existing(
            document_facts.of_credit_note(
                ctx.transaction, ctx.tenant.id, credit_note_id, ctx.tenant.time_zone
            ),
            "credit note",
        )
    )
    return pdf_answer(await credit_note_pdf(found))


@router.post("/{credit_note_id}/void", response_model=CreditNoteOut)
async def void(door: Entered, credit_note_id: CreditNoteId) -> Response:
    """Void a credit note that is no refund: the debt is due again, or the balance pays it."""
    return await door.write(lambda ctx: void_credit_note(ctx, credit_note_id), show_credit_note)


@router.patch("/{credit_note_id}/custom-properties", response_model=CreditNoteOut)
async def patch_custom_properties(
    door: Entered, credit_note_id: CreditNoteId, body: CustomPropertiesRequest
) -> Response:
    """Merge custom properties into a credit note; null takes one away."""
    return await door.write(
        lambda ctx: edit_note_properties(ctx, credit_note_id, body.custom_properties),
        show_credit_note,
    )
