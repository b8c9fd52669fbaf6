"""The account at Stripe itself: what it may do, and where its events go. For setting it up."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import stripe

from tallystick.domain.debit_scheme import DebitScheme
from tallystick.providers.stripe_client import (
    API_BASE,
    API_VERSION,
    StripeKeys,
    answer_of,
    client_for,
    connections,
)
from tallystick.providers.stripe_debits import left_out_of, taken_by
from tallystick.providers.stripe_events import EVENTS

if TYPE_CHECKING:
    from stripe.params import WebhookEndpointCreateParams


class AccountRefused(Exception):
    """Stripe does not let these keys do it; the message says what Stripe said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """An account as Stripe describes it to its keys.

    `debits` are the schemes whose debits it takes. `missing` says, in sentences, what keeps it
    from taking payments; `left_out` what it could take, and is not offered here.
    """

    account: str
    name: str | None
    country: str | None
    currency: str | None
    is_live: bool
    debits: tuple[DebitScheme, ...]
    missing: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeWebhook:
    """An endpoint that Stripe sends to from now on, and the secret that signs what it sends."""

    endpoint: str
    secret: str


async def examine(keys: StripeKeys, api_base: str = API_BASE) -> AccountFacts:
    """Ask Stripe what the account behind the keys is and may do.

    Whether the publishable key is one of the same account is asked by a SetupIntent: it is
    made under the secret key, read under the publishable one, and cancelled. It has no
    customer and no method.

    Raises:
        AccountRefused: The keys are wrong, or may not ask; or there was no answer.
    """
    async with _asked(keys, api_base) as (api, page):
        account = await answer_of(api.accounts.retrieve_current_async)
        unseen = await _unseen(api)
        configured = await _configured(api)
        mismatch = None if unseen else await _mismatch(api, page)
    missing = [
        f"The secret key may not see {name}: change its permissions in Stripe's dashboard."
        for name in unseen
    ]
    if mismatch is not None:
        missing.append(mismatch)
    if keys.is_live and not getattr(account, "charges_enabled", False):
        missing.append("It may not take payments yet: finish its set-up in Stripe's dashboard.")
    return AccountFacts(
        account=account.id,
        name=_name_of(account),
        country=getattr(account, "country", None),
        currency=_upper(getattr(account, "default_currency", None)),
        is_live=keys.is_live,
        debits=taken_by(account, configured),
        missing=tuple(missing),
        left_out=left_out_of(account, configured),
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
    async with _asked(keys, api_base) as (api, _):
        made = await answer_of(
            lambda: api.webhook_endpoints.create_async(
                params, {"idempotency_key": f"webhook:{url}"}
            )
        )
    if not made.secret:
        raise AccountRefused("Stripe told no secret for the new webhook endpoint.")
    return MadeWebhook(endpoint=made.id, secret=made.secret)


@asynccontextmanager
async def _asked(
    keys: StripeKeys, api_base: str
) -> AsyncIterator[tuple[stripe.V1Services, stripe.V1Services]]:
    """Stripe as the secret key meets it, and as the publishable one does."""
    http = connections(api_base)
    try:
        page = client_for(keys, http, api_base, as_page=True)
        yield client_for(keys, http, api_base).v1, page.v1
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


async def _configured(
    api: stripe.V1Services,
) -> stripe.PaymentMethodConfiguration | None:
    """What the dashboard's page of payment methods says; None where the key may not see it."""
    try:
        listed = await answer_of(
            lambda: api.payment_method_configurations.list_async({"limit": 100})
        )
    except stripe.PermissionError:
        return None
    ours = [one for one in listed.data if one.is_default and one.active]
    return next((one for one in ours if getattr(one, "parent", None) is None), None)


async def _mismatch(api: stripe.V1Services, page: stripe.V1Services) -> str | None:
    """What is wrong with the publishable key, or with asking, in a sentence; None if nothing.

    A publishable key may read a SetupIntent of its own account whose client secret it tells
    (Stripe's reference, "Retrieve a SetupIntent"); another account's is not there for it.
    """
    try:
        probe = await answer_of(
            lambda: api.setup_intents.create_async(
                {"usage": "off_session", "description": "Tallystick: are the keys a pair?"}
            )
        )
    except stripe.PermissionError:
        return (
            "The secret key may not write SetupIntents: change its permissions in Stripe's "
            "dashboard."
        )
    except stripe.InvalidRequestError as error:
        return f"The publishable key could not be checked. Stripe says: {error.user_message}"
    try:
        await answer_of(
            lambda: page.setup_intents.retrieve_async(
                probe.id, {"client_secret": probe.client_secret or ""}
            )
        )
    except stripe.InvalidRequestError:
        return "The publishable key is of another account than the secret key."
    except stripe.AuthenticationError:
        return "Stripe does not know the publishable key."
    finally:
        await answer_of(lambda: api.setup_intents.cancel_async(probe.id))
    return None


def _name_of(account: stripe.Account) -> str | None:
    profile = getattr(account, "business_profile", None)
    settings = getattr(account, "settings", None)
    dashboard = getattr(settings, "dashboard", None)
    found = getattr(profile, "name", None) or getattr(dashboard, "display_name", None)
    return found if isinstance(found, str) else None


def _upper(told: str | None) -> str | None:
    return None if told is None else told.upper()
