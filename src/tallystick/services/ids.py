"""Where ids are made: UUIDv7, so that neighbours in time are neighbours in every index."""

import hashlib
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


def id_of_row(batch_job_id: UUID, item_index: int) -> UUID:
    """The id of what a row of a file becomes: always the same, so it cannot come twice.

    A UUIDv7 with the time of its job and the place of the row, so that the rows of a file are
    neighbours in every index, in their order.
    """
    index = item_index.to_bytes(4)
    mixed = hashlib.sha256(batch_job_id.bytes + index).digest()
    # 32 bits of the place, then what tells jobs of the same millisecond apart.
    rest = (item_index << 42) | (int.from_bytes(mixed) >> (256 - 42))
    high, low = rest >> 62, rest & ((1 << 62) - 1)
    milliseconds = batch_job_id.int >> 80
    return UUID(int=(milliseconds << 80) | _VERSION | (high << 64) | _VARIANT | low)
