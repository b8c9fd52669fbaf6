"""Tries to collect invoices: claimed, asked of the provider, recorded."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Row, Tx
from tallystick.db.invoice_locks import lock_customer, lock_customer_of
from tallystick.db.leases import Leased, leased
from tallystick.domain.attempt import AttemptState
from tallystick.domain.collection import Collection
from tallystick.domain.payment import Acceptance, FailureReason, Method

METHOD: Codec[Method] = Codec(Method)
_ACCEPTANCE: Codec[Acceptance] = Codec(Acceptance)

COLUMNS = """
    id, invoice_id, customer_id, payment_method_id, transaction_id, provider, reference, method,
    amount, currency, state, failure, claimed_at, activates, balance_held, by_buyer, return_url,
    challenge_url, nullif(consent -> 'acceptance', 'null') as acceptance
"""
"""What `collection_of` reads of a try."""


# The subscription by whose terms an invoice is collected: its own, and of a consolidated one
# the first member's, for they had these terms in common when it was made.
COLLECTED_BY = """
    coalesce(i.subscription_id, (
        select m.subscription_id from invoices m
        where m.tenant_id = i.tenant_id and m.consolidated_into_invoice_id = i.id
        order by m.created_at, m.id limit 1))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing:
    """A locked invoice that is to be collected: what is due, and how often it failed."""

    id: UUID
    customer_id: UUID
    currency: str
    amount_due: int
    failures: int
    own_method_id: UUID | None
    invoicing_entity_id: UUID


async def due(tx: Tx, tenant_id: UUID, now: datetime, today: date, limit: int) -> list[UUID]:
    """Invoices to collect at the tenant's now, longest due first.

    What may be charged as one with others waits while a step is due today of another of the
    customer's subscriptions, which may make a draft that belongs to it.
    """
    rows = await tx.fetch(
        """
        select i.id from invoices i
        where i.tenant_id = $1 and i.collect_at <= $2 and not i.awaits_person
          and not exists (
            select from collections c where c.tenant_id = i.tenant_id
              and c.invoice_id = i.id and c.state = 'LIVE')
          and not (i.charged_first and i.may_merge and exists (
            select from invoicing_entities e
            join subscriptions s
              on s.tenant_id = i.tenant_id and s.customer_id = i.customer_id
             and s.next_step_on <= $3 and s.billing_error is null and not s.is_being_paid
            where e.tenant_id = i.tenant_id and e.id = i.invoicing_entity_id
              and e.consolidate_recurring_invoices))
        order by i.collect_at, i.id limit $4
        """,
        tenant_id,
        now,
        today,
        limit,
    )
    return [row["id"] for row in rows]


async def lock_owing(tx: Tx, tenant_id: UUID, invoice_id: UUID, now: datetime) -> Owing | None:
    """Lock the customer, then the invoice; None where it is not to be collected any more."""
    await lock_customer_of(tx, tenant_id, invoice_id)
    row = await tx.fetchrow(
        f"""
        select i.id, i.customer_id, i.currency, i.amount_due, i.invoicing_entity_id,
               i.collection_failures as failures,
               (select s.payment_method_id from subscriptions s
                where s.tenant_id = i.tenant_id and s.id = {COLLECTED_BY}) as own_method_id
        from invoices i
        where i.tenant_id = $1 and i.id = $2 and i.collect_at <= $3 and i.amount_due > 0
          and i.status in ('FINALIZED', 'UNCOLLECTIBLE') and not i.awaits_person
          and not exists (
            select from collections c where c.tenant_id = i.tenant_id
              and c.invoice_id = i.id and c.state = 'LIVE')
        for no key update of i
        """,
        tenant_id,
        invoice_id,
        now,
    )
    return None if row is None else Owing(**dict(row))


async def own_method_of(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> UUID | None:
    """The own method of the subscription by whose terms an invoice is collected."""
    found: UUID | None = await tx.fetchval(
        f"""
        select s.payment_method_id from invoices i
        join subscriptions s on s.tenant_id = i.tenant_id and s.id = {COLLECTED_BY}
        where i.tenant_id = $1 and i.id = $2
        """,
        tenant_id,
        invoice_id,
    )
    return found


async def insert(
    tx: Tx,
    tenant_id: UUID,
    made: Collection,
    lease_seconds: float,
    consent: str | None = None,
    payer: bytes | None = None,
) -> None:
    """Write a claimed try; the invoice waits for it. `consent` is JSON text, `payer` a mark
    of the address that its buyer came from.

    Raises `UniqueViolation` (one_live_collection) where one is under way.
    """
    await tx.execute(
        """
        insert into collections (tenant_id, id, invoice_id, customer_id, payment_method_id,
            transaction_id, provider, method, amount, currency, claimed_at, check_at,
            activates, balance_held, by_buyer, return_url, consent, payer)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                clock_timestamp() + make_interval(secs => $12), $13, $14, $15, $16, $17,
                $18)
        """,
        tenant_id,
        made.id,
        made.invoice_id,
        made.customer_id,
        made.payment_method_id,
        made.transaction_id,
        made.provider,
        METHOD.dump(made.method),
        made.amount,
        made.currency,
        made.claimed_at,
        lease_seconds,
        made.activates,
        made.balance_held,
        made.by_buyer,
        made.return_url,
        consent,
        payer,
    )


async def ask_at(tx: Tx, tenant_id: UUID, invoice_id: UUID, at: datetime) -> None:
    """A person wants a locked invoice collected, at that instant of business time."""
    await tx.execute(
        "update invoices set collect_at = $3, awaits_person = false "
        "where tenant_id = $1 and id = $2",
        tenant_id,
        invoice_id,
        at,
    )


async def stop(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> None:
    """Collect the invoice no more by itself, while a try is under way or none is left."""
    await tx.execute(
        "update invoices set collect_at = null where tenant_id = $1 and id = $2",
        tenant_id,
        invoice_id,
    )


async def load(tx: Tx, tenant_id: UUID, collection_id: UUID) -> Collection | None:
    """A try as it stands now."""
    row = await tx.fetchrow(
        f"select {COLUMNS} from collections where tenant_id = $1 and id = $2",
        tenant_id,
        collection_id,
    )
    return None if row is None else collection_of(row)


async def lock(tx: Tx, tenant_id: UUID, known: Collection) -> Collection:
    """Lock customer, subscriptions that wait for it, invoice and try.

    Returns the try as it stands now.
    """
    await lock_customer(tx, tenant_id, known.customer_id)
    if known.activates is not None:
        await tx.execute(
            """
            select from subscriptions where tenant_id = $1 and id = any(array(
                select $2::uuid union
                select subscription_id from invoices
                where tenant_id = $1 and consolidated_into_invoice_id = $3))
            order by id for no key update
            """,
            tenant_id,
            known.activates,
            known.invoice_id,
        )
    await tx.execute(
        "select from invoices where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        known.invoice_id,
    )
    row = await tx.fetchrow(
        f"select {COLUMNS} from collections where tenant_id = $1 and id = $2 for no key update",
        tenant_id,
        known.id,
    )
    assert row is not None, "tries are not deleted"
    return collection_of(row)


async def keep_reference(
    tx: Tx, tenant_id: UUID, collection_id: UUID, reference: str, lease_seconds: float
) -> bool:
    """Keep the provider's reference and renew the lease; False when the try has ended."""
    done = await tx.execute(
        """
        update collections
        set reference = $3, check_at = clock_timestamp() + make_interval(secs => $4)
        where tenant_id = $1 and id = $2 and state = 'LIVE'
          and (reference is null or reference = $3)
        """,
        tenant_id,
        collection_id,
        reference,
        lease_seconds,
    )
    return bool(done == "UPDATE 1")


async def finish(
    tx: Tx,
    tenant_id: UUID,
    collection_id: UUID,
    state: AttemptState,
    failure: FailureReason | None,
) -> None:
    """The try has ended, with the money or without it."""
    await tx.execute(
        """
        update collections
        set state = $3, failure = $4, check_at = null, recorded_at = now()
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        collection_id,
        state.value,
        None if failure is None else failure.value,
    )


async def insert_transaction(
    tx: Tx, tenant_id: UUID, collection: Collection, *, pending: bool
) -> None:
    """The payment of a try that succeeded: settled, or pending until the bank has decided."""
    await tx.execute(
        """
        insert into transactions (tenant_id, id, invoice_id, customer_id, collection_id,
            payment_method_id, payment_type, status, provider, reference, amount, currency,
            method, created_at, processed_at)
        values ($1, $2, $3, $4, $5, $6, 'PAYMENT', $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        tenant_id,
        collection.transaction_id,
        collection.invoice_id,
        collection.customer_id,
        collection.id,
        collection.payment_method_id,
        "PENDING" if pending else "SETTLED",
        collection.provider,
        collection.reference,
        collection.amount,
        collection.currency,
        METHOD.dump(collection.method),
        collection.claimed_at,
        None if pending else collection.claimed_at,
    )


async def promised(tx: Tx, tenant_id: UUID, invoice_id: UUID, at: datetime) -> None:
    """A debit was accepted: the invoice waits for it."""
    await tx.execute(
        """
        update invoices set payment_status = 'PROCESSING', collect_at = null, updated_at = $3
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice_id,
        at,
    )


async def under(
    tx: Tx, tenant_id: UUID, provider: str, reference: str, state: AttemptState
) -> Collection | None:
    """The try under a provider's reference, where it is in that state."""
    row = await tx.fetchrow(
        f"""
        select {COLUMNS} from collections
        where tenant_id = $1 and provider = $2 and reference = $3 and state = $4
        """,
        tenant_id,
        provider,
        reference,
        state.value,
    )
    return None if row is None else collection_of(row)


async def revive(tx: Tx, tenant_id: UUID, collection_id: UUID) -> bool:
    """A locked try that had failed got its money after all.

    False where its invoice does not owe so much any more, or is being collected again, and
    where the money is on its way back.
    """
    done = await tx.execute(
        """
        update collections c set state = 'SUCCEEDED', failure = null, recorded_at = now()
        where c.tenant_id = $1 and c.id = $2 and c.state = 'FAILED'
          and exists (
            select from invoices i
            where i.tenant_id = c.tenant_id and i.id = c.invoice_id
              and i.status in ('FINALIZED', 'UNCOLLECTIBLE')
              and i.payment_status <> 'PROCESSING'
              and i.amount_due >= c.amount)
          and not exists (
            select from refunds r where r.tenant_id = c.tenant_id and r.collection_id = c.id)
          and not exists (
            select from collections o
            where o.tenant_id = c.tenant_id and o.invoice_id = c.invoice_id
              and o.state = 'LIVE')
        """,
        tenant_id,
        collection_id,
    )
    return bool(done == "UPDATE 1")


async def lease_due(tx: Tx, limit: int, lease_seconds: float) -> list[Leased]:
    """Lease tries, of every tenant, that nobody has recorded in time; oldest first."""
    rows = await tx.fetch(
        """
        with due as (
            select tenant_id, id from collections
            where state = 'LIVE' and check_at <= clock_timestamp()
            order by check_at limit $1 for no key update skip locked)
        update collections c set check_at = clock_timestamp() + make_interval(secs => $2)
        from due where c.tenant_id = due.tenant_id and c.id = due.id
        returning c.tenant_id, c.id
        """,
        limit,
        lease_seconds,
    )
    return leased(rows)


def collection_of(row: Row) -> Collection:
    """The try in a row of `COLUMNS`."""
    return Collection(
        id=row["id"],
        invoice_id=row["invoice_id"],
        customer_id=row["customer_id"],
        payment_method_id=row["payment_method_id"],
        transaction_id=row["transaction_id"],
        provider=row["provider"],
        reference=row["reference"],
        method=METHOD.load(row["method"]),
        amount=row["amount"],
        currency=row["currency"],
        state=AttemptState(row["state"]),
        failure=None if row["failure"] is None else FailureReason(row["failure"]),
        claimed_at=row["claimed_at"],
        activates=row["activates"],
        balance_held=row["balance_held"],
        by_buyer=row["by_buyer"],
        return_url=row["return_url"],
        challenge_url=row["challenge_url"],
        acceptance=_ACCEPTANCE.load_optional(row["acceptance"]),
    )
