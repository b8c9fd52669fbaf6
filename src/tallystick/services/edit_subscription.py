"""Change how a subscription is billed: its terms, not what it sells."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tallystick.db import subscription_changes, subscriptions
from tallystick.db.due_contracts import DueContract
from tallystick.db.subscription_writes import PAYMENT
from tallystick.domain.billing_entries import SubscriptionDetails
from tallystick.domain.contract import Contract
from tallystick.domain.custom_properties import PropertyEntity
from tallystick.domain.errors import Conflict, Fault, fail_if
from tallystick.domain.life import is_over
from tallystick.domain.offer import OnlinePayment, PaymentConfig
from tallystick.domain.resolve_payment import resolve_charging, resolve_payment
from tallystick.domain.resolve_prices import Resolution
from tallystick.services.context import Context
from tallystick.services.events import record_many
from tallystick.services.ids import new_id
from tallystick.services.property_values import as_text, values_merged
from tallystick.services.resolve_request import published_version
from tallystick.services.subscription_events import subscription_event
from tallystick.services.take_at_once import details_of, locked


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsChange:
    """What is to change; `said` names the fields, None takes a field back to its default.

    `properties` are custom ones to merge, None taking one away.
    """

    said: frozenset[str]
    auto_advance_invoices: bool | None = None
    charge_automatically: bool | None = None
    invoice_memo: str | None = None
    net_terms: int | None = None
    payment: PaymentConfig | None = None
    properties: Mapping[str, object] = field(default_factory=dict)
    purchase_order: str | None = None


async def edit_subscription(
    ctx: Context, subscription_id: UUID, change: TermsChange
) -> SubscriptionDetails:
    """Change a subscription's terms of billing; they hold for the invoices made from now on.

    Its custom properties can be changed for as long as it is kept.

    Raises:
        NotFound: There is no such subscription.
        Conflict: It has ended, and terms are to change.
        InvalidInput: The terms cannot be; every fault together.
    """
    tx, tenant_id = ctx.transaction, ctx.tenant.id
    due = await locked(ctx, subscription_id)
    if is_over(due.contract) and change.said - {"custom_properties"}:
        raise Conflict(f"This subscription has ended: it is {due.contract.status.value}")
    terms = await _terms(ctx, due, change)
    if not terms:
        return await details_of(ctx, subscription_id)
    await subscription_changes.save_terms(tx, tenant_id, subscription_id, terms, ctx.now)
    after = await locked(ctx, subscription_id)
    told = subscription_event(
        "subscription.updated",
        after,
        after.contract,
        change_type="billing_configuration_updated",
    )
    await record_many(ctx, [told])
    return await details_of(ctx, subscription_id)


async def _terms(ctx: Context, due: DueContract, change: TermsChange) -> dict[str, Any]:
    """The columns to change, with their values."""
    terms: dict[str, Any] = {}
    if "auto_advance_invoices" in change.said:
        terms["auto_advance_invoices"] = change.auto_advance_invoices is not False
    if "invoice_memo" in change.said:
        terms["invoice_memo"] = change.invoice_memo
    if "purchase_order" in change.said:
        terms["purchase_order"] = change.purchase_order
    if "net_terms" in change.said:
        terms["net_terms"] = await _net_terms(ctx, due, change.net_terms)
    payment, faults = _payment(ctx, due, change)
    if "custom_properties" in change.said:
        values, wrong = await values_merged(
            ctx,
            PropertyEntity.SUBSCRIPTION,
            json.loads(due.custom_properties),
            change.properties,
        )
        faults += wrong
        if values != json.loads(due.custom_properties):
            terms["custom_properties"] = as_text(values)
    fail_if(faults)
    return terms | payment


async def _net_terms(ctx: Context, due: DueContract, wanted: int | None) -> int:
    """As asked, else the plan version's, else the entity's."""
    if wanted is not None:
        return wanted
    details = await subscriptions.load(ctx.transaction, ctx.tenant.id, due.contract.id)
    assert details is not None, "it is locked"
    version = await published_version(
        ctx, ctx.transaction, details.subscription.plan_version_id
    )
    return due.entity.net_terms if version.net_terms is None else version.net_terms


def _payment(
    ctx: Context, due: DueContract, change: TermsChange
) -> tuple[dict[str, Any], list[Fault]]:
    """Configuration and charging, which must suit each other, and what is wrong with them.

    A configuration that cannot be charged turns automatic charging off, unless it was asked
    for, which is refused.
    """
    contract: Contract = due.contract
    work = Resolution(currency=contract.currency, new_id=new_id, prices={})
    terms: dict[str, Any] = {}
    payment = contract.payment
    if "payment_methods_config" in change.said:
        provider = ctx.app.provider_of(ctx.tenant, due.entity.id)
        payment = resolve_payment(
            change.payment,
            due.entity,
            work,
            takes_online=provider is not None,
            debits=frozenset() if provider is None else provider.panel().debits,
        )
        terms["payment_methods_config"] = PAYMENT.dump(payment)
    if "charge_automatically" in change.said:
        terms["charge_automatically"] = resolve_charging(
            payment, work, asked=change.charge_automatically
        )
    elif contract.charge_automatically and not isinstance(payment, OnlinePayment):
        terms["charge_automatically"] = False
    return terms, work.faults
