"""Money that goes back at Stripe: refunds that we ask for, and what is taken unasked."""

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import stripe

from tallystick.domain.payment import Refunded, RefundOutcome, RefundRefused, Unknown
from tallystick.domain.reversal import ReportedReversal, ReversalKind
from tallystick.providers.stripe_amounts import NotExact, from_stripe, to_stripe
from tallystick.providers.stripe_client import answer_of, is_kept_fault
from tallystick.providers.stripe_intents import tenant_of

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams, RefundListParams

KEY = "tallystick_refund"
"""Under this name a refund carries our key: what has none was made in Stripe's dashboard."""

_KEYS = 3
"""Under how many keys a refund is asked for, before there is no answer."""

_PAGE = 100
_PAGES_MAX = 20
_LOOKED_BACK = 3 * 24 * 3600
"""Seconds before the newest refund: longer than nobody looks."""

_OVER = frozenset({"failed", "canceled"})

_TAKEN = frozenset({"needs_response", "under_review", "won", "lost"})
"""The disputes that move money; an inquiry (`warning_*`) or one that was prevented does not."""

_KINDS = {
    "insufficient_funds": ReversalKind.INSUFFICIENT_FUNDS,
    "debit_not_authorized": ReversalKind.DEBTOR_RECALL,
    "customer_initiated": ReversalKind.DEBTOR_RECALL,
    "incorrect_account_details": ReversalKind.RETURNED,
    "bank_cannot_process": ReversalKind.RETURNED,
}
"""What the disputes of debits are called here; their reasons are none of a card's."""


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
    given = await _given(api, reference, key)
    if given is None:
        try:
            given = await _made(api, reference, number, key)
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            return RefundRefused(error.user_message or "Stripe refuses the refund.")
        except stripe.IdempotencyError:
            return Unknown()
    elif given.amount != number:
        return RefundRefused(f"Under this key {given.amount} was refunded, not {number}.")
    if given.status in _OVER:
        why = getattr(given, "failure_reason", None) or given.status
        return RefundRefused(f"The refund did not reach its account: {why}.")
    return Refunded()


async def _made(api: stripe.V1Services, reference: str, number: int, key: str) -> stripe.Refund:
    """A refund that was not there a moment ago.

    A fault of its own Stripe keeps under a key for a day. Whether the refund was made all the
    same is looked up once more, and only then is it asked for under the next key.

    Raises:
        StripeError: There was no answer.
    """
    params: RefundCreateParams = {
        "payment_intent": reference,
        "amount": number,
        "reason": "requested_by_customer",
        "metadata": {KEY: key},
    }
    first = f"{reference}:{key}"
    for one in (first, *(f"{first}:{again}" for again in range(2, _KEYS))):
        options: stripe.RequestOptions = {"idempotency_key": one}
        try:
            return await answer_of(partial(api.refunds.create_async, params, options))
        except stripe.StripeError as error:
            if not is_kept_fault(error):
                raise
        given = await _given(api, reference, key)
        if given is not None:
            return given
    return await answer_of(
        lambda: api.refunds.create_async(params, {"idempotency_key": f"{first}:{_KEYS}"})
    )


async def newest(api: stripe.V1Services) -> list[tuple[UUID, ReportedReversal]]:
    """The newest disputes and foreign refunds of payments that were made here.

    Raises:
        StripeError: There was no answer.
    """
    disputes = await answer_of(lambda: api.disputes.list_async({"limit": _PAGE}))
    refunds = await _newest_refunds(api)
    told: list[tuple[UUID, ReportedReversal]] = []
    known: dict[str, stripe.PaymentIntent] = {}
    for one in _unasked(disputes.data, refunds):
        reference = _reference(one)
        if reference is None:
            continue
        if reference not in known:
            known[reference] = await _payment(api, reference)
        tenant_id = tenant_of(known[reference])
        reported = _reported(one, known[reference])
        if tenant_id is not None and reported is not None:
            told.append((tenant_id, reported))
    return told


async def of_payment(api: stripe.V1Services, reference: str) -> list[ReportedReversal]:
    """The disputes and foreign refunds of one payment.

    Raises:
        StripeError: There was no answer.
    """
    intent = await _payment(api, reference)
    disputes = await answer_of(
        lambda: api.disputes.list_async({"payment_intent": reference, "limit": _PAGE})
    )
    refunds = await _refunds(api, reference)
    found = [_reported(one, intent) for one in _unasked(disputes.data, refunds)]
    return [one for one in found if one is not None]


async def _newest_refunds(api: stripe.V1Services) -> list[stripe.Refund]:
    """Those of the last days, most of which are ours, and no more than some pages of them."""
    found: list[stripe.Refund] = []
    for _ in range(_PAGES_MAX):
        params: RefundListParams = {"limit": _PAGE}
        if found:
            params["starting_after"] = found[-1].id
        page = await _refund_page(api, params)
        found += page.data
        if not page.has_more or page.data[-1].created < found[0].created - _LOOKED_BACK:
            break
    return found


async def _refund_page(
    api: stripe.V1Services, params: "RefundListParams"
) -> stripe.ListObject[stripe.Refund]:
    return await answer_of(lambda: api.refunds.list_async(params))


async def _payment(api: stripe.V1Services, reference: str) -> stripe.PaymentIntent:
    return await answer_of(lambda: api.payment_intents.retrieve_async(reference))


async def _refunds(api: stripe.V1Services, reference: str) -> list[stripe.Refund]:
    """The refunds of a payment; a payment has fewer than a page of them."""
    listed = await answer_of(
        lambda: api.refunds.list_async({"payment_intent": reference, "limit": _PAGE})
    )
    return listed.data


async def _given(api: stripe.V1Services, reference: str, key: str) -> stripe.Refund | None:
    for one in await _refunds(api, reference):
        if _key_of(one) == key:
            return one
    return None


def _reported(
    taken: stripe.Dispute | stripe.Refund, intent: stripe.PaymentIntent
) -> ReportedReversal | None:
    """A report in our words; None where nothing was taken, or in part of a minor unit."""
    try:
        paid = from_stripe(intent.amount, intent.currency.upper())
        amount = from_stripe(taken.amount, taken.currency.upper())
    except NotExact:
        return None
    # A dispute may be in the card's currency, or be worth more by its rate: it takes the whole.
    amount = min(amount, paid) if taken.currency == intent.currency else paid
    if isinstance(taken, stripe.Refund):
        return ReportedReversal(
            id=taken.id,
            reference=intent.id,
            kind=ReversalKind.REFUND,
            amount=amount,
            returned=amount if taken.status in _OVER else 0,
            reason=taken.reason,
        )
    if taken.status not in _TAKEN:
        return None
    return ReportedReversal(
        id=taken.id,
        reference=intent.id,
        kind=_kind(taken),
        amount=amount,
        returned=amount if taken.status == "won" else 0,
        reason=taken.reason,
    )


def _kind(dispute: stripe.Dispute) -> ReversalKind:
    if dispute.reason in _KINDS:
        return _KINDS[dispute.reason]
    return ReversalKind.CHARGEBACK if dispute.status == "lost" else ReversalKind.DISPUTE


def _reference(taken: stripe.Dispute | stripe.Refund) -> str | None:
    told = getattr(taken, "payment_intent", None)
    return told if told is None or isinstance(told, str) else str(told.id)


def _unasked(
    disputes: list[stripe.Dispute], refunds: list[stripe.Refund]
) -> list[stripe.Dispute | stripe.Refund]:
    return [*disputes, *(one for one in refunds if _key_of(one) is None)]


def _key_of(one: stripe.Refund) -> str | None:
    metadata = getattr(one, "metadata", None)
    told = None if metadata is None else metadata.to_dict().get(KEY)
    return None if told is None else str(told)
