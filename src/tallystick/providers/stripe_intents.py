"""Intents at Stripe: how an order is worded, for payments and for setups alike."""

from typing import TYPE_CHECKING
from uuid import UUID

import stripe

from tallystick.domain.payment import MethodKind, PaymentOrder
from tallystick.providers.stripe_answers import Intent
from tallystick.providers.stripe_client import answer_of
from tallystick.providers.stripe_debits import DEBIT_OF_CURRENCY

if TYPE_CHECKING:
    from stripe.params import (
        PaymentIntentConfirmParams,
        PaymentIntentConfirmParamsMandateData,
        PaymentIntentCreateParams,
        SetupIntentConfirmParams,
        SetupIntentCreateParams,
    )

TENANT = "tallystick_tenant"
CUSTOMER = "tallystick_customer"
ATTEMPT = "tallystick_attempt"

_SETUP_PREFIX = "seti_"


async def create_payment(
    api: stripe.V1Services, order: PaymentOrder, number: int, key: str
) -> Intent:
    """Create the intent of a payment; `number` is its amount as Stripe counts it."""
    params: PaymentIntentCreateParams = {
        "amount": number,
        "currency": order.currency.lower(),
        "payment_method": order.method.token,
        "allowed_payment_method_types": [_kind(order)],
        "description": _description(order),
        "metadata": _metadata(order),
    }
    if order.customer_reference is not None:
        params["customer"] = order.customer_reference
    if order.save:
        params["setup_future_usage"] = "off_session"
    return await answer_of(
        lambda: api.payment_intents.create_async(params, {"idempotency_key": key})
    )


async def create_setup(api: stripe.V1Services, order: PaymentOrder, key: str) -> Intent:
    """Create the intent to keep a method for charges while nobody is at a page."""
    params: SetupIntentCreateParams = {
        "payment_method": order.method.token,
        "allowed_payment_method_types": [_kind(order)],
        "usage": "off_session",
        "description": _description(order),
        "metadata": _metadata(order),
    }
    if order.customer_reference is not None:
        params["customer"] = order.customer_reference
    return await answer_of(
        lambda: api.setup_intents.create_async(params, {"idempotency_key": key})
    )


async def retrieve(api: stripe.V1Services, reference: str) -> Intent:
    """An intent as it stands now."""
    if _is_setup(reference):
        return await answer_of(lambda: api.setup_intents.retrieve_async(reference))
    return await answer_of(lambda: api.payment_intents.retrieve_async(reference))


async def confirm(api: stripe.V1Services, order: PaymentOrder, reference: str) -> Intent:
    """Confirm an intent under the order's key.

    A challenge sends the buyer back to the order's address. Where the buyer is not there, none
    is begun: Stripe declines the payment instead.
    """
    options: stripe.RequestOptions = {"idempotency_key": order.key("confirm")}
    if _is_setup(reference):
        setup: SetupIntentConfirmParams = {"return_url": order.return_url}
        if _is_debit(order):
            setup["mandate_data"] = _mandate(order)
        return await answer_of(
            lambda: api.setup_intents.confirm_async(reference, setup, options)
        )
    payment: PaymentIntentConfirmParams = (
        {"off_session": True} if order.off_session else {"return_url": order.return_url}
    )
    if _is_debit(order) and not order.off_session:
        payment["mandate_data"] = _mandate(order)
    return await answer_of(
        lambda: api.payment_intents.confirm_async(reference, payment, options)
    )


async def cancel(
    api: stripe.V1Services, reference: str, reason: str, key: str | None
) -> Intent:
    """Cancel an intent; without a key the SDK makes one, for this call alone."""
    options: stripe.RequestOptions = {} if key is None else {"idempotency_key": key}
    if _is_setup(reference):
        return await answer_of(
            lambda: api.setup_intents.cancel_async(
                reference, {"cancellation_reason": reason}, options
            )
        )
    return await answer_of(
        lambda: api.payment_intents.cancel_async(
            reference, {"cancellation_reason": reason}, options
        )
    )


def tenant_of(intent: stripe.PaymentIntent) -> UUID | None:
    """Whose payment it is; None for one that was not made here."""
    return _id_in(intent, TENANT)


def customer_of(intent: stripe.PaymentIntent) -> UUID | None:
    """Whose customer it charges, by our id; None where it does not say."""
    return _id_in(intent, CUSTOMER)


def _id_in(intent: stripe.PaymentIntent, name: str) -> UUID | None:
    metadata = getattr(intent, "metadata", None)
    told = None if metadata is None else metadata.to_dict().get(name)
    try:
        return None if told is None else UUID(str(told))
    except ValueError:
        return None


def _is_setup(reference: str) -> bool:
    return reference.startswith(_SETUP_PREFIX)


def _kind(order: PaymentOrder) -> str:
    """The one kind of method that the intent takes: that of the order's own."""
    if not _is_debit(order):
        return "card"
    # In another currency there is no such debit, and Stripe says so of the first one.
    return DEBIT_OF_CURRENCY.get(order.currency, "sepa_debit")


def _description(order: PaymentOrder) -> str:
    """What the merchant reads in Stripe's dashboard."""
    return f"Tallystick attempt {order.attempt_id}"


def _metadata(order: PaymentOrder) -> dict[str, str]:
    return {
        TENANT: str(order.tenant_id),
        CUSTOMER: str(order.customer_id),
        ATTEMPT: str(order.attempt_id),
    }


def _is_debit(order: PaymentOrder) -> bool:
    return order.method.kind is MethodKind.DIRECT_DEBIT


def _mandate(order: PaymentOrder) -> "PaymentIntentConfirmParamsMandateData":
    """Who signs the mandate of a debit: the buyer at the page, else one on paper.

    Its moment is the call's: a test tenant's clock says what no bank would believe.
    """
    who = order.acceptance
    if who is None:
        return {"customer_acceptance": {"type": "offline", "offline": {}}}
    return {
        "customer_acceptance": {
            "type": "online",
            "online": {"ip_address": who.ip, "user_agent": who.user_agent},
        }
    }
