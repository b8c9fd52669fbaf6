"""The events of a purchase: subscription created, invoice made, finalized, paid, session
completed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.db import custom_properties
from tallystick.db.checkout_sessions import SessionRecord
from tallystick.db.engine import Tx
from tallystick.domain.attempt import Attempt
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.invoice import Invoice, InvoiceStatus, PaymentStatus
from tallystick.domain.purchase import Subscription
from tallystick.domain.session import SessionState
from tallystick.services.checkout_events import session_event
from tallystick.services.context import Context
from tallystick.services.events import EventValue, Told, record, record_many


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseFacts:
    """What a purchase made; `invoice_number` is None while the invoice is a draft.

    `told` is the event of a subscription that was there before.
    """

    attempt: Attempt
    subscription: Subscription
    invoice: Invoice | None
    invoice_number: str | None
    session: SessionRecord
    told: Told | None = None


async def record_purchase_events(ctx: Context, tx: Tx, facts: PurchaseFacts) -> None:
    """Write the events of a purchase in the order in which things came to be."""
    inner = ctx.within(tx)
    made, invoice = facts.subscription, facts.invoice
    if facts.told is None:
        begun_with = await custom_properties.defaults(tx, ctx.tenant.id)
        told = _subscription(facts) | {"custom_properties": begun_with["SUBSCRIPTION"]}
        await record(inner, "subscription.created", made.id, told)
    else:
        await record(inner, *facts.told)
    if invoice is not None:
        body = invoice_event(invoice, facts.invoice_number)
        names = ["invoice.created"]
        if invoice.status is InvoiceStatus.FINALIZED:
            names.append("invoice.finalized")
        if invoice.payment_status is PaymentStatus.PAID:
            names.append("invoice.paid")
        await record_many(inner, [(name, invoice.id, body) for name in names])
    await record(
        inner,
        "checkout_session.completed",
        facts.attempt.session_id,
        session_event(facts.session, status=SessionState.COMPLETED),
    )


def invoice_event(invoice: Invoice, number: str | None) -> Mapping[str, EventValue]:
    """The body of an `invoice.*` event.

    A draft has no number here: the reference's event model leaves it out until finalization,
    other than its invoice, which reads `draft` then.
    """
    return {
        "invoice_id": encode(Prefix.INVOICE, invoice.id),
        "invoice_number": number,
        "customer_id": encode(Prefix.CUSTOMER, invoice.customer_id),
        "currency": invoice.currency,
        "status": invoice.status.value,
        "tax_amount": invoice.tax_amount,
        "total": invoice.total,
        "created_at": invoice.created_at,
    }


def _subscription(facts: PurchaseFacts) -> dict[str, EventValue]:
    made, offer = facts.subscription, facts.subscription.offer
    customer = facts.attempt.obligation.customer
    metadata = facts.session.metadata
    return {
        "subscription_id": encode(Prefix.SUBSCRIPTION, made.id),
        "customer_id": encode(Prefix.CUSTOMER, made.customer_id),
        "customer_name": facts.attempt.obligation.buyer.name,
        "customer_alias": customer.alias,
        "status": made.status.value,
        "plan_name": offer.plan_name,
        "version": offer.plan_version,
        "currency": offer.currency,
        "period": made.cadence.value,
        "mrr_cents": made.mrr,
        "net_terms": offer.net_terms,
        "billing_day_anchor": made.dates.anchor,
        "start_date": made.dates.start,
        "billing_start_date": made.dates.billing_start,
        "end_date": made.dates.end,
        "trial_duration": made.dates.trial_days,
        "auto_advance_invoices": offer.auto_advance_invoices,
        "charge_automatically": offer.charge_automatically,
        "invoice_memo": offer.invoice_memo,
        "purchase_order": offer.purchase_order,
        "invoice_threshold": offer.invoice_threshold,
        "created_at": made.created_at,
        "activated_at": made.activated_at,
        "metadata": None if metadata is None else json.loads(metadata),
    }
