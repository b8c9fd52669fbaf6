"""The events of a checkout session, in one shape."""

import json

from tallystick.db.checkout_sessions import SessionRecord
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.session import SessionState
from tallystick.services.events import EventValue


def session_event(record: SessionRecord, *, status: SessionState) -> dict[str, EventValue]:
    """The body of a `checkout_session.*` event: what a merchant needs to find its own order."""
    session = record.session
    subscription = session.subscription_id
    error = session.last_payment_error
    return {
        "checkout_session_id": encode(Prefix.CHECKOUT_SESSION, session.id),
        "customer_id": encode(Prefix.CUSTOMER, session.customer_id),
        "plan_version_id": encode(Prefix.PLAN_VERSION, session.plan_version_id),
        "subscription_id": None
        if subscription is None
        else encode(Prefix.SUBSCRIPTION, subscription),
        "status": status.value,
        "payment_error": None if error is None else error.reason.value,
        "metadata": None if record.metadata is None else json.loads(record.metadata),
    }


def session_event_text(record: SessionRecord, *, status: SessionState) -> str:
    """The same as JSON text, for the statement that writes session and event at once."""
    return json.dumps(session_event(record, status=status), separators=(",", ":"))
