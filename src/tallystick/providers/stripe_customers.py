"""Customers at Stripe: made once, in words that Stripe takes."""

import hashlib
from typing import TYPE_CHECKING
from uuid import UUID

import stripe
import structlog

from tallystick.providers.stripe_client import answer_of, is_replayed, under_next_key
from tallystick.providers.stripe_intents import CUSTOMER, TENANT

if TYPE_CHECKING:
    from stripe.params import CustomerCreateParams, CustomerUpdateParams

_KEYS = 3
"""Under how many keys a customer is made whom Stripe remembers and knows no more."""

_MISSING = "resource_missing"
_NOT_FOUND = 404
_NOTHING = ("", "")

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


async def change_customer(
    api: stripe.V1Services, reference: str, name: str, email: str | None, key: str
) -> None:
    """Tell name and address of a customer that was made; nothing where she was deleted.

    What Stripe refuses of them is emptied: what it would keep else is no longer true.

    Raises:
        StripeError: What Stripe said, where that is no answer.
    """
    for told in _present(name, email):
        params: CustomerUpdateParams = {"name": told[0], "email": told[1]}

        async def under(key: str, params: "CustomerUpdateParams" = params) -> stripe.Customer:
            return await answer_of(
                lambda: api.customers.update_async(reference, params, {"idempotency_key": key})
            )

        try:
            await under_next_key(f"{key}:{_mark(params)}", under)
        except stripe.InvalidRequestError as error:
            if error.code == _MISSING or error.http_status == _NOT_FOUND:
                return
            if told == _NOTHING:
                raise
            log.warning("stripe.customer_refused", reference=reference, param=error.param)
        else:
            return


def _present(name: str, email: str | None) -> list[tuple[str, str]]:
    """What to tell, then less of it; an empty text takes away what Stripe has."""
    return list(dict.fromkeys([(name, email or ""), (name, ""), _NOTHING]))


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


def _mark(told: "CustomerCreateParams | CustomerUpdateParams") -> str:
    """A short mark of what was told, so that another wording has another key."""
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
