"""The account at Stripe itself: what it may do, and where its events go. For setting it up."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import stripe

from tallystick.providers.stripe_client import (
    API_BASE,
    API_VERSION,
    StripeKeys,
    answer_of,
    client_for,
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
    api = client_for(keys, api_base).v1
    try:
        account = await answer_of(api.accounts.retrieve_current_async)
        balance = await answer_of(api.balance.retrieve_async)
    except stripe.StripeError as error:
        raise _refused(error) from None
    missing = []
    if balance.livemode is not keys.is_live:
        missing.append("The secret key is not of the kind, test or live, that it says.")
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
    api = client_for(keys, api_base).v1
    wanted = {
        "url": url,
        "enabled_events": EVENTS,
        "api_version": API_VERSION,
        "description": "Tallystick",
    }
    # Its type lists every event and version there is.
    params = cast("WebhookEndpointCreateParams", wanted)
    try:
        made = await answer_of(
            lambda: api.webhook_endpoints.create_async(
                params, {"idempotency_key": f"webhook:{url}"}
            )
        )
    except stripe.StripeError as error:
        raise _refused(error) from None
    if not made.secret:
        raise AccountRefused("Stripe told no secret for the new webhook endpoint.")
    return MadeWebhook(endpoint=made.id, secret=made.secret)


def _refused(error: stripe.StripeError) -> AccountRefused:
    # Of a key in it, Stripe's message shows the ends only.
    return AccountRefused(error.user_message or "Stripe gave no answer.")


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
