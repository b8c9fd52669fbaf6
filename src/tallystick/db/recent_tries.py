"""Tries to pay, and to save a method, that took no money lately: wherever they were made."""

from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.domain.payment import FailureReason
from tallystick.domain.try_limits import COUNTED_FOR, RecentTries

_TELLS_NO_CARD = ", ".join(
    f"'{reason}'"
    for reason in (
        FailureReason.CANCELLED_BY_BUYER,
        FailureReason.SESSION_ENDED,
        FailureReason.INTERRUPTED,
    )
)

_PLACES = (
    ("payment_attempts", "failure ->> 'reason'", "kind <> 'NONE'"),
    ("collections", "failure", "by_buyer"),
    ("collections", "failure", "not by_buyer and payer is not null"),
    ("method_setups", "failure", "true"),
)
"""Where a buyer tries: at a checkout, on an invoice's page, to pay with a saved method in the
portal, and to add one there. With each, where it keeps why it failed, and which of its rows a
buyer made.
"""


async def count(tx: Tx, tenant_id: UUID, customer_id: UUID, payer: bytes | None) -> RecentTries:
    """How many tries took no money within the hour, of a customer and from an address.

    Those that tell nothing about a card do not count: ended on purpose for another method, its
    session cancelled, or never answered by the provider.
    """
    row = await tx.fetchrow(
        f"""
        select {_sum_of("customer_id = $2")} as of_customer,
               {_sum_of("payer = $4")} as from_address
        """,
        tenant_id,
        customer_id,
        COUNTED_FOR,
        payer,
    )
    assert row is not None, "counts are a row"
    return RecentTries(**dict(row))


def _sum_of(whose: str) -> str:
    """Each place counts by an index of its own."""
    return " + ".join(
        f"""
        (select count(*) from {table}
         where tenant_id = $1 and {whose} and claimed_on > now() - $3::interval and {made}
           and state <> 'SUCCEEDED' and coalesce({failure}, '') not in ({_TELLS_NO_CARD}))
        """
        for table, failure, made in _PLACES
    )
