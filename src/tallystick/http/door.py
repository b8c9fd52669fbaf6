"""The door of the REST API: from a request to a verb, and back.

A route is written like this; everything else happens here.

    router = APIRouter(prefix="/widgets", tags=["widgets"], route_class=Route)

    @router.post("", status_code=201, response_model=WidgetOut)
    async def create_widget(door: Entered, body: WidgetIn) -> Response:
        return await door.write(lambda ctx: create(ctx, body.name), show, status=201)

    @router.get("/{widget_id}", response_model=WidgetOut)
    async def get_widget(door: Entered, widget_id: WidgetId) -> Response:
        return await door.read(
            lambda ctx: widgets.find(ctx.transaction, ctx.tenant.id, widget_id), show
        )

Before a route runs, its caller is authenticated, `now` is fixed, and the body is read, checked
for its type and parsed. A write is committed before its answer is sent.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope
from typing_extensions import override

from tallystick.db import idempotency
from tallystick.db.engine import Tx, retrying, savepoint
from tallystick.db.idempotency import KeySlot
from tallystick.db.refusals import LockTimeout
from tallystick.domain.errors import (
    ALL_READ,
    Busy,
    Conflict,
    NotFound,
    TallystickError,
    Unauthorized,
    Unread,
)
from tallystick.http.edge import ADDED_HEADERS
from tallystick.http.errors import is_kept, refusal, request_id_of
from tallystick.http.faults import path_text
from tallystick.http.idempotent import (
    check_same,
    hash_of_request,
    key_of,
    operation_of,
    replay,
    still_running,
)
from tallystick.http.key_pace import Pace
from tallystick.http.keyring import Caller, Keyring
from tallystick.http.route_call import RouteCall
from tallystick.services.context import App, Context, Tenant

Result = TypeVar("Result")
Verb = Callable[[Context], Awaitable[Result]]
Show = Callable[[Result], BaseModel | bytes]


@dataclass(frozen=True, slots=True)
class Operation:
    """What a long verb works on, the same for every repeat of one request.

    Attributes:
        subject: The object that the operation is about, or the id to make it with.
        resumed: Whether an earlier request under the same key began it and left no answer.
    """

    subject: UUID
    resumed: bool


@dataclass(frozen=True, slots=True)
class Door:
    """One authenticated request.

    Attributes:
        app: What is wired once per process.
        caller: The tenant, the actor, and `now`.
        body: The request's bytes, as they came; of a body that was read as a stream, its hash.
        scope: The request, for what is rare.
    """

    app: App
    caller: Caller
    body: bytes
    scope: Scope

    @property
    def tenant(self) -> Tenant:
        """The tenant that the API key speaks for."""
        return self.caller.tenant

    def context(self, tx: Tx | None = None) -> Context:
        """The context of this request, inside a transaction or without one."""
        return Context(
            app=self.app,
            tenant=self.caller.tenant,
            actor=self.caller.actor,
            now=self.caller.now,
            tx=tx,
        )

    async def read(self, verb: Verb[Result], show: Show[Result], status: int = 200) -> Response:
        """Answer with what a verb finds; each of its statements sees what is committed then."""
        return answer(show(await self.look(verb)), status)

    async def look(self, verb: Verb[Result]) -> Result:
        """What a verb finds, to be answered with in a way of its own."""
        async with self.app.database.connection() as connection:
            with self._named():
                return await verb(self.context(connection))

    async def write(
        self,
        verb: Verb[Result],
        show: Show[Result] | None,
        status: int = 200,
        once_shown: Callable[[Result], Conflict] | None = None,
    ) -> Response:
        """Run a plain verb in a transaction, commit, then answer.

        A POST with an `Idempotency-Key` is run once: its answer is stored in the transaction,
        and a repeat gets it again. `show` None answers without a body. An answer that holds a
        secret is not stored: `once_shown` says what a repeat gets instead.

        Raises:
            Conflict: The key was used for another request.
            Busy: The first request under the key is still running.
        """
        key = key_of(self.scope) if self.scope["method"] == "POST" else None

        async def run(tx: Tx) -> tuple[Response, Response]:
            """The answer, and what is kept of it."""
            with self._named():
                result = await verb(self.context(tx))
            given = answer(show(result) if show else b"", status)
            if once_shown is None:
                return given, given
            return given, refusal(once_shown(result), request_id_of(self.scope))

        if key is None:
            given, _ = await retrying(self.app.database, run)
            return given
        slot, request_hash = self._slot(key), self._hash()

        async def once(tx: Tx) -> Response:
            if not await idempotency.claim(tx, self.tenant.id, slot, request_hash):
                return replay(await idempotency.find(tx, self.tenant.id, slot), request_hash)
            try:
                async with savepoint(tx):
                    given, kept = await run(tx)
            except TallystickError as error:
                if not is_kept(error):
                    raise
                given = kept = refusal(error, request_id_of(self.scope))
            await idempotency.keep(tx, self.tenant.id, slot, kept.status_code, _text(kept))
            return given

        try:
            return await retrying(self.app.database, once)
        except LockTimeout:
            # Either the first request under this key or another one's row: both are busy.
            raise still_running() from None

    async def long(
        self,
        verb: Callable[[Context, Operation], Awaitable[Result]],
        show: Show[Result],
        *,
        subject: UUID,
        status: int = 200,
    ) -> Response:
        """Run a long verb: one that opens its own transactions and calls the outside between.

        With an `Idempotency-Key`, the key and the subject are committed first. A repeat that
        finds no answer runs the verb again with the first request's subject and
        `resumed=True`; the verb then answers as it would have done at first. A refusal that is
        not kept gives the key free, except `Busy`, which leaves the operation open.

        Args:
            verb: It gets a context without a transaction, and what it works on.
            show: Turns the verb's result into the answer.
            subject: The object's id, found or newly made.
            status: The status of the answer when all is well.
        """
        key = key_of(self.scope)
        if key is None:
            with self._named():
                result = await verb(self.context(), Operation(subject, resumed=False))
            return answer(show(result), status)
        slot, request_hash = self._slot(key), self._hash()
        try:
            async with self.app.transaction() as tx:
                claimed = await idempotency.claim(
                    tx, self.tenant.id, slot, request_hash, subject
                )
                earlier = None if claimed else await idempotency.find(tx, self.tenant.id, slot)
        except LockTimeout:
            raise still_running() from None
        operation = Operation(subject, resumed=False)
        if not claimed:
            if earlier is None:
                raise still_running()
            check_same(earlier, request_hash)
            if earlier.status is not None:
                return replay(earlier, request_hash)
            operation = Operation(earlier.subject_id or subject, resumed=True)
        try:
            with self._named():
                given = answer(show(await verb(self.context(), operation)), status)
        except TallystickError as error:
            if not is_kept(error):
                if not isinstance(error, Busy):
                    async with self.app.transaction() as tx:
                        await idempotency.forget(tx, self.tenant.id, slot)
                raise
            given = refusal(error, request_id_of(self.scope))
        async with self.app.transaction() as tx:
            await idempotency.keep(tx, self.tenant.id, slot, given.status_code, _text(given))
        return given

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Let what is not found be told by the name that the address has for it."""
        try:
            yield
        except NotFound as error:
            names = self.scope.get("path_params", {}).values()
            if not names or error.faults:
                raise
            given = path_text(tuple(map(str, names)))
            raise NotFound(f"{error.message.rstrip('.')}: {given}.") from None

    def _slot(self, key: str) -> KeySlot:
        return KeySlot(operation=operation_of(self.scope), key=key)

    def _hash(self) -> bytes:
        return hash_of_request(self.scope, self.body)


def answer(shown: BaseModel | bytes, status: int = 200) -> Response:
    """An answer from a model, or from bytes that are JSON already; b"" is no body."""
    if isinstance(shown, BaseModel):
        content: bytes = shown.__pydantic_serializer__.to_json(shown)
    else:
        content = shown
    return Response(content, status, media_type="application/json" if content else None)


class Gate:
    """What every request needs to enter, kept on the application's state.

    Args:
        app: What is wired once per process.
        keyring: The API keys.
    """

    def __init__(self, app: App, keyring: Keyring) -> None:
        self.app = app
        self.keyring = keyring

    async def enter(self, request: Request) -> Door:
        """Authenticate a request and read its body.

        Raises:
            Unauthorized: No valid API key, or more than one.
            Forbidden: The key has not the scope for it.
            RateLimited: The key has asked too often.
            BodyTooLarge: The body is over the limit.
        """
        caller = await self._caller(request)
        return Door(self.app, caller, await request.body(), request.scope)

    async def enter_unread(self, request: Request) -> Door:
        """Authenticate a request whose body the route reads by itself, as it comes.

        Raises:
            Unauthorized: No valid API key, or more than one.
            Forbidden: The key has not the scope for it.
            RateLimited: The key has asked too often.
        """
        return Door(self.app, await self._caller(request), b"", request.scope)

    async def _caller(self, request: Request) -> Caller:
        given = request.headers.getlist("authorization")
        if len(given) > 1:
            raise Unauthorized("Send the header `Authorization` once.")

        def tell(pace: Pace) -> None:
            told = request.scope.get(ADDED_HEADERS)
            if isinstance(told, list):
                told.extend(pace.headers())

        caller = await self.keyring.caller(given[0] if given else None, tell)
        caller.check(request.method)
        return caller


def gate_of(request: Request) -> Gate:
    """The gate of the application that serves a request."""
    gate = request.app.state.gate
    assert isinstance(gate, Gate)
    return gate


async def _set_aside() -> Unread:
    """Nothing: `RouteCall` fills it in, FastAPI asks only whether there is something."""
    return ALL_READ


SetAside = Annotated[Unread, Depends(_set_aside)]
"""The parameter `unread` of routes that look at what is left of a body when a part of it could
not be read. They must refuse when it holds a fault, with everything else that is wrong.
"""


async def _entered(request: Request) -> Door:
    """The door; FastAPI asks only whether there is something to describe."""
    return await gate_of(request).enter(request)


Entered = Annotated[Door, Depends(_entered)]
"""The door of the current request: the parameter `door` of routes of class `Route`."""


class Route(APIRoute):
    """A route behind the door: caller first, then query and body, all faults at once."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make the handler: enter, read the parameters, call the route."""
        call = RouteCall(self.endpoint, set(self.param_convertors), provided=("door",))
        endpoint = self.endpoint

        async def handle(request: Request) -> Response:
            door = await gate_of(request).enter(request)
            given: Response = await endpoint(door=door, **call.read(request, door.body))
            return given

        return handle


@dataclass(frozen=True, slots=True)
class Sent:
    """A body that is read as it comes.

    Attributes:
        content_type: What it is declared to be, without parameters, in small letters.
        stream: Its bytes, in pieces; they end with the limit of the route.
    """

    content_type: str
    stream: AsyncIterator[bytes]


async def _sent(request: Request) -> Sent:
    """The body of a request, which nobody has read."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Sent(declared, request.stream())


Streamed = Annotated[Sent, Depends(_sent)]
"""The body of the current request: the parameter `sent` of routes of class `StreamRoute`."""


class StreamRoute(APIRoute):
    """A route behind the door that reads its body by itself, piece by piece."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make the handler: enter, read the parameters, call the route with the body."""
        endpoint = self.endpoint
        call = RouteCall(endpoint, set(self.param_convertors), provided=("door", "sent"))

        async def handle(request: Request) -> Response:
            door = await gate_of(request).enter_unread(request)
            given: Response = await endpoint(
                door=door, sent=await _sent(request), **call.read(request, door.body)
            )
            return given

        return handle


def _text(response: Response) -> str:
    return bytes(response.body).decode()
