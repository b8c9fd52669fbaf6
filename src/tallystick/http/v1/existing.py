"""What an address names must exist."""

from collections.abc import Awaitable
from typing import TypeVar

from tallystick.domain.errors import NotFound

T = TypeVar("T")


async def existing(found: Awaitable[T | None], what: str) -> T:
    """What was found; raises `NotFound` where this tenant has no such thing."""
    value = await found
    if value is None:
        raise NotFound(f"There is no such {what}.")
    return value
