"""Customers as the accounts of payment providers know them."""

from dataclasses import dataclass
from uuid import UUID

from tallystick.db.engine import Tx
from tallystick.db.invoice_locks import lock_customer
from tallystick.db.leases import Leased, later


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedCustomer(Leased):
    """A customer, and the provider that is to be told of her."""

    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldCustomer:
    """What a provider is told of a customer."""

    provider: str
    customer_id: UUID
    name: str
    email: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToTell:
    """What a provider is to be told, and of whom.

    `version` counts what it has been told of her before; `is_news` says whether anything of
    it is another than it was told last.
    """

    told: ToldCustomer
    reference: str
    version: int
    is_news: bool


async def find(tx: Tx, tenant_id: UUID, provider: str, customer_id: UUID) -> str | None:
    """The reference of a customer at a provider, None where it has none yet."""
    found: str | None = await tx.fetchval(
        """
        select reference from provider_customers
        where tenant_id = $1 and provider = $2 and customer_id = $3
        """,
        tenant_id,
        provider,
        customer_id,
    )
    return found


async def keep(tx: Tx, tenant_id: UUID, made: ToldCustomer, reference: str) -> str:
    """Keep a reference, unless somebody was faster; returns the one that is kept.

    A customer who has changed since the provider was told is due to be told again. Her row is
    locked meanwhile: a change either is seen here or finds what is kept.
    """
    await tx.execute(
        """
        insert into provider_customers (tenant_id, provider, customer_id, reference, told_name,
            told_email, tell_at)
        select c.tenant_id, $2, c.id, $4, $5::text, $6::text,
               case when (c.name, c.billing_email) is distinct from ($5::text, $6::text)
                    then clock_timestamp() end
        from customers c where c.tenant_id = $1 and c.id = $3 for share
        on conflict (tenant_id, provider, customer_id) do nothing
        """,
        tenant_id,
        made.provider,
        made.customer_id,
        reference,
        made.name,
        made.email,
    )
    kept = await find(tx, tenant_id, made.provider, made.customer_id)
    assert kept is not None, "it was just kept"
    return kept


async def lease_due(tx: Tx, limit: int, lease_seconds: float) -> list[LeasedCustomer]:
    """Lease customers, of every tenant, that providers are to be told of; oldest first.

    One that nobody could be told of is left alone for longer each time, an hour at most.
    """
    rows = await tx.fetch(
        f"""
        with due as (
            select tenant_id, provider, customer_id from provider_customers
            where tell_at <= clock_timestamp()
            order by tell_at limit $1 for no key update skip locked)
        update provider_customers p
        set tell_at = {later("p.tell_tries", "$2")}, tell_tries = p.tell_tries + 1
        from due
        where p.tenant_id = due.tenant_id and p.provider = due.provider
          and p.customer_id = due.customer_id
        returning p.tenant_id, p.customer_id as id, p.provider
        """,
        limit,
        lease_seconds,
    )
    return [LeasedCustomer(**dict(row)) for row in rows]


async def to_tell(tx: Tx, tenant_id: UUID, leased: LeasedCustomer) -> ToTell | None:
    """What a provider is to be told of a customer, as she is now; None where it knows."""
    row = await tx.fetchrow(
        """
        select p.reference, p.version, c.name, c.billing_email as email,
               (p.told_name, p.told_email) is distinct from (c.name, c.billing_email)
                   as is_news
        from provider_customers p
        join customers c on c.tenant_id = p.tenant_id and c.id = p.customer_id
        where p.tenant_id = $1 and p.provider = $2 and p.customer_id = $3
          and p.tell_at is not null
        """,
        tenant_id,
        leased.provider,
        leased.id,
    )
    if row is None:
        return None
    return ToTell(
        told=ToldCustomer(
            provider=leased.provider,
            customer_id=leased.id,
            name=row["name"],
            email=row["email"],
        ),
        reference=row["reference"],
        version=row["version"],
        is_news=row["is_news"],
    )


async def keep_told(tx: Tx, tenant_id: UUID, told: ToTell) -> None:
    """A provider was told; if the customer has changed meanwhile, it is told again at once."""
    await lock_customer(tx, tenant_id, told.told.customer_id)
    await tx.execute(
        """
        update provider_customers p
        set told_name = $5, told_email = $6, tell_tries = 0,
            tell_at = case when (c.name, c.billing_email) is distinct from ($5::text, $6::text)
                           then clock_timestamp() end
        from customers c
        where p.tenant_id = $1 and p.provider = $2 and p.customer_id = $3 and p.reference = $4
          and c.tenant_id = p.tenant_id and c.id = p.customer_id
        """,
        tenant_id,
        told.told.provider,
        told.told.customer_id,
        told.reference,
        told.told.name,
        told.told.email,
    )


async def forget(
    tx: Tx, tenant_id: UUID, provider: str, customer_id: UUID, reference: str | None
) -> None:
    """A provider does not know the customer by this reference any more."""
    await tx.execute(
        """
        delete from provider_customers
        where tenant_id = $1 and provider = $2 and customer_id = $3 and reference = $4
        """,
        tenant_id,
        provider,
        customer_id,
        reference,
    )
