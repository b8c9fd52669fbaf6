"""Events as the reference's SDK reads them: each by the `<Noun>Event` of its type."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from meteroid import models as m

EVENT_OF_NOUN: Mapping[str, Any] = {
    "addon": m.AddOnEvent,
    "coupon": m.CouponEvent,
    "credit_note": m.CreditNoteEvent,
    "customer": m.CustomerEvent,
    "invoice": m.InvoiceEvent,
    "metric": m.MetricEvent,
    "payment": m.PaymentEvent,
    "plan": m.PlanEvent,
    "product": m.ProductEvent,
    "quote": m.QuoteEvent,
    "refund": m.PaymentEvent,
    "subscription": m.SubscriptionEvent,
}
"""The SDK's model of each noun."""

EVENT_OF_TYPE: Mapping[str, Any] = {"invoice.accounting_pdf_generated": m.InvoiceDocumentsEvent}
"""Types whose model is another one than their noun's."""

OWN_NOUNS = {"checkout_session", "entitlement", "feature", "payment_method"}
"""Nouns that the reference has no events of."""


def decoded(body: str | bytes) -> Any:  # noqa: ANN401 - any event of the SDK
    """An event as the SDK reads it, the body as it is read and delivered.

    Raises what the SDK raises when something is missing or of another type.
    """
    event = json.loads(body)
    noun = event["type"].partition(".")[0]
    if noun in OWN_NOUNS:
        return event
    model = EVENT_OF_TYPE.get(event["type"]) or EVENT_OF_NOUN[noun]
    return model.from_dict(event)


def misfits(bodies: Iterable[str]) -> list[str]:
    """What the SDK cannot read of some events."""
    found = []
    for body in bodies:
        try:
            decoded(body)
        except Exception as reason:  # noqa: BLE001 - whatever it has to say
            found.append(f"{reason!r} in {body}")
    return found
