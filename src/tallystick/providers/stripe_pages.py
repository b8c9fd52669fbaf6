"""Lists of Stripe's, read page by page, newest first."""

from collections.abc import Awaitable, Callable
from typing import NotRequired, TypedDict, TypeVar

import stripe

from tallystick.providers.stripe_client import answer_of

Listed = TypeVar("Listed", stripe.Dispute, stripe.Refund, stripe.Event)

PAGE = 100
_PAGES_MAX = 20


class ListParams(TypedDict):
    """What a page is asked with."""

    limit: int
    expand: NotRequired[list[str]]
    starting_after: NotRequired[str]


async def newest(
    listed: Callable[[ListParams], Awaitable[stripe.ListObject[Listed]]],
    seconds: int | None,
    *,
    expand: tuple[str, ...] = (),
) -> list[Listed]:
    """Those of so long before the newest, page by page, and no more than some pages.

    Without a time it is all of them.

    Raises:
        StripeError: There was no answer.
    """
    found: list[Listed] = []
    for _ in range(_PAGES_MAX):
        params: ListParams = {"limit": PAGE}
        if expand:
            params["expand"] = list(expand)
        if found:
            params["starting_after"] = found[-1].id
        page = await _page(listed, params)
        found += page.data
        if not page.has_more:
            break
        if seconds is not None and found[-1].created < found[0].created - seconds:
            break
    return found


async def _page(
    listed: Callable[[ListParams], Awaitable[stripe.ListObject[Listed]]], params: ListParams
) -> stripe.ListObject[Listed]:
    return await answer_of(lambda: listed(params))
