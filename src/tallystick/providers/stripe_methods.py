"""Payment methods at Stripe: collected from its fields, looked at, and let go."""

import re

import stripe

from tallystick.domain.errors import Fault
from tallystick.domain.payment import Method, MethodKind, MethodRefused
from tallystick.providers.stripe_answers import as_method
from tallystick.providers.stripe_client import answer_of, under_next_key

_TOKEN = re.compile(r"pm_[A-Za-z0-9_]{1,250}")
_GONE = 404


async def collected(
    api: stripe.V1Services, provider: str, kind: MethodKind, token: str
) -> Method:
    """The method behind a token that Stripe's fields made; raises `MethodRefused`.

    A token that was used before, or is of another kind than the one chosen, is refused.
    """
    if not token:
        raise _refused("required", "fill in how to pay")
    if _TOKEN.fullmatch(token) is None:
        raise _refused("invalid", "fill in how to pay once more")
    try:
        kept = await answer_of(lambda: api.payment_methods.retrieve_async(token))
    except stripe.InvalidRequestError:
        raise _refused("invalid", "fill in how to pay once more") from None
    method = as_method(provider, kept)
    if method is None or method.kind is not kind or kept.customer is not None:
        raise _refused("invalid", "choose one of the methods offered")
    return method


async def saved(api: stripe.V1Services, provider: str, token: str) -> Method | None:
    """A saved method as Stripe keeps it now; None where no customer has it any more."""
    try:
        kept = await answer_of(lambda: api.payment_methods.retrieve_async(token))
    except stripe.InvalidRequestError as error:
        if error.http_status == _GONE:
            return None
        raise
    return as_method(provider, kept) if kept.customer is not None else None


async def forget(api: stripe.V1Services, provider: str, token: str, key: str) -> None:
    """Detach a method from its customer; one that has none, or is not there, is let go."""

    async def detach(key: str) -> stripe.PaymentMethod:
        return await answer_of(
            lambda: api.payment_methods.detach_async(token, None, {"idempotency_key": key})
        )

    try:
        await under_next_key(key, detach)
    except stripe.InvalidRequestError:
        if await saved(api, provider, token) is not None:
            raise


def _refused(code: str, message: str) -> MethodRefused:
    return MethodRefused((Fault("payment_token", code, message),))
