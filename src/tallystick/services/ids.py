"""Where ids are made: UUIDv7, so that neighbours in time are neighbours in every index."""

import os
import time
from uuid import UUID

_RANDOM_BITS = 74
_VERSION = 7 << 76
_VARIANT = 2 << 62


def new_id() -> UUID:
    """A new UUIDv7 (RFC 9562): 48 bits of real time in milliseconds, the rest random.

    The clock here orders index entries only; nothing reads a time back out of an id.
    """
    milliseconds = time.time_ns() // 1_000_000  # noqa: TID251 - orders ids, decides nothing
    random = int.from_bytes(os.urandom(10)) >> (80 - _RANDOM_BITS)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | _VERSION | (high << 64) | _VARIANT | low)
