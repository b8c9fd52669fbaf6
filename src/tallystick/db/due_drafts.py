"""Drafts whose grace period is over: taken in batches and finalized by the set.

Locks are taken in the order of the whole program: balances by customer, invoices, and the
entities' counters last, once per batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from tallystick.db.engine import Row, Tx

_LOCK = """
    select i.id, i.customer_id, i.subscription_id, i.invoicing_entity_id, i.currency,
           i.invoice_date, i.total, i.tax_amount, i.created_at, e.number_pattern,
           coalesce(s.charge_automatically, false) as charges,
           i.recipe is not null as bills_usage,
           i.may_merge and e.consolidate_recurring_invoices as may_merge
    from ({drafts}) i
    join invoicing_entities e
      on e.tenant_id = i.tenant_id and e.id = i.invoicing_entity_id
    left join subscriptions s on s.tenant_id = i.tenant_id and s.id = i.subscription_id
    order by i.finalize_at, i.invoice_date, i.id
"""

_DUE = """
    select id from invoices
    where tenant_id = $1 and finalize_at <= $2 and billing_error is null and not may_merge
    order by finalize_at, id limit $3
    for no key update skip locked
"""

_LOCK_DUE = _LOCK.format(
    drafts="""
        select * from invoices
        where tenant_id = $1 and id = any($2) and finalize_at <= $3 and billing_error is null
        order by id for no key update skip locked"""
)

_LOCK_THESE = _LOCK.format(
    drafts="""
        select * from invoices
        where tenant_id = $1 and id = any($2) and finalize_at is not null
        for no key update"""
)

_LOCK_DRAFT = _LOCK.format(
    drafts="""
        select * from invoices
        where tenant_id = $1 and id = $2 and status = 'DRAFT'
          and consolidated_into_invoice_id is null for no key update"""
)

_LOCK_MEMBERS = _LOCK.format(
    drafts="""
        select * from invoices
        where tenant_id = $1 and consolidated_into_invoice_id = $2 and charged_first
        order by created_at, id for no key update"""
)

_BALANCES = """
    select customer_id, currency, balance - held as available from customer_balances
    where tenant_id = $1 and customer_id = any($2) and balance > held
    order by customer_id, currency for no key update
"""

_DEDUCT = """
    with spent as (
        update customer_balances b set balance = b.balance - u.amount
        from (select customer_id, currency, sum(amount)::bigint as amount
              from unnest($3::uuid[], $4::text[], $5::bigint[])
                   as t (customer_id, currency, amount)
              group by 1, 2) u
        where b.tenant_id = $1 and b.customer_id = u.customer_id and b.currency = u.currency
        returning b.customer_id, b.currency, b.balance + u.amount as before)
    insert into balance_entries (tenant_id, id, customer_id, currency, amount, balance_after,
                                 reason, invoice_id, created_at)
    select $1, u.id, u.customer_id, u.currency, -u.amount,
           s.before - sum(u.amount) over (
               partition by u.customer_id, u.currency order by u.position),
           'INVOICE', u.invoice_id, $2
    from unnest($6::uuid[], $3::uuid[], $4::text[], $5::bigint[], $7::uuid[])
        with ordinality as u (id, customer_id, currency, amount, invoice_id, position)
    join spent s on s.customer_id = u.customer_id and s.currency = u.currency
"""

_GIVE = """
    with given as (
        insert into customer_balances as b (tenant_id, customer_id, currency, balance)
        values ($1, $3, $4, $5)
        on conflict (tenant_id, customer_id, currency) do update set balance = b.balance + $5
        returning balance)
    insert into balance_entries (tenant_id, id, customer_id, currency, amount, balance_after,
                                 reason, invoice_id, created_at)
    select $1, $2, $3, $4, $5, balance, 'INVOICE', $6, $7 from given
"""

_FINALIZE = """
    update invoices i
    set status = 'FINALIZED', finalize_at = null, recipe = null, charged_first = false,
        finalized_at = $2,
        billing_error = null, updated_at = $2,
        number = f.number, invoice_number = f.text, applied_balance = f.applied,
        written_off = f.written_off,
        write_off_reason = case when f.written_off > 0 then 'BELOW_MINIMUM_CHARGE' end,
        amount_due = f.due,
        payment_status = case when f.due = 0 then 'PAID' else 'UNPAID' end,
        paid_at = case when f.due = 0 then $2::timestamptz end,
        collect_at = case when f.due > 0 and f.charges then $2::timestamptz end
    from unnest($3::uuid[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[],
                $8::bigint[], $9::boolean[])
        as f (id, number, text, applied, written_off, due, charges)
    where i.tenant_id = $1 and i.id = f.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDraft:
    """A locked draft that is to be finalized; amounts in minor units of `currency`.

    `charges` says that what is due is collected automatically, `may_merge` that it becomes one
    invoice with others like it.
    """

    id: UUID
    customer_id: UUID
    subscription_id: UUID | None
    invoicing_entity_id: UUID
    currency: str
    invoice_date: date
    total: int
    tax_amount: int
    created_at: datetime
    number_pattern: str
    charges: bool
    bills_usage: bool
    may_merge: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A draft with what makes it final: number, its text, and what covers its total.

    `written_off` is what is due and too little to be charged.
    """

    draft: DueDraft
    number: int
    text: str
    applied: int
    written_off: int

    @property
    def due(self) -> int:
        """What is left to be paid."""
        return max(self.draft.total, 0) - self.applied - self.written_off


async def lock_due(tx: Tx, tenant_id: UUID, now: datetime, limit: int) -> list[UUID]:
    """Lock drafts that are due at the tenant's now, longest overdue first.

    Those that somebody else has locked are passed over; those that may be merged are taken with
    their customers (`db/consolidation.py`).
    """
    return [row["id"] for row in await tx.fetch(_DUE, tenant_id, now, limit)]


async def lock(tx: Tx, tenant_id: UUID, ids: Sequence[UUID], now: datetime) -> list[DueDraft]:
    """Lock those of `ids` that are still due and that nobody else has locked."""
    return [_draft(row) for row in await tx.fetch(_LOCK_DUE, tenant_id, ids, now)]


async def set_aside(tx: Tx, tenant_id: UUID, invoice_id: UUID, reason: str) -> None:
    """A draft that cannot be finalized is set aside with its reason, and stops nobody else."""
    await tx.execute(
        """
        update invoices set billing_error = $3, billing_tried_at = now()
        where tenant_id = $1 and id = $2 and status = 'DRAFT'
        """,
        tenant_id,
        invoice_id,
        reason,
    )


async def take_up_again(tx: Tx, tenant_id: UUID, after_seconds: float) -> None:
    """Drafts that were set aside some real time ago are tried again."""
    await tx.execute(
        """
        update invoices set billing_error = null
        where tenant_id = $1 and billing_error is not null
          and billing_tried_at <= now() - make_interval(secs => $2)
        """,
        tenant_id,
        after_seconds,
    )


async def lock_these(tx: Tx, tenant_id: UUID, ids: Sequence[UUID]) -> list[DueDraft]:
    """Lock those of `ids` that do not wait for a person to finalize them."""
    return [_draft(row) for row in await tx.fetch(_LOCK_THESE, tenant_id, ids)]


async def lock_draft(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> list[DueDraft]:
    """Lock a draft, whatever it waits for; nothing where it is none."""
    return [_draft(row) for row in await tx.fetch(_LOCK_DRAFT, tenant_id, invoice_id)]


async def lock_members(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> list[DueDraft]:
    """Lock the drafts that a draft carries which is charged first; nothing of any other."""
    return [_draft(row) for row in await tx.fetch(_LOCK_MEMBERS, tenant_id, invoice_id)]


async def read_again(tx: Tx, tenant_id: UUID, drafts: Sequence[DueDraft]) -> list[DueDraft]:
    """Locked drafts with the sums that they have now, after late usage."""
    changed = [one.id for one in drafts if one.bills_usage]
    if not changed:
        return list(drafts)
    rows = await tx.fetch(
        "select id, total, tax_amount from invoices where tenant_id = $1 and id = any($2)",
        tenant_id,
        changed,
    )
    sums = {row["id"]: (row["total"], row["tax_amount"]) for row in rows}
    return [
        replace(one, total=sums[one.id][0], tax_amount=sums[one.id][1])
        if one.id in sums
        else one
        for one in drafts
    ]


async def lock_balances(
    tx: Tx, tenant_id: UUID, customer_ids: Sequence[UUID]
) -> dict[tuple[UUID, str], int]:
    """Lock the customers' balances and return what is available of each, by currency."""
    rows = await tx.fetch(_BALANCES, tenant_id, customer_ids)
    return {(row["customer_id"], row["currency"]): row["available"] for row in rows}


async def deduct(
    tx: Tx,
    tenant_id: UUID,
    applied: Sequence[tuple[UUID, DueDraft, int]],
    now: datetime,
) -> None:
    """Take amounts off the locked balances: entry id, draft, and amount of each."""
    if applied:
        await tx.execute(
            _DEDUCT,
            tenant_id,
            now,
            [draft.customer_id for _, draft, _ in applied],
            [draft.currency for _, draft, _ in applied],
            [amount for _, _, amount in applied],
            [entry_id for entry_id, _, _ in applied],
            [draft.id for _, draft, _ in applied],
        )


async def give(tx: Tx, tenant_id: UUID, entry_id: UUID, draft: DueDraft, now: datetime) -> None:
    """A draft whose total is below zero owes its customer: that goes to the balance."""
    await tx.execute(
        _GIVE,
        tenant_id,
        entry_id,
        draft.customer_id,
        draft.currency,
        -draft.total,
        draft.id,
        now,
    )


async def finalize(
    tx: Tx, tenant_id: UUID, numbered: Sequence[Numbered], now: datetime
) -> None:
    """Make drafts final. What is covered by the balance is paid."""
    await tx.execute(
        _FINALIZE,
        tenant_id,
        now,
        [one.draft.id for one in numbered],
        [one.number for one in numbered],
        [one.text for one in numbered],
        [one.applied for one in numbered],
        [one.written_off for one in numbered],
        [one.due for one in numbered],
        [one.draft.charges for one in numbered],
    )


def _draft(row: Row) -> DueDraft:
    return DueDraft(**dict(row))
