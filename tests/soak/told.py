"""What clients were told, to be compared with the database in the end."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import httpx
from meteroid.errors import APIConnectionError, APIResponseValidationError, APIStatusError
from typing_extensions import override

from tests.http.conftest import TRUSTED

Answer = TypeVar("Answer")
Json = dict[str, Any]

PAUSE_SECONDS = 0.2
ASKS_MAX = 900
"""Three minutes of asking again: whatever is away comes back much sooner."""
UNAVAILABLE = 503
CONFLICT = 409
DEFECT = 500


@dataclass(kw_only=True)
class Told:
    """The answers that were given, and what they promised.

    Attributes:
        heard: How often each kind of request ended in each way.
        customers: Their ids.
        sessions: The sessions that were created, as they were answered.
        shown: For each session what was due by the pages on which the button was pressed.
        bought: Sessions that were told to be COMPLETED, with their subscription.
        usage: Ids of events that were taken in.
        slots: The changes of slots that were answered with success, by subscription.
        refunded: Credit notes that were answered, by their id, with the amount that goes back.
        unclear: Answers that nobody should get.
    """

    heard: Counter[tuple[str, str]] = field(default_factory=Counter)
    customers: list[str] = field(default_factory=list)
    sessions: dict[str, Json] = field(default_factory=dict)
    shown: dict[str, list[int]] = field(default_factory=dict)
    bought: dict[str, str] = field(default_factory=dict)
    usage: list[str] = field(default_factory=list)
    slots: dict[str, list[int]] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)
    asked_again: int = 0

    def note(self, what: str, how: str) -> None:
        """Count how something ended."""
        self.heard[what, how] += 1


class Anywhere(httpx.AsyncBaseTransport):
    """Sends each request to one of several servers, drawn by chance."""

    def __init__(self, ports: list[int], random: Random) -> None:
        self._ports, self._random = ports, random
        self._inner = httpx.AsyncHTTPTransport(verify=TRUSTED)

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        port = self._random.choice(self._ports)
        request.url = request.url.copy_with(port=port)
        request.headers["host"] = f"127.0.0.1:{port}"
        if "origin" in request.headers:
            request.headers["origin"] = f"http://127.0.0.1:{port}"
        return await self._inner.handle_async_request(request)

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()


async def insist(told: Told, what: str, call: Callable[[], Awaitable[Answer]]) -> Answer | None:
    """Ask until there is an answer that stands; None where it is a refusal.

    `call` asks with the SDK, the same request under the same key each time.
    """
    for _ in range(ASKS_MAX):
        try:
            answer = await call()
        except APIConnectionError:
            pass
        except APIResponseValidationError as unread:
            told.unclear.append(f"{what}: {unread!r}")
            return None
        except APIStatusError as refused:
            if not asks_to_come_back(refused.status_code, refused.response.headers):
                told.note(what, "refused")
                if refused.status_code >= DEFECT:
                    told.unclear.append(f"{what}: {refused.status_code} {refused!r}")
                return None
        else:
            told.note(what, "done")
            return answer
        told.asked_again += 1
        await asyncio.sleep(PAUSE_SECONDS)
    told.unclear.append(f"{what}: nobody answers any more")
    return None


async def insist_raw(
    told: Told, what: str, call: Callable[[], Awaitable[httpx.Response]]
) -> httpx.Response | None:
    """The same for a client that speaks HTTP; pages among them."""
    for _ in range(ASKS_MAX):
        try:
            answer = await call()
        except httpx.TransportError:
            pass
        else:
            if not asks_to_come_back(answer.status_code, answer.headers):
                told.note(what, "done" if answer.status_code < 400 else "refused")
                if answer.status_code >= DEFECT:
                    told.unclear.append(f"{what}: {answer.status_code} {answer.text[:500]}")
                return answer
        told.asked_again += 1
        await asyncio.sleep(PAUSE_SECONDS)
    told.unclear.append(f"{what}: nobody answers any more")
    return None


def asks_to_come_back(status: int, headers: Any) -> bool:  # noqa: ANN401 - of either client
    """Whether an answer says when to ask again."""
    return status in {CONFLICT, UNAVAILABLE} and "retry-after" in headers
