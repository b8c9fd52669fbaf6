"""The events of a subscription's life, from its contract as it stands."""

import json
from collections.abc import Mapping

from tallystick.db.due_contracts import DueContract
from tallystick.domain.contract import Contract
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.life import StepKind
from tallystick.services.events import EventValue, Told

_TYPES: Mapping[StepKind, tuple[str, str | None]] = {
    StepKind.TRIAL_STARTED: ("subscription.updated", "activated"),
    StepKind.ACTIVATED: ("subscription.updated", "activated"),
    StepKind.TRIAL_ENDED: ("subscription.updated", "trial_ended"),
    StepKind.TRIAL_EXPIRED: ("subscription.updated", "trial_ended"),
    StepKind.COMPLETED: ("subscription.ended", None),
    StepKind.CANCELLED: ("subscription.cancelled", None),
}
"""The event of each kind of step, with the reference's change type; a renewal has none of its
own: its invoice tells of it."""


def step_event(kind: StepKind, due: DueContract, contract: Contract) -> Told | None:
    """The event of a step, None where it has none."""
    if kind not in _TYPES:
        return None
    event_type, change_type = _TYPES[kind]
    reason = due.cancellation_reason if kind is StepKind.CANCELLED else None
    return subscription_event(
        event_type, due, contract, change_type=change_type, cancellation_reason=reason
    )


def subscription_event(
    event_type: str, due: DueContract, contract: Contract, **more: str | None
) -> Told:
    """An event of a subscription as its contract stands; `more` is left out where None."""
    body: dict[str, EventValue] = {
        "subscription_id": encode(Prefix.SUBSCRIPTION, contract.id),
        "customer_id": encode(Prefix.CUSTOMER, contract.customer_id),
        "customer_name": due.customer.name,
        "customer_alias": due.customer.alias,
        "status": contract.status.value,
        "plan_name": due.plan_name,
        "version": due.plan_version,
        "currency": contract.currency,
        "period": contract.cadence.value,
        "mrr_cents": contract.mrr,
        "net_terms": contract.net_terms,
        "billing_day_anchor": contract.anchor,
        "start_date": contract.start,
        "billing_start_date": contract.billing_start,
        "end_date": contract.end_date,
        "trial_duration": due.trial_duration,
        "auto_advance_invoices": contract.auto_advance_invoices,
        "charge_automatically": contract.charge_automatically,
        "invoice_memo": contract.invoice_memo,
        "purchase_order": contract.purchase_order,
        "invoice_threshold": due.invoice_threshold,
        "created_at": due.created_at,
        "activated_at": due.activated_at,
        "metadata": None if due.metadata is None else json.loads(due.metadata),
        "custom_properties": json.loads(due.custom_properties),
    }
    body.update({name: value for name, value in more.items() if value is not None})
    return event_type, contract.id, body
