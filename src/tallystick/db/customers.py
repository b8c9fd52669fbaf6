"""Customers: written, found by id or alias, listed."""

import json
from collections.abc import Sequence
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.list_counts import length_of
from tallystick.db.paging import Matching, Page, Window, fetch_page
from tallystick.domain.buyer import Address
from tallystick.domain.customer_record import CustomerRecord, CustomTax, ShippingAddress

CUSTOMER_JSON = "to_jsonb(customer)"
"""A `CustomerRecord` as JSON, in statements that have `customers customer`."""

ALIAS_TAKEN = "customer_alias"
"""The constraint that gives an alias to one customer at a time."""

ORDERS = {
    "name": "lower(customer.name)",
    "email": "customer.billing_email",
    "alias": "customer.alias",
    "created_at": "customer.created_at",
}

_COLUMNS = (
    "invoicing_entity_id",
    "alias",
    "name",
    "customer_type",
    "first_name",
    "last_name",
    "currency",
    "billing_email",
    "invoicing_emails",
    "billing_address",
    "shipping_address",
    "phone",
    "vat_number",
    "legal_number",
    "buyer_reference",
    "is_tax_exempt",
    "exemption_reason",
    "custom_taxes",
    "preferred_locales",
    "custom_properties",
    "archived_at",
    "updated_at",
)

_INSERT = f"""
    insert into customers (tenant_id, id, {", ".join(_COLUMNS)}, created_at)
    values ($1, $2, {", ".join(f"${n}" for n in range(3, len(_COLUMNS) + 4))})
"""

_UPDATE = f"""
    update customers
    set {", ".join(f"{column} = ${n}" for n, column in enumerate(_COLUMNS, start=3))}
    where tenant_id = $1 and id = $2
"""

_SEARCH = """
    search_keys(customer.tenant_id,
                customer_text(customer.name, customer.alias, customer.billing_email))
        @> sought_keys($1, lower({0}))
    and (strpos(lower(customer.name), lower({0})) > 0
         or strpos(lower(customer.alias), lower({0})) > 0
         or strpos(lower(customer.billing_email), lower({0})) > 0)
"""

_BEGINNING = " or ".join(
    f'lower({field}) collate "C" between lower({{0}}) and lower({{0}}) || chr(1114111)'
    for field in ("customer.name", "customer.alias", "customer.billing_email")
)
"""By code points, as their indexes are: no language sorts the last character last."""

SEARCHED_WITHIN = 3
"""A text of so many characters is looked for anywhere, a shorter one at the beginnings."""

_customer: Codec[CustomerRecord] = Codec(CustomerRecord)
_customers: Codec[tuple[CustomerRecord, ...]] = Codec(tuple[CustomerRecord, ...])
_address: Codec[Address] = Codec(Address)
_shipping: Codec[ShippingAddress] = Codec(ShippingAddress)
_taxes: Codec[tuple[CustomTax, ...]] = Codec(tuple[CustomTax, ...])


async def insert(tx: Tx, tenant_id: UUID, customer: CustomerRecord) -> None:
    """Write a new customer.

    Raises:
        UniqueViolation: Another customer has its alias (`ALIAS_TAKEN`).
    """
    await tx.execute(_INSERT, tenant_id, customer.id, *_values(customer), customer.created_at)


async def insert_many(tx: Tx, tenant_id: UUID, customers: Sequence[CustomerRecord]) -> None:
    """Write new customers, all or none.

    Raises:
        UniqueViolation: Another customer has an alias of theirs (`ALIAS_TAKEN`).
    """
    await tx.executemany(
        _INSERT, [(tenant_id, one.id, *_values(one), one.created_at) for one in customers]
    )


async def load(
    tx: Tx, tenant_id: UUID, id_or_alias: UUID | str, *, lock: bool = False
) -> CustomerRecord | None:
    """The customer of an id, or the unarchived one of an alias, or None.

    Args:
        tx: Where.
        tenant_id: Whose customer.
        id_or_alias: A UUID is an id, a text is an alias.
        lock: Whether to lock it against other changes until the transaction ends.
    """
    by_id = isinstance(id_or_alias, UUID)
    which = "customer.id = $2" if by_id else "customer.alias = $2 and archived_at is null"
    text = await tx.fetchval(
        f"""
        select {CUSTOMER_JSON} from customers customer
        where customer.tenant_id = $1 and {which}
        {"for no key update" if lock else ""}
        """,
        tenant_id,
        id_or_alias,
    )
    return _customer.load_optional(text)


async def archived_as(tx: Tx, tenant_id: UUID, alias: str) -> UUID | None:
    """The customer that was archived last under an alias, None where none was."""
    found: UUID | None = await tx.fetchval(
        """
        select id from customers
        where tenant_id = $1 and alias = $2 and archived_at is not null
        order by archived_at desc, id desc limit 1
        """,
        tenant_id,
        alias,
    )
    return found


async def live_subscription(tx: Tx, tenant_id: UUID, customer_id: UUID) -> UUID | None:
    """A subscription of the customer's that goes on or is to begin, None where none does.

    An expired trial is to begin while its first invoice waits to be paid.
    """
    found: UUID | None = await tx.fetchval(
        """
        select id from subscriptions s
        where tenant_id = $1 and customer_id = $2
          and status not in ('CANCELLED', 'COMPLETED', 'SUPERSEDED')
          and (status <> 'TRIAL_EXPIRED' or exists (
              select from invoices i
              where i.tenant_id = s.tenant_id and i.subscription_id = s.id
                and i.charged_first))
        order by created_at limit 1
        """,
        tenant_id,
        customer_id,
    )
    return found


async def open_sessions(tx: Tx, tenant_id: UUID, customer_id: UUID) -> list[UUID]:
    """The checkouts of a customer that have not ended, expired ones that were not swept too."""
    rows = await tx.fetch(
        """
        select id from checkout_sessions
        where tenant_id = $1 and customer_id = $2 and state in ('CREATED', 'AWAITING_PAYMENT')
        order by id
        """,
        tenant_id,
        customer_id,
    )
    return [row["id"] for row in rows]


async def page(
    tx: Tx, tenant_id: UUID, window: Window, *, search: str | None, archived: bool
) -> Page[CustomerRecord]:
    """The window's customers.

    Args:
        tx: Where.
        tenant_id: Whose customers.
        window: Which part of the list.
        search: A part of the name, the alias or the email, in any case of letters; one or two
            characters are what they begin with.
        archived: Whether to list those that are archived, or those that are not.
    """
    matching = Matching(tenant_id, "customer")
    matching.always(f"customer.archived_at is {'not ' if archived else ''}null")
    within = len(search or "") >= SEARCHED_WITHIN
    matching.only(_SEARCH if within else _BEGINNING, search or None)
    state = "ARCHIVED" if archived else "ACTIVE"
    return await fetch_page(
        tx,
        _customers,
        item=CUSTOMER_JSON,
        tables="customers customer",
        matching=matching,
        orders=ORDERS,
        window=window,
        length=None if search else length_of(tenant_id, "customers", [state]),
    )


async def save(tx: Tx, tenant_id: UUID, customer: CustomerRecord) -> None:
    """Write a changed customer.

    Raises:
        UniqueViolation: Another customer has its alias (`ALIAS_TAKEN`).
    """
    await tx.execute(_UPDATE, tenant_id, customer.id, *_values(customer))


def _values(customer: CustomerRecord) -> tuple[object, ...]:
    """The values of `_COLUMNS`, in their order."""
    return (
        customer.invoicing_entity_id,
        customer.alias,
        customer.name,
        customer.customer_type,
        customer.first_name,
        customer.last_name,
        customer.currency,
        customer.billing_email,
        list(customer.invoicing_emails),
        _address.dump_optional(customer.billing_address),
        _shipping.dump_optional(customer.shipping_address),
        customer.phone,
        customer.vat_number,
        customer.legal_number,
        customer.buyer_reference,
        customer.is_tax_exempt,
        customer.exemption_reason,
        _taxes.dump(customer.custom_taxes),
        list(customer.preferred_locales),
        json.dumps(customer.custom_properties, ensure_ascii=False),
        customer.archived_at,
        customer.updated_at,
    )
