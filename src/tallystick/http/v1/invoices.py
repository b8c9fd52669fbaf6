"""Invoices: `/invoices`."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import invoices
from tallystick.db.paging import Page
from tallystick.domain.billing_entries import InvoiceEntry
from tallystick.http.door import Entered, Route
from tallystick.http.v1.existing import existing
from tallystick.http.v1.free_form import NotYet
from tallystick.http.v1.invoice_schemas import (
    InvoiceList,
    InvoiceOut,
    InvoiceStatusName,
    show_invoice,
)
from tallystick.http.v1.paging import Order, OrderBy, PageQuery
from tallystick.http.v1.scalars import CustomerIdOrAlias, InvoiceId, SubscriptionId

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
            data=[show_invoice(one) for one in page.items],
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


@router.get("/{invoice_id}", response_model=InvoiceOut)
async def get_invoice(door: Entered, invoice_id: InvoiceId) -> Response:
    """Get an invoice with its payments."""
    return await door.read(
        lambda ctx: existing(
            invoices.load(ctx.transaction, ctx.tenant.id, invoice_id), "invoice"
        ),
        show_invoice,
    )
