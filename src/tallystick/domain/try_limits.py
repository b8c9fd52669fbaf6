"""How many payments may fail before nobody may try another: stolen cards are tried in rows.

Whoever tests stolen cards needs many tries. Links, customers and addresses are all cheap for
him in some shop, so each is counted; honest buyers fail two or three times.
"""

from dataclasses import dataclass
from datetime import timedelta

COUNTED_FOR = timedelta(hours=1)
"""How long a try that failed counts, in real time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TryLimits:
    """How many tries may fail within the hour; 0 for no limit.

    Attributes:
        per_customer: Of one customer, over all of its links.
        per_address: From one network address, over all customers of a tenant. Many people may
            share one.
    """

    per_customer: int = 10
    per_address: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentTries:
    """Tries to pay within the last hour that took no money, those under way included."""

    of_customer: int
    from_address: int


def is_too_many(tries: RecentTries, limits: TryLimits) -> bool:
    """Whether nobody may try another now."""
    return bool(
        (limits.per_customer and tries.of_customer >= limits.per_customer)
        or (limits.per_address and tries.from_address >= limits.per_address)
    )
