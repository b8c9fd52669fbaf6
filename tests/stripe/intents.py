"""PaymentIntents: https://docs.stripe.com/payments/paymentintents/lifecycle."""

import copy
from contextlib import suppress
from typing import Any

from tests.stripe import mandates, methods, money
from tests.stripe.account import Account, Kind
from tests.stripe.methods import CURRENCY_OF, DELAYED, ENDS_MANDATES, Challenge
from tests.stripe.refusals import Json, Refused, card_error, invalid

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELLABLE = (
    "requires_payment_method", "requires_capture", "requires_confirmation", "requires_action",
)  # fmt: skip
WITH_CONFIRM = ("return_url", "off_session", "mandate_data", "mandate")
"""What may be said at creation only with `confirm=true`."""

KEPT_FIELDS = (
    "description", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip


def create(account: Account, params: Json, _: str) -> Json:
    """A new intent; moves no money unless it is confirmed at once."""
    money.check_amount(params["amount"], params["currency"])
    only_with_confirm(params, WITH_CONFIRM)
    if "customer" in params:
        account.get("customer", params["customer"], param="customer")
    fields = {
        "amount": params["amount"],
        "amount_received": 0,
        "automatic_payment_methods": automatic(params),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic_async"),
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "currency": params["currency"],
        "customer": params.get("customer"),
        "last_payment_error": None,
        "latest_charge": None,
        "metadata": params.get("metadata") or {},
        "next_action": None,
        "payment_method": None,
        "payment_method_options": params.get("payment_method_options") or {},
        "payment_method_types": types(account, params, params["currency"]),
        "processing": None,
        "status": "requires_payment_method",
        **{name: params.get(name) for name in KEPT_FIELDS},
    }
    method = chosen(account, params, fields)
    intent = account.add("payment_intent", fields)
    intent["client_secret"] = f"{intent['id']}_secret_{intent['created']}"
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    account.tell("payment_intent.created", intent)
    return _confirmed(account, intent, params) if params.get("confirm") else intent


def automatic(params: Json) -> Json:
    """How methods are chosen; each way excludes the others.

    Raises:
        Refused: Two ways were named.
    """
    ways = ("allowed_payment_method_types", "excluded_payment_method_types",
            "automatic_payment_methods", "payment_method_configuration")  # fmt: skip
    if sum(way in params for way in ways) > 1 and "allowed_payment_method_types" in params:
        raise invalid("You may only specify one of these parameters: " + ", ".join(ways))
    asked: Json = params.get("automatic_payment_methods") or {}
    return {"allow_redirects": asked.get("allow_redirects", "always"), "enabled": True}


def types(account: Account, params: Json, currency: str | None = None) -> list[str]:
    """The types of methods that fit: what is not compatible is left out and not said."""
    able = [
        kind for kind in account.types if currency in {None, CURRENCY_OF.get(kind, currency)}
    ]
    allowed = params.get("allowed_payment_method_types", able)
    return [
        kind
        for kind in able
        if kind in allowed and kind not in params.get("excluded_payment_method_types", [])
    ]


def chosen(account: Account, params: Json, intent: Json) -> Json | None:
    """The method that a call names, if any, and if the intent can use it."""
    if "payment_method" not in params:
        return None
    method = methods.resolve(account, params["payment_method"], param="payment_method")
    methods.usable(account, method, intent["customer"])
    if method["type"] not in intent["payment_method_types"]:
        raise invalid(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this"
            f" PaymentIntent. Please attach a PaymentMethod of one of the following types:"
            f" {', '.join(intent['payment_method_types'])}.",
            code="payment_intent_incompatible_payment_method",
            param="payment_method",
        )
    return method


def only_with_confirm(params: Json, names: tuple[str, ...]) -> None:
    """Refuse what makes sense only when the intent is confirmed in the same call."""
    for name in names:
        if name in params and not params.get("confirm"):
            message = f"The parameter `{name}` can only be used with `confirm=true`."
            raise invalid(message, param=name)


def unexpected(verb: str, intent: Json, possible: tuple[str, ...]) -> Refused:
    """400: it is not in a state for this."""
    kind: str = intent["object"]
    name = "PaymentIntent" if kind == "payment_intent" else "SetupIntent"
    return invalid(
        f"You cannot {verb} this {name} because it has a status of {intent['status']}. Only a"
        f" {name} with one of the following statuses may be {verb}ed: {', '.join(possible)}.",
        code=f"{kind}_unexpected_state",
        about=intent,
    )


def update(account: Account, params: Json, intent_id: str) -> Json:
    """Change what an intent that is not under way says."""
    intent = account.get("payment_intent", intent_id)
    if intent["status"] not in CONFIRMABLE and set(params) - {"metadata", "description"}:
        raise unexpected("update", intent, CONFIRMABLE)
    if "amount" in params or "currency" in params:
        asked = {**intent, **params}
        money.check_amount(asked["amount"], asked["currency"])
    method = chosen(account, params, intent)
    metadata = {**intent["metadata"], **(params.get("metadata") or {})}
    intent["metadata"] = {name: value for name, value in metadata.items() if value}
    for name in ("amount", "currency", "customer", *KEPT_FIELDS):
        intent[name] = params.get(name, intent[name])
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return intent


def confirm(account: Account, params: Json, intent_id: str) -> Json:
    """Take the money, or say what is missing."""
    intent = account.get("payment_intent", intent_id)
    if intent["status"] not in CONFIRMABLE:
        raise unexpected("confirm", intent, CONFIRMABLE)
    method = chosen(account, params, intent)
    if method is not None:
        intent["payment_method"] = method["id"]
    if params.get("setup_future_usage"):
        intent["setup_future_usage"] = params["setup_future_usage"]
    return _confirmed(account, intent, params)


def _confirmed(account: Account, intent: Json, params: Json) -> Json:
    if intent["payment_method"] is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You"
            " can either update the PaymentIntent with a payment method and then confirm it"
            " again, or confirm it again directly with a payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
            about=intent,
        )
    method = account.get("payment_method", intent["payment_method"])
    methods.usable(account, method, intent["customer"])
    off_session = bool(params.get("off_session"))
    if off_session and params.get("setup_future_usage"):
        raise invalid("You cannot set `setup_future_usage` when `off_session` is true.")
    need_return_url(intent, params, off_session=off_session)
    account.hidden[intent["id"]] |= {
        "return_url": params.get("return_url"),
        "mandate": mandates.mandate(account, method, params, intent),
    }
    intent["last_payment_error"] = None
    if method["type"] in DELAYED:
        _process(account, intent)
    elif _challenged(account, method, off_session=off_session):
        _challenge(account, intent, off_session=off_session)
    else:
        _charge(account, intent)
    return intent


def need_return_url(intent: Json, params: Json, *, off_session: bool = False) -> None:
    """Methods that redirect need somewhere to come back to.

    Raises:
        Refused: There is none.
    """
    redirects = intent["automatic_payment_methods"]["allow_redirects"] == "always"
    if redirects and not params.get("return_url") and not off_session:
        name = "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"
        raise invalid(
            f"This {name} is configured to accept payment methods enabled in your Dashboard."
            " Because some of these payment methods might redirect your customer off of your"
            " page, you must provide a `return_url`.",
            param="return_url",
        )


def _challenged(account: Account, method: Json, *, off_session: bool) -> bool:
    behaviour = methods.behaviour_of(account, method)
    if behaviour.challenge is Challenge.UNLESS_SET_UP and off_session:
        return not (behaviour.set_up or account.hidden[method["id"]]["set_up"])
    return behaviour.challenge is not Challenge.NEVER


def _challenge(account: Account, intent: Json, *, off_session: bool) -> None:
    if off_session:
        failure = {"code": "authentication_required", "message": "Authentication is required."}
        failed = money.charge(account, intent, "failed", failure)
        raise _decline(account, intent, "authentication_required", failed)
    intent |= {"status": "requires_action", "next_action": next_action(account, intent)}
    account.tell("payment_intent.requires_action", intent)


def next_action(account: Account, intent: Json) -> Json:
    """Where the buyer is sent; without a `return_url`, only Stripe's script can go on."""
    return_url = account.hidden[intent["id"]]["return_url"]
    if return_url is None:
        return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    url = f"{account.challenge_origin}/authenticate/{account.id}/{intent['id']}"
    redirect = {"return_url": return_url, "url": url}
    return {"type": "redirect_to_url", "redirect_to_url": redirect}


def _charge(account: Account, intent: Json) -> None:
    """Take a card's money at once.

    Raises:
        Refused: The issuer says no.
    """
    method = account.get("payment_method", intent["payment_method"])
    behaviour = methods.behaviour_of(account, method)
    intent["next_action"] = None
    if behaviour.decline is not None:
        failure = {"code": "card_declined", "message": "Your card was declined."}
        failed = money.charge(account, intent, "failed", failure)
        raise _decline(account, intent, behaviour.decline, failed)
    money.charge(account, intent, "succeeded")
    _succeed(account, intent, method)
    if behaviour.disputed:
        money.open_dispute(account, intent["id"])


def _succeed(account: Account, intent: Json, method: Json) -> None:
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "next_action": None,
        "processing": None,
    }
    _use_up(account, intent, method)
    account.tell("payment_intent.succeeded", intent)


def _use_up(account: Account, intent: Json, method: Json) -> None:
    """A method that was charged is the customer's, or nobody's any more."""
    hidden = account.hidden[method["id"]]
    if intent["setup_future_usage"] and intent["customer"]:
        methods.keep_for(account, method, intent["customer"])
        hidden["set_up"] = hidden["set_up"] or intent["setup_future_usage"] == "off_session"
    elif method["customer"] is None:
        hidden["used"] = True


def _decline(account: Account, intent: Json, code: str, failed: Json) -> Refused:
    method = account.get("payment_method", intent["payment_method"])
    refusal = methods.decline(code, charge=failed["id"], payment_method=method)
    _fail(account, intent, refusal.body["error"])
    refusal.body["error"]["payment_intent"] = copy.deepcopy(intent)
    return refusal


def _fail(account: Account, intent: Json, error: Json) -> None:
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "processing": None,
        "last_payment_error": copy.deepcopy(error),
    }
    account.tell("payment_intent.payment_failed", intent)


def _process(account: Account, intent: Json) -> None:
    money.charge(account, intent, "pending")
    intent |= {"status": "processing", "next_action": None}
    method = account.get("payment_method", intent["payment_method"])
    _use_up(account, intent, method)
    account.tell("payment_intent.processing", intent)


def cancel(account: Account, params: Json, intent_id: str) -> Json:
    """Make sure that it never takes money."""
    intent = account.get("payment_intent", intent_id)
    if intent["status"] not in CANCELLABLE:
        raise unexpected("cancel", intent, CANCELLABLE)
    intent |= {
        "status": "canceled",
        "next_action": None,
        "canceled_at": account.clock(),
        "cancellation_reason": params.get("cancellation_reason"),
    }
    account.tell("payment_intent.canceled", intent)
    return intent


def answer(account: Account, intent: Json, *, approve: bool) -> None:
    """The buyer's answer to a challenge; one that nobody waits for changes nothing."""
    if intent["status"] != "requires_action":
        return
    if not approve:
        method = copy.deepcopy(account.get("payment_method", intent["payment_method"]))
        error: dict[str, Any] = {
            "type": "invalid_request_error",
            "code": "payment_intent_authentication_failure",
            "message": "The provided PaymentMethod has failed authentication. You can provide"
            " payment_method_data or a new PaymentMethod to attempt to fulfill this"
            " PaymentIntent again.",
            "payment_method": method,
        }
        _fail(account, intent, error)
        return
    # A decline is told by the intent.
    with suppress(Refused):
        _charge(account, intent)


def decide(account: Account, intent_id: str, *, failure: str | None = None) -> None:
    """A debit is settled, or fails with this code."""
    intent = account.get("payment_intent", intent_id)
    assert intent["status"] == "processing", "only what is under way is decided"
    charge = account.get("charge", intent["latest_charge"])
    method = account.get("payment_method", intent["payment_method"])
    if failure is None:
        charge |= {"status": "succeeded", "paid": True, "amount_captured": charge["amount"]}
        account.move(Kind.CHARGE, charge["amount"], charge, charge["id"])
        account.tell("charge.succeeded", charge)
        mandates.become(account, intent_id, "active")
        _succeed(account, intent, method)
        if methods.behaviour_of(account, method).disputed:
            money.open_dispute(account, intent_id, reason="bank_cannot_process")
        return
    message = "The customer's bank did not pay."
    charge |= {"status": "failed", "failure_code": failure, "failure_message": message}
    account.tell("charge.failed", charge)
    if failure in ENDS_MANDATES:
        mandates.become(account, intent_id, "inactive")
    refusal = card_error(message, code=failure, charge=charge["id"], payment_method=method)
    _fail(account, intent, refusal.body["error"])
