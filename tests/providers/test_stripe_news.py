"""What Stripe sends by itself is verified, and says only what has moved."""

import json
from typing import Any

import pytest

from tallystick.domain.provider_event import (
    EventRefused,
    IntentMoved,
    MethodMoved,
    MoneyMovedBack,
    News,
    NothingNew,
)
from tests.providers.contract import Case, an_order, opened
from tests.providers.stripe_banks import SECRET, LocalBank, TwinBank
from tests.stripe import news
from tests.stripe import twin as at
from tests.stripe.proxy import SECRET as LOCAL_SECRET
from tests.stripe.proxy import Proxy

NOW = at.real_seconds


@pytest.fixture
def bank(twin_bank: TwinBank) -> TwinBank:
    """Stripe's adapter, and a merchant of its own at the twin."""
    return twin_bank


def small(headers: dict[str, str]) -> dict[str, str]:
    """Headers as the door hands them over."""
    return {name.lower(): value for name, value in headers.items()}


def parsed(bank: TwinBank, event: dict[str, Any]) -> News:
    """What the adapter makes of an event that Stripe has signed."""
    headers, body = news.signed(event, SECRET, at=NOW())
    told = bank.stripe.parse_event(small(headers), body)
    assert (told.id, told.kind) == (event["id"], event["type"])
    return told.news


async def test_events_name_what_has_moved(bank: TwinBank) -> None:
    """Of a life of a payment, each event names the intent, the method, or nothing of ours."""
    order = await an_order(bank, Case.GOOD_CARD, save=True)
    reference = await opened(bank.provider, order)
    await bank.provider.confirm(order, reference)
    at.refund_by_hand(bank.merchant, reference, 100)
    lost = at.dispute(bank.merchant, reference, 1000)
    at.decide_dispute(bank.merchant, lost, won=True)
    token = order.method.token
    moved, back = IntentMoved(reference), MoneyMovedBack(reference)

    assert [(one["type"], parsed(bank, one)) for one in bank.merchant.events] == [
        ("customer.created", NothingNew()),
        ("payment_intent.created", NothingNew()),
        ("charge.succeeded", NothingNew()),
        ("payment_method.attached", NothingNew()),
        ("payment_intent.succeeded", moved),
        ("refund.created", back),
        ("charge.refunded", back),
        ("charge.dispute.created", back),
        ("charge.dispute.funds_withdrawn", back),
        ("charge.dispute.funds_reinstated", back),
        ("charge.dispute.closed", back),
    ]
    detached = {**bank.merchant.events[3], "type": "payment_method.detached"}
    assert parsed(bank, detached) == MethodMoved(token)


async def test_events_of_failures_name_their_intent(bank: TwinBank) -> None:
    """A decline, a challenge, a setup and a debit that fails."""
    for case in (Case.DECLINED_CARD, Case.CHALLENGED_CARD, Case.FAILING_DEBIT):
        order = await an_order(bank, case)
        reference = await opened(bank.provider, order)
        await bank.provider.confirm(order, reference)
        if case is Case.FAILING_DEBIT:
            at.settle(bank.merchant, reference)
        named = {
            one["type"] for one in bank.merchant.events
            if parsed(bank, one) == IntentMoved(reference)
        }  # fmt: skip
        assert (
            named
            >= {
                Case.DECLINED_CARD: {
                    "payment_intent.payment_failed",
                    "payment_intent.canceled",
                },
                Case.CHALLENGED_CARD: {"payment_intent.requires_action"},
                Case.FAILING_DEBIT: {
                    "payment_intent.processing",
                    "payment_intent.payment_failed",
                },
            }[case]
        )


AN_EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "livemode": False,
    "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
}


def test_a_true_signature_is_accepted(bank: TwinBank) -> None:
    """Also five minutes later less a few seconds, and among other signatures."""
    for late in (290, 0):
        headers, body = news.signed(AN_EVENT, SECRET, at=NOW() - late)
        assert bank.stripe.parse_event(small(headers), body).news == IntentMoved("pi_1")
    headers, body = news.signed(AN_EVENT, SECRET, at=NOW())
    headers["Stripe-Signature"] += f",v1={'0' * 64}"
    assert bank.stripe.parse_event(small(headers), body).id == "evt_1"


@pytest.mark.parametrize(
    ("secret", "late", "change"),
    [
        ("whsec_other", 0, {}),
        ("", 0, {}),
        (SECRET, 310, {}),
        (SECRET, 86_400, {}),
        (SECRET, 0, {"data": {"object": {"id": "pi_2", "object": "payment_intent"}}}),
    ],
    ids=["another secret", "no secret", "old", "a day old", "changed"],
)
def test_a_false_signature_is_refused(
    bank: TwinBank, secret: str, late: int, change: dict[str, object]
) -> None:
    """Another secret's, one that is too old, or one of another body."""
    headers, body = news.signed(AN_EVENT, secret, at=NOW() - late)
    if change:
        body = json.dumps({**AN_EVENT, **change}, indent=2).encode()

    with pytest.raises(EventRefused):
        bank.stripe.parse_event(small(headers), body)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "t=,v1=",
        "v1=" + "0" * 64,
        "t=1767225600",
        "t=abc,v1=abc",
        "t=99999999999999999999999,v1=" + "0" * 64,
        "\u00e9" * 10,
        "t=1767225600,v0=" + "0" * 64,
    ],
)
def test_what_is_no_signature_is_refused(bank: TwinBank, signature: str | None) -> None:
    """Missing, empty, half, wrong characters, or of a scheme that signs nothing."""
    headers = {} if signature is None else {"stripe-signature": signature}

    with pytest.raises(EventRefused):
        bank.stripe.parse_event(headers, json.dumps(AN_EVENT).encode())


@pytest.mark.parametrize(
    "event",
    [
        [],
        "evt_1",
        {},
        {**AN_EVENT, "id": None},
        {**AN_EVENT, "id": "x" * 300},
        {**AN_EVENT, "type": 7},
        {**AN_EVENT, "livemode": True},
    ],
)
def test_what_is_signed_and_no_event_of_this_account_is_refused(
    bank: TwinBank, event: dict[str, object]
) -> None:
    """Other shapes, and events of live money for a connection with test keys."""
    headers, body = news.signed(event, SECRET, at=NOW())

    with pytest.raises(EventRefused):
        bank.stripe.parse_event(small(headers), body)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe", b"{", b'{"id": "evt_1"', b"[" * 100_000],
    ids=["empty", "bytes", "open", "half", "deep"],
)
def test_what_is_signed_and_no_json_is_refused(bank: TwinBank, body: bytes) -> None:
    """A body that cannot be read is refused, not a failure."""
    headers, _ = news.signed(AN_EVENT, SECRET, at=NOW())
    signed = news.signature(body, SECRET, at=NOW())

    with pytest.raises(EventRefused):
        bank.stripe.parse_event({**small(headers), "stripe-signature": signed}, body)


@pytest.mark.parametrize(
    "about", [None, 1, [], {}, {"object": None}, {"object": {"id": 3}}, {"object": {}}]
)
def test_an_event_that_names_nothing_is_no_news(bank: TwinBank, about: object) -> None:
    """It is Stripe's, and there is nothing to look at."""
    assert parsed(bank, {**AN_EVENT, "data": about}) == NothingNew()


async def test_localstripe_signs_as_stripe_does(local: Proxy) -> None:
    """A message that somebody else's code has signed is verified, and names the payment."""
    bank = LocalBank(local, webhook_secret=LOCAL_SECRET)
    order = await an_order(bank, Case.GOOD_CARD)
    reference = await opened(bank.provider, order)
    await bank.provider.confirm(order, reference)

    headers, body = await local.heard("payment_intent.succeeded")

    assert bank.stripe.parse_event(headers, body).news == IntentMoved(reference)
    with pytest.raises(EventRefused):
        bank.stripe.parse_event(headers, body + b" ")
    await bank.stripe.close()
