"""Customers at Stripe: made once, in words that Stripe takes."""

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

import stripe
import structlog

from tallystick.providers.stripe_client import answer_of, under_next_key
from tallystick.providers.stripe_intents import CUSTOMER, TENANT

if TYPE_CHECKING:
    from stripe.params import CustomerCreateParams

log = structlog.get_logger(__name__)


async def make_customer(
    api: stripe.V1Services, tenant_id: UUID, customer_id: UUID, name: str, email: str | None
) -> str:
    """The reference of the customer, told under its name and address.

    Stripe has rules of its own for both. What it refuses is left out: they are for whoever
    reads its dashboard, and a customer who cannot be made cannot pay.

    Raises:
        StripeError: What Stripe said, where that is no answer.
    """
    for told in _wordings(name, email):
        try:
            return await _made(api, tenant_id, customer_id, told)
        except stripe.InvalidRequestError as error:
            # What it says repeats what it refuses.
            log.warning(
                "stripe.customer_refused", customer_id=str(customer_id), param=error.param
            )
    return await _made(api, tenant_id, customer_id, {})


def _wordings(name: str, email: str | None) -> "list[CustomerCreateParams]":
    alone: CustomerCreateParams = {"name": name}
    if email is None:
        return [alone]
    both: CustomerCreateParams = {"name": name, "email": email}
    return [both, alone]


async def _made(
    api: stripe.V1Services, tenant_id: UUID, customer_id: UUID, told: "CustomerCreateParams"
) -> str:
    params: CustomerCreateParams = {
        **told,
        "metadata": {TENANT: str(tenant_id), CUSTOMER: str(customer_id)},
    }
    made = await under_next_key(
        f"{customer_id}:customer:{_mark(told)}",
        lambda key: answer_of(
            lambda: api.customers.create_async(params, {"idempotency_key": key})
        ),
    )
    return made.id


def _mark(told: "CustomerCreateParams") -> str:
    """A short mark of what was told, so that another wording has another key."""
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
