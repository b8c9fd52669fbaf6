"""Keys of Stripe, amounts as Stripe counts them, and messages that only Stripe can sign."""

import json
from typing import Any

import pytest
import stripe
from stripe._api_version import _ApiVersion
from stripe.params import WebhookEndpointCreateParams

from tallystick.domain.provider_event import (
    EventRefused,
    IntentMoved,
    MethodMoved,
    MoneyMovedBack,
    News,
    NothingNew,
)
from tallystick.providers.stripe import Stripe, StripeKeys
from tallystick.providers.stripe_amounts import NotExact, from_stripe, is_enough, to_stripe
from tallystick.providers.stripe_client import API_VERSION, SCRIPT_URL
from tallystick.providers.stripe_events import EVENTS
from tests.providers.stripe_stub import KEYS, LIVE_KEYS, NEXT_SECRET, SECRET


def test_keys_never_show_themselves() -> None:
    """Neither in a repr nor in the sentence that refuses them."""
    keys = StripeKeys(
        secret_key="sk_test_hush", publishable_key="pk_test_1", webhook_secrets=("whsec_hush",)
    )
    assert "hush" not in repr(keys)
    with pytest.raises(ValueError, match="pk_live_") as refusal:
        StripeKeys(secret_key="sk_live_hush", publishable_key="pk_test_1")
    assert "hush" not in str(refusal.value)


@pytest.mark.parametrize(
    ("secret", "address"),
    [
        ("sk_live_1", "http://127.0.0.1:9"),
        ("sk_test_1", "https://stripe.example"),
        ("sk_test_1", "http://127.0.0.1.example"),
    ],
)
def test_real_money_goes_to_stripe_only(secret: str, address: str) -> None:
    """A stand-in lives on this machine, and takes test keys."""
    keys = StripeKeys(secret_key=secret, publishable_key=f"pk_{secret[3:7]}_1")
    with pytest.raises(ValueError, match="own address"):
        Stripe(keys, api_base=address)


def test_the_script_is_of_the_release_of_the_api_and_of_the_sdk() -> None:
    """All three come out together: one that is raised alone is raised too early."""
    release = API_VERSION.partition(".")[2]

    assert SCRIPT_URL.split("/")[3:] == [release, "stripe.js"]
    assert (API_VERSION, release) == (_ApiVersion.CURRENT, _ApiVersion.CURRENT_MAJOR)


@pytest.mark.parametrize(
    ("amount", "currency", "number"),
    [
        (5412, "EUR", 5412),
        (5412, "JPY", 5412),
        (5, "ISK", 500),
        (5, "UGX", 500),
        (5412, "HUF", 5412),
        (5412, "TWD", 5412),
        (5120, "KWD", 5120),
        (5400, "MGA", 54),
    ],
)
def test_an_amount_has_one_number(amount: int, currency: str, number: int) -> None:
    """ISK and UGX are told in hundredths, ariary in wholes; and all of it comes back."""
    assert to_stripe(amount, currency) == number
    assert from_stripe(number, currency) == amount


@pytest.mark.parametrize(("amount", "currency"), [(5124, "KWD"), (1, "BHD"), (5412, "MGA")])
def test_what_has_no_number_is_not_rounded(amount: int, currency: str) -> None:
    """The last of three decimals must be zero, and an ariary is whole."""
    with pytest.raises(NotExact):
        to_stripe(amount, currency)


def test_a_fraction_of_a_krona_is_no_amount() -> None:
    """Stripe says it of old charges."""
    with pytest.raises(NotExact):
        from_stripe(540, "ISK")


@pytest.mark.parametrize(
    ("least", "currency"),
    [(50, "EUR"), (30, "GBP"), (17500, "HUF"), (50, "JPY"), (1500, "CZK"), (500, "KWD")],
)
def test_the_least_that_is_charged(least: int, currency: str) -> None:
    """By Stripe's table, and as much as USD 0.50 looks like elsewhere."""
    assert is_enough(least, currency)
    assert not is_enough(least - 1, currency)


def message(kind: str, about: dict[str, Any], **more: Any) -> bytes:  # noqa: ANN401
    """The body of an event."""
    told = {
        "id": "evt_1",
        "object": "event",
        "type": kind,
        "livemode": False,
        "data": {"object": about},
        **more,
    }
    return json.dumps(told).encode()


def signature(body: bytes, secret: str, at: int | None = None) -> dict[str, str]:
    """The header that signs a body."""
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)
    return {"stripe-signature": header}


@pytest.mark.parametrize(
    ("kind", "about", "news"),
    [
        ("payment_intent.succeeded", {"id": "pi_1"}, IntentMoved("pi_1")),
        ("setup_intent.setup_failed", {"id": "seti_1"}, IntentMoved("seti_1")),
        ("charge.dispute.closed", {"payment_intent": "pi_1"}, MoneyMovedBack("pi_1")),
        ("refund.failed", {"payment_intent": {"id": "pi_1"}}, MoneyMovedBack("pi_1")),
        ("charge.refunded", {"id": "ch_1", "payment_intent": None}, NothingNew()),
        ("payment_method.automatically_updated", {"id": "pm_1"}, MethodMoved("pm_1")),
        ("mandate.updated", {"payment_method": "pm_1"}, MethodMoved("pm_1")),
        ("customer.created", {"id": "cus_1"}, NothingNew()),
        ("payment_intent.succeeded", {"id": 7}, NothingNew()),
    ],
)
def test_an_event_says_what_it_is_about(kind: str, about: dict[str, Any], news: News) -> None:
    """Of all that it says, one name is read."""
    body = message(kind, about)
    event = Stripe(KEYS).parse_event(signature(body, SECRET), body)
    assert (event.id, event.kind, event.news) == ("evt_1", kind, news)


def test_while_a_secret_is_rotated_both_are_good() -> None:
    """The next one and the one before sign; a third does not."""
    body = message("payment_intent.succeeded", {"id": "pi_1"})
    bank = Stripe(KEYS)
    for secret in (SECRET, NEXT_SECRET):
        assert bank.parse_event(signature(body, secret), body).news == IntentMoved("pi_1")
    with pytest.raises(EventRefused):
        bank.parse_event(signature(body, "whsec_other"), body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b'{"object": "charge"}',
        b"\xff",
        message("payment_intent.succeeded", {"id": "pi_1"}, livemode=True),
        message("payment_intent.succeeded", {"id": "pi_1"}, id=None),
        message("payment_intent.succeeded", {"id": "pi_1"}, id="e" * 256),
    ],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    """Signed or not: also one of live money, to an account of tests."""
    headers = signature(body, SECRET) if body != b"\xff" else {"stripe-signature": "t=1,v1=a"}
    with pytest.raises(EventRefused):
        Stripe(KEYS).parse_event(headers, body)


def test_an_old_or_changed_message_is_refused() -> None:
    """After five minutes, and with another body, without a signature, or with half of one."""
    body = message("payment_intent.succeeded", {"id": "pi_1"})
    bank = Stripe(KEYS)
    for headers in (
        signature(body, SECRET, at=1_700_000_000),
        signature(b"{}", SECRET),
        {"stripe-signature": "t=,v1="},
        {"stripe-signature": "nonsense"},
        {},
    ):
        with pytest.raises(EventRefused):
            bank.parse_event(headers, body)


def test_a_live_account_hears_live_events_only() -> None:
    """An event of tests, signed or not, is not about real money."""
    body = message("payment_intent.succeeded", {"id": "pi_1"})
    with pytest.raises(EventRefused):
        Stripe(LIVE_KEYS).parse_event(signature(body, SECRET), body)


def test_every_event_that_is_asked_for_exists() -> None:
    """Stripe would refuse a webhook that asks for another."""
    known = str(WebhookEndpointCreateParams.__annotations__["enabled_events"])
    assert [one for one in EVENTS if f"'{one}'" not in known and f'"{one}"' not in known] == []
