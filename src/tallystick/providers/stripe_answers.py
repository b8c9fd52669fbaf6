"""What Stripe's answers mean in our words; pure, and the only place that reads its statuses."""

from dataclasses import dataclass

import stripe

from tallystick.domain.payment import (
    AlreadySucceeded,
    Cancelled,
    Declined,
    FailureReason,
    Method,
    MethodKind,
    NeedsAction,
    Pending,
    Standing,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tallystick.providers.stripe_debits import TYPE_OF

ABANDONED = "abandoned"
"""The reason under which an intent is cancelled whose confirmation failed."""

BY_US = "requested_by_customer"
"""The reason under which an intent is cancelled that is not wanted any more."""

_CARD = "card"
_INSUFFICIENT = frozenset({"insufficient_funds"})
_EXPIRED = frozenset({"expired_card"})
_AUTHENTICATION = frozenset(
    {
        "authentication_required",
        "authentication_not_handled",
        "card_not_authenticated",
        "mobile_device_authentication_required",
        "payment_intent_authentication_failure",
        "setup_intent_authentication_failure",
    }
)
_ABANDONED_CODES = frozenset(
    {"payment_intent_payment_attempt_expired", "setup_intent_setup_attempt_expired"}
)
_MANDATE_GONE = frozenset(
    {
        "payment_intent_mandate_invalid",
        "payment_method_bank_account_blocked",
        "setup_intent_mandate_invalid",
    }
)
"""Codes of refusals of a debit whose mandate or account the payer's bank has ended."""

_PROCESSING = frozenset(
    {"processing_error", "issuer_not_available", "try_again_later", "reenter_transaction"}
)


@dataclass(frozen=True, slots=True)
class Failed:
    """A confirmation has failed, and the intent could be confirmed again: cancel it."""

    reason: FailureReason


Intent = stripe.PaymentIntent | stripe.SetupIntent
Found = Standing | Failed


def found(intent: Intent) -> Found:
    """Where an intent stands.

    A status that we do not know is `Unknown`: nothing is concluded from it.
    """
    error = _last_error(intent)
    match intent.status:
        case "succeeded":
            return Succeeded()
        case "processing":
            return Pending()
        case "requires_confirmation":
            return Unconfirmed()
        case "requires_payment_method":
            return Unconfirmed() if error is None else Failed(reason_of(error))
        case "requires_action":
            url = _challenge(intent)
            # What cannot be answered at an address cannot be answered at all here.
            return Failed(FailureReason.AUTHENTICATION_FAILED) if url is None else url
        case "canceled":
            return _ended(intent, error)
        case _:
            return Unknown()


def too_late(standing: Found) -> AlreadySucceeded | Cancelled | None:
    """What a refused cancel means where the intent stands; None where it could be cancelled."""
    match standing:
        case Succeeded():
            return AlreadySucceeded()
        case Pending():
            return AlreadySucceeded(pending=True)
        case Cancelled() | Declined():
            return Cancelled()
        case _:
            return None


def reason_of(error: object | None) -> FailureReason:
    """Why a confirmation failed, in terms the buyer can act on.

    Cards are told apart by their decline code, else by the error's own; a debit has failed,
    whatever its bank says.
    """
    if error is None:
        return FailureReason.DECLINED
    codes = {_text(error, "decline_code"), _text(error, "code")}
    method = _value(error, "payment_method")
    kind = None if method is None else _text(method, "type")
    if codes & _PROCESSING:
        return FailureReason.PROCESSING_ERROR
    if kind not in {None, _CARD}:
        return FailureReason.DEBIT_FAILED
    if codes & _INSUFFICIENT:
        return FailureReason.INSUFFICIENT_FUNDS
    if codes & _EXPIRED:
        return FailureReason.CARD_EXPIRED
    if codes & _AUTHENTICATION:
        return FailureReason.AUTHENTICATION_FAILED
    if codes & _ABANDONED_CODES:
        return FailureReason.AUTHENTICATION_ABANDONED
    return FailureReason.DECLINED


def reason_of_refusal(error: stripe.InvalidRequestError) -> FailureReason:
    """Why Stripe refused a request that was well formed a while ago: a mandate has ended, else
    something that the buyer cannot change.
    """
    if error.code in _MANDATE_GONE:
        return FailureReason.DEBIT_FAILED
    return FailureReason.PROCESSING_ERROR


def as_method(provider: str, kept: stripe.PaymentMethod) -> Method | None:
    """A method as Stripe keeps it; None where it is of a kind that is no way to pay here."""
    if kept.type == _CARD and kept.card is not None:
        return Method(
            provider=provider,
            token=kept.id,
            kind=MethodKind.CARD,
            card_brand=kept.card.brand,
            card_last4=kept.card.last4,
            card_expiry=f"{kept.card.exp_month:02}/{kept.card.exp_year}",
        )
    if kept.type in TYPE_OF.values():
        account = _value(kept, kept.type)
        return Method(
            provider=provider,
            token=kept.id,
            kind=MethodKind.DIRECT_DEBIT,
            account_hint=None if account is None else _text(account, "last4"),
        )
    return None


def _ended(intent: Intent, error: object | None) -> Declined | Cancelled:
    """A cancelled intent: one whose confirmation had failed is declined, as it was before."""
    if error is not None:
        return Declined(reason_of(error))
    if _text(intent, "cancellation_reason") != ABANDONED:
        return Cancelled()
    kinds = _value(intent, "payment_method_types")
    is_card = not isinstance(kinds, list) or _CARD in kinds
    return Declined(FailureReason.DECLINED if is_card else FailureReason.DEBIT_FAILED)


def _challenge(intent: Intent) -> NeedsAction | None:
    action = _value(intent, "next_action")
    if action is None or _text(action, "type") != "redirect_to_url":
        return None
    target = _value(action, "redirect_to_url")
    url = None if target is None else _text(target, "url")
    return None if url is None else NeedsAction(url)


def _last_error(intent: Intent) -> object | None:
    if isinstance(intent, stripe.PaymentIntent):
        return _value(intent, "last_payment_error")
    return _value(intent, "last_setup_error")


def _value(holder: object, name: str) -> object | None:
    """What Stripe says under a name; what it left out is None."""
    told: object | None = getattr(holder, name, None)
    return told


def _text(holder: object, name: str) -> str | None:
    told = _value(holder, name)
    return told if isinstance(told, str) else None
