"""The payment methods that customers have on file."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Row, Tx
from tallystick.db.leases import Leased, later, leased
from tallystick.domain.collection import SavedMethod
from tallystick.domain.payment import Method, MethodKind

IN_NO_USE = """
    not exists (
        select from collections c
        where c.tenant_id = m.tenant_id and c.customer_id = m.customer_id and c.state = 'LIVE'
          and (c.payment_method_id = m.id or c.method ->> 'token' = m.token))
    and not exists (
        select from payment_attempts a
        where a.tenant_id = m.tenant_id and a.customer_id = m.customer_id
          and a.state = 'LIVE' and a.method ->> 'token' = m.token)
    and not exists (
        select from transactions t
        where t.tenant_id = m.tenant_id and t.payment_method_id = m.id
          and t.status = 'PENDING')
    and not exists (
        select from payment_methods o
        where o.tenant_id = m.tenant_id and o.provider = m.provider and o.token = m.token
          and o.archived_at is null)
"""
"""That no charge of the payment method `m` is under way, and nothing else on file is it."""

_METHODS = """
    select m.id, m.provider, m.token, m.kind, m.card_brand, m.card_last4, m.card_expiry,
           m.account_number_hint, m.mandate_reference, m.created_at,
           coalesce(m.id = $4, false) as is_own
    from payment_methods m
    where m.tenant_id = $1 and m.customer_id = $2 and m.provider = $3
      and m.archived_at is null
"""


async def of_customer(
    tx: Tx, tenant_id: UUID, customer_id: UUID, provider: str, own_method_id: UUID | None
) -> list[SavedMethod]:
    """The customer's saved methods at a provider."""
    rows = await tx.fetch(_METHODS, tenant_id, customer_id, provider, own_method_id)
    return [_saved(row) for row in rows]


async def load(
    tx: Tx, tenant_id: UUID, customer_id: UUID, method_id: UUID
) -> SavedMethod | None:
    """A method that a customer has on file, by its id."""
    row = await tx.fetchrow(
        """
        select m.*, false as is_own from payment_methods m
        where m.tenant_id = $1 and m.customer_id = $2 and m.id = $3 and m.archived_at is null
        """,
        tenant_id,
        customer_id,
        method_id,
    )
    return None if row is None else _saved(row)


async def keep_changed(tx: Tx, tenant_id: UUID, method: Method) -> int:
    """Show of a method what its provider shows of it now; returns how many were changed."""
    done = await tx.execute(
        """
        update payment_methods
        set card_brand = $4, card_last4 = $5, card_expiry = $6,
            account_number_hint = coalesce($7, account_number_hint)
        where tenant_id = $1 and provider = $2 and token = $3 and archived_at is null
          and (card_brand, card_last4, card_expiry, account_number_hint) is distinct from
              ($4, $5, $6, coalesce($7, account_number_hint))
        """,
        tenant_id,
        method.provider,
        method.token,
        method.card_brand,
        method.card_last4,
        method.card_expiry,
        method.account_hint,
    )
    return int(done.removeprefix("UPDATE "))


async def remove(
    tx: Tx, tenant_id: UUID, method: SavedMethod, at: datetime, *, is_gone: bool
) -> bool:
    """A method is charged no more, and shown no more; False where it was removed before.

    Its provider is asked to let it go, unless it `is_gone` there already.
    """
    done = await tx.execute(
        """
        update payment_methods
        set archived_at = $3, forgotten_at = case when $4 then clock_timestamp() end
        where tenant_id = $1 and id = $2 and archived_at is null
        """,
        tenant_id,
        method.id,
        at,
        is_gone,
    )
    return bool(done == "UPDATE 1")


async def lease_to_forget(tx: Tx, limit: int, lease_seconds: float) -> list[Leased]:
    """Lease removed methods, of every tenant, that their providers still keep; oldest first.

    Not while a charge of one is under way: a try that lives, or a debit that is not decided.
    Not while another method on file has its token either. One that its provider said nothing
    about is left alone for longer each time, an hour at most.
    """
    rows = await tx.fetch(
        f"""
        with due as (
            select m.tenant_id, m.id from payment_methods m
            where m.forget_at <= clock_timestamp() and {IN_NO_USE}
            order by m.forget_at limit $1 for no key update of m skip locked)
        update payment_methods m
        set forget_at = {later("m.forget_tries", "$2")}, forget_tries = m.forget_tries + 1
        from due where m.tenant_id = due.tenant_id and m.id = due.id
        returning m.tenant_id, m.id
        """,
        limit,
        lease_seconds,
    )
    return leased(rows)


async def to_forget(tx: Tx, tenant_id: UUID, method_id: UUID) -> Method | None:
    """A removed method that its provider still keeps; None where it does not."""
    row = await tx.fetchrow(
        """
        select m.*, false as is_own from payment_methods m
        where m.tenant_id = $1 and m.id = $2 and m.forget_at is not null
        """,
        tenant_id,
        method_id,
    )
    return None if row is None else _saved(row).method


async def forgotten(tx: Tx, tenant_id: UUID, method_id: UUID) -> None:
    """Its provider has let go of a removed method."""
    await tx.execute(
        """
        update payment_methods set forgotten_at = clock_timestamp(), forget_at = null
        where tenant_id = $1 and id = $2 and forget_at is not null
        """,
        tenant_id,
        method_id,
    )


async def kept_under(
    tx: Tx, tenant_id: UUID, provider: str, token: str
) -> list[tuple[UUID, UUID]]:
    """Customer and id of the methods that are on file under a provider's token."""
    rows = await tx.fetch(
        """
        select customer_id, id from payment_methods
        where tenant_id = $1 and provider = $2 and token = $3 and archived_at is null
        order by customer_id, id
        """,
        tenant_id,
        provider,
        token,
    )
    return [(row["customer_id"], row["id"]) for row in rows]


async def charge_to(
    tx: Tx, tenant_id: UUID, customer_id: UUID, method_id: UUID, over: Sequence[str]
) -> list[UUID]:
    """Every subscription of a customer is charged to this method, but those that are `over`.

    Returns those that were not before, or by being its newest alone.
    """
    rows = await tx.fetch(
        """
        with locked as (
            select id from subscriptions
            where tenant_id = $1 and customer_id = $2 and status <> all($4::text[])
              and payment_method_id is distinct from $3
            order by id for update)
        update subscriptions s set payment_method_id = $3
        from locked where s.tenant_id = $1 and s.id = locked.id
        returning s.id
        """,
        tenant_id,
        customer_id,
        method_id,
        list(over),
    )
    return sorted(row["id"] for row in rows)


async def charge_instead(
    tx: Tx, tenant_id: UUID, method: SavedMethod, customer_id: UUID, other_id: UUID | None
) -> list[UUID]:
    """What had this method as its own has another one, or none; returns the subscriptions."""
    rows = await tx.fetch(
        """
        with locked as (
            select id from subscriptions
            where tenant_id = $1 and customer_id = $2 and payment_method_id = $3
            order by id for update)
        update subscriptions s set payment_method_id = $4
        from locked where s.tenant_id = $1 and s.id = locked.id
        returning s.id
        """,
        tenant_id,
        customer_id,
        method.id,
        other_id,
    )
    return sorted(row["id"] for row in rows)


async def own_of_subscriptions(
    tx: Tx, tenant_id: UUID, customer_id: UUID, over: Sequence[str]
) -> list[UUID | None]:
    """The own method of each subscription that is charged by itself and not `over`."""
    rows = await tx.fetch(
        """
        select payment_method_id from subscriptions
        where tenant_id = $1 and customer_id = $2 and charge_automatically
          and status <> all($3::text[])
        """,
        tenant_id,
        customer_id,
        list(over),
    )
    return [row["payment_method_id"] for row in rows]


async def currencies_charged(
    tx: Tx, tenant_id: UUID, customer_id: UUID, over: Sequence[str]
) -> set[str]:
    """The currencies of the subscriptions that are charged by themselves and not `over`."""
    rows = await tx.fetch(
        """
        select distinct currency from subscriptions
        where tenant_id = $1 and customer_id = $2 and charge_automatically
          and status <> all($3::text[])
        """,
        tenant_id,
        customer_id,
        list(over),
    )
    return {row["currency"] for row in rows}


def _saved(row: Row) -> SavedMethod:
    return SavedMethod(
        id=row["id"],
        method=Method(
            provider=row["provider"],
            token=row["token"],
            kind=MethodKind(row["kind"]),
            card_brand=row["card_brand"],
            card_last4=row["card_last4"],
            card_expiry=row["card_expiry"],
            account_hint=row["account_number_hint"],
            mandate_reference=row["mandate_reference"],
        ),
        is_own=row["is_own"],
        created_at=row["created_at"],
    )
