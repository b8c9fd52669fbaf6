"""Refunds that a provider said it had given, whatever for, and those that came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.domain.orphan import refund_key


class GivenFor(StrEnum):
    """What a refund was for: a note's; or money that nobody owed, of a try to collect, of an
    attempt at a checkout, or of nothing that we knew.
    """

    NOTE = "NOTE"
    COLLECTION = "COLLECTION"
    ATTEMPT = "ATTEMPT"
    ORPHAN = "ORPHAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRefund:
    """A refund that was given and is not known to have come back; `id` is that of what it was
    for, or its own where it has one. `taken_at` is when its payment was taken, or asked for.
    """

    id: UUID
    given_for: GivenFor
    tries: int
    provider: str
    reference: str
    customer_id: UUID | None
    amount: int
    currency: str
    taken_at: datetime

    @property
    def key(self) -> str:
        """The key that it was asked for under."""
        return refund_key(self.id, self.tries)


_GIVEN = """
    select id, case when credit_note_id is null then 'COLLECTION' else 'NOTE' end as given_for,
           1 as tries, provider, reference, customer_id, amount, currency, coalesce((
               select claimed_on from collections c
               where c.tenant_id = r.tenant_id and c.id = r.collection_id), claimed_at)
               as taken_at
    from refunds r
    where tenant_id = $1 and provider = any($2) and reference = $3 and state = 'SUCCEEDED'
      and came_back_at is null
    union all
    select id, 'ATTEMPT', 1, provider, reference, customer_id, amount, currency, claimed_on
    from payment_attempts a
    where tenant_id = $1 and provider = any($2) and reference = $3 and late_money = 'REFUNDED'
      and not exists (
        select from orphan_payments o
        where o.tenant_id = a.tenant_id and o.provider = a.provider
          and o.reference = a.reference and o.came_back_of = a.id)
    union all
    select id, 'ORPHAN', tries, provider, reference, customer_id, amount, currency, taken_at
    from orphan_payments
    where tenant_id = $1 and provider = any($2) and reference = $3 and state = 'REFUNDED'
    order by id
"""


async def under(
    tx: Tx, tenant_id: UUID, names: Sequence[str], reference: str
) -> list[GivenRefund]:
    """The refunds of a payment, by any name of its provider, that were given and did not come
    back.
    """
    rows = await tx.fetch(_GIVEN, tenant_id, names, reference)
    return [
        GivenRefund(**{**dict(row), "given_for": GivenFor(row["given_for"])}) for row in rows
    ]


async def keep_as_orphan(
    tx: Tx, tenant_id: UUID, orphan_id: UUID, given: GivenRefund, why: str, now: datetime
) -> bool:
    """Money that nobody owed is with its provider again: a person decides what becomes of it.

    False where that is known.
    """
    done = await tx.execute(
        """
        insert into orphan_payments (tenant_id, id, provider, reference, customer_id, amount,
            currency, taken_at, found_at, state, failure, came_back_of)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'REFUSED', $10, $11)
        on conflict (tenant_id, provider, reference) do update
        set state = 'REFUSED', failure = excluded.failure, amount = excluded.amount,
            came_back_of = excluded.came_back_of
        where orphan_payments.state in ('FOUND', 'RETURNED', 'REFUSED')
          and orphan_payments.came_back_of is distinct from excluded.came_back_of
        """,
        tenant_id,
        orphan_id,
        given.provider,
        given.reference,
        given.customer_id,
        given.amount,
        given.currency,
        given.taken_at,
        now,
        why,
        given.id,
    )
    return bool(done == "INSERT 0 1")
