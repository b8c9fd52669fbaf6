"""Money that providers took and nobody here knew of."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Row, Tx
from tallystick.domain.orphan import Orphan, OrphanState, TakenPayment

_BELONGS = """
    exists (
        select from payment_attempts a
        where a.tenant_id = $1 and a.provider = {provider} and a.reference = {reference}
          and a.kind = 'PAYMENT' and a.state = 'FAILED' and a.late_money is null)
    or exists (
        select from collections c
        where c.tenant_id = $1 and c.provider = {provider} and c.reference = {reference}
          and c.state = 'FAILED' and not exists (
            select from refunds r where r.tenant_id = c.tenant_id and r.collection_id = c.id))
"""
"""A try that ended without money is known by a reference, and nothing was done about it."""

_OWN = "orphan_payments.reference"


async def unknown(
    tx: Tx, tenant_id: UUID, names: Sequence[str], references: Sequence[str]
) -> set[str]:
    """Those of a provider's references of which nobody here knows that money was taken.

    What is under way, or on its way back, is known; what nobody has answered is looked at
    again. `names` are all those under which something
    was asked of the provider: one account may have been connected more than once.
    """
    rows = await tx.fetch(
        """
        select ref from unnest($3::text[]) as ref
        where exists (
            select from orphan_payments o
            where o.tenant_id = $1 and o.provider = any($2) and o.reference = ref
              and o.state = 'REFUNDING')
           or not exists (
            select from transactions t
            where t.tenant_id = $1 and t.provider = any($2) and t.reference = ref
              and t.payment_type = 'PAYMENT' and t.status in ('SETTLED', 'PENDING'))
          and not exists (
            select from payment_attempts a
            where a.tenant_id = $1 and a.provider = any($2) and a.reference = ref
              and (a.state <> 'FAILED' or a.late_money is not null))
          and not exists (
            select from collections c
            where c.tenant_id = $1 and c.provider = any($2) and c.reference = ref
              and (c.state <> 'FAILED' or exists (
                select from refunds r
                where r.tenant_id = c.tenant_id and r.collection_id = c.id)))
          and not exists (
            select from orphan_payments o
            where o.tenant_id = $1 and o.provider = any($2) and o.reference = ref
              and o.state in ('ATTACHED', 'RETURNED', 'REFUNDED'))
        """,
        tenant_id,
        names,
        references,
    )
    return {row["ref"] for row in rows}


async def name_of(tx: Tx, tenant_id: UUID, names: Sequence[str], reference: str) -> str | None:
    """The name under which a reference was asked for or found before, None where it was not."""
    found: str | None = await tx.fetchval(
        """
        select provider from payment_attempts
        where tenant_id = $1 and provider = any($2) and reference = $3
        union all select provider from collections
        where tenant_id = $1 and provider = any($2) and reference = $3
        union all select provider from orphan_payments
        where tenant_id = $1 and provider = any($2) and reference = $3
        limit 1
        """,
        tenant_id,
        names,
        reference,
    )
    return found


async def keep(
    tx: Tx,
    tenant_id: UUID,
    orphan_id: UUID,
    provider: str,
    payment: TakenPayment,
    now: datetime,
) -> bool:
    """Note that it was found; False where it was before."""
    done = await tx.execute(
        """
        insert into orphan_payments (tenant_id, id, provider, reference, customer_id, amount,
            currency, taken_at, found_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant_id, provider, reference) do nothing
        """,
        tenant_id,
        orphan_id,
        provider,
        payment.reference,
        payment.customer_id,
        payment.amount,
        payment.currency,
        payment.taken_at,
        now,
    )
    return bool(done == "INSERT 0 1")


async def lock(tx: Tx, tenant_id: UUID, provider: str, reference: str) -> Orphan:
    """What was found under a reference, as it stands now, and stays."""
    row = await tx.fetchrow(
        f"""
        select id, provider, reference, customer_id, amount, currency, taken_at, state, tries,
               {_BELONGS.format(provider="$2", reference=_OWN)} as belongs
        from orphan_payments
        where tenant_id = $1 and provider = $2 and reference = $3 for no key update
        """,
        tenant_id,
        provider,
        reference,
    )
    assert row is not None, "what was found is kept"
    return _orphan(row)


async def holds(tx: Tx, tenant_id: UUID, orphan_id: UUID, amount: int) -> None:
    """So much is held of what was found and nothing was done about."""
    await tx.execute(
        """
        update orphan_payments set amount = $3
        where tenant_id = $1 and id = $2 and state = 'FOUND' and amount <> $3
        """,
        tenant_id,
        orphan_id,
        amount,
    )


async def waiting(
    tx: Tx,
    tenant_id: UUID,
    names: Sequence[str],
    states: Sequence[OrphanState],
    after: UUID | None,
    limit: int,
) -> list[Orphan]:
    """What was found under these names and stands so, in the order of their ids."""
    rows = await tx.fetch(
        f"""
        select id, provider, reference, customer_id, amount, currency, taken_at, state, tries,
               {_BELONGS.format(provider="orphan_payments.provider", reference=_OWN)} as belongs
        from orphan_payments
        where tenant_id = $1 and provider = any($2) and state = any($3)
          and state in ('FOUND', 'REFUNDING', 'REFUSED') and ($4::uuid is null or id > $4)
        order by id limit $5
        """,
        tenant_id,
        names,
        [one.value for one in states],
        after,
        limit,
    )
    return [_orphan(row) for row in rows]


async def move(
    tx: Tx,
    tenant_id: UUID,
    orphan_id: UUID,
    was: OrphanState,
    state: OrphanState,
    failure: str | None = None,
    *,
    tries: int | None = None,
) -> bool:
    """It stands so now; False where it did not stand as it was thought to.

    What is told of one of its refunds names which one (`tries`), and says nothing of a later.
    """
    done = await tx.execute(
        """
        update orphan_payments set state = $4, failure = $5
        where tenant_id = $1 and id = $2 and state = $3 and tries = coalesce($6, tries)
        """,
        tenant_id,
        orphan_id,
        was.value,
        state.value,
        failure,
        tries,
    )
    return bool(done == "UPDATE 1")


async def refund_anew(
    tx: Tx, tenant_id: UUID, orphan_id: UUID, amount: int, *, tries: int
) -> bool:
    """So much of what was refused is to go back under another key, asked for as often as it
    takes; False where it does not stand as it was thought to.
    """
    done = await tx.execute(
        """
        update orphan_payments
        set state = 'REFUNDING', failure = null, tries = tries + 1, amount = $3
        where tenant_id = $1 and id = $2 and state = 'REFUSED' and tries = $4
        """,
        tenant_id,
        orphan_id,
        amount,
        tries,
    )
    return bool(done == "UPDATE 1")


async def refunded_elsewhere(
    tx: Tx, tenant_id: UUID, names: Sequence[str], orphan: Orphan
) -> bool:
    """Somebody else has given all of it back; False where it does not stand as it was thought
    to, or our books know of money that came or goes under its reference.

    Its next refund would have another key than one that was refused or came back: what is told
    of that one says nothing of this.
    """
    done = await tx.execute(
        """
        update orphan_payments o
        set state = 'REFUNDED', failure = null,
            tries = case state when 'REFUSED' then tries + 1 else tries end
        where tenant_id = $1 and id = $2 and state = $3 and tries = $4
          and state in ('FOUND', 'REFUSED')
          and not exists (
            select from transactions t
            where t.tenant_id = $1 and t.provider = any($5) and t.reference = o.reference
              and t.payment_type = 'PAYMENT' and t.status in ('SETTLED', 'PENDING'))
          and not exists (
            select from payment_attempts a
            where a.tenant_id = $1 and a.provider = any($5) and a.reference = o.reference
              and (a.state <> 'FAILED' or a.late_money is not null)
              and a.id is distinct from o.came_back_of)
          and not exists (
            select from collections c
            where c.tenant_id = $1 and c.provider = any($5) and c.reference = o.reference
              and c.state <> 'FAILED')
          and not exists (
            select from refunds r
            where r.tenant_id = $1 and r.provider = any($5) and r.reference = o.reference
              and r.state <> 'FAILED' and r.came_back_at is null)
        """,
        tenant_id,
        orphan.id,
        orphan.state.value,
        orphan.tries,
        names,
    )
    return bool(done == "UPDATE 1")


async def named(tx: Tx, tenant_id: UUID, orphan_id: UUID) -> tuple[str, str] | None:
    """Provider and reference of what was found, by its id; None where nothing was."""
    row = await tx.fetchrow(
        "select provider, reference from orphan_payments where tenant_id = $1 and id = $2",
        tenant_id,
        orphan_id,
    )
    return None if row is None else (row["provider"], row["reference"])


async def owner_of(tx: Tx, orphan_id: UUID) -> UUID | None:
    """The tenant whose payment this is, or None where nothing was found under the id."""
    found: UUID | None = await tx.fetchval(
        "select tenant_id from orphan_payments where id = $1", orphan_id
    )
    return found


async def is_paid_by(tx: Tx, tenant_id: UUID, provider: str, reference: str) -> UUID | None:
    """The invoice that a payment under a reference has paid by now."""
    found: UUID | None = await tx.fetchval(
        """
        select invoice_id from transactions
        where tenant_id = $1 and provider = $2 and reference = $3 and payment_type = 'PAYMENT'
          and status in ('SETTLED', 'PENDING')
        """,
        tenant_id,
        provider,
        reference,
    )
    return found


def _orphan(row: Row) -> Orphan:
    return Orphan(
        id=row["id"],
        provider=row["provider"],
        payment=TakenPayment(
            reference=row["reference"],
            customer_id=row["customer_id"],
            amount=row["amount"],
            currency=row["currency"],
            taken_at=row["taken_at"],
        ),
        state=OrphanState(row["state"]),
        belongs=row["belongs"],
        tries=row["tries"],
    )
