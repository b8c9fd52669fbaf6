"""Mandates of debits: https://docs.stripe.com/api/mandates."""

from tests.stripe.account import Account
from tests.stripe.methods import DELAYED
from tests.stripe.refusals import Json, invalid


def mandate(account: Account, method: Json, params: Json, intent: Json) -> str | None:
    """The mandate of a debit: a new one, or the one that the method was set up with.

    Raises:
        Refused: There is none.
    """
    if method["type"] not in DELAYED:
        return None
    known: str | None = account.hidden[method["id"]].get("mandate")
    if "mandate" in params:
        return str(account.get("mandate", params["mandate"], param="mandate")["id"])
    accepted: Json | None = params.get("mandate_data")
    if accepted is None and known and account.get("mandate", known)["status"] == "inactive":
        raise invalid(
            "The provided mandate is invalid and can not be used for the payment intent.",
            code="payment_intent_mandate_invalid",
            about=intent,
        )
    if accepted is None and known is None:
        raise invalid(
            "This PaymentIntent requires a mandate, but no existing mandate was found. Collect"
            " mandate acceptance from the customer and try again, providing acceptance data in"
            " the mandate_data parameter.",
            param="mandate_data",
        )
    if accepted is None:
        return known
    reusable = intent.get("setup_future_usage") == "off_session" or "usage" in intent
    made = account.add(
        "mandate",
        {
            "customer_acceptance": accepted["customer_acceptance"],
            "payment_method": method["id"],
            "payment_method_details": {
                method["type"]: _signed(account, method["type"]),
                "type": method["type"],
            },
            # A Bacs mandate waits for the payer's bank.
            "status": "pending" if method["type"] == "bacs_debit" else "active",
            "type": "multi_use" if reusable else "single_use",
        },
    )
    if reusable:
        account.hidden[method["id"]]["mandate"] = made["id"]
    return str(made["id"])


def _signed(account: Account, kind: str) -> Json:
    """What a mandate of this type tells besides who accepted it."""
    told: Json = {"url": "https://hooks.stripe.com/mandate"}
    if kind != "au_becs_debit":
        told["reference"] = f"TWIN{account.number:06d}{len(account.objects['mandate'])}"
    if kind == "bacs_debit":
        told |= {"display_name": None, "network_status": "pending", "revocation_reason": None}
        told["service_user_number"] = "123456"
    return told


def become(account: Account, intent_id: str, status: str) -> None:
    """The payer's bank has accepted the mandate of a payment, or ended it."""
    found = account.get("mandate", account.hidden[intent_id]["mandate"])
    if found["status"] != status:
        found["status"] = status
        account.tell("mandate.updated", found)
