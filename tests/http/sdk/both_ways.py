"""The synchronous client of the SDK, spoken to as if it were the asynchronous one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any


class InTurn:
    """Whatever a client answers, awaited: one story is told to both clients.

    A method of the client is a coroutine here, run in a thread; what it lists is iterated over
    with `async for`.
    """

    def __init__(self, inner: object) -> None:
        """Stand for a client, or for a resource of it."""
        self._inner = inner

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the client has it
        """A resource, or a method of one."""
        found = getattr(self._inner, name)
        if not callable(found):
            return InTurn(found)
        if name.startswith("list"):
            return _listing(found)

        async def call(*args: object, **given: object) -> Any:  # noqa: ANN401
            return await asyncio.to_thread(found, *args, **given)

        return call


class _Listing:
    """What a list call answers: awaited, it is one page; iterated over, all items."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call

    def __await__(self) -> Any:  # noqa: ANN401
        return asyncio.to_thread(self._call).__await__()

    async def __aiter__(self) -> AsyncIterator[Any]:
        for one in await asyncio.to_thread(_all, self._call):
            yield one


def _all(call: Callable[[], Iterable[Any]]) -> list[Any]:
    return list(call())


def _listing(method: Callable[..., Any]) -> Callable[..., _Listing]:
    return lambda *args, **given: _Listing(lambda: method(*args, **given))
