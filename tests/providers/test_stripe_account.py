"""An account is examined, and told where to send its events, on the twin."""

import pytest

from tallystick.domain.debit_scheme import DebitScheme
from tallystick.domain.provider_event import IntentMoved
from tallystick.providers.stripe import Stripe, StripeKeys
from tallystick.providers.stripe_account import AccountRefused, add_webhook, examine
from tallystick.providers.stripe_events import EVENTS
from tests.stripe import news
from tests.stripe.account import Account
from tests.stripe.script import Failing, Unheard
from tests.stripe.twin import Twin

URL = "https://pay.example.com/inbound/stripe"


def keys_of(merchant: Account, *secrets: str) -> StripeKeys:
    """The keys of a merchant at the twin."""
    return StripeKeys(
        secret_key=merchant.secret_key,
        publishable_key=merchant.publishable_key,
        webhook_secrets=secrets,
    )


async def test_an_account_says_what_it_is(twin: Twin, merchant: Account) -> None:
    """Name, country, currency, and whether it takes debits."""
    facts = await examine(keys_of(merchant), twin.api_base)
    assert (facts.account, facts.country, facts.currency) == (merchant.id, "FR", "EUR")
    assert (facts.is_live, facts.debits, facts.missing) == (False, (DebitScheme.SEPA,), ())

    merchant.capabilities["sepa_debit_payments"] = "inactive"
    assert (await examine(keys_of(merchant), twin.api_base)).debits == ()


async def test_wrong_keys_and_silence_are_refusals(twin: Twin, merchant: Account) -> None:
    """In a sentence that shows no key."""
    wrong = StripeKeys(secret_key="sk_test_nobodys", publishable_key="pk_test_nobodys")
    with pytest.raises(AccountRefused, match="Invalid API Key") as refusal:
        await examine(wrong, twin.api_base)
    assert "sk_test_nobodys" not in str(refusal.value)

    merchant.script("accounts.retrieve_current", Unheard())
    with pytest.raises(AccountRefused):
        await examine(keys_of(merchant), twin.api_base)


async def test_what_a_restricted_key_lacks_is_missing(twin: Twin, merchant: Account) -> None:
    """Before a buyer waits for it: each of the objects that are asked for is named."""
    merchant.script("customers.list", Failing(403))
    merchant.script("refunds.list", Failing(403))

    facts = await examine(keys_of(merchant), twin.api_base)

    assert facts.missing == (
        "The secret key may not see Customers: change its permissions in Stripe's dashboard.",
        "The secret key may not see Refunds: change its permissions in Stripe's dashboard.",
    )


async def test_the_secret_that_is_told_verifies_what_comes(
    twin: Twin, merchant: Account
) -> None:
    """Asked twice it is one endpoint, which gets the events that the adapter reads."""
    made = await add_webhook(keys_of(merchant), URL, twin.api_base)
    assert await add_webhook(keys_of(merchant), URL, twin.api_base) == made

    (endpoint,) = merchant.objects["webhook_endpoint"].values()
    assert (endpoint["id"], endpoint["url"]) == (made.endpoint, URL)
    assert sorted(endpoint["enabled_events"]) == EVENTS
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "livemode": False,
        "data": {"object": {"id": "pi_1"}},
    }
    headers, body = news.signed(event, made.secret, at=twin.clock())
    bank = Stripe(keys_of(merchant, made.secret), api_base=twin.api_base)
    told = bank.parse_event({name.lower(): one for name, one in headers.items()}, body)
    await bank.close()
    assert told.news == IntentMoved("pi_1")
