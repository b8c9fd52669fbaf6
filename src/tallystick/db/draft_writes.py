"""Draft invoices, written by the set: lines, invoices, and what they used of coupons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db import coupon_redemptions
from tallystick.db.draft_recipes import RECIPE
from tallystick.db.due_drafts import Numbered
from tallystick.db.engine import Tx
from tallystick.db.invoice_writes import (
    BREAKDOWN,
    COUPONS,
    CUSTOMER,
    LINE_COLUMNS,
    SELLER,
    line_row,
)
from tallystick.domain.invoice import InvoiceType, finalized
from tallystick.domain.renewal import Draft

_INVOICE_COLUMNS = (
    "tenant_id",
    "id",
    "customer_id",
    "subscription_id",
    "invoicing_entity_id",
    "invoice_type",
    "status",
    "payment_status",
    "number",
    "invoice_number",
    "invoice_date",
    "due_date",
    "billing_period_start",
    "billing_period_end",
    "net_terms",
    "currency",
    "tax_inclusive",
    "subtotal",
    "subtotal_recurring",
    "discount",
    "tax_amount",
    "total",
    "applied_balance",
    "written_off",
    "write_off_reason",
    "amount_due",
    "coupons",
    "tax_breakdown",
    "customer_details",
    "seller_details",
    "memo",
    "purchase_order",
    "finalize_at",
    "collect_at",
    "charged_first",
    "recipe",
    "may_merge",
    "finalized_at",
    "paid_at",
    "created_at",
    "updated_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDraft:
    """A draft to store. `finalize_at` is None for one that waits for a person.

    `may_merge` says that it may become one invoice with others like it. `charge_at` is when a
    draft is charged that is final only once it is paid. `numbered` is what makes it final at
    once, where nothing has to be waited for.
    """

    draft: Draft
    line_ids: Sequence[UUID]
    finalize_at: datetime | None
    may_merge: bool = False
    charge_at: datetime | None = None
    numbered: Numbered | None = None


async def insert(tx: Tx, tenant_id: UUID, drafts: Sequence[NewDraft], now: datetime) -> None:
    """Write drafts with their lines by COPY, and count their coupons' uses."""
    await insert_parts(tx, tenant_id, drafts, now)
    await insert_invoices(tx, tenant_id, drafts, now)


async def insert_parts(
    tx: Tx, tenant_id: UUID, drafts: Sequence[NewDraft], now: datetime
) -> None:
    """Write what stands before its invoice: the lines, and the uses of coupons.

    A threshold invoice uses up no coupon; what it takes of fixed ones its maker keeps count of.
    """
    if drafts:
        await _insert_lines(tx, tenant_id, drafts)
        await _count_uses(tx, tenant_id, drafts, now)


async def insert_invoices(
    tx: Tx, tenant_id: UUID, drafts: Sequence[NewDraft], now: datetime
) -> None:
    """Write drafts whose parts are written, or the final invoices that they are at once.

    A period that was billed before is refused by the schema, and nothing is written.
    """
    if drafts:
        await tx.copy_records_to_table(
            "invoices",
            columns=_INVOICE_COLUMNS,
            records=[_row(tenant_id, new, now) for new in drafts],
        )


async def date_again(tx: Tx, tenant_id: UUID, new: NewDraft, now: datetime) -> None:
    """Write a locked draft that is charged first as of another day, in place of what it was.

    It is the first invoice of its subscription, so no other has used the coupons.
    """
    invoice = new.draft.invoice
    await tx.execute(
        "delete from invoice_lines where tenant_id = $1 and invoice_id = $2",
        tenant_id,
        invoice.id,
    )
    await coupon_redemptions.forget_uses(tx, tenant_id, [invoice.subscription_id])
    await _insert_lines(tx, tenant_id, [new])
    row = dict(zip(_INVOICE_COLUMNS, _row(tenant_id, new, now), strict=True))
    kept = {"tenant_id", "id", "payment_status", "created_at", "updated_at"}
    changed = [column for column in _INVOICE_COLUMNS if column not in kept]
    sets = ", ".join(f"{column} = ${place}" for place, column in enumerate(changed, start=4))
    await tx.execute(
        f"update invoices set updated_at = $3, {sets} where tenant_id = $1 and id = $2",
        tenant_id,
        invoice.id,
        now,
        *(row[column] for column in changed),
    )
    await _count_uses(tx, tenant_id, [new], now)


async def drop_charged_first(tx: Tx, tenant_id: UUID, subscription_ids: Sequence[UUID]) -> None:
    """Drop the drafts of subscriptions that will not be paid for; nothing was billed.

    Tries that failed stay, without their draft.
    """
    rows = await tx.fetch(
        """
        select id, subscription_id from invoices
        where tenant_id = $1 and subscription_id = any($2) and charged_first for update
        """,
        tenant_id,
        subscription_ids,
    )
    if rows:
        ids = [row["id"] for row in rows]
        await coupon_redemptions.forget_uses(
            tx, tenant_id, [row["subscription_id"] for row in rows]
        )
        await tx.execute(
            "delete from invoice_lines where tenant_id = $1 and invoice_id = any($2)",
            tenant_id,
            ids,
        )
        await tx.execute(
            "delete from invoices where tenant_id = $1 and id = any($2)", tenant_id, ids
        )


async def _insert_lines(tx: Tx, tenant_id: UUID, drafts: Sequence[NewDraft]) -> None:
    await tx.copy_records_to_table(
        "invoice_lines",
        columns=LINE_COLUMNS,
        records=[
            line_row(tenant_id, new.draft.invoice.id, position, line_id, line)
            for new in drafts
            for position, (line_id, line) in enumerate(
                zip(new.line_ids, new.draft.invoice.lines, strict=True)
            )
        ],
    )


async def _count_uses(
    tx: Tx, tenant_id: UUID, drafts: Sequence[NewDraft], now: datetime
) -> None:
    await coupon_redemptions.count_uses(
        tx,
        tenant_id,
        [
            (one.redemption_id, 1, one.amount)
            for new in drafts
            if new.draft.invoice.type is InvoiceType.RECURRING
            for one in new.draft.used
        ],
        now,
    )


def _row(tenant_id: UUID, new: NewDraft, now: datetime) -> tuple[object, ...]:
    invoice, numbered = new.draft.invoice, new.numbered
    collect_at = new.charge_at
    if numbered is not None:
        invoice = finalized(invoice, numbered.applied, numbered.written_off, now)
        collect_at = now if numbered.draft.charges and invoice.amount_due else None
    return (
        tenant_id,
        invoice.id,
        invoice.customer_id,
        invoice.subscription_id,
        invoice.invoicing_entity_id,
        invoice.type.value,
        invoice.status.value,
        invoice.payment_status.value,
        None if numbered is None else numbered.number,
        None if numbered is None else numbered.text,
        invoice.invoice_date,
        invoice.due_date,
        invoice.billing_period_start,
        invoice.billing_period_end,
        invoice.net_terms,
        invoice.currency,
        invoice.tax_inclusive,
        invoice.subtotal,
        invoice.subtotal_recurring,
        invoice.discount,
        invoice.tax_amount,
        invoice.total,
        invoice.applied_balance,
        invoice.written_off,
        "BELOW_MINIMUM_CHARGE" if invoice.written_off else None,
        invoice.amount_due,
        COUPONS.dump(invoice.coupons),
        BREAKDOWN.dump(invoice.breakdown),
        CUSTOMER.dump(invoice.customer),
        SELLER.dump(invoice.seller),
        invoice.memo,
        invoice.purchase_order,
        None if numbered is not None else new.finalize_at,
        collect_at,
        new.charge_at is not None,
        RECIPE.dump(new.draft.recipe) if new.draft.recipe.meters and numbered is None else None,
        new.may_merge,
        invoice.finalized_at,
        invoice.paid_at,
        invoice.created_at,
        invoice.created_at,
    )
