"""What is taken back at Stripe unasked: disputes, and refunds made in the dashboard."""

from fractions import Fraction
from typing import TYPE_CHECKING, cast
from uuid import UUID

import stripe
import structlog

from tallystick.domain.money import rounded
from tallystick.domain.reversal import ReportedReversal, ReversalKind
from tallystick.providers.stripe_amounts import NotExact, from_stripe
from tallystick.providers.stripe_client import answer_of
from tallystick.providers.stripe_intents import tenant_of
from tallystick.providers.stripe_pages import PAGE
from tallystick.providers.stripe_pages import newest as pages
from tallystick.providers.stripe_refunds import OVER, refunds_of, unasked

if TYPE_CHECKING:
    from stripe.params import DisputeListParams, RefundListParams

_REFUNDS_BACK = 3 * 24 * 3600
"""Seconds before the newest refund: longer than nobody looks."""

_DISPUTES_BACK = 120 * 24 * 3600
"""Seconds before the newest dispute: longer than most take to be decided."""

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

log = structlog.get_logger(__name__)


async def newest(api: stripe.V1Services) -> list[tuple[UUID, ReportedReversal]]:
    """The newest disputes and foreign refunds of payments that were made here.

    Each comes with its payment: an account that others use, too, has any number of them.

    Raises:
        StripeError: There was no answer.
    """
    disputes = await pages(
        lambda params: api.disputes.list_async(cast("DisputeListParams", params)),
        _DISPUTES_BACK,
        expand=("data.payment_intent",),
    )
    refunds = await pages(
        lambda params: api.refunds.list_async(cast("RefundListParams", params)),
        _REFUNDS_BACK,
        expand=("data.payment_intent",),
    )
    told: list[tuple[UUID, ReportedReversal]] = []
    taken: list[stripe.Dispute | stripe.Refund] = [*disputes, *unasked(refunds)]
    for one in taken:
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
    intent = await answer_of(lambda: api.payment_intents.retrieve_async(reference))
    disputes = await answer_of(
        lambda: api.disputes.list_async({"payment_intent": reference, "limit": PAGE})
    )
    refunds = await refunds_of(api, reference)
    taken: list[stripe.Dispute | stripe.Refund] = [*disputes.data, *unasked(refunds)]
    found = [_reported(one, intent) for one in taken]
    return [one for one in found if one is not None]


def _reported(
    taken: stripe.Dispute | stripe.Refund, intent: stripe.PaymentIntent
) -> ReportedReversal | None:
    """A report in our words; None where nothing was taken, or in part of a minor unit."""
    try:
        if isinstance(taken, stripe.Refund):
            amount = from_stripe(taken.amount, taken.currency.upper())
            moved, kind = (amount, amount if taken.status in OVER else 0), ReversalKind.REFUND
        else:
            disputed = _disputed(taken, intent) if taken.status in _TAKEN else None
            if disputed is None:
                return None
            moved, kind = disputed, _kind(taken)
    except NotExact:
        log.warning("stripe.amount_not_exact", reference=intent.id, of=taken.id)
        return None
    return ReportedReversal(
        id=taken.id,
        reference=intent.id,
        kind=kind,
        amount=moved[0],
        returned=moved[1],
        reason=taken.reason,
    )


def _disputed(dispute: stripe.Dispute, intent: stripe.PaymentIntent) -> tuple[int, int] | None:
    """What a dispute took, and what of that came back, in the payment's currency.

    It may take more than the payment, by another rate of exchange or because the payer's bank
    puts several charges into one, and is told as it is. Its balance transactions say what left
    the account and came again, also where a dispute is lost and was won in part; their fees are
    not counted, as those of payments are not. Where the account has another currency, it is
    what the dispute says; where that has yet another one, nobody can say, and it is the whole
    payment, once money has moved.

    Raises:
        NotExact: It is in part of a minor unit.
    """
    currency = intent.currency
    moved = [(one.amount, one.currency) for one in dispute.balance_transactions]
    out = -sum(amount for amount, _ in moved if amount < 0)
    back = sum(amount for amount, _ in moved if amount > 0)
    if out and {of for _, of in moved} == {currency}:
        number = out
    elif dispute.currency == currency:
        number = dispute.amount
    elif not out:
        return None
    else:
        log.warning("stripe.disputed_in_another_currency", id=dispute.id, of=dispute.currency)
        number = intent.amount
    amount = from_stripe(number, currency.upper())
    if dispute.status == "won":
        return amount, amount
    returned = rounded(Fraction(amount * back, out)) if out else 0
    return amount, min(returned, amount)


def _kind(dispute: stripe.Dispute) -> ReversalKind:
    if dispute.reason in _KINDS:
        return _KINDS[dispute.reason]
    return ReversalKind.CHARGEBACK if dispute.status == "lost" else ReversalKind.DISPUTE
