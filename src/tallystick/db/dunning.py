"""Invoices whose last try has failed, and those that keep a subscription suspended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db.engine import Row, Tx
from tallystick.db.invoice_locks import lock_customer_of
from tallystick.domain.dunning import DunningEnd, FinalPolicy

POLICY_IS_DUE = """
    i.payment_status <> 'PROCESSING' and not exists (
        select from collections c
        where c.tenant_id = i.tenant_id and c.invoice_id = i.id and c.state = 'LIVE')
"""
"""Of an invoice `i` with a policy to come: nothing is on its way that may pay it."""

IS_RELEASED = "(i.amount_due = 0 or i.status = 'VOID' or i.payment_status = 'PROCESSING')"
"""Of an invoice `i` that suspends: it does not any more. An accepted debit is enough, as it is
at the checkout; where it fails, the policy is decided again."""

_SUBSCRIPTIONS = """
    select distinct m.subscription_id as id from invoices m
    where m.tenant_id = $1 and m.subscription_id is not null
      and (m.id = $2 or m.consolidated_into_invoice_id = $2)
    order by id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncollected:
    """A locked invoice whose last try has failed. `owes`: there is something to decide.

    `is_draft`: it is what the end of a free trial was to be charged by. Nothing was billed.
    """

    owes: bool
    is_draft: bool
    end: DunningEnd


async def due(tx: Tx, tenant_id: UUID, now: datetime, limit: int) -> list[UUID]:
    """Invoices about which is to be decided at the tenant's now, longest due first."""
    rows = await tx.fetch(
        f"""
        select i.id from invoices i
        where i.tenant_id = $1 and i.policy_at <= $2 and {POLICY_IS_DUE}
        order by i.policy_at, i.id limit $3
        """,
        tenant_id,
        now,
        limit,
    )
    return [row["id"] for row in rows]


async def released(tx: Tx, tenant_id: UUID, limit: int) -> list[UUID]:
    """Invoices that keep no subscription suspended any more, and are still marked so."""
    rows = await tx.fetch(
        f"""
        select i.id from invoices i
        where i.tenant_id = $1 and i.suspends and {IS_RELEASED} order by i.id limit $2
        """,
        tenant_id,
        limit,
    )
    return [row["id"] for row in rows]


async def lock_customer_and_name(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> list[UUID]:
    """Lock the customer of an invoice; the subscriptions that it bills, in locking order."""
    await lock_customer_of(tx, tenant_id, invoice_id)
    return [row["id"] for row in await tx.fetch(_SUBSCRIPTIONS, tenant_id, invoice_id)]


async def lock(tx: Tx, tenant_id: UUID, invoice_id: UUID, now: datetime) -> Uncollected | None:
    """Lock an invoice about which is to be decided; None where it is not, or not any more.

    The customer, and the subscriptions that it bills, are locked.
    """
    row = await tx.fetchrow(
        f"""
        select (i.status = 'FINALIZED' or i.charged_first) and i.amount_due > 0
               and not i.awaits_person as owes, i.charged_first as is_draft,
               e.dunning_policy, e.dunning_marks_uncollectible
        from invoices i
        join invoicing_entities e
          on e.tenant_id = i.tenant_id and e.id = i.invoicing_entity_id
        where i.tenant_id = $1 and i.id = $2 and i.policy_at <= $3 and {POLICY_IS_DUE}
        for no key update of i
        """,
        tenant_id,
        invoice_id,
        now,
    )
    if row is None:
        return None
    return Uncollected(owes=row["owes"], is_draft=row["is_draft"], end=_end(row))


async def end_of(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> DunningEnd:
    """What the entity of an invoice does after the last try, as it wants it now."""
    row = await tx.fetchrow(
        """
        select e.dunning_policy, e.dunning_marks_uncollectible
        from invoices i
        join invoicing_entities e
          on e.tenant_id = i.tenant_id and e.id = i.invoicing_entity_id
        where i.tenant_id = $1 and i.id = $2
        """,
        tenant_id,
        invoice_id,
    )
    assert row is not None, "an invoice has its entity"
    return _end(row)


def _end(row: Row) -> DunningEnd:
    return DunningEnd(
        policy=FinalPolicy(row["dunning_policy"]), gives_up=row["dunning_marks_uncollectible"]
    )


async def put_off(tx: Tx, tenant_id: UUID, invoice_id: UUID, until: datetime) -> None:
    """Decide about a locked invoice later."""
    await tx.execute(
        "update invoices set policy_at = $3 where tenant_id = $1 and id = $2",
        tenant_id,
        invoice_id,
        until,
    )


async def decided(tx: Tx, tenant_id: UUID, invoice_id: UUID, *, suspends: bool) -> None:
    """It was decided about a locked invoice; from now on it may keep its subscription
    suspended.
    """
    await tx.execute(
        """
        update invoices set policy_at = null, suspends = suspends or $3
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice_id,
        suspends,
    )


async def give_up(tx: Tx, tenant_id: UUID, invoice_id: UUID, now: datetime) -> None:
    """Mark a locked invoice uncollectible: it is owed, and nobody collects it by itself."""
    await tx.execute(
        """
        update invoices
        set status = 'UNCOLLECTIBLE', marked_as_uncollectible_at = $3, updated_at = $3,
            collect_at = null, policy_at = null
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        invoice_id,
        now,
    )


async def release(tx: Tx, tenant_id: UUID, invoice_id: UUID) -> bool:
    """Lock an invoice and let it suspend nothing any more; False where it still does."""
    done = await tx.execute(
        f"""
        update invoices i set suspends = false
        where i.tenant_id = $1 and i.id = $2 and i.suspends and {IS_RELEASED}
        """,
        tenant_id,
        invoice_id,
    )
    return bool(done == "UPDATE 1")


async def is_suspended_by(tx: Tx, tenant_id: UUID, subscription_id: UUID) -> bool:
    """Whether an invoice of a locked subscription, or one that bills it too, suspends it."""
    found: bool = await tx.fetchval(
        """
        select exists (
            select from invoices i
            where i.tenant_id = $1 and i.suspends and i.subscription_id = $2)
        or exists (
            select from invoices m
            join invoices i
              on i.tenant_id = m.tenant_id and i.id = m.consolidated_into_invoice_id
            where m.tenant_id = $1 and m.subscription_id = $2 and i.suspends)
        """,
        tenant_id,
        subscription_id,
    )
    return found
