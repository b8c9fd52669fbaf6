"""A payment that failed: its invoice owes, says so, and is tried again after some days."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallystick.db import dunning, failed_tries, invoice_facts
from tallystick.domain.collection import next_try
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment import FailureReason
from tallystick.services.context import Context
from tallystick.services.events import EventValue, record
from tallystick.services.link import payment_url


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPayment:
    """Money that will not come; `amount` in minor units.

    `with_it` are the other drafts that were charged as one with that of `invoice_id`.
    """

    transaction_id: UUID
    invoice_id: UUID
    customer_id: UUID
    amount: int
    currency: str
    reason: FailureReason
    with_it: tuple[UUID, ...] = ()


async def tell_failure(ctx: Context, payment: FailedPayment, *, counts: bool = True) -> None:
    """Note the failure on the invoice, with its next try if one is left, and tell of it.

    Tries are made for invoices that are charged automatically only. One that does not count
    leaves the invoice as it was.
    """
    owing = (payment.invoice_id, *payment.with_it)
    again = [await _note(ctx, invoice_id, counts=counts) for invoice_id in owing]
    told: dict[str, EventValue] = {
        "transaction_id": encode(Prefix.TRANSACTION, payment.transaction_id),
        "invoice_id": encode(Prefix.INVOICE, payment.invoice_id),
        "customer_id": encode(Prefix.CUSTOMER, payment.customer_id),
        "payment_type": "PAYMENT",
        "status": "FAILED",
        "amount": payment.amount,
        "amount_refunded": 0,
        "amount_reversed": 0,
        "currency": payment.currency,
        "error": payment.reason.value,
        "next_try_at": again[0].at,
        "tries_left": again[0].left,
        "payment_url": again[0].page,
    }
    if payment.with_it:
        told["invoice_ids"] = [encode(Prefix.INVOICE, one) for one in owing]
    await record(ctx, "payment.failed", payment.transaction_id, told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Again:
    """When it is tried again, None where it is not, and how often by itself.

    `page` is where the invoice can be paid meanwhile; a draft has none.
    """

    at: datetime | None
    left: int
    page: str | None


async def _note(ctx: Context, invoice_id: UUID, *, counts: bool) -> _Again:
    tx, tenant = ctx.transaction, ctx.tenant
    tried = await failed_tries.tried(tx, tenant.id, invoice_id)
    page = None
    if tried.is_final:
        page = payment_url(ctx.app.public_url, tenant.link_secret, tenant.id, invoice_id)
    if not counts:
        left = len(tenant.dunning_days) - tried.failures + 1
        left = 0 if tried.collect_at is None else left
        return _Again(at=tried.collect_at, left=left, page=page)
    failures = tried.failures + 1
    again = next_try(ctx.now, failures, tenant.dunning_days) if tried.charges else None
    is_last = tried.charges and again is None
    await failed_tries.failed(tx, tenant.id, invoice_id, again, ctx.now, is_last=is_last)
    left = 0 if again is None else len(tenant.dunning_days) - failures + 1
    if left == 1 and tried.is_final:
        await _tell_last(ctx, invoice_id, again)
    return _Again(at=again, left=left, page=page)


async def _tell_last(ctx: Context, invoice_id: UUID, again: datetime | None) -> None:
    """One try is left: when it is, and what follows if it fails."""
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    end = await dunning.end_of(tx, tenant_id, invoice_id)
    told: dict[str, EventValue] = {
        **await invoice_facts.event_body(tx, tenant_id, invoice_id),
        "amount_due": await invoice_facts.amount_due(tx, tenant_id, invoice_id),
        "next_try_at": again,
        "final_policy": end.policy,
        "marks_uncollectible": end.gives_up,
    }
    await record(ctx, "invoice.final_notice", invoice_id, told)
