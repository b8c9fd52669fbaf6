"""What the sweepers lease: work of any tenant whose time, real time, has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from tallystick.db.engine import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """Something that other workers leave alone until the lease is over."""

    tenant_id: UUID
    id: UUID


def later(tries: str, seconds: str) -> str:
    """SQL of the instant until which something is left alone that was tried so often before.

    So many seconds at first, twice as many after each try, and an hour at most.
    """
    return (
        "clock_timestamp() + make_interval(secs => "
        f"least({seconds} * power(2, least({tries}, 16)), greatest({seconds}, 3600)))"
    )


def leased(rows: Iterable[Row]) -> list[Leased]:
    """What rows of `tenant_id` and `id` name."""
    return [Leased(tenant_id=row["tenant_id"], id=row["id"]) for row in rows]
