"""Money that goes back at Stripe: refunds that we ask for, and what is taken unasked."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NotRequired, TypedDict, TypeVar, cast
from uuid import UUID

import stripe

from tallystick.domain.payment import Refunded, RefundOutcome, RefundRefused, Unknown
from tallystick.domain.reversal import ReportedReversal, ReversalKind
from tallystick.providers.stripe_amounts import NotExact, from_stripe, to_stripe
from tallystick.providers.stripe_client import answer_of, is_kept_fault
from tallystick.providers.stripe_intents import tenant_of

if TYPE_CHECKING:
    from stripe.params import DisputeListParams, RefundListParams

Taken = TypeVar("Taken", stripe.Dispute, stripe.Refund)


class _ListParams(TypedDict):
    """What a page of either is asked with."""

    limit: int
    expand: list[str]
    starting_after: NotRequired[str]


KEY = "tallystick_refund"
"""Under this name a refund carries our key: what has none was made in Stripe's dashboard."""

_PAGE = 100
_PAGES_MAX = 20
_REFUNDS_BACK = 3 * 24 * 3600
"""Seconds before the newest refund: longer than nobody looks."""

_DISPUTES_BACK = 120 * 24 * 3600
"""Seconds before the newest dispute: longer than most take to be decided."""

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
    known = await _refunds(api, reference)
    given = next((one for one in known if _key_of(one) == key), None)
    if given is None:
        left = intent.amount - sum(one.amount for one in known if one.status not in _OVER)
        return await _asked_for(api, reference, number, key, only_once=2 * number > left)
    if given.amount != number:
        return RefundRefused(f"Under this key {given.amount} was refunded, not {number}.")
    return _as_outcome(given)


async def _asked_for(
    api: stripe.V1Services, reference: str, number: int, key: str, *, only_once: bool
) -> RefundOutcome:
    """Ask for a refund that is not there.

    Where Stripe keeps a fault of its own, nobody knows whether the refund will still be made.
    It is asked for under another key where Stripe would refuse the second one (`only_once`),
    because so much is not left of the payment; else it waits for Stripe to forget the key.
    """
    try:
        return _as_outcome(await _created(api, reference, number, key, f"{reference}:{key}"))
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        return RefundRefused(error.user_message or "Stripe refuses the refund.")
    except stripe.IdempotencyError:
        return Unknown()
    except stripe.StripeError as error:
        if not (only_once and is_kept_fault(error)):
            raise
    try:
        return _as_outcome(await _created(api, reference, number, key, f"{reference}:{key}:2"))
    except stripe.InvalidRequestError:
        # The first may have been made meanwhile: then it is found, next time.
        return Unknown()


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


def _as_outcome(given: stripe.Refund) -> RefundOutcome:
    if given.status in _OVER:
        why = getattr(given, "failure_reason", None) or given.status
        return RefundRefused(f"The refund did not reach its account: {why}.")
    return Refunded()


async def newest(api: stripe.V1Services) -> list[tuple[UUID, ReportedReversal]]:
    """The newest disputes and foreign refunds of payments that were made here.

    Each comes with its payment: an account that others use, too, has any number of them.

    Raises:
        StripeError: There was no answer.
    """
    disputes = await _newest(
        lambda params: api.disputes.list_async(cast("DisputeListParams", params)),
        _DISPUTES_BACK,
    )
    refunds = await _newest(
        lambda params: api.refunds.list_async(cast("RefundListParams", params)), _REFUNDS_BACK
    )
    told: list[tuple[UUID, ReportedReversal]] = []
    for one in _unasked(disputes, refunds):
        intent = getattr(one, "payment_intent", None)
        if not isinstance(intent, stripe.PaymentIntent):
            continue
        tenant_id = tenant_of(intent)
        reported = None if tenant_id is None else _reported(one, intent)
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


async def _newest(
    listed: Callable[[_ListParams], Awaitable[stripe.ListObject[Taken]]], seconds: int | None
) -> list[Taken]:
    """Those of so long before the newest, page by page, and no more than some pages.

    Without a time it is all of them.
    """
    found: list[Taken] = []
    for _ in range(_PAGES_MAX):
        params: _ListParams = {"limit": _PAGE, "expand": ["data.payment_intent"]}
        if found:
            params["starting_after"] = found[-1].id
        page = await _page(listed, params)
        found += page.data
        if not page.has_more:
            break
        if seconds is not None and found[-1].created < found[0].created - seconds:
            break
    return found


async def _page(
    listed: Callable[[_ListParams], Awaitable[stripe.ListObject[Taken]]],
    params: _ListParams,
) -> stripe.ListObject[Taken]:
    return await answer_of(lambda: listed(params))


async def _payment(api: stripe.V1Services, reference: str) -> stripe.PaymentIntent:
    return await answer_of(lambda: api.payment_intents.retrieve_async(reference))


async def _refunds(api: stripe.V1Services, reference: str) -> list[stripe.Refund]:
    """The refunds of a payment, all of them: one that is not seen would be given twice."""
    return await _newest(
        lambda params: api.refunds.list_async(
            cast("RefundListParams", {**params, "payment_intent": reference})
        ),
        None,
    )


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


def _unasked(
    disputes: list[stripe.Dispute], refunds: list[stripe.Refund]
) -> list[stripe.Dispute | stripe.Refund]:
    return [*disputes, *(one for one in refunds if _key_of(one) is None)]


def _key_of(one: stripe.Refund) -> str | None:
    metadata = getattr(one, "metadata", None)
    told = None if metadata is None else metadata.to_dict().get(KEY)
    return None if told is None else str(told)
