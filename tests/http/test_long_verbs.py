"""Long verbs: the key is committed first, and a repeat resumes what has no answer yet."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from starlette.responses import Response

from tallystick.domain.errors import Busy, Conflict, InvalidInput
from tallystick.http.door import Entered, Operation, Route
from tallystick.services.context import Context
from tallystick.services.ids import new_id
from tests.http.conftest import opened

KEY = {"Idempotency-Key": "k"}


@dataclass
class Bank:
    """A long verb whose outcomes are scripted; it notes what it was asked to do."""

    outcomes: list[Exception | bytes]
    calls: list[tuple[UUID, bool]] = field(default_factory=list)

    async def refund(self, ctx: Context, operation: Operation) -> bytes:
        """The verb."""
        assert ctx.tx is None, "a long verb has no transaction"
        self.calls.append((operation.subject, operation.resumed))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@dataclass
class Counter:
    """An application with one long route."""

    bank: Bank
    client: httpx.AsyncClient

    async def refund(self, body: str = "{}") -> httpx.Response:
        """Ask for a refund under one key."""
        headers = KEY | {"Content-Type": "application/json"}
        return await self.client.post("/refunds", content=body, headers=headers)


@pytest.fixture
async def counter_of(
    shared_dsn: str,
) -> AsyncIterator[Callable[..., Counter]]:
    """Makes counters whose bank gives these outcomes, one per call."""
    async with opened(shared_dsn) as shop:

        def make(*outcomes: Exception | bytes) -> Counter:
            bank = Bank([*outcomes])
            routes = APIRouter(prefix="/api/v1", route_class=Route)

            @routes.post("/refunds")
            async def refund(door: Entered, body: dict[str, int]) -> Response:
                del body
                return await door.long(
                    bank.refund, lambda done: done, subject=new_id(), status=201
                )

            shop.web.include_router(routes)
            return Counter(bank, shop.client)

        yield make


CounterOf = Callable[..., Counter]


async def test_an_answer_is_kept(counter_of: CounterOf) -> None:
    """What ended is not run again: its answer is given again."""
    counter = counter_of(b'{"refunded":1}')
    first, again = await counter.refund(), await counter.refund()

    assert (first.status_code, first.content) == (201, b'{"refunded":1}')
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert len(counter.bank.calls) == 1


async def test_a_defect_is_resumed(counter_of: CounterOf) -> None:
    """What was left without an answer is resumed with the same subject, and then kept."""
    counter = counter_of(RuntimeError("lost"), b'{"refunded":1}')
    answers = [(await counter.refund()).status_code for _ in range(3)]

    assert answers == [500, 201, 201]
    subject = counter.bank.calls[0][0]
    assert counter.bank.calls == [(subject, False), (subject, True)]


async def test_busy_stays_open(counter_of: CounterOf) -> None:
    """While the provider's answer is unknown, each repeat resumes the same operation."""
    counter = counter_of(Busy("not yet", 5), Busy("not yet", 5), b"{}")
    answers = [await counter.refund() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [409, 409, 201]
    assert answers[0].headers["retry-after"] == "5"
    assert [resumed for _, resumed in counter.bank.calls] == [False, True, True]
    assert len({subject for subject, _ in counter.bank.calls}) == 1


async def test_a_conflict_is_kept(counter_of: CounterOf) -> None:
    """A conflict that no pause can mend is the answer for good."""
    counter = counter_of(Conflict("refunded already"))
    first, again = await counter.refund(), await counter.refund()

    assert (first.status_code, again.status_code) == (409, 409)
    assert again.content == first.content


async def test_a_bad_request_gives_the_key_free(counter_of: CounterOf) -> None:
    """After a 400 the key may be used for the mended request, which is a new operation."""
    counter = counter_of(InvalidInput("amount: too much"), b"{}")
    first, mended = await counter.refund('{"amount": 9}'), await counter.refund('{"amount": 1}')

    assert (first.status_code, mended.status_code) == (400, 201)
    assert counter.bank.calls[1][1] is False


async def test_another_body_is_refused(counter_of: CounterOf) -> None:
    """Even an operation that is still open belongs to its own body."""
    counter = counter_of(RuntimeError("lost"))
    await counter.refund('{"amount": 9}')
    other = await counter.refund('{"amount": 1}')

    assert other.status_code == 409
    assert len(counter.bank.calls) == 1


async def test_without_a_key(counter_of: CounterOf) -> None:
    """Without a key each request is an operation of its own."""
    counter = counter_of(b"{}", b"{}")
    for _ in range(2):
        await counter.client.post("/refunds", json={})

    assert len({subject for subject, _ in counter.bank.calls}) == 2
