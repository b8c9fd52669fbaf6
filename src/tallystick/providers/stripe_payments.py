"""Money that Stripe holds of our payments, as it lists it: what our books are compared with.

**A payment comes when its charge is made, or, a debit, when that settles.** Charges can be
listed by when they were made only. So can what moves the balance, which a debit does already
while it is pending. When a payment succeeded is told by events, which Stripe keeps for a month.
So a span of time is read twice: its charges, and the events of payments that were made before
it. Of a span that is over for longer there are its charges, as they stand now.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

import stripe
import structlog

from tallystick.domain.orphan import (
    AccessRefused,
    AllRefunded,
    Holding,
    NotToGive,
    TakenPage,
    TakenPayment,
)
from tallystick.providers.stripe_amounts import NotExact, from_stripe
from tallystick.providers.stripe_client import answer_of
from tallystick.providers.stripe_intents import customer_of, tenant_of
from tallystick.providers.stripe_refunds import OVER, refunds_of

if TYPE_CHECKING:
    from stripe.params import ChargeListParams, EventListParams

_PAGE = 100
_GONE = 404
_CHARGES, _EVENTS = "charges", "events"
_SUCCEEDED = "payment_intent.succeeded"

_Span: TypeAlias = tuple[datetime, datetime]

log = structlog.get_logger(__name__)


async def between(
    api: stripe.V1Services, tenant_id: UUID, span: _Span, after: str | None
) -> TakenPage:
    """A page of a tenant's payments that came in a span of time.

    Ours is what carries the tenant that it was opened for: what other programs charge in the
    account is left alone. A disputed charge is left out: its money is not held, and what
    becomes of it is a reversal.

    Raises:
        AccessRefused: The keys may not list charges or events.
        StripeError: There was no answer.
    """
    which, _, last = (after or f"{_CHARGES}:").partition(":")
    try:
        if which == _CHARGES:
            return await _charged(api, tenant_id, span, last)
        return await _settled(api, tenant_id, span, last)
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise _refused(error) from None


async def held(api: stripe.V1Services, tenant_id: UUID, reference: str) -> Holding:
    """A payment as it stands now.

    A charge that was ever disputed is not told of as refunded, even where all of it was: what
    becomes of it is a reversal. Nor is one that Stripe has forgotten.

    Raises:
        AccessRefused: The keys may not look.
        StripeError: There was no answer.
    """
    try:
        return await _standing(api, tenant_id, reference)
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise _refused(error) from None
    except stripe.InvalidRequestError as error:
        if error.http_status == _GONE:
            return NotToGive()
        raise


async def _standing(api: stripe.V1Services, tenant_id: UUID, reference: str) -> Holding:
    """What is held of a payment; that it is nothing is said by its refunds themselves.

    A charge that counts one among them which has failed would pass for refunded.
    """
    intent = await answer_of(
        lambda: api.payment_intents.retrieve_async(reference, {"expand": ["latest_charge"]})
    )
    charge = intent.latest_charge
    if tenant_of(intent) != tenant_id or not isinstance(charge, stripe.Charge):
        return NotToGive()
    if not _is_settled(charge) or charge.amount_refunded != charge.amount:
        return _held(charge, intent) or NotToGive()
    given = [one.amount for one in await refunds_of(api, reference) if one.status not in OVER]
    left = charge.amount - sum(given)
    if left == 0:
        return AllRefunded()
    return _taken(intent, left, charge.created) or NotToGive()


async def _charged(
    api: stripe.V1Services, tenant_id: UUID, span: _Span, last: str
) -> TakenPage:
    """A page of the charges that were made in the span."""
    begin, end = _seconds(span)
    params: ChargeListParams = {
        "limit": _PAGE,
        "created": {"gt": begin - 1, "lt": end + 1},
        "expand": ["data.payment_intent"],
    }
    if last:
        params["starting_after"] = last
    page = await answer_of(lambda: api.charges.list_async(params))
    payments = []
    for charge in page.data:
        intent = charge.payment_intent
        if charge.created > end or not isinstance(intent, stripe.PaymentIntent):
            continue
        payment = _held(charge, intent) if tenant_of(intent) == tenant_id else None
        if payment is not None:
            payments.append(payment)
    more = f"{_CHARGES}:{page.data[-1].id}" if page.has_more else f"{_EVENTS}:"
    return TakenPage(payments=tuple(payments), mark=more)


async def _settled(
    api: stripe.V1Services, tenant_id: UUID, span: _Span, last: str
) -> TakenPage:
    """A page of the payments that were made before the span and succeeded in it.

    With what they came to: `held` says what is left of it.
    """
    begin, end = _seconds(span)
    params: EventListParams = {
        "limit": _PAGE,
        "type": _SUCCEEDED,
        "created": {"gte": begin, "lte": end},
    }
    if last:
        params["starting_after"] = last
    page = await answer_of(lambda: api.events.list_async(params))
    payments = []
    for event in page.data:
        intent = event.data.object
        if not isinstance(intent, stripe.PaymentIntent) or intent.created >= begin:
            continue
        if tenant_of(intent) == tenant_id:
            payment = _taken(intent, intent.amount, event.created)
            if payment is not None:
                payments.append(payment)
    more = f"{_EVENTS}:{page.data[-1].id}" if page.has_more else None
    return TakenPage(payments=tuple(payments), mark=more)


def _refused(error: stripe.StripeError) -> AccessRefused:
    # Of a key in it, Stripe's message shows the ends only.
    return AccessRefused(error.user_message or "Stripe refuses the key.")


def _seconds(span: _Span) -> tuple[int, int]:
    """Stripe's time is in whole seconds: a span has those that it begins and ends in."""
    begin, end = span
    return int(begin.timestamp()), int(end.timestamp())


def _is_settled(charge: stripe.Charge) -> bool:
    """Whether its money came, and is in no dispute."""
    return charge.status == "succeeded" and not getattr(charge, "disputed", False)


def _held(charge: stripe.Charge, intent: stripe.PaymentIntent) -> TakenPayment | None:
    """A charge in our words; None where nothing is held of it."""
    if not _is_settled(charge):
        return None
    return _taken(intent, charge.amount - charge.amount_refunded, charge.created)


def _taken(intent: stripe.PaymentIntent, amount: int, at: int) -> TakenPayment | None:
    currency = intent.currency.upper()
    try:
        left = from_stripe(amount, currency)
    except NotExact:
        log.warning("stripe.amount_not_exact", reference=intent.id)
        return None
    if left <= 0:
        return None
    return TakenPayment(
        reference=intent.id,
        customer_id=customer_of(intent),
        amount=left,
        currency=currency,
        taken_at=datetime.fromtimestamp(at, UTC),
    )
