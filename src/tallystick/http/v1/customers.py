"""Customers: `/customers`, and their balances."""

from dataclasses import replace
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from tallystick.db import customers
from tallystick.db.paging import Page
from tallystick.domain.customer_record import CustomerFields, CustomerRecord
from tallystick.domain.errors import Conflict
from tallystick.http.door import Entered, Route, SetAside
from tallystick.http.v1.customer_schemas import (
    CustomerCreateRequest,
    CustomerOut,
    CustomerPatchRequest,
    CustomerUpdateRequest,
    said_about,
    said_anew,
    show_customer,
)
from tallystick.http.v1.existing import existing
from tallystick.http.v1.paging import (
    NEWEST_FIRST,
    Order,
    OrderBy,
    PageQuery,
    PaginationMeta,
)
from tallystick.http.v1.portal_schemas import (
    CustomerPortalTokenRequest,
    CustomerPortalTokenResponse,
    PortalTokenRevocation,
    show_portal_token,
)
from tallystick.http.v1.scalars import (
    Amount,
    AnswerModel,
    Currency,
    CustomerId,
    CustomerIdOrAlias,
    Instant,
    RequestModel,
    ShortText,
)
from tallystick.services.add_balance_entry import BalanceEntry, add_balance_entry
from tallystick.services.archive_customer import archive_customer, unarchive_customer
from tallystick.services.create_customer import create_customer
from tallystick.services.edit_customer import CustomerChange, edit_customer
from tallystick.services.portal_token import (
    SECONDS_DEFAULT,
    PortalScope,
    issue_portal_token,
    revoke_portal_tokens,
)

router = APIRouter(prefix="/customers", tags=["Customers"], route_class=Route)

_NAMES = {"customer_type", "name", "first_name", "last_name"}
"""What a customer's name is made from."""


class CustomerList(AnswerModel):
    """One page of customers."""

    data: list[CustomerOut]
    pagination_meta: PaginationMeta


class CustomerQuery(PageQuery):
    """Filters and order of the list; `search` is a part of name, alias or email."""

    order_by: Annotated[Order, OrderBy("name", "email", "alias", "created_at")] = NEWEST_FIRST
    search: Annotated[
        ShortText | None,
        Field(
            description="A part of the name, the alias or the email, in any case; one or two "
            "characters are looked for where these begin."
        ),
    ] = None
    archived: bool = False


class BalanceEntryIn(RequestModel):
    """A movement by hand, in minor units: above zero adds, below zero takes."""

    currency: Currency
    amount: Amount
    note: ShortText | None = None


class BalanceEntryOut(AnswerModel):
    """A movement of a balance; `balance_held` is promised to payments that are under way."""

    id: UUID
    customer_id: CustomerId
    currency: str
    amount: int
    balance_after: int
    balance_held: int
    note: str | None
    created_at: Instant


@router.post("", status_code=201, response_model=CustomerOut)
async def post_customer(
    door: Entered, body: CustomerCreateRequest, unread: SetAside
) -> Response:
    """Create a customer."""
    wanted = CustomerFields(**said_about(body), custom_properties=body.custom_properties or {})
    return await door.write(
        lambda ctx: create_customer(ctx, wanted, body.invoicing_entity_id, unread=unread),
        show_customer,
        status=201,
    )


@router.get("", response_model=CustomerList)
async def list_customers(door: Entered, query: Annotated[CustomerQuery, Query()]) -> Response:
    """List customers: those that are archived, or those that are not."""

    def show(page: Page[CustomerRecord]) -> CustomerList:
        return CustomerList.model_construct(
            data=[show_customer(one) for one in page.items],
            pagination_meta=query.meta(page.total),
        )

    return await door.read(
        lambda ctx: customers.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(query.order_by),
            search=query.search,
            archived=query.archived,
        ),
        show,
    )


@router.get("/{id_or_alias}", response_model=CustomerOut)
async def get_customer(door: Entered, id_or_alias: CustomerIdOrAlias) -> Response:
    """Get a customer by its id or its alias."""
    return await door.read(
        lambda ctx: existing(
            customers.load(ctx.transaction, ctx.tenant.id, id_or_alias), "customer"
        ),
        show_customer,
    )


@router.patch("/{id_or_alias}", response_model=CustomerOut)
async def patch_customer(
    door: Entered,
    id_or_alias: CustomerIdOrAlias,
    body: CustomerPatchRequest,
    unread: SetAside,
) -> Response:
    """Change a customer: what is left out stays, null clears."""
    said = said_about(body)
    change = CustomerChange(
        apply=lambda customer: replace(customer, **said),
        renames=not _NAMES.isdisjoint(said),
        move_to_entity="invoicing_entity_id" in body.model_fields_set,
        invoicing_entity_id=body.invoicing_entity_id,
        properties=body.custom_properties,
        unread=unread,
    )
    return await door.write(lambda ctx: edit_customer(ctx, id_or_alias, change), show_customer)


@router.put("/{id_or_alias}", response_model=CustomerOut)
async def put_customer(
    door: Entered,
    id_or_alias: CustomerIdOrAlias,
    body: CustomerUpdateRequest,
    unread: SetAside,
) -> Response:
    """Say everything about a customer anew: what is left out is back at its default.

    A person's type and name that are left out stay, and so do custom properties.
    """
    change = CustomerChange(
        apply=partial(said_anew, body),
        # A person whose name is not said keeps the one of a purchase.
        renames=not _NAMES.isdisjoint(body.model_fields_set),
        move_to_entity=True,
        invoicing_entity_id=body.invoicing_entity_id,
        properties=body.custom_properties,
        replaces_properties=True,
        unread=unread,
    )
    return await door.write(lambda ctx: edit_customer(ctx, id_or_alias, change), show_customer)


@router.delete("/{id_or_alias}", status_code=204, response_class=Response)
async def delete_customer(door: Entered, id_or_alias: CustomerIdOrAlias) -> Response:
    """Archive a customer without live subscriptions; its open checkouts are cancelled.

    Nothing is deleted, and what it owes is still collected.
    """
    return await door.write(lambda ctx: archive_customer(ctx, id_or_alias), None, status=204)


@router.post("/{id_or_alias}/unarchive", status_code=204, response_class=Response)
async def post_unarchive(door: Entered, id_or_alias: CustomerIdOrAlias) -> Response:
    """Bring an archived customer back; an alias means the one archived last under it."""
    return await door.write(lambda ctx: unarchive_customer(ctx, id_or_alias), None, status=204)


@router.post("/{id_or_alias}/portal-token", response_model=CustomerPortalTokenResponse)
async def post_portal_token(
    door: Entered,
    id_or_alias: CustomerIdOrAlias,
    body: CustomerPortalTokenRequest | None = None,
) -> Response:
    """Make a token and a link that open the portal of one customer for a while.

    It is shown once: a repeat under the same `Idempotency-Key` is refused (409).
    """
    asked = body or CustomerPortalTokenRequest()
    return await door.write(
        lambda ctx: issue_portal_token(
            ctx,
            id_or_alias,
            asked.expires_in_seconds or SECONDS_DEFAULT,
            asked.scopes or list(PortalScope),
        ),
        partial(show_portal_token, door.app.public_url),
        once_shown=lambda _: Conflict(
            "This token was shown once. Use a new Idempotency-Key for a new one."
        ),
    )


@router.post("/{id_or_alias}/portal-token/revoke", status_code=204, response_class=Response)
async def post_revoke_portal_token(
    door: Entered, id_or_alias: CustomerIdOrAlias, body: PortalTokenRevocation | None = None
) -> Response:
    """Take one portal token of a customer's back, or all of them.

    They open nothing from now on. For a link that went to the wrong person, and for a customer
    whose mailbox is not its own any more. A new token can be made at once.
    """
    asked = body or PortalTokenRevocation()
    return await door.write(
        lambda ctx: revoke_portal_tokens(ctx, id_or_alias, asked.token), None, status=204
    )


@router.post("/{id_or_alias}/balance-entries", status_code=201, response_model=BalanceEntryOut)
async def post_balance_entry(
    door: Entered, id_or_alias: CustomerIdOrAlias, body: BalanceEntryIn
) -> Response:
    """Add to a customer's balance of one currency, or take from it; never below zero."""

    def show(entry: BalanceEntry) -> BalanceEntryOut:
        return BalanceEntryOut.model_construct(
            id=entry.id,
            customer_id=entry.customer_id,
            currency=entry.currency,
            amount=entry.amount,
            balance_after=entry.balance_after,
            balance_held=entry.held,
            note=entry.note,
            created_at=entry.created_at,
        )

    return await door.write(
        lambda ctx: add_balance_entry(
            ctx,
            id_or_alias,
            currency=body.currency,
            amount=body.amount,
            note=body.note,
        ),
        show,
        status=201,
    )
