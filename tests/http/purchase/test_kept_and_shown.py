"""What is kept and shown: memo, order number, threshold, metadata, addresses, expiry."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from meteroid import models as m

from tests.http.conftest import NOON
from tests.http.purchase.market import Json, Market

METADATA: Json = {
    "sales_rep": "dana",
    "crm": {"deal": 4711, "tags": ["a", None, True, 1.5, -0.25], "é": {"": []}},
}


def events_of(market: Market, *prefixes: str) -> list[Json]:
    """The bodies of this tenant's events of some kinds, oldest first."""
    found = market.value(
        "select coalesce(json_agg(json_build_object('type', type, 'data', data) "
        "order by position), '[]') from events where tenant_id = $1",
        market.tenant.tenant_id,
    )
    return [one for one in json.loads(found) if one["type"].startswith(prefixes)]


def test_memo_and_order_number(market: Market) -> None:
    """Memo and purchase order stand on the page, the subscription and the invoice."""
    memo, order = "Thank you for choosing Acme Cloud.\nSee you soon.", "PO-2026-118"
    session = market.offer(invoice_memo=memo, purchase_order=order)
    with market.page(session) as browser:
        shown = browser.open()
    bought = market.buy(session)

    wire = market.session(session.id)
    assert (wire["invoice_memo"], wire["purchase_order"]) == (memo, order)
    assert "Thank you for choosing Acme Cloud." in shown.text
    assert order in shown.text
    assert bought.subscription.invoice_memo == bought.invoice.memo == memo
    assert bought.subscription.purchase_order == bought.invoice.purchase_order == order


def test_a_threshold(market: Market) -> None:
    """The threshold is kept exactly, in major units, and returned."""
    session = market.offer(invoice_threshold=Decimal("1000.00"))
    bought = market.buy(session)

    assert Decimal(market.session(session.id)["invoice_threshold"]) == 1000
    assert isinstance(bought.wire["invoice_threshold"], str)
    assert Decimal(bought.wire["invoice_threshold"]) == 1000


def test_a_tiny_threshold_is_told_without_exponent(market: Market) -> None:
    """Decimals are never sent with an exponent, in answers and in events."""
    session = market.create(invoice_threshold="0.0000001").json()["session"]
    bought = market.buy(market.sdk.checkout_sessions.retrieve(session["id"]).session)
    (*_, told) = events_of(market, "subscription.created")

    assert session["invoice_threshold"] == "0.0000001"
    assert bought.wire["invoice_threshold"] == "0.0000001"
    assert told["data"]["invoice_threshold"] == "0.0000001"


def test_metadata(market: Market) -> None:
    """Metadata is returned as sent, copied to the subscription, and part of the events."""
    session = market.offer(metadata=METADATA)
    bought = market.buy(session)

    assert market.session(session.id)["metadata"] == METADATA
    assert bought.wire["metadata"] == METADATA
    told = events_of(market, "checkout_session.", "subscription.")[-3:]
    assert {one["type"] for one in told} == {
        "checkout_session.created",
        "checkout_session.completed",
        "subscription.created",
    }
    for one in told:
        assert one["data"]["metadata"] == METADATA


@pytest.mark.parametrize("sent", [None, {}, {"a": None}])
def test_little_metadata(market: Market, sent: Json | None) -> None:
    """No metadata is null, an empty object is an empty object."""
    session = market.create(metadata=sent).json()["session"]

    assert session["metadata"] == sent


def test_metadata_of_16_kib(market: Market) -> None:
    """16 KiB of JSON are kept, one byte more is refused."""
    fits = {"a": "x" * (16 * 1024 - 8)}
    accepted = market.create(metadata=fits)
    refused = market.create(metadata={"a": fits["a"] + "x"})

    assert len(json.dumps(fits, separators=(",", ":"))) == 16 * 1024
    assert accepted.json()["session"]["metadata"] == fits
    assert [(e["field"], e["code"]) for e in refused.json()["errors"]] == [
        ("metadata", "too_long")
    ]


def test_the_way_on_and_the_way_back(market: Market) -> None:
    """Success leads to `success_url` with the session added, "back" to `cancel_url`."""
    session = market.offer(
        success_url="https://app.acme.example/billing/done?from=checkout#top",
        cancel_url="https://app.acme.example/pricing",
    )
    assert (session.success_url, session.cancel_url) == (
        "https://app.acme.example/billing/done?from=checkout#top",
        "https://app.acme.example/pricing",
    )
    with market.page(session) as browser:
        shown = browser.open()
        card = {"card_number": "4242424242424242", "card_expiry": "12/40", "card_cvc": "123"}
        done = browser.send(shown, card)

    assert 'href="https://app.acme.example/pricing"' in shown.response.text
    assert done.response.headers["location"] == (
        "https://app.acme.example/billing/done?from=checkout"
        f"&checkout_session_id={session.id}#top"
    )


def test_without_a_way_on(market: Market) -> None:
    """Without `success_url` the confirmation with the invoice stays on our page."""
    session = market.offer()
    with market.page(session) as browser:
        card = {"card_number": "4242424242424242", "card_expiry": "12/40", "card_cvc": "123"}
        done = browser.send(browser.open(), card)

    number = market.found(session.id).invoice.invoice_number
    assert done.status == 200
    assert number in done.text


@pytest.mark.parametrize(
    ("sent", "hours"),
    [({}, 1), ({"expires_in_hours": None}, 1), ({"expires_in_hours": 24}, 24)],
)
def test_expiry(market: Market, sent: Json, hours: int) -> None:
    """A session lives one hour, or as many as are asked for."""
    session = market.offer(**sent)

    assert session.expires_at == NOON + timedelta(hours=hours)


def test_no_expiry(market: Market) -> None:
    """Zero hours mean that the session never expires."""
    session = market.offer(expires_in_hours=0)

    assert session.expires_at is None
    assert market.buy(session).session.expires_at is None


def test_the_longest_expiry(market: Market) -> None:
    """8760 hours are a year; one hour more is refused."""
    longest = market.offer(expires_in_hours=8760)
    refused = market.create(expires_in_hours=8761)

    assert longest.expires_at == NOON + timedelta(days=365)
    assert [(e["field"], e["code"]) for e in refused.json()["errors"]] == [
        ("expires_in_hours", "out_of_range")
    ]


def test_every_field_is_returned(market: Market) -> None:
    """A session answers with the client's fields and ours, each with its default."""
    customer = market.customer()
    session = market.create(customer_id=customer.id).json()["session"]
    link = session.pop("checkout_url")
    session_id, quote_id = session.pop("id"), session.pop("quote_id")

    assert session_id.startswith("che_")
    assert session_id in link
    assert quote_id
    assert session == {
        "checkout_type": "SELF_SERVE",
        "status": "CREATED",
        "customer_id": customer.id,
        "plan_version_id": market.plans["Starter"].version_id,
        "created_at": "2026-03-10T12:00:00.000Z",
        "updated_at": "2026-03-10T12:00:00.000Z",
        "expires_at": "2026-03-10T13:00:00.000Z",
        "completed_at": None,
        "subscription_id": None,
        "currency": "EUR",
        "amount_due": 4900,
        "amount_total": 4900,
        "billing_start_date": None,
        "billing_day_anchor": None,
        "end_date": None,
        "net_terms": 0,
        "trial_duration_days": None,
        "auto_advance_invoices": True,
        "charge_automatically": True,
        "coupon_code": None,
        "coupon_ids": [],
        "add_ons": [],
        "components": None,
        "invoice_memo": None,
        "invoice_threshold": None,
        "purchase_order": None,
        "payment_methods_config": {
            "type": "online",
            "config": {"card": {"enabled": True}, "direct_debit": {"enabled": True}},
        },
        "success_url": None,
        "cancel_url": None,
        "metadata": None,
        "last_payment_error": None,
    }
    decoded = market.sdk.checkout_sessions.retrieve(session_id).session
    assert isinstance(decoded, m.CheckoutSession)
    assert decoded.checkout_url == link
