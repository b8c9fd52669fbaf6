"""Payment methods, and what Stripe's published test numbers and test tokens do.

From https://docs.stripe.com/testing. A number that is not published is refused, as a real one
is in test mode.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from tests.stripe.account import Account
from tests.stripe.refusals import Json, Refused, card_error, invalid


class Challenge(Enum):
    """When a card asks its holder to authenticate."""

    NEVER = auto()
    UNLESS_SET_UP = auto()
    """On session always; off session until it was set up for that."""
    ALWAYS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What a number does."""

    brand: str = "visa"
    decline: str | None = None
    """The decline code of every attempt."""
    attaches: bool = False
    """Declines charges alone: it can be saved."""
    challenge: Challenge = Challenge.NEVER
    set_up: bool = False
    """Off session, as if it had been set up."""
    disputed: bool = False
    refund: str = "succeeded"
    failure: str | None = None
    """With which code a debit fails when it is decided."""


GOOD = Behaviour()
NUMBERS = {
    "4242424242424242": GOOD,
    "4000056655665556": GOOD,
    "5555555555554444": Behaviour(brand="mastercard"),
    "378282246310005": Behaviour(brand="amex"),
    "4000000000000002": Behaviour(decline="generic_decline"),
    "4000000000009995": Behaviour(decline="insufficient_funds"),
    "4000000000009987": Behaviour(decline="lost_card"),
    "4000000000009979": Behaviour(decline="stolen_card"),
    "4000000000000069": Behaviour(decline="expired_card"),
    "4000000000000127": Behaviour(decline="incorrect_cvc"),
    "4000000000000119": Behaviour(decline="processing_error"),
    "4000000000006975": Behaviour(decline="card_velocity_exceeded"),
    "4100000000000019": Behaviour(decline="fraudulent"),
    "4000000000000341": Behaviour(decline="generic_decline", attaches=True),
    "4000002500003155": Behaviour(challenge=Challenge.UNLESS_SET_UP),
    "4000003800000446": Behaviour(challenge=Challenge.UNLESS_SET_UP, set_up=True),
    "4000002760003184": Behaviour(challenge=Challenge.ALWAYS),
    "4000000000003220": Behaviour(challenge=Challenge.ALWAYS),
    "4000000000003063": Behaviour(challenge=Challenge.ALWAYS),
    "4000008260003178": Behaviour(
        challenge=Challenge.ALWAYS, decline="insufficient_funds", attaches=True
    ),
    "4000008400001629": Behaviour(challenge=Challenge.ALWAYS, decline="generic_decline"),
    "4000000000000259": Behaviour(disputed=True),
    "4000000000007726": Behaviour(refund="pending"),
    "4000000000005126": Behaviour(refund="failing"),
}
IBANS = {
    "AT611904300234573201": GOOD,
    "DE89370400440532013000": GOOD,
    "FR1420041010050500013M02606": GOOD,
    "NL39RABO0300065264": GOOD,
    "AT861904300235473202": Behaviour(failure="insufficient_funds"),
    "DE62370400440532013001": Behaviour(failure="insufficient_funds"),
    "AT591904300235473203": Behaviour(disputed=True),
    "DE35370400440532013002": Behaviour(disputed=True),
}
SORT_CODES = {
    "108800 00012345": GOOD,
    "108800 22222227": Behaviour(failure="insufficient_funds"),
    "108800 33333335": Behaviour(failure="debit_not_authorized"),
    "108800 55555559": Behaviour(disputed=True),
}
BSBS = {
    "000000 000123456": GOOD,
    "000000 111111113": Behaviour(failure="account_closed"),
    "000000 222222227": Behaviour(failure="refer_to_customer"),
    "000000 333333335": Behaviour(failure="debit_not_authorized"),
    "000000 666666660": Behaviour(disputed=True),
}
ACCOUNTS = {"sepa_debit": IBANS, "bacs_debit": SORT_CODES, "au_becs_debit": BSBS}
"""Accounts that can be debited, by the type of method."""

CURRENCY_OF = {"sepa_debit": "eur", "bacs_debit": "gbp", "au_becs_debit": "aud"}
"""The one currency that a type of debit is in."""

ENDS_MANDATES = frozenset({"account_closed", "debit_not_authorized", "no_account"})
"""Failures after which the account cannot be debited again."""

_HOLDER = ("billing_details[name]", "billing_details[email]")
_AT_HOME = tuple(
    f"billing_details[address][{name}]" for name in ("line1", "city", "postal_code", "country")
)
NEEDS = {
    "sepa_debit": _HOLDER,
    "bacs_debit": (*_HOLDER, *_AT_HOME),
    "au_becs_debit": _HOLDER,
}
"""What must be known of an account's holder."""

TOKENS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_debit": "4000056655665556",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequiredSetupForOffSession": "4000003800000446",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_threeDSecureRequired": "4000000000003063",
    "pm_card_threeDSecureRequiredChargeDeclined": "4000008400001629",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
}
DELAYED = frozenset(CURRENCY_OF)
"""Types whose payments are decided days later, under a mandate."""

LAST_YEAR = 2050


def create(account: Account, params: Json, _: str) -> Json:
    """A method from what was typed."""
    kind = params.get("type")
    if kind == "card":
        card = params.get("card") or {}
        token = card.get("token", "").replace("tok_", "pm_card_", 1)
        fields = _token_fields(token) if token else card
        return _new_card(account, fields, params)
    if kind in account.types and kind in ACCOUNTS:
        return _new_account(account, kind, params)
    raise invalid(f"The payment method type {kind!r} is not activated.", param="type")


def retrieve(account: Account, _: Json, object_id: str) -> Json:
    """One method; a test token becomes a new one, as at Stripe."""
    return resolve(account, object_id)


def resolve(account: Account, object_id: str, *, param: str | None = None) -> Json:
    """A method, or the new one that a test token stands for."""
    if object_id in TOKENS:
        return _new_card(account, _token_fields(object_id), {})
    return account.get("payment_method", object_id, param=param)


def attach(account: Account, params: Json, object_id: str) -> Json:
    """Give it to a customer; cards that decline everything are declined here too."""
    if "customer" not in params:
        raise invalid("Missing required param: customer.", code="parameter_missing", kept=False)
    method = resolve(account, object_id)
    customer = account.get("customer", params["customer"], param="customer")
    behaviour = behaviour_of(account, method)
    if method["customer"] not in {None, customer["id"]}:
        raise invalid(
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    _refuse_used(account, method)
    if behaviour.decline and not behaviour.attaches:
        raise decline(behaviour.decline, payment_method=method)
    keep_for(account, method, customer["id"])
    return method


def detach(account: Account, _: Json, object_id: str) -> Json:
    """Take it from its customer; nobody can use it again."""
    method = account.get("payment_method", object_id)
    if method["customer"] is None:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is"
            " impossible.",
            code="payment_method_unexpected_state",
        )
    method["customer"] = None
    account.hidden[object_id]["used"] = True
    account.tell("payment_method.detached", method)
    return method


def keep_for(account: Account, method: Json, customer_id: str) -> None:
    """It belongs to a customer from now on."""
    if method["customer"] is None:
        method["customer"] = customer_id
        account.tell("payment_method.attached", method)


def usable(account: Account, method: Json, customer_id: str | None) -> None:
    """Whether an intent of this customer can use it.

    Raises:
        Refused: It is another customer's, or used up.
    """
    if method["customer"] is not None and customer_id is None:
        raise invalid(
            "The payment method you provided is attached to a customer so for security purposes"
            " you must provide the customer in the request.",
            param="customer",
        )
    if method["customer"] not in {None, customer_id}:
        raise invalid(
            f"The customer does not have a payment method with the ID {method['id']}. The"
            " payment method must be attached to the customer.",
            code="resource_missing",
            param="payment_method",
        )
    _refuse_used(account, method)


def _refuse_used(account: Account, method: Json) -> None:
    if method["customer"] is None and account.hidden[method["id"]].get("used"):
        raise invalid(
            "The provided PaymentMethod was previously used with a PaymentIntent without"
            " Customer attachment, shared with a connected account without Customer attachment,"
            " or was detached from a Customer. It may not be used again. To use a PaymentMethod"
            " multiple times, you must attach it to a Customer first.",
            param="payment_method",
        )


def behaviour_of(account: Account, method: Json) -> Behaviour:
    """What it does when it is charged or set up."""
    number: str = account.hidden[method["id"]]["number"]
    kind: str = method["type"]
    return NUMBERS[number] if kind == "card" else ACCOUNTS[kind][number]


def decline(
    code: str, *, payment_method: Json | None = None, charge: str | None = None
) -> Refused:
    """402, the card's issuer says no."""
    own = {"expired_card", "incorrect_cvc", "processing_error", "authentication_required"}
    words = {
        "expired_card": "Your card has expired.",
        "incorrect_cvc": "Your card's security code is incorrect.",
        "insufficient_funds": "Your card has insufficient funds.",
        "authentication_required": "Your card was declined. This transaction requires"
        " authentication.",
    }
    return card_error(
        words.get(code, "Your card was declined."),
        code=code if code in own else "card_declined",
        decline_code=code,
        charge=charge,
        payment_method=payment_method,
    )


def _token_fields(token: str) -> Json:
    number = TOKENS.get(token)
    if number is None:
        raise invalid(f"No such token: '{token}'", code="resource_missing", param="card[token]")
    return {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}


def _new_card(account: Account, card: Json, params: Json) -> Json:
    number = re.sub(r"[ -]", "", str(card.get("number", "")))
    month, year = int(card.get("exp_month", 0)), int(card.get("exp_year", 0))
    if number not in NUMBERS:
        raise card_error("Your card number is incorrect.", code="incorrect_number")
    if not 1 <= month <= 12:
        message = "Your card's expiration month is invalid."
        raise card_error(message, code="invalid_expiry_month", param="exp_month")
    year += 2000 if 0 < year < 100 else 0
    # The day is not looked at: what Stripe asks is whether the year is past.
    if not 1970 + account.clock() // 31_557_600 <= year <= LAST_YEAR:
        message = "Your card's expiration year is invalid."
        raise card_error(message, code="invalid_expiry_year", param="exp_year")
    details = {
        "brand": NUMBERS[number].brand,
        "country": "US",
        "display_brand": NUMBERS[number].brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": f"card{number[-4:]}",
        "funding": "credit",
        "last4": number[-4:],
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return _new(account, "card", details, number, params)


def _new_account(account: Account, kind: str, params: Json) -> Json:
    for param in NEEDS[kind]:
        told: Any = params
        for name in re.findall(r"\w+", param):
            told = (told or {}).get(name)
        if not told:
            message = f"Missing required param: {param}."
            raise invalid(message, code="parameter_missing", param=param)
    number, details = _details(kind, params.get(kind) or {})
    if number not in ACCOUNTS[kind]:
        raise invalid(
            "The bank account you provided is invalid.",
            code="invalid_bank_account_iban" if kind == "sepa_debit" else "account_invalid",
            param=kind,
        )
    end = number[-4:]
    return _new(account, kind, {**details, "fingerprint": end, "last4": end}, number, params)


def _details(kind: str, typed: Json) -> tuple[str, Json]:
    """An account's number as it is listed here, and what is told of it besides its end."""
    if kind == "sepa_debit":
        iban = re.sub(r"\s", "", str(typed.get("iban", ""))).upper()
        made = {"charge": None, "setup_attempt": None}
        bank = {"bank_code": iban[4:12], "branch_code": "", "country": iban[:2]}
        return iban, {**bank, "generated_from": made}
    name = "sort_code" if kind == "bacs_debit" else "bsb_number"
    branch = re.sub(r"\D", "", str(typed.get(name, "")))
    number = re.sub(r"\D", "", str(typed.get("account_number", "")))
    shown = "-".join(re.findall("..", branch)) if kind == "bacs_debit" else branch
    return f"{branch} {number}", {name: shown}


def _new(account: Account, kind: str, details: Json, number: str, params: Json) -> Json:
    asked: dict[str, Any] = params.get("billing_details") or {}
    address = {
        name: (asked.get("address") or {}).get(name)
        for name in ("city", "country", "line1", "line2", "postal_code", "state")
    }
    holder = {name: asked.get(name) for name in ("email", "name", "phone")}
    made = account.add(
        "payment_method",
        {
            "allow_redisplay": params.get("allow_redisplay", "unspecified"),
            "billing_details": {"address": address, **holder},
            "customer": None,
            "metadata": params.get("metadata") or {},
            "type": kind,
            kind: details,
        },
    )
    account.hidden[made["id"]] = {"number": number, "used": False, "set_up": False}
    return made
