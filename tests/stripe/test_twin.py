"""The twin does what Stripe documents, spoken to by Stripe's own SDK."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import stripe

from tests.stripe import news
from tests.stripe.account import Account
from tests.stripe.script import (
    Failing,
    Late,
    Limited,
    NewsFirst,
    Repeated,
    Slow,
    Unanswered,
    Unheard,
)
from tests.stripe.twin import Twin, approve, bounce, refuse, settle
from tests.stripe.wire import NO_TLS

# The SDK hands its body to httpx in a way that httpx would rather not have.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

RETURN_URL = "https://shop.example.com/back?step=1"
ACCEPTED: dict[str, Any] = {
    "customer_acceptance": {
        "type": "online",
        "online": {"ip_address": "203.0.113.5", "user_agent": "Mozilla/5.0"},
    }
}


@pytest.fixture
async def client(twin: Twin, merchant: Account) -> AsyncIterator[stripe.StripeClient]:
    """The SDK, as this merchant."""
    async with sdk(twin, merchant.secret_key) as client:
        yield client


@asynccontextmanager
async def sdk(twin: Twin, key: str) -> AsyncIterator[stripe.StripeClient]:
    """The SDK, under a key."""
    http = stripe.HTTPXClient(allow_sync_methods=True)
    yield stripe.StripeClient(
        key, base_addresses={"api": twin.api_base}, max_network_retries=0, http_client=http
    )
    http.close()  # type: ignore[no-untyped-call]
    await http.close_async()  # type: ignore[no-untyped-call]


async def an_intent(
    client: stripe.StripeClient, method: str = "pm_card_visa", amount: int = 5412
) -> stripe.PaymentIntent:
    """An intent that waits for its confirmation."""
    return await client.v1.payment_intents.create_async(
        {
            "amount": amount,
            "currency": "eur",
            "payment_method": method,
            "metadata": {"attempt": "1"},
            "allowed_payment_method_types": ["card", "sepa_debit"],
        },
        {"idempotency_key": f"open {method} {amount}"},
    )


async def test_a_card_is_charged_once_per_key(
    client: stripe.StripeClient, merchant: Account
) -> None:
    """The same key answers the same again; other parameters under it are refused."""
    intent = await an_intent(client)
    again = await an_intent(client)
    assert again.id == intent.id
    assert merchant.moved() == []

    for _ in range(3):
        paid = await client.v1.payment_intents.confirm_async(
            intent.id, {"return_url": RETURN_URL}, {"idempotency_key": "confirm"}
        )
        assert paid.status == "succeeded"
    assert merchant.moved() == [5412]

    with pytest.raises(stripe.IdempotencyError):
        await client.v1.payment_intents.confirm_async(
            intent.id, {"return_url": "https://other.example"}, {"idempotency_key": "confirm"}
        )
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await client.v1.payment_intents.confirm_async(intent.id, {"return_url": RETURN_URL})
    assert refusal.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("step", "told", "moved"),
    [
        (Unheard(), stripe.APIConnectionError, []),
        (Unanswered(), stripe.APIConnectionError, [5412]),
        (Late(), stripe.APIConnectionError, []),
        (Failing(500), stripe.APIError, []),
        (Failing(503, done=True), stripe.APIError, [5412]),
        (Limited(), stripe.RateLimitError, []),
        (Repeated(), None, [5412]),
        (Slow(0.01), None, [5412]),
        (NewsFirst(), None, [5412]),
    ],
)
async def test_a_call_comes_to_what_the_script_says(
    client: stripe.StripeClient,
    merchant: Account,
    twin: Twin,
    step: Unheard,
    told: type[Exception] | None,
    moved: list[int],
) -> None:
    """Each step of a script, with the money that has moved when the client hears of it."""
    intent = await an_intent(client)
    merchant.script("payment_intents.confirm", step)

    async def confirm() -> None:
        await client.v1.payment_intents.confirm_async(
            intent.id, {"return_url": RETURN_URL}, {"idempotency_key": "c"}
        )

    if told is None:
        await confirm()
    else:
        with pytest.raises(told):
            await confirm()
    assert merchant.moved() == moved

    twin.arrive_late(merchant)
    if isinstance(step, Failing):
        with pytest.raises(stripe.APIError):
            await confirm()
        assert merchant.moved() == moved
    else:
        await confirm()
        assert merchant.moved() == [5412]


async def test_a_key_in_use_is_a_conflict(
    client: stripe.StripeClient, merchant: Account
) -> None:
    """Of two at once under one key, the second hears 409 until the first is done."""
    intent = await an_intent(client)
    merchant.script("payment_intents.confirm", Slow(0.2))

    async def confirm() -> object:
        return await client.v1.payment_intents.confirm_async(
            intent.id, {"return_url": RETURN_URL}, {"idempotency_key": "c"}
        )

    first = asyncio.create_task(confirm())
    await asyncio.sleep(0.05)
    with pytest.raises(stripe.APIError) as refusal:
        await confirm()
    assert refusal.value.http_status == 409
    assert refusal.value.json_body["error"]["code"] == "idempotency_key_in_use"  # type: ignore[index]
    await first
    assert merchant.moved() == [5412]


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"amount": 5, "currency": "eur"}, "amount_too_small", "amount"),
        ({"amount": 100, "currency": "eur", "foo": 1}, "parameter_unknown", "foo"),
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": 100, "currency": "eur", "return_url": "https://a"}, None, "return_url"),
        (
            {"amount": 100, "currency": "eur", "payment_method_types": ["card"]},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        (
            {"amount": 100, "currency": "eur", "mandate_data": {"when": 1}},
            "parameter_unknown",
            "mandate_data[when]",
        ),
        ({"amount": 5124, "currency": "kwd"}, "parameter_invalid_integer", "amount"),
        ({"amount": 501, "currency": "isk"}, "parameter_invalid_integer", "amount"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    client: stripe.StripeClient,
    merchant: Account,
    params: dict[str, object],
    code: str | None,
    param: str,
) -> None:
    """Unknown, missing and impossible parameters, each named."""
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await client.v1.payment_intents.create_async(params, {"idempotency_key": "k"})  # type: ignore[arg-type]

    assert (refusal.value.code, refusal.value.param) == (code, param)
    assert merchant.objects["payment_intent"] == {}


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "card_declined",
            "insufficient_funds",
        ),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ],
)
async def test_a_declined_card(
    client: stripe.StripeClient, merchant: Account, method: str, code: str, decline_code: str
) -> None:
    """402 with the issuer's code, and again 402 under the same key; the intent tells it."""
    intent = await an_intent(client, method)
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refusal:
            await client.v1.payment_intents.confirm_async(
                intent.id, {"return_url": RETURN_URL}, {"idempotency_key": "c"}
            )
        assert (refusal.value.code, refusal.value.error.decline_code) == (code, decline_code)  # type: ignore[union-attr]

    intent = await client.v1.payment_intents.retrieve_async(intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.code == code  # type: ignore[union-attr]
    assert merchant.moved() == []


async def test_a_challenge_is_answered_on_its_page(
    client: stripe.StripeClient, merchant: Account
) -> None:
    """The buyer is redirected to it and back; without an answer nothing happens."""
    intent = await an_intent(client, "pm_card_authenticationRequired")
    asked = await client.v1.payment_intents.confirm_async(intent.id, {"return_url": RETURN_URL})
    assert asked.status == "requires_action"
    url = asked.next_action.redirect_to_url.url  # type: ignore[union-attr]
    async with httpx.AsyncClient(verify=NO_TLS) as browser:
        page = await browser.get(str(url))
        assert "Complete authentication" in page.text
        assert merchant.moved() == []
        back = await browser.post(str(url), data={"answer": "approve"})

    assert back.status_code == 303
    assert back.headers["location"].startswith(f"{RETURN_URL}&payment_intent={intent.id}&")
    assert back.headers["location"].endswith("redirect_status=succeeded")
    assert merchant.moved() == [5412]


async def test_a_refused_challenge(client: stripe.StripeClient, merchant: Account) -> None:
    """Nothing is taken, and a later approval changes nothing."""
    intent = await an_intent(client, "pm_card_authenticationRequired")
    await client.v1.payment_intents.confirm_async(intent.id, {"return_url": RETURN_URL})

    refuse(merchant, intent.id)
    approve(merchant, intent.id)

    intent = await client.v1.payment_intents.retrieve_async(intent.id)
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"  # type: ignore[union-attr]
    assert merchant.moved() == []


async def test_a_debit_is_decided_later(client: stripe.StripeClient, merchant: Account) -> None:
    """It needs a mandate, is under way, cannot be cancelled, and settles or bounces."""
    for decide, moved in ((bounce, []), (settle, [5412])):
        method = await client.v1.payment_methods.create_async(
            {
                "type": "sepa_debit",
                "sepa_debit": {"iban": "DE89 3704 0044 0532 0130 00"},
                "billing_details": {"name": "Jane Roe", "email": "jane@example.com"},
            }
        )
        intent = await an_intent(client, method.id)
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await client.v1.payment_intents.confirm_async(intent.id, {"return_url": RETURN_URL})
        assert refusal.value.param == "mandate_data"
        asked = await client.v1.payment_intents.confirm_async(
            intent.id,
            {  # type: ignore[arg-type]
                "return_url": RETURN_URL,
                "mandate_data": ACCEPTED,
                "expand": ["latest_charge"],
            },
        )
        assert asked.status == "processing"
        assert asked.latest_charge.payment_method_details.sepa_debit.mandate  # type: ignore[union-attr]
        with pytest.raises(stripe.InvalidRequestError):
            await client.v1.payment_intents.cancel_async(intent.id)
        decide(merchant, intent.id)
        assert merchant.moved() == moved


async def test_a_saved_card_is_charged_off_session(
    client: stripe.StripeClient, merchant: Account
) -> None:
    """A card that asks unless it was set up: set up, it pays off session; another does not."""
    customer = await client.v1.customers.create_async({"email": "jane@example.com"})
    for saved, moved in (("pm_card_authenticationRequired", []),
                         ("pm_card_authenticationRequiredOnSetup", [5412])):  # fmt: skip
        setup = await client.v1.setup_intents.create_async(
            {"customer": customer.id, "payment_method": saved, "usage": "off_session"}
        )
        await client.v1.setup_intents.confirm_async(setup.id, {"return_url": RETURN_URL})
        approve(merchant, setup.id)
        setup = await client.v1.setup_intents.retrieve_async(setup.id)
        assert setup.status == "succeeded"
        later = client.v1.payment_intents.create_async(
            {
                "amount": 5412,
                "currency": "eur",
                "customer": customer.id,
                "payment_method": str(setup.payment_method),
                "confirm": True,
                "off_session": True,
            }
        )
        if moved:
            await later
        else:
            with pytest.raises(stripe.CardError) as refusal:
                await later
            assert refusal.value.code == "authentication_required"
        assert merchant.moved() == moved
    listed = await client.v1.customers.payment_methods.list_async(customer.id)
    assert len(listed.data) == 2


async def test_refunds_never_exceed_the_charge(
    client: stripe.StripeClient, merchant: Account
) -> None:
    """Parts are refunded, what is left is known, and the rest is refused."""
    intent = await an_intent(client)
    await client.v1.payment_intents.confirm_async(intent.id, {"return_url": RETURN_URL})
    for key in ("a", "a", "b"):
        await client.v1.refunds.create_async(
            {"payment_intent": intent.id, "amount": 2000}, {"idempotency_key": key}
        )
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 1413})
    assert merchant.moved() == [5412, -2000, -2000]


async def test_news_is_signed_and_comes_when_it_is_told(
    client: stripe.StripeClient, merchant: Account, twin: Twin
) -> None:
    """The SDK verifies what an endpoint gets; events are listed, and found by metadata."""
    heard: list[stripe.Event] = []
    endpoint = await client.v1.webhook_endpoints.create_async(
        {"url": "http://127.0.0.1:1/none", "enabled_events": ["payment_intent.succeeded"]}
    )
    assert endpoint.secret
    intent = await an_intent(client)
    await client.v1.payment_intents.confirm_async(intent.id, {"return_url": RETURN_URL})

    for event in merchant.events:
        headers, body = news.signed(event, endpoint.secret, at=twin.clock())
        heard.append(client.construct_event(body, headers["Stripe-Signature"], endpoint.secret))
    assert [event.type for event in heard] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    (sent,) = await news.deliver(merchant)
    assert (sent.kind, sent.status) == ("payment_intent.succeeded", 0)
    assert await news.deliver(merchant) == []
    listed = await client.v1.events.list_async({"type": "payment_intent.succeeded"})
    assert len(listed.data) == 1
    found = await client.v1.payment_intents.search_async({"query": "metadata['attempt']:'1'"})
    assert [one.id for one in found.data] == [intent.id]


async def test_accounts_do_not_see_each_other(
    client: stripe.StripeClient, merchant: Account, twin: Twin
) -> None:
    """Another key finds nothing; a publishable one may not ask; an unknown one is nobody's."""
    intent = await an_intent(client)
    async with sdk(twin, twin.merchant().secret_key) as other:
        with pytest.raises(stripe.InvalidRequestError):
            await other.v1.payment_intents.retrieve_async(intent.id)
    for key in (merchant.publishable_key, "sk_test_none"):
        async with sdk(twin, key) as other:
            with pytest.raises(stripe.AuthenticationError):
                await other.v1.payment_intents.retrieve_async(intent.id)
