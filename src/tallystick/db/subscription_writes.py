"""Writing a subscription with its items, its slots and what its offer brought along."""

from datetime import datetime
from uuid import UUID

from tallystick.db import slot_entries, usage_marks
from tallystick.db.codec import Codec
from tallystick.db.engine import Tx
from tallystick.domain.buyer import Address, BuyerDetails
from tallystick.domain.contract import contract_of
from tallystick.domain.life import next_day
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.offer import PaymentConfig
from tallystick.domain.payment import Method
from tallystick.domain.purchase import Subscription

PAYMENT: Codec[PaymentConfig] = Codec(PaymentConfig)
MINIMUM: Codec[MinimumCommitment] = Codec(MinimumCommitment)
ADDRESS: Codec[Address] = Codec(Address)

_INSERT = """
    insert into subscriptions (
        tenant_id, id, customer_id, plan_id, plan_version_id, invoicing_entity_id, status,
        currency, tax_inclusive, cadence, start_date, billing_start_date,
        billing_day_anchor, trial_duration, trial_is_free, trial_end, trialing_plan_id,
        end_date, current_period_start, current_period_end, cycle_index, net_terms,
        auto_advance_invoices, charge_automatically, payment_methods_config,
        payment_method_id, invoice_memo, purchase_order, invoice_threshold, metadata, mrr,
        checkout_session_id, activated_at, created_at, updated_at, next_step_on, activation,
        awaits_activation, fixed_anchor, billing_cycles, imported_on, minimum,
        awaits_checkout)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
            $34, $35, $36, $37, $38, $39, $40, $41, $42)
"""


async def insert(tx: Tx, tenant_id: UUID, made: Subscription, metadata: str | None) -> None:
    """Insert a subscription, its items in their order, and the first entry of each slot ledger.

    `metadata` is JSON text.
    """
    offer, dates = made.offer, made.dates
    # A trial that is offered and not granted, used up or over, lends nothing.
    granted = None if dates.trial_end is None else offer.trial
    await tx.execute(
        _INSERT,
        tenant_id,
        made.id,
        made.customer_id,
        offer.plan_id,
        offer.plan_version_id,
        offer.invoicing_entity_id,
        made.status.value,
        offer.currency,
        offer.tax_inclusive,
        made.cadence.value,
        dates.start,
        dates.billing_start,
        dates.anchor,
        dates.trial_days,
        None if dates.trial_end is None else dates.trial_is_free,
        dates.trial_end,
        None if granted is None else granted.trialing_plan_id,
        dates.end,
        made.current_period_start,
        made.current_period_end,
        made.cycle_index,
        offer.net_terms,
        offer.auto_advance_invoices,
        offer.charge_automatically,
        PAYMENT.dump(offer.payment),
        made.payment_method_id,
        offer.invoice_memo,
        offer.purchase_order,
        offer.invoice_threshold,
        metadata,
        made.mrr,
        made.checkout_session_id,
        made.activated_at,
        made.created_at,
        next_day(contract_of(made)),
        made.activation.value,
        made.awaits_activation,
        offer.anchor,
        offer.cycles_that_end_it,
        made.imported_on,
        MINIMUM.dump_optional(offer.minimum),
        made.awaits_checkout,
    )
    await _insert_items(tx, tenant_id, made)
    # What was used before it was made may have reached its threshold already.
    if offer.invoice_threshold is not None:
        await usage_marks.insert(tx, tenant_id, [made.customer_id])


async def _insert_items(tx: Tx, tenant_id: UUID, made: Subscription) -> None:
    """The items in their order, and the first entry of each slot ledger."""
    await tx.executemany(
        """
        insert into subscription_items (tenant_id, id, subscription_id, kind, position, name,
            product_id, price_id, component_id, add_on_id, instances, item)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        [
            (
                tenant_id,
                item.id,
                made.id,
                item.kind,
                position,
                item.name,
                item.product_id,
                item.price_id,
                item.component_id,
                item.add_on_id,
                item.instances,
                slot_entries.without_slots(item),
            )
            for position, item in enumerate(made.offer.items)
        ],
    )
    await slot_entries.begin(
        tx, tenant_id, made.offer.items, made.dates.billing_start, made.created_at
    )


async def supersede_expired_trials(
    tx: Tx, tenant_id: UUID, customer_id: UUID, plan_id: UUID, at: datetime
) -> list[UUID]:
    """A new purchase of a plan replaces the customer's expired trials of it; which ones.

    One that is being paid this moment, in another place, goes on if that goes well.
    """
    rows = await tx.fetch(
        """
        update subscriptions
        set status = 'SUPERSEDED', mrr = 0, next_step_on = null, updated_at = $4
        where tenant_id = $1 and customer_id = $2 and plan_id = $3 and status = 'TRIAL_EXPIRED'
          and not is_being_paid
        returning id
        """,
        tenant_id,
        customer_id,
        plan_id,
        at,
    )
    return [row["id"] for row in rows]


async def insert_method(
    tx: Tx, tenant_id: UUID, method_id: UUID, customer_id: UUID, method: Method, at: datetime
) -> None:
    """Keep a payment method of a customer; the provider's token, never a number."""
    await tx.execute(
        """
        insert into payment_methods (tenant_id, id, customer_id, provider, token, kind,
            card_brand, card_last4, card_expiry, account_number_hint, mandate_reference,
            created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        tenant_id,
        method_id,
        customer_id,
        method.provider,
        method.token,
        method.kind.value,
        method.card_brand,
        method.card_last4,
        method.card_expiry,
        method.account_hint,
        method.mandate_reference,
        at,
    )


async def keep_buyer(
    tx: Tx, tenant_id: UUID, customer_id: UUID, buyer: BuyerDetails, at: datetime
) -> None:
    """The purchase is made: the billing details as quoted become the customer's."""
    await tx.execute(
        """
        update customers
        set name = $3, billing_email = coalesce($4, billing_email), billing_address = $5,
            vat_number = $6, updated_at = $7
        where tenant_id = $1 and id = $2
        """,
        tenant_id,
        customer_id,
        buyer.name,
        buyer.email,
        ADDRESS.dump(buyer.address),
        buyer.vat_number,
        at,
    )
