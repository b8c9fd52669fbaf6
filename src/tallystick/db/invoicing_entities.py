"""Invoicing entities: the legal entities that sell, with their bank accounts."""

from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.buyer import Address
from tallystick.domain.entity_settings import EntityAccount, EntitySettings
from tallystick.domain.offer import PaymentConfig

ENTITY_JSON = """
    to_jsonb(entity) || jsonb_build_object('bank_accounts', (
        select coalesce(jsonb_agg(to_jsonb(account) order by account.created_at, account.id),
                        '[]')
        from bank_accounts account
        where account.tenant_id = entity.tenant_id
          and account.invoicing_entity_id = entity.id))
"""
"""`EntitySettings` as JSON, in statements that have `invoicing_entities entity`."""

ORDERS = {"created_at": "entity.created_at", "legal_name": "lower(entity.legal_name)"}

_COLUMNS = (
    "legal_name",
    "address",
    "vat_number",
    "creditor_identifier",
    "logo_url",
    "brand_color",
    "email",
    "registration",
    "default_payment_config",
    "tax_engine",
    "below_vat_threshold",
    "number_pattern",
    "grace_period_hours",
    "net_terms",
    "consolidate_recurring_invoices",
    "dunning_policy",
    "dunning_marks_uncollectible",
    "updated_at",
)

_INSERT = f"""
    insert into invoicing_entities
        (tenant_id, id, {", ".join(_COLUMNS)}, is_default, created_at)
    values ($1, $2, {", ".join(f"${n}" for n in range(3, len(_COLUMNS) + 5))})
"""

_UPDATE = f"""
    update invoicing_entities
    set {", ".join(f"{column} = ${n}" for n, column in enumerate(_COLUMNS, start=3))}
    where tenant_id = $1 and id = $2
"""

_SAVE_ACCOUNT = """
    insert into bank_accounts (tenant_id, id, invoicing_entity_id, holder, iban, bic, bank_name,
                               account_number, currency)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (tenant_id, id) do update
        set holder = excluded.holder, iban = excluded.iban, bic = excluded.bic,
            bank_name = excluded.bank_name, account_number = excluded.account_number,
            currency = excluded.currency
"""

_DROP_ACCOUNTS = """
    delete from bank_accounts
    where tenant_id = $1 and invoicing_entity_id = $2 and id <> all($3::uuid[])
"""

_entity: Codec[EntitySettings] = Codec(EntitySettings)
_entities: Codec[tuple[EntitySettings, ...]] = Codec(tuple[EntitySettings, ...])
_address: Codec[Address] = Codec(Address)
_payment: Codec[PaymentConfig] = Codec(PaymentConfig)


async def insert(tx: Tx, tenant_id: UUID, entity: EntitySettings) -> None:
    """Write a new entity with its bank accounts and its counter of invoice numbers."""
    await tx.execute(
        _INSERT,
        tenant_id,
        entity.id,
        *_values(entity),
        entity.is_default,
        entity.created_at,
    )
    await tx.execute(
        "insert into invoice_counters (tenant_id, invoicing_entity_id) values ($1, $2)",
        tenant_id,
        entity.id,
    )
    await _save_accounts(tx, tenant_id, entity.id, entity.bank_accounts)


async def load(tx: Tx, tenant_id: UUID, entity_id: UUID) -> EntitySettings | None:
    """The entity, or None where this tenant has none of that id."""
    text = await tx.fetchval(
        f"""
        select {ENTITY_JSON} from invoicing_entities entity
        where entity.tenant_id = $1 and entity.id = $2
        """,
        tenant_id,
        entity_id,
    )
    return _entity.load_optional(text)


async def lock(tx: Tx, tenant_id: UUID, entity_id: UUID) -> EntitySettings | None:
    """The same, locked against other changes until the transaction ends."""
    await tx.execute(
        """
        select from invoicing_entities where tenant_id = $1 and id = $2 for no key update
        """,
        tenant_id,
        entity_id,
    )
    return await load(tx, tenant_id, entity_id)


async def default_id(tx: Tx, tenant_id: UUID) -> UUID:
    """The entity that new customers belong to; every tenant has one."""
    found: UUID | None = await tx.fetchval(
        "select id from invoicing_entities where tenant_id = $1 and is_default", tenant_id
    )
    assert found is not None, "a tenant is made with its default entity"
    return found


async def default_name(tx: Tx, tenant_id: UUID) -> str:
    """The legal name of that entity; '' where there is no such tenant."""
    name: str | None = await tx.fetchval(
        "select legal_name from invoicing_entities where tenant_id = $1 and is_default",
        tenant_id,
    )
    return name or ""


async def exists(tx: Tx, tenant_id: UUID, entity_id: UUID) -> bool:
    """Whether this tenant has an entity of that id."""
    found = await tx.fetchval(
        "select true from invoicing_entities where tenant_id = $1 and id = $2",
        tenant_id,
        entity_id,
    )
    return found is not None


async def owner_of(tx: Tx, entity_id: UUID) -> UUID | None:
    """The tenant of an entity, for those who may work for every tenant."""
    found: UUID | None = await tx.fetchval(
        "select tenant_id from invoicing_entities where id = $1", entity_id
    )
    return found


async def page(tx: Tx, tenant_id: UUID, window: Window) -> Page[EntitySettings]:
    """The window's entities."""
    return await fetch_page(
        tx,
        _entities,
        item=ENTITY_JSON,
        tables="invoicing_entities entity",
        matching=Matching(tenant_id, "entity"),
        orders=ORDERS,
        window=window,
    )


async def save(tx: Tx, tenant_id: UUID, entity: EntitySettings) -> None:
    """Write a changed entity; bank accounts that it does not hold any more are removed."""
    await tx.execute(_UPDATE, tenant_id, entity.id, *_values(entity))
    kept = [account.id for account in entity.bank_accounts]
    await tx.execute(_DROP_ACCOUNTS, tenant_id, entity.id, kept)
    await _save_accounts(tx, tenant_id, entity.id, entity.bank_accounts)


async def _save_accounts(
    tx: Tx, tenant_id: UUID, entity_id: UUID, accounts: tuple[EntityAccount, ...]
) -> None:
    rows = [
        (
            tenant_id,
            account.id,
            entity_id,
            account.holder,
            account.iban,
            account.bic,
            account.bank_name,
            account.account_number,
            account.currency,
        )
        for account in accounts
    ]
    await tx.executemany(_SAVE_ACCOUNT, rows)


def _values(entity: EntitySettings) -> tuple[object, ...]:
    """The values of `_COLUMNS`, in their order."""
    return (
        entity.legal_name,
        _address.dump(entity.address),
        entity.vat_number,
        entity.creditor_identifier,
        entity.logo_url,
        entity.brand_color,
        entity.email,
        entity.registration,
        _payment.dump(entity.default_payment_config),
        entity.tax_engine,
        entity.below_vat_threshold,
        entity.number_pattern,
        entity.grace_period_hours,
        entity.net_terms,
        entity.consolidate_recurring_invoices,
        entity.dunning_policy,
        entity.dunning_marks_uncollectible,
        entity.updated_at,
    )
