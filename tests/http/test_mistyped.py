"""Addresses that are nearly one of the API's."""

import time

import httpx
import pytest
from fastapi import FastAPI

from tallystick.http.app import api_router
from tallystick.http.near_path import near_path

HOSTILE = "c" * 100


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/product-families", "/product_families"),
        ("/checkout_sessions", "/checkout-sessions"),
        ("/Customers", "/customers"),
        ("/customers/", "/customers"),
        ("/customers/globex/portal_token", "/customers/globex/portal-token"),
        (f"/customers/{HOSTILE * 10}/portl-token", f"/customers/{HOSTILE * 10}/portal-token"),
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


def test_nobody_keeps_a_process_busy_with_addresses() -> None:
    """A hundred addresses, long and nearly right, take no second: ids are not compared."""
    app = FastAPI()
    app.include_router(api_router())
    began = time.process_time()
    for number in range(100):
        near_path(app, f"/api/v1//{HOSTILE}/b/{number}"[:150])
        near_path(app, f"/api/v1/subscriptions/{HOSTILE}/{number}")
        near_path(app, f"/api/v1/customers/{HOSTILE}/portl-token{number}")

    assert time.process_time() - began < 1
