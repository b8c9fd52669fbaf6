"""`/checkout-sessions`: create, get, list, cancel, preview."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from tallystick.db import checkout_sessions, customers, idempotency, listed_sessions
from tallystick.db.checkout_sessions import SessionRecord
from tallystick.db.idempotency import KeySlot
from tallystick.db.refusals import LockTimeout, UniqueViolation, constraint_of
from tallystick.domain.checkout_request import CheckoutRequest
from tallystick.domain.errors import NotFound, TallystickError
from tallystick.domain.session import SessionState
from tallystick.http.door import Door, Entered, Operation, Route, SetAside, answer
from tallystick.http.errors import is_kept, refusal, request_id_of
from tallystick.http.idempotent import (
    hash_of_request,
    key_of,
    operation_of,
    replay,
    still_running,
)
from tallystick.http.v1.checkout_answers import (
    CheckoutSessionAnswer,
    CheckoutSessionList,
    QuoteOut,
    show_quote,
    show_session,
)
from tallystick.http.v1.checkout_schemas import CreateCheckoutSession, to_checkout_request
from tallystick.http.v1.paging import NEWEST_FIRST, PageQuery
from tallystick.http.v1.scalars import CheckoutSessionId, CustomerIdOrAlias
from tallystick.services.context import Context
from tallystick.services.create_checkout_session import (
    CreatedSession,
    CreationKey,
    PricedOffer,
    create_checkout_session,
    resolve_checkout,
)
from tallystick.services.end_session import cancel_session

router = APIRouter(prefix="/checkout-sessions", tags=["checkout sessions"], route_class=Route)

_KEY_CONSTRAINT = "idempotency_keys_pkey"
_TURNS_MAX = 4
"""How often a creation looks for its key's row: once, and after each loss of a race."""


class SessionQuery(PageQuery):
    """Filters of the list; `status` is the status as reported."""

    customer_id: CustomerIdOrAlias | None = None
    status: SessionState | None = None


@router.post("", response_model=CheckoutSessionAnswer)
async def create(door: Entered, body: CreateCheckoutSession, unread: SetAside) -> Response:
    """Create a checkout session and get the link that the customer opens."""
    request = to_checkout_request(body, unread)
    key = key_of(door.scope)
    if key is None:
        return await _create(door, request, None)
    return await _create_once(
        door,
        request,
        CreationKey(
            operation=operation_of(door.scope),
            key=key,
            request_hash=hash_of_request(door.scope, door.body),
        ),
    )


@router.post("/preview", response_model=QuoteOut)
async def preview(door: Entered, body: CreateCheckoutSession, unread: SetAside) -> Response:
    """Price a request without storing anything: the quote that its page would show."""
    request = to_checkout_request(body, unread)

    async def priced(ctx: Context) -> PricedOffer:
        return await resolve_checkout(ctx, ctx.transaction, request)

    return await door.write(
        priced, lambda found: show_quote(found.quote, tax_inclusive=found.offer.tax_inclusive)
    )


@router.get("", response_model=CheckoutSessionList)
async def list_sessions(door: Entered, query: Annotated[SessionQuery, Query()]) -> Response:
    """List checkout sessions, newest first."""

    async def page(ctx: Context) -> tuple[list[SessionRecord], int]:
        customer_id = await _customer(ctx, query.customer_id)
        if query.customer_id is not None and customer_id is None:
            return [], 0
        return await listed_sessions.page(
            ctx.transaction,
            ctx.tenant.id,
            query.window(NEWEST_FIRST),
            customer_id=customer_id,
            status=query.status,
            now=ctx.now,
        )

    def show(found: tuple[list[SessionRecord], int]) -> CheckoutSessionList:
        records, total = found
        return CheckoutSessionList(
            sessions=[show_session(door.context(), record) for record in records],
            pagination_meta=query.meta(total),
        )

    return await door.read(page, show)


@router.get("/{id}", response_model=CheckoutSessionAnswer)
async def retrieve(door: Entered, id: CheckoutSessionId) -> Response:  # noqa: A002 - its name on the wire
    """Get a checkout session."""

    async def find(ctx: Context) -> SessionRecord:
        record = await checkout_sessions.load(ctx.transaction, ctx.tenant.id, id)
        if record is None:
            raise NotFound("There is no such checkout session")
        return record

    return await door.read(find, lambda record: _answer(door, record))


@router.post("/{id}/cancel", response_model=CheckoutSessionAnswer)
async def cancel(door: Entered, id: CheckoutSessionId) -> Response:  # noqa: A002
    """Cancel a checkout session; one that is being paid is first cancelled at the provider."""
    # A repeat under the same key may overtake the first request: what was open before either of
    # them and is cancelled now is the success of both.
    was_open = key_of(door.scope) is not None and await _is_open(door, id)

    async def end(ctx: Context, operation: Operation) -> SessionRecord:
        resumed = operation.resumed or was_open
        return await cancel_session(ctx, operation.subject, resumed=resumed)

    return await door.long(end, lambda record: _answer(door, record), subject=id)


async def _is_open(door: Door, session_id: UUID) -> bool:
    """Whether a session can still be cancelled, as it stands now."""
    async with door.app.database.connection() as connection:
        record = await checkout_sessions.load(connection, door.tenant.id, session_id)
    return record is not None and not record.session.status(door.context().now).is_terminal


def _answer(door: Door, record: SessionRecord) -> CheckoutSessionAnswer:
    return CheckoutSessionAnswer.model_construct(session=show_session(door.context(), record))


async def _create(door: Door, request: CheckoutRequest, key: CreationKey | None) -> Response:
    def show(created: CreatedSession) -> str:
        shown = _answer(door, created.record)
        return shown.__pydantic_serializer__.to_json(shown).decode()

    text = await create_checkout_session(door.context(), request, key, show)
    return answer(text.encode())


async def _create_once(door: Door, request: CheckoutRequest, key: CreationKey) -> Response:
    """Create under an idempotency key: the key's row is written with the session.

    A repeat finds the row and gets the stored answer; two at once meet in the database, and the
    loser gets the winner's answer. A row that has outlived its key is cleared out of the way.
    """
    slot = KeySlot(operation=key.operation, key=key.key)
    for _ in range(_TURNS_MAX):
        async with door.app.database.connection() as connection:
            earlier = await idempotency.find(connection, door.tenant.id, slot)
        if earlier is not None:
            return replay(earlier, key.request_hash)
        try:
            return await _create(door, request, key)
        except LockTimeout:
            break
        except UniqueViolation as reason:
            if constraint_of(reason) != _KEY_CONSTRAINT:
                raise
        except TallystickError as error:
            if not is_kept(error):
                raise
            return await _keep_refusal(door, slot, key, error)
        async with door.app.transaction() as tx:
            await idempotency.discard_outlived(tx, door.tenant.id, slot)
    raise still_running()


async def _keep_refusal(
    door: Door, slot: KeySlot, key: CreationKey, error: TallystickError
) -> Response:
    """Store a refusal that a repeat gets again; nothing else was written."""
    given = refusal(error, request_id_of(door.scope))
    async with door.app.transaction() as tx:
        if not await idempotency.claim(tx, door.tenant.id, slot, key.request_hash):
            return replay(await idempotency.find(tx, door.tenant.id, slot), key.request_hash)
        await idempotency.keep(
            tx, door.tenant.id, slot, given.status_code, bytes(given.body).decode()
        )
    return given


async def _customer(ctx: Context, wanted: UUID | str | None) -> UUID | None:
    if wanted is None or isinstance(wanted, UUID):
        return wanted
    customer = await customers.load(ctx.transaction, ctx.tenant.id, wanted)
    return None if customer is None else customer.id
