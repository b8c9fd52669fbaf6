"""Drafts that become one invoice: gathered under their customer's lock, merged by the set.

Whoever takes such a draft by itself, as due, holds its customer until the end. So two workers
never divide one customer's drafts between them, neither merges what the other has merged, and
since customers are locked before their drafts, no two of them wait for each other.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.db.invoice_writes import BREAKDOWN, COUPONS, LINE_COLUMNS
from tallystick.domain.consolidation import Consolidated, Member

# A customer's draft waits while another of his subscriptions has a step to take on its day,
# which may make a draft that belongs to it.
_DUE = """
    i.tenant_id = $1 and i.may_merge and i.finalize_at <= $2 and i.billing_error is null
    and not exists (
        select from invoicing_entities e
        join subscriptions s
          on s.tenant_id = i.tenant_id and s.customer_id = i.customer_id
         and s.next_step_on <= i.invoice_date and s.billing_error is null
        where e.tenant_id = i.tenant_id and e.id = i.invoicing_entity_id
          and e.consolidate_recurring_invoices)
"""

_LOCK_DUE = f"""
    select c.id from invoices i
    join customers c on c.tenant_id = i.tenant_id and c.id = i.customer_id
    where {_DUE}
    order by i.finalize_at, i.id limit $3
    for no key update of c skip locked
"""

_LOCK = """
    select id from customers where tenant_id = $1 and id = any($2)
    order by id for no key update skip locked
"""

_GATHER = f"""
    select i.id from invoices i where {_DUE} and i.customer_id = any($3)
    order by i.id for no key update of i
"""

_MEMBERS = """
    select coalesce(json_agg(json_build_object(
        'id', i.id, 'customer_id', i.customer_id,
        'invoicing_entity_id', i.invoicing_entity_id, 'invoice_date', i.invoice_date,
        'net_terms', i.net_terms, 'currency', i.currency, 'tax_inclusive', i.tax_inclusive,
        'charges', s.charge_automatically, 'payment_method_id', s.payment_method_id,
        'card', case when p.card_last4 is not null and p.card_expiry is not null then
            json_build_object('provider', p.provider, 'brand', p.card_brand,
                'last4', p.card_last4, 'expiry', p.card_expiry) end,
        'sums', json_build_object('subtotal', i.subtotal,
            'subtotal_recurring', i.subtotal_recurring, 'discount', i.discount,
            'tax_amount', i.tax_amount, 'total', i.total),
        'coupons', i.coupons, 'breakdown', i.tax_breakdown, 'customer', i.customer_details,
        'seller', i.seller_details, 'memo', i.memo, 'purchase_order', i.purchase_order)
        order by i.created_at, i.id), '[]')
    from invoices i
    join subscriptions s on s.tenant_id = i.tenant_id and s.id = i.subscription_id
    left join payment_methods p on p.tenant_id = s.tenant_id and p.id = s.payment_method_id
    where i.tenant_id = $1 and i.id = any($2)
"""

# The first member's columns, but for what the merged invoice says itself.
_INSERT = """
    insert into invoices (
        tenant_id, id, customer_id, invoicing_entity_id, invoice_type, status, payment_status,
        invoice_date, due_date, billing_period_start, net_terms, currency, tax_inclusive,
        subtotal, subtotal_recurring, discount, tax_amount, total, amount_due, coupons,
        tax_breakdown, customer_details, seller_details, memo, purchase_order, charged_first,
        created_at, updated_at)
    select f.tenant_id, $2, f.customer_id, f.invoicing_entity_id, 'RECURRING', 'DRAFT',
           'UNPAID', f.invoice_date, f.due_date, f.invoice_date, f.net_terms, f.currency,
           f.tax_inclusive, $4, $5, $6, $7, $8, $8, $9, $10, f.customer_details,
           f.seller_details, $11, $12, $13, $14, $14
    from invoices f where f.tenant_id = $1 and f.id = $3
"""

_OWN = ("id", "invoice_id", "position")

_COPY_LINES = f"""
    insert into invoice_lines ({", ".join(LINE_COLUMNS)})
    select {", ".join(f"{'n' if column in _OWN else 'l'}.{column}" for column in LINE_COLUMNS)}
    from unnest($2::uuid[], $3::uuid[], $4::integer[], $5::uuid[])
        as n (id, invoice_id, position, line_id)
    join invoice_lines l on l.tenant_id = $1 and l.id = n.line_id
"""

_MERGE = """
    update invoices i
    set consolidated_into_invoice_id = m.invoice_id, finalize_at = null, recipe = null,
        collect_at = null, charged_first = $5, payment_status = 'UNPAID', updated_at = $2
    from unnest($3::uuid[], $4::uuid[]) as m (id, invoice_id)
    where i.tenant_id = $1 and i.id = m.id
"""

MEMBERS: Codec[tuple[Member, ...]] = Codec(tuple[Member, ...])


async def lock_due(tx: Tx, tenant_id: UUID, now: datetime, drafts: int) -> list[UUID]:
    """Lock the customers of so many drafts that may be merged, longest overdue first.

    Those that somebody else has locked are passed over. So are those whose drafts somebody has
    finalized since the statement began, which it still takes for due.
    """
    while rows := await tx.fetch(_LOCK_DUE, tenant_id, now, drafts):
        customers = sorted({row["id"] for row in rows})
        if await gather(tx, tenant_id, customers, now):
            return customers
    return []


async def gather(
    tx: Tx, tenant_id: UUID, customers: Sequence[UUID], now: datetime
) -> list[UUID]:
    """Lock what is due of these customers and may be merged, and return it.

    Customers that somebody else has locked are left out. A draft of the others that a person
    has in hand is waited for, so that what belongs together is not divided.
    """
    rows = await tx.fetch(_LOCK, tenant_id, customers)
    locked = [row["id"] for row in rows]
    return [row["id"] for row in await tx.fetch(_GATHER, tenant_id, now, locked)]


async def due_of(tx: Tx, tenant_id: UUID, customer_id: UUID, now: datetime) -> list[UUID]:
    """What is due of a customer and may be merged, without a lock."""
    rows = await tx.fetch(
        f"select i.id from invoices i where {_DUE} and i.customer_id = $3 order by i.id",
        tenant_id,
        now,
        customer_id,
    )
    return [row["id"] for row in rows]


async def members(tx: Tx, tenant_id: UUID, ids: Sequence[UUID]) -> tuple[Member, ...]:
    """Locked drafts as members of an invoice to be, oldest first."""
    return MEMBERS.load(await tx.fetchval(_MEMBERS, tenant_id, ids))


async def lines_of(
    tx: Tx, tenant_id: UUID, ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[UUID]]:
    """The lines of each of these invoices, in their order."""
    rows = await tx.fetch(
        "select id, invoice_id from invoice_lines where tenant_id = $1"
        " and invoice_id = any($2) order by invoice_id, position",
        tenant_id,
        ids,
    )
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for row in rows:
        found[row["invoice_id"]].append(row["id"])
    return found


async def merge(
    tx: Tx,
    tenant_id: UUID,
    made: Sequence[Consolidated],
    lines: Sequence[tuple[UUID, UUID, int, UUID]],
    now: datetime,
    *,
    charged_first: bool = False,
) -> None:
    """Write drafts that consolidate others, copy their lines, and mark their members.

    `lines` are the new line, its invoice, its position and the line that it is a copy of.
    `charged_first` says that they are final only once they are paid.
    """
    rows = [_row(tenant_id, one, now, charged_first=charged_first) for one in made]
    await tx.executemany(_INSERT, rows)
    await tx.execute(
        _COPY_LINES,
        tenant_id,
        [new for new, _, _, _ in lines],
        [invoice for _, invoice, _, _ in lines],
        [position for _, _, position, _ in lines],
        [copied for _, _, _, copied in lines],
    )
    pairs = [(member.id, one.id) for one in made for member in one.members]
    await tx.execute(
        _MERGE,
        tenant_id,
        now,
        [member for member, _ in pairs],
        [invoice for _, invoice in pairs],
        charged_first,
    )


async def stay_merged(tx: Tx, tenant_id: UUID, invoice_id: UUID, now: datetime) -> None:
    """An invoice that was charged first is paid: its members are part of it for good."""
    await tx.execute(
        """
        update invoices set charged_first = false, updated_at = $3
        where tenant_id = $1 and consolidated_into_invoice_id = $2
        """,
        tenant_id,
        invoice_id,
        now,
    )


async def part(tx: Tx, tenant_id: UUID, invoice_id: UUID, now: datetime) -> None:
    """A draft that was charged first is not paid: it goes, and its members stand again.

    The try that failed stays, without it.
    """
    await tx.execute(
        """
        update invoices set consolidated_into_invoice_id = null, updated_at = $3
        where tenant_id = $1 and consolidated_into_invoice_id = $2
        """,
        tenant_id,
        invoice_id,
        now,
    )
    await tx.execute(
        "delete from invoice_lines where tenant_id = $1 and invoice_id = $2",
        tenant_id,
        invoice_id,
    )
    await tx.execute(
        "delete from invoices where tenant_id = $1 and id = $2", tenant_id, invoice_id
    )


def _row(
    tenant_id: UUID, one: Consolidated, now: datetime, *, charged_first: bool
) -> tuple[object, ...]:
    return (
        tenant_id,
        one.id,
        one.first.id,
        one.sums.subtotal,
        one.sums.subtotal_recurring,
        one.sums.discount,
        one.sums.tax_amount,
        one.sums.total,
        COUPONS.dump(one.coupons),
        BREAKDOWN.dump(one.breakdown),
        one.memo,
        one.purchase_order,
        charged_first,
        now,
    )
