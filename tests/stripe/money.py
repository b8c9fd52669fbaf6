"""Charges, refunds and disputes, and which amounts Stripe takes.

From https://docs.stripe.com/currencies: the least amount of a charge, currencies without minor
units, those with three decimals whose last must be 0, and those that Stripe counts with two
decimals although they have none (ISK, UGX).
"""

import copy

from tests.stripe.account import Account, Kind
from tests.stripe.methods import DELAYED, behaviour_of
from tests.stripe.refusals import Json, invalid, missing

LEAST = {
    "usd": 50, "aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50,
    "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300,
    "sgd": 50, "thb": 1000,
}  # fmt: skip
"""In Stripe's units; what is not listed is converted at Stripe, and not limited here."""

THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_ALTHOUGH_TWO = frozenset({"isk", "ugx"})
MOST = 99_999_999


def check_amount(amount: int, currency: str) -> None:
    """Whether an amount can be charged.

    Raises:
        Refused: It is too small or too large, or cannot be in this currency.
    """
    shown = f"{amount} {currency}"
    if currency != currency.lower() or len(currency) != 3:
        raise invalid(f"Invalid currency: {currency}", param="currency")
    if amount < max(1, LEAST.get(currency, 1)):
        message = f"Amount must be at least {LEAST.get(currency, 1)} {currency}, not {shown}"
        raise invalid(message, code="amount_too_small", param="amount")
    if amount > MOST:
        message = f"Amount must be no more than {MOST} {currency}"
        raise invalid(message, code="amount_too_large", param="amount")
    if currency in THREE_DECIMALS and amount % 10:
        raise invalid(
            f"Invalid amount {shown}: three-decimal currencies are rounded to the nearest ten",
            code="parameter_invalid_integer",
            param="amount",
        )
    if currency in WHOLE_ALTHOUGH_TWO and amount % 100:
        raise invalid(
            f"Invalid amount {shown}: this currency has no decimals, and two zeros instead",
            code="parameter_invalid_integer",
            param="amount",
        )


def charge(account: Account, intent: Json, status: str, failure: Json | None = None) -> Json:
    """The charge of an intent's attempt: `succeeded`, `pending` or `failed`.

    Money moves when it has succeeded.
    """
    method = account.get("payment_method", intent["payment_method"])
    details = copy.deepcopy(method[method["type"]])
    if method["type"] in DELAYED:
        details["mandate"] = account.hidden[intent["id"]].get("mandate")
    made = account.add(
        "charge",
        {
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if status == "succeeded" else 0,
            "amount_refunded": 0,
            "balance_transaction": None,
            "billing_details": copy.deepcopy(method["billing_details"]),
            "captured": status != "failed",
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_code": failure["code"] if failure else None,
            "failure_message": failure["message"] if failure else None,
            "metadata": dict(intent["metadata"]),
            "outcome": None,
            "paid": status == "succeeded",
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {"type": method["type"], method["type"]: details},
            "refunded": False,
            "status": status,
        },
        prefix="py" if method["type"] in DELAYED else None,
    )
    intent["latest_charge"] = made["id"]
    if status == "succeeded":
        account.move(Kind.CHARGE, made["amount"], made, made["id"])
    account.tell(f"charge.{status}", made)
    return made


def refund(account: Account, params: Json, _: str) -> Json:
    """Give a part of a charge back, or what is left of it."""
    paid = _refundable(account, params)
    left = paid["amount"] - paid["amount_refunded"]
    amount: int = params.get("amount", left)
    if left == 0:
        message = f"Charge {paid['id']} has already been refunded."
        raise invalid(message, code="charge_already_refunded")
    if amount < 1:
        raise invalid("Invalid positive integer", code="parameter_invalid_integer", kept=False)
    if amount > left:
        raise invalid(
            f"Refund amount ({amount} {paid['currency']}) is greater than unrefunded amount on"
            f" charge ({left} {paid['currency']})",
            param="amount",
        )
    method = account.get("payment_method", paid["payment_method"])
    behaviour = behaviour_of(account, method)
    return give_back(account, paid, amount, params, pending=behaviour.refund == "pending")


def _refundable(account: Account, params: Json) -> Json:
    if ("charge" in params) == ("payment_intent" in params):
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or"
            " charge.",
            kept=False,
        )
    if "charge" in params:
        paid = account.get("charge", params["charge"], param="charge")
    else:
        intent_id = params["payment_intent"]
        intent = account.objects["payment_intent"].get(intent_id)
        if intent is None:
            raise missing("payment_intent", intent_id, param="payment_intent")
        if intent["latest_charge"] is None or intent["status"] != "succeeded":
            message = f"This PaymentIntent ({intent_id}) does not have a successful charge to"
            raise invalid(f"{message} refund.", param="payment_intent")
        paid = account.get("charge", intent["latest_charge"])
    if paid["status"] != "succeeded":
        raise invalid("Only a successful charge can be refunded.")
    if paid["disputed"]:
        message = f"Charge {paid['id']} has been charged back; cannot issue a refund."
        raise invalid(message, code="charge_disputed")
    return paid


def give_back(
    account: Account, paid: Json, amount: int, params: Json, *, pending: bool = False
) -> Json:
    """The refund itself: it leaves the merchant's balance at once."""
    made = account.add(
        "refund",
        {
            "amount": amount,
            "balance_transaction": None,
            "charge": paid["id"],
            "currency": paid["currency"],
            "metadata": params.get("metadata") or {},
            "payment_intent": paid["payment_intent"],
            "reason": params.get("reason"),
            "status": "pending" if pending else "succeeded",
        },
    )
    paid["amount_refunded"] += amount
    paid["refunded"] = paid["amount_refunded"] == paid["amount"]
    account.move(Kind.REFUND, -amount, paid, made["id"])
    account.tell("refund.created", made)
    account.tell("charge.refunded", paid)
    return made


def fail_refund(account: Account, refund_id: str) -> None:
    """The customer's bank sends a refund back, which may be weeks later."""
    made = account.get("refund", refund_id)
    paid = account.get("charge", made["charge"])
    made["status"] = "failed"
    made["failure_reason"] = "lost_or_stolen_card"
    paid["amount_refunded"] -= made["amount"]
    paid["refunded"] = False
    account.move(Kind.REFUND_FAILED, made["amount"], paid, made["id"])
    account.tell("refund.failed", made)
    account.tell("refund.updated", made)


def open_dispute(
    account: Account, intent_id: str, amount: int | None = None, reason: str = "fraudulent"
) -> Json:
    """The payer's bank takes a payment back."""
    intent = account.get("payment_intent", intent_id)
    paid = account.get("charge", intent["latest_charge"])
    made = account.add(
        "dispute",
        {
            "amount": paid["amount"] - paid["amount_refunded"] if amount is None else amount,
            "balance_transactions": [],
            "charge": paid["id"],
            "currency": paid["currency"],
            "evidence": {},
            "evidence_details": {"due_by": account.clock() + 7 * 86_400, "past_due": False},
            "is_charge_refundable": False,
            "metadata": {},
            "payment_intent": intent_id,
            "reason": reason,
            "status": "needs_response",
        },
    )
    paid["disputed"] = True
    account.move(Kind.DISPUTE, -made["amount"], paid, made["id"])
    account.tell("charge.dispute.created", made)
    account.tell("charge.dispute.funds_withdrawn", made)
    return made


def close_dispute(account: Account, dispute_id: str, *, won: bool) -> None:
    """It is decided: the money comes back, or stays away."""
    made = account.get("dispute", dispute_id)
    made["status"] = "won" if won else "lost"
    if won:
        paid = account.get("charge", made["charge"])
        account.move(Kind.REINSTATEMENT, made["amount"], paid, made["id"])
        account.tell("charge.dispute.funds_reinstated", made)
    account.tell("charge.dispute.closed", made)
