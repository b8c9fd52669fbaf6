"""Addresses that are nearly one of the API's."""

import httpx
import pytest


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/product-families", "/product_families"),
        ("/checkout_sessions", "/checkout-sessions"),
        ("/Customers", "/customers"),
        ("/customers/", "/customers"),
        ("/customers/globex/portal_token", "/customers/globex/portal-token"),
        ("/nothing", None),
        ("/" + "customers" * 20, None),
    ],
)
async def test_an_address_that_was_mistyped(
    client: httpx.AsyncClient, asked: str, meant: str | None
) -> None:
    """The nearest address of the API is named, if there is one."""
    told = (await client.get(asked)).json()["message"]

    path = client.base_url.path.rstrip("/")
    expected = f"There is nothing at {path}{asked}"
    assert told == f"{expected}; did you mean {path}{meant}?" if meant else f"{expected}."
