"""Customers at Stripe: made once, in words that Stripe takes."""

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

import stripe
import structlog

from tallystick.providers.stripe_client import answer_of, is_replayed, under_next_key
from tallystick.providers.stripe_intents import CUSTOMER, TENANT

if TYPE_CHECKING:
    from stripe.params import CustomerCreateParams

_KEYS = 3
"""Under how many keys a customer is made whom Stripe remembers and knows no more."""

_MISSING = "resource_missing"

log = structlog.get_logger(__name__)


async def make_customer(
    api: stripe.V1Services, tenant_id: UUID, customer_id: UUID, name: str, email: str | None
) -> str:
    """The reference of the customer, told under its name and address.

    Who was deleted there is made anew, under another key while Stripe remembers the first.
    Stripe has rules of its own for name and address. What it refuses is left out: both are for
    whoever reads its dashboard, and a customer who cannot be made cannot pay.

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


def is_gone(error: stripe.InvalidRequestError) -> bool:
    """Whether an order was refused because its customer has been deleted."""
    return error.code == _MISSING and error.param == "customer"


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
    first = f"{customer_id}:customer:{_mark(told)}"

    async def under(key: str) -> stripe.Customer:
        return await answer_of(
            lambda: api.customers.create_async(params, {"idempotency_key": key})
        )

    for key in (first, *(f"{first}:again{number}" for number in range(1, _KEYS))):
        made = await under_next_key(key, under)
        if not is_replayed(made) or await _is_there(api, made.id):
            return made.id
    return (await under_next_key(f"{first}:again{_KEYS}", under)).id


async def _is_there(api: stripe.V1Services, reference: str) -> bool:
    """Whether a customer that was made before was not deleted since."""
    try:
        kept = await answer_of(lambda: api.customers.retrieve_async(reference))
    except stripe.InvalidRequestError as error:
        if error.code != _MISSING:
            raise
        return False
    return not getattr(kept, "deleted", False)


def _mark(told: "CustomerCreateParams") -> str:
    """A short mark of what was told, so that another wording has another key."""
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
