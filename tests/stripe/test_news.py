"""Webhooks come when a test says so: early, late, twice, out of order, or never."""

import json

import httpx
import pytest

from tests.stripe import news
from tests.stripe.account import Account
from tests.stripe.script import NewsFirst
from tests.stripe.twin import Twin
from tests.stripe.wire import NO_TLS, Answer, Request, Wires


class Endpoint:
    """A merchant's server: what it heard, and what it answers."""

    def __init__(self, wires: Wires) -> None:
        self.heard: list[str] = []
        self.status = 200
        self.url = wires.serve(self._serve)

    async def _serve(self, request: Request) -> Answer:
        self.heard.append(json.loads(request.body)["type"])
        return Answer(self.status)


@pytest.fixture
def endpoint(wires: Wires, merchant: Account) -> Endpoint:
    """A server that hears of everything that happens to the merchant."""
    endpoint = Endpoint(wires)
    params = {"url": endpoint.url, "enabled_events": ["*"]}
    with merchant.lock:
        news.create_endpoint(merchant, params, "")
    return endpoint


async def a_payment(twin: Twin, merchant: Account) -> None:
    """A card is charged in one call."""
    form = {
        "amount": 5412,
        "currency": "eur",
        "payment_method": "pm_card_visa",
        "confirm": "true",
        "return_url": "https://shop.example.com",
    }
    headers = {"authorization": f"Bearer {merchant.secret_key}"}
    async with httpx.AsyncClient(
        base_url=twin.api_base, headers=headers, verify=NO_TLS
    ) as client:
        answer = await client.post("/v1/payment_intents", data=form)
    assert answer.json()["status"] == "succeeded"


LIFE = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


async def test_news_waits_until_it_is_delivered(
    twin: Twin, merchant: Account, endpoint: Endpoint
) -> None:
    """Nothing comes by itself; what is delivered is not delivered again by itself."""
    await a_payment(twin, merchant)
    assert endpoint.heard == []

    await news.deliver(merchant)
    await news.deliver(merchant)

    assert endpoint.heard == LIFE


async def test_news_comes_before_the_answer(
    twin: Twin, merchant: Account, endpoint: Endpoint
) -> None:
    """Who asked hears of it after whoever listens."""
    merchant.script("payment_intents.create", NewsFirst())

    await a_payment(twin, merchant)

    assert endpoint.heard == LIFE


async def test_news_comes_twice_and_out_of_order(
    twin: Twin, merchant: Account, endpoint: Endpoint
) -> None:
    """As often and in the order that a test wants; what is left out was dropped."""
    await a_payment(twin, merchant)
    _, charged, paid = merchant.events

    await news.deliver(merchant, paid, charged, paid)

    assert endpoint.heard == [LIFE[2], LIFE[1], LIFE[2]]


async def test_a_delivery_says_how_it_was_answered(
    twin: Twin, merchant: Account, endpoint: Endpoint
) -> None:
    """By whom, and with what."""
    endpoint.status = 503
    await a_payment(twin, merchant)

    sent = await news.deliver(merchant)

    assert {one.status for one in sent} == {503}
    assert [one.kind for one in sent] == LIFE
