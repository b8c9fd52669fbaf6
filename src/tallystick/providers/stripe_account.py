"""The account at Stripe itself: what it may do, and where its events go. For setting it up."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import stripe

from tallystick.providers.stripe_client import (
    API_BASE,
    API_VERSION,
    StripeKeys,
    answer_of,
    client_for,
    connections,
)
from tallystick.providers.stripe_events import EVENTS

if TYPE_CHECKING:
    from stripe.params import WebhookEndpointCreateParams


class AccountRefused(Exception):
    """Stripe does not let these keys do it; the message says what Stripe said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """An account as Stripe describes it to its keys.

    `missing` says, in sentences, what keeps it from taking payments.
    """

    account: str
    name: str | None
    country: str | None
    currency: str | None
    is_live: bool
    takes_debits: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWebhook:
    """An endpoint that Stripe sends to from now on, and the secret that signs what it sends."""

    endpoint: str
    secret: str


async def examine(keys: StripeKeys, api_base: str = API_BASE) -> AccountFacts:
    """Ask Stripe what the account behind the keys is and may do.

    Raises:
        AccountRefused: The keys are wrong, or may not ask; or there was no answer.
    """
    async with _asked(keys, api_base) as api:
        account = await answer_of(api.accounts.retrieve_current_async)
        unseen = await _unseen(api)
    missing = [
        f"The secret key may not see {name}: change its permissions in Stripe's dashboard."
        for name in unseen
    ]
    if keys.is_live and not getattr(account, "charges_enabled", False):
        missing.append("It may not take payments yet: finish its set-up in Stripe's dashboard.")
    return AccountFacts(
        account=account.id,
        name=_name_of(account),
        country=getattr(account, "country", None),
        currency=_upper(getattr(account, "default_currency", None)),
        is_live=keys.is_live,
        takes_debits=_can(account, "sepa_debit_payments"),
        missing=tuple(missing),
    )


async def add_webhook(keys: StripeKeys, url: str, api_base: str = API_BASE) -> MadeWebhook:
    """Have Stripe send the events that matter to an address.

    Raises:
        AccountRefused: Stripe cannot reach such an address, or there was no answer.
    """
    wanted = {
        "url": url,
        "enabled_events": EVENTS,
        "api_version": API_VERSION,
        "description": "Tallystick",
    }
    # Its type lists every event and version there is.
    params = cast("WebhookEndpointCreateParams", wanted)
    async with _asked(keys, api_base) as api:
        made = await answer_of(
            lambda: api.webhook_endpoints.create_async(
                params, {"idempotency_key": f"webhook:{url}"}
            )
        )
    if not made.secret:
        raise AccountRefused("Stripe told no secret for the new webhook endpoint.")
    return MadeWebhook(endpoint=made.id, secret=made.secret)


@asynccontextmanager
async def _asked(keys: StripeKeys, api_base: str) -> AsyncIterator[stripe.V1Services]:
    http = connections(api_base)
    try:
        yield client_for(keys, http, api_base).v1
    except stripe.StripeError as error:
        # Of a key in it, Stripe's message shows the ends only.
        raise AccountRefused(error.user_message or "There was no answer.") from None
    finally:
        await http.close_async()  # type: ignore[no-untyped-call]


async def _unseen(api: stripe.V1Services) -> list[str]:
    """What a restricted key may not even list, of what is asked for when somebody pays."""
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "Customers": lambda: api.customers.list_async({"limit": 1}),
        "PaymentIntents": lambda: api.payment_intents.list_async({"limit": 1}),
        "SetupIntents": lambda: api.setup_intents.list_async({"limit": 1}),
        "Charges": lambda: api.charges.list_async({"limit": 1}),
        "Refunds": lambda: api.refunds.list_async({"limit": 1}),
        "Disputes": lambda: api.disputes.list_async({"limit": 1}),
        "Events": lambda: api.events.list_async({"limit": 1}),
    }
    unseen = []
    for name, listed in asked.items():
        try:
            await answer_of(listed)
        except stripe.PermissionError:
            unseen.append(name)
    return unseen


def _name_of(account: stripe.Account) -> str | None:
    profile = getattr(account, "business_profile", None)
    settings = getattr(account, "settings", None)
    dashboard = getattr(settings, "dashboard", None)
    found = getattr(profile, "name", None) or getattr(dashboard, "display_name", None)
    return found if isinstance(found, str) else None


def _can(account: stripe.Account, capability: str) -> bool:
    return getattr(getattr(account, "capabilities", None), capability, None) == "active"


def _upper(told: str | None) -> str | None:
    return None if told is None else told.upper()
