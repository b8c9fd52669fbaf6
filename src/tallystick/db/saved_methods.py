"""The payment methods that customers have on file."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Row, Tx
from tallystick.domain.collection import SavedMethod
from tallystick.domain.payment import Method, MethodKind

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


async def archive(tx: Tx, tenant_id: UUID, provider: str, token: str, at: datetime) -> int:
    """A provider keeps a method no more: it is charged no more. Returns how many were kept."""
    done = await tx.execute(
        """
        update payment_methods set archived_at = $4
        where tenant_id = $1 and provider = $2 and token = $3 and archived_at is null
        """,
        tenant_id,
        provider,
        token,
        at,
    )
    return int(done.removeprefix("UPDATE "))


async def forget(
    tx: Tx, tenant_id: UUID, customer_id: UUID, method_id: UUID, at: datetime
) -> None:
    """A customer's method is charged no more, and shown no more."""
    await tx.execute(
        """
        update payment_methods set archived_at = $4
        where tenant_id = $1 and customer_id = $2 and id = $3 and archived_at is null
        """,
        tenant_id,
        customer_id,
        method_id,
        at,
    )


async def charge_to(
    tx: Tx, tenant_id: UUID, customer_id: UUID, method_id: UUID, over: Sequence[str]
) -> None:
    """Every subscription of a customer is charged to this method, but those that are `over`."""
    await tx.execute(
        """
        with locked as (
            select id from subscriptions
            where tenant_id = $1 and customer_id = $2 and status <> all($4::text[])
            order by id for update)
        update subscriptions s set payment_method_id = $3
        from locked where s.tenant_id = $1 and s.id = locked.id
        """,
        tenant_id,
        customer_id,
        method_id,
        list(over),
    )


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
