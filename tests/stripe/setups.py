"""SetupIntents: a method is made ready for later, and no money moves."""

import copy
from contextlib import suppress

from tests.stripe import intents, mandates, methods
from tests.stripe.account import Account
from tests.stripe.methods import DELAYED, Challenge
from tests.stripe.refusals import Json, Refused, invalid, missing

WITH_CONFIRM = ("return_url", "mandate_data")


def create(account: Account, params: Json, _: str) -> Json:
    """A new intent to save a method."""
    intents.only_with_confirm(params, WITH_CONFIRM)
    if "customer" in params:
        account.get("customer", params["customer"], param="customer")
    fields = {
        "automatic_payment_methods": intents.automatic(params),
        "cancellation_reason": None,
        "customer": params.get("customer"),
        "description": params.get("description"),
        "last_setup_error": None,
        "mandate": None,
        "metadata": params.get("metadata") or {},
        "next_action": None,
        "payment_method": None,
        "payment_method_options": params.get("payment_method_options") or {},
        "payment_method_types": intents.types(account, params),
        "status": "requires_payment_method",
        "usage": params.get("usage", "off_session"),
    }
    method = intents.chosen(account, params, fields)
    intent = account.add("setup_intent", fields)
    intent["client_secret"] = f"{intent['id']}_secret_{intent['created']}"
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    account.tell("setup_intent.created", intent)
    return _confirmed(account, intent, params) if params.get("confirm") else intent


def retrieve(account: Account, params: Json, intent_id: str) -> Json:
    """One, for whoever has the secret key, or its own client secret."""
    intent = account.get("setup_intent", intent_id)
    if params.get("client_secret", intent["client_secret"]) != intent["client_secret"]:
        raise missing("setupintent", intent_id, param="client_secret")
    return intent


def confirm(account: Account, params: Json, intent_id: str) -> Json:
    """Save the method, or say what is missing."""
    intent = account.get("setup_intent", intent_id)
    if intent["status"] not in intents.CONFIRMABLE:
        raise intents.unexpected("confirm", intent, intents.CONFIRMABLE)
    method = intents.chosen(account, params, intent)
    if method is not None:
        intent["payment_method"] = method["id"]
    return _confirmed(account, intent, params)


def _confirmed(account: Account, intent: Json, params: Json) -> Json:
    if intent["payment_method"] is None:
        raise invalid(
            "You cannot confirm this SetupIntent because it's missing a payment method.",
            code="setup_intent_unexpected_state",
            about=intent,
        )
    method = account.get("payment_method", intent["payment_method"])
    intents.need_return_url(intent, params)
    account.hidden[intent["id"]]["return_url"] = params.get("return_url")
    intent["mandate"] = mandates.mandate(account, method, params, intent)
    intent["last_setup_error"] = None
    behaviour = methods.behaviour_of(account, method)
    if method["type"] in DELAYED or behaviour.challenge is Challenge.NEVER or behaviour.set_up:
        _save(account, intent)
    else:
        intent |= {
            "status": "requires_action",
            "next_action": intents.next_action(account, intent),
        }
        account.tell("setup_intent.requires_action", intent)
    return intent


def _save(account: Account, intent: Json) -> None:
    """Keep the method for the customer.

    Raises:
        Refused: The issuer says no.
    """
    method = account.get("payment_method", intent["payment_method"])
    behaviour = methods.behaviour_of(account, method)
    if behaviour.decline is not None and not behaviour.attaches:
        refusal = methods.decline(behaviour.decline, payment_method=method)
        _fail(account, intent, refusal.body["error"])
        refusal.body["error"]["setup_intent"] = copy.deepcopy(intent)
        raise refusal
    intent |= {"status": "succeeded", "next_action": None}
    if intent["customer"]:
        methods.keep_for(account, method, intent["customer"])
    account.hidden[method["id"]]["set_up"] = intent["usage"] == "off_session"
    account.tell("setup_intent.succeeded", intent)


def _fail(account: Account, intent: Json, error: Json) -> None:
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_setup_error": copy.deepcopy(error),
    }
    account.tell("setup_intent.setup_failed", intent)


def cancel(account: Account, params: Json, intent_id: str) -> Json:
    """Nobody will save it any more."""
    intent = account.get("setup_intent", intent_id)
    if intent["status"] not in intents.CONFIRMABLE:
        raise intents.unexpected("cancel", intent, intents.CONFIRMABLE)
    intent |= {
        "status": "canceled",
        "next_action": None,
        "cancellation_reason": params.get("cancellation_reason"),
    }
    account.tell("setup_intent.canceled", intent)
    return intent


def answer(account: Account, intent: Json, *, approve: bool) -> None:
    """The buyer's answer to a challenge; one that nobody waits for changes nothing."""
    if intent["status"] != "requires_action":
        return
    if approve:
        # A decline is told by the intent.
        with suppress(Refused):
            _save(account, intent)
    else:
        method = copy.deepcopy(account.get("payment_method", intent["payment_method"]))
        error = {
            "type": "invalid_request_error",
            "code": "setup_intent_authentication_failure",
            "message": "The latest attempt to set up the payment method has failed because"
            " authentication failed.",
            "payment_method": method,
        }
        _fail(account, intent, error)
