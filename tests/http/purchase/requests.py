"""Requests with one thing wrong, and what is said about it."""

from typing import Any

from tests.http.purchase.market import Json, Market

Faults = list[tuple[str, str]]

NEW_PRICE: Json = {
    "type": "NEW",
    "cadence": "MONTHLY",
    "currency": "EUR",
    "pricing": {"type": "RATE", "rate": "10.00"},
}
NEW_PRODUCT: Json = {
    "type": "NEW",
    "name": "Onboarding",
    "fee_type": "RATE",
    "fee_structure": {"type": "RATE"},
}


def refused(market: Market, body: Any, status: int = 400) -> Faults:  # noqa: ANN401
    """The faults of a request that must be refused and leave nothing behind.

    The preview says the same as the creation.
    """
    before = market.stored()
    answer = market.raw.post("/checkout-sessions", json=body)
    assert answer.status_code == status, answer.text
    told: Json = answer.json()
    assert set(told) == {"code", "message", "errors", "request_id"}
    assert told["message"]
    assert all(one["message"] for one in told["errors"])
    assert market.stored() == before
    previewed = market.raw.post("/checkout-sessions/preview", json=body)
    if status != 409:
        assert (previewed.status_code, previewed.json()["errors"]) == (status, told["errors"])
    return [(one["field"], one["code"]) for one in told["errors"]]


def price(**fields: object) -> Json:
    """A new price with other fields."""
    return {**NEW_PRICE, **fields}


def extra(**fields: object) -> Json:
    """The components of a request with one extra component."""
    entry = {
        "name": "Onboarding",
        "product_ref": NEW_PRODUCT,
        "price_entry": NEW_PRICE,
        **fields,
    }
    return {"extra_components": [entry]}


def priced(pricing: Json, fee: Json | None = None) -> Json:
    """The components of a request with an extra component of a pricing."""
    structure = fee or {"type": pricing["type"]}
    product = {**NEW_PRODUCT, "fee_type": structure["type"], "fee_structure": structure}
    return extra(product_ref=product, price_entry=price(pricing=pricing))
