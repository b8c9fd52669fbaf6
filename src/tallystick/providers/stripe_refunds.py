"""Refunds that we ask Stripe for: each given once, and found again by what it carries.

A refund carries our key in its metadata. Before it is asked for, and before it is asked for
once more, the refunds of its payment are listed: the list is current as soon as a call has
ended, unlike Stripe's search. So nothing has to be asked in order to look.

**A fault that Stripe keeps.** Stripe answers a key for a day as it answered first, also with a
500. Such a repetition says that the first call has ended; if its refund is not listed after
that, it was not made, and the next key may be used. Keys are used in one order, each only when
the one before has ended in a fault and made nothing. So of all calls that are on their way,
delayed, doubled or made by two workers at once, one makes the refund: whatever comes late under
an earlier key is answered with its fault.

What is left is a refund that Stripe makes days after its fault, when its people mend what an
incident has broken. Nobody can rule that out. It carries our key like the one that was given
meanwhile, and whatever carries a key beyond the oldest was not asked for: it is reported like a
refund made by hand, and is due again.
"""

from typing import TYPE_CHECKING, cast

import stripe

from tallystick.domain.payment import (
    NotAsked,
    Refunded,
    RefundOutcome,
    RefundRefused,
    RefundStanding,
    Unknown,
)
from tallystick.providers.stripe_amounts import NotExact, to_stripe
from tallystick.providers.stripe_client import answer_of, is_kept_fault
from tallystick.providers.stripe_pages import newest

if TYPE_CHECKING:
    from stripe.params import EventListParams, RefundListParams

KEY = "tallystick_refund"
"""Under this name a refund carries our key: what has none was made in Stripe's dashboard."""

OVER = frozenset({"failed", "canceled"})
"""The statuses of a refund whose money is with the merchant again."""

_FAILED_BACK = 3 * 24 * 3600
"""Seconds before the newest event of a refund that failed: longer than nobody looks."""

_ENDINGS = ("", ":2", ":3")
"""Of Stripe's keys for one refund, in the order in which they are used."""


async def refund(
    api: stripe.V1Services, reference: str, amount: int, key: str
) -> RefundOutcome:
    """Give `amount` (minor units) back, unless that was done under the key before.

    Raises:
        StripeError: There was no answer.
    """
    intent = await answer_of(lambda: api.payment_intents.retrieve_async(reference))
    try:
        number = to_stripe(amount, intent.currency.upper())
    except NotExact as error:
        return RefundRefused(str(error))
    for ending in _ENDINGS:
        given = await _given(api, reference, key)
        if given is not None:
            return _answer(given, number)
        try:
            made = await _created(api, reference, number, key, f"{reference}:{key}{ending}")
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            # Another worker may have made it under the next key meanwhile.
            given = await _given(api, reference, key)
            if given is not None:
                return _answer(given, number)
            return RefundRefused(error.user_message or "Stripe refuses the refund.")
        except stripe.IdempotencyError:
            return Unknown()
        except stripe.StripeError as error:
            if not is_kept_fault(error):
                raise
        else:
            return _as_outcome(made)
    return Unknown()


async def look(api: stripe.V1Services, reference: str, key: str) -> RefundStanding:
    """What has become of the refund under a key. Nothing is asked for.

    Raises:
        StripeError: There was no answer.
    """
    given = await _given(api, reference, key)
    return NotAsked() if given is None else _as_outcome(given)


async def failed(api: stripe.V1Services) -> list[str]:
    """The payments of which a refund failed lately, as the account's events tell.

    Also of refunds that we did not ask for, and of payments that other programs made.

    Raises:
        StripeError: There was no answer.
    """
    told = await newest(
        lambda params: api.events.list_async(
            cast("EventListParams", {**params, "type": "refund.failed"})
        ),
        _FAILED_BACK,
    )
    about = [one.data.object for one in told]
    failed = [one for one in about if isinstance(one, stripe.Refund) and one.payment_intent]
    return list(dict.fromkeys(_payment_of(one) for one in failed))


async def refunds_of(api: stripe.V1Services, reference: str) -> list[stripe.Refund]:
    """The refunds of a payment, all of them: one that is not seen would be given twice.

    Raises:
        StripeError: There was no answer.
    """
    return await newest(
        lambda params: api.refunds.list_async(
            cast("RefundListParams", {**params, "payment_intent": reference})
        ),
        None,
    )


def unasked(refunds: list[stripe.Refund]) -> list[stripe.Refund]:
    """Those of a list, newest first, that we did not ask for.

    They carry no key of ours, or that of an older one.
    """
    found: list[stripe.Refund] = []
    seen: set[tuple[str, str]] = set()
    for one in reversed(refunds):
        key = _key_of(one)
        ours = None if key is None else (_payment_of(one), key)
        if ours is None or ours in seen:
            found.append(one)
        else:
            seen.add(ours)
    return found[::-1]


async def _given(api: stripe.V1Services, reference: str, key: str) -> stripe.Refund | None:
    """The refund that carries a key; of several the oldest."""
    known = [one for one in await refunds_of(api, reference) if _key_of(one) == key]
    return known[-1] if known else None


async def _created(
    api: stripe.V1Services, reference: str, number: int, key: str, under: str
) -> stripe.Refund:
    """A new refund that carries our key; Stripe is asked `under` one of its own."""
    return await answer_of(
        lambda: api.refunds.create_async(
            {
                "payment_intent": reference,
                "amount": number,
                "reason": "requested_by_customer",
                "metadata": {KEY: key},
            },
            {"idempotency_key": under},
        )
    )


def _answer(given: stripe.Refund, number: int) -> RefundOutcome:
    if given.amount != number:
        return RefundRefused(f"Under this key {given.amount} was refunded, not {number}.")
    return _as_outcome(given)


def _as_outcome(given: stripe.Refund) -> RefundOutcome:
    if given.status in OVER:
        why = getattr(given, "failure_reason", None) or given.status
        return RefundRefused(f"The refund did not reach its account: {why}.")
    return Refunded()


def _key_of(one: stripe.Refund) -> str | None:
    metadata = getattr(one, "metadata", None)
    told = None if metadata is None else metadata.to_dict().get(KEY)
    return None if told is None else str(told)


def _payment_of(one: stripe.Refund) -> str:
    """Its payment's id, whether it was expanded or not."""
    payment = one.payment_intent
    return payment.id if isinstance(payment, stripe.PaymentIntent) else str(payment)
