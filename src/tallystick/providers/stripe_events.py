"""What Stripe sends by itself: whether it is Stripe that sends, and what it is about.

Only ids are read of an event. What became of the thing is asked for afterwards, so the version
in which an event is written does not matter, nor whether the newest one comes first.
"""

import json
from collections.abc import Iterator, Mapping

import stripe

from tallystick.domain.provider_event import (
    EventRefused,
    IntentMoved,
    MethodMoved,
    MoneyMovedBack,
    News,
    NothingNew,
    ProviderEvent,
)
from tallystick.providers.stripe_client import StripeKeys

SIGNATURE = "stripe-signature"
TOLERANCE_SECONDS = 300
"""How old a signature may be, as Stripe recommends: what is repeated later is refused."""

_ID_MAX = 255

_INTENTS = frozenset(
    {
        "payment_intent.canceled",
        "payment_intent.payment_failed",
        "payment_intent.processing",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
        "setup_intent.canceled",
        "setup_intent.setup_failed",
        "setup_intent.succeeded",
    }
)
_MONEY_BACK = frozenset(
    {
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.refund.updated",
        "charge.refunded",
        "refund.created",
        "refund.failed",
        "refund.updated",
    }
)
_METHODS = frozenset(
    {
        "payment_method.automatically_updated",
        "payment_method.detached",
        "payment_method.updated",
    }
)
_MANDATES = frozenset({"mandate.updated"})

EVENTS = sorted(_INTENTS | _MONEY_BACK | _METHODS | _MANDATES)
"""What a webhook endpoint at Stripe is to send."""


def parse(keys: StripeKeys, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
    """The event behind a signed message; `headers` have small letters.

    Raises:
        EventRefused: No secret of the connection has signed it within the last minutes, it is
            of the other kind of keys (test or live), or no event at all.
    """
    _verify(keys, headers.get(SIGNATURE, ""), body)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise EventRefused("The body is no JSON.") from error
    if not isinstance(told, dict) or told.get("object") != "event":
        raise EventRefused("The body is no event.")
    if told.get("livemode") is not keys.is_live:
        raise EventRefused("The event is of the other kind of keys, test or live.")
    event_id, kind = _id(told.get("id")), _id(told.get("type"))
    if event_id is None or kind is None:
        raise EventRefused("The event has no id, or no type.")
    return ProviderEvent(id=event_id, kind=kind, news=_news(kind, _subject(told)))


def _verify(keys: StripeKeys, signature: str, body: bytes) -> None:
    """Accept a body that any secret has signed: while one is rotated there are two."""
    for secret in keys.webhook_secrets:
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
        except (stripe.SignatureVerificationError, ValueError):
            continue
        return
    raise EventRefused("No signing secret of this connection fits, or the message is too old.")


def _news(kind: str, subject: Mapping[str, object]) -> News:
    if kind in _INTENTS:
        about: Iterator[News] = (IntentMoved(one) for one in _ids(subject, "id"))
    elif kind in _MONEY_BACK:
        about = (MoneyMovedBack(one) for one in _ids(subject, "payment_intent"))
    elif kind in _METHODS:
        about = (MethodMoved(one) for one in _ids(subject, "id"))
    elif kind in _MANDATES:
        about = (MethodMoved(one) for one in _ids(subject, "payment_method"))
    else:
        return NothingNew()
    return next(about, NothingNew())


def _subject(told: Mapping[str, object]) -> Mapping[str, object]:
    data = told.get("data")
    subject = data.get("object") if isinstance(data, dict) else None
    return subject if isinstance(subject, dict) else {}


def _ids(subject: Mapping[str, object], name: str) -> Iterator[str]:
    """The id under a name, where there is one; expanded objects carry theirs."""
    told = subject.get(name)
    found = _id(told.get("id") if isinstance(told, dict) else told)
    if found is not None:
        yield found


def _id(told: object) -> str | None:
    return told if isinstance(told, str) and 0 < len(told) <= _ID_MAX else None
