"""How Stripe is called: with which keys, in which version, and what is asked again.

Nothing is asked again by the SDK (`max_network_retries` 0): who asks again is the sweeper,
which looks first. The one exception is a call that Stripe says it did not begin, because too
many came at once (429) or because its key is in use by a twin of it (409); it is asked again
here, under the same key, for a few seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

import stripe

RELEASE = "endive"
"""The release of Stripe's that the adapter was written for: of its API and of its script.

Both come out together, twice a year, under one name, and are meant to be used as a pair: each
version of the script speaks with the version of the API that has its name. Source: Stripe's
page "Stripe.js versioning and support policy" (docs.stripe.com/sdks/stripejs-versioning).
"""

API_VERSION = f"2026-10-28.{RELEASE}"
"""The version of Stripe's API, that of the SDK; Stripe keeps to it per call."""

API_BASE = "https://api.stripe.com"
SCRIPT_URL = f"https://js.stripe.com/{RELEASE}/stripe.js"
"""Stripe's script, of the same release."""

_CALL_SECONDS = 60.0
"""The caller gives up earlier; this ends what nobody waits for any more."""

_PAUSES = (0.1, 0.3, 0.9, 2.0)
_CONFLICT = 409
_SERVER_ERROR = 500

_TEST_KEYS = ("sk_test_", "rk_test_")
_LIVE_KEYS = ("sk_live_", "rk_live_")

_KEYS_TO_MAKE = 3
"""Under how many keys something that moves no money is made, before there is no answer."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeKeys:
    """The keys of one account: secret (or restricted), publishable, and of its webhooks.

    Only the publishable key is ever shown. While a webhook's secret is being rotated there are
    two, and either is good.

    Raises:
        ValueError: A key is none, or the two are not of one kind (test or live).
    """

    secret_key: str = field(repr=False)
    publishable_key: str
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Both keys are keys, and of one kind."""
        if not self.secret_key.startswith(_TEST_KEYS + _LIVE_KEYS):
            raise ValueError(
                "a secret key starts with sk_test_, sk_live_, rk_test_ or rk_live_"
            )
        wanted = "pk_live_" if self.is_live else "pk_test_"
        if not self.publishable_key.startswith(wanted):
            raise ValueError(f"the publishable key of this secret key starts with {wanted}")
        if not all(secret.startswith("whsec_") for secret in self.webhook_secrets):
            raise ValueError("the signing secret of a webhook starts with whsec_")

    @property
    def is_live(self) -> bool:
        """Whether they move real money."""
        return self.secret_key.startswith(_LIVE_KEYS)


def connections(api_base: str = API_BASE) -> stripe.HTTPXClient:
    """What carries the calls; closed with whoever uses it."""
    return stripe.HTTPXClient(
        timeout=_CALL_SECONDS, verify_ssl_certs=api_base.startswith("https:")
    )


def client_for(
    keys: StripeKeys,
    http: stripe.HTTPXClient,
    api_base: str = API_BASE,
    *,
    as_page: bool = False,
) -> stripe.StripeClient:
    """A client of the account behind the keys; `as_page` has the publishable key alone.

    Raises:
        ValueError: `api_base` is neither Stripe nor, for test keys, this machine.
    """
    if api_base != API_BASE and (keys.is_live or not _is_loopback(api_base)):
        raise ValueError("Stripe is called at its own address; a stand-in needs loopback")
    return stripe.StripeClient(
        keys.publishable_key if as_page else keys.secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": api_base},
        max_network_retries=0,
        http_client=http,
    )


async def answer_of(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer to a call, which is asked again while Stripe says that it has not begun.

    Raises:
        StripeError: What Stripe said instead, or that it said nothing.
    """
    for pause in _PAUSES:
        try:
            return await call()
        except stripe.StripeError as error:
            if not _has_not_begun(error):
                raise
        await asyncio.sleep(pause)
    return await call()


def is_kept_fault(error: stripe.StripeError) -> bool:
    """Whether Stripe repeats a fault of its own that it keeps under the key.

    Stripe answers a key for a day at least as it answered first, be it with a 500.
    """
    if error.http_status is None or error.http_status < _SERVER_ERROR:
        return False
    return _says_replayed(error.headers or {})


def is_replayed(made: stripe.StripeObject) -> bool:
    """Whether Stripe repeats what it answered under the key before."""
    return made.last_response is not None and _says_replayed(made.last_response.headers)


async def under_next_key(first: str, create: Callable[[str], Awaitable[Answer]]) -> Answer:
    """What is made under a key, or the next where Stripe keeps a fault or other words.

    Raises:
        StripeError: What Stripe said, where that is no answer.
    """
    keys = [first, *(f"{first}:{again}" for again in range(2, _KEYS_TO_MAKE))]
    for key in keys:
        try:
            return await create(key)
        except stripe.StripeError as error:
            if not (isinstance(error, stripe.IdempotencyError) or is_kept_fault(error)):
                raise
    return await create(f"{first}:{_KEYS_TO_MAKE}")


def origin_of(url: str) -> str:
    """Scheme and authority of an address, as a page's policy names them."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _says_replayed(headers: Mapping[str, str]) -> bool:
    told = {name.lower(): value for name, value in headers.items()}
    return told.get("idempotent-replayed") == "true"


def _has_not_begun(error: stripe.StripeError) -> bool:
    return isinstance(error, stripe.RateLimitError) or error.http_status == _CONFLICT


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
