"""Slots over the wire: added, given up, previewed, refused, and shown to the SDK."""

import asyncio
from datetime import date
from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m

from tallystick.domain.ids import Prefix, decode, encode
from tallystick.services.ids import new_id
from tests.scenarios.slots import Seats, begin
from tests.world import World


@pytest.fixture
async def seats(world: World) -> Seats:
    """Five seats at 10.00, ten at most, of which 17 of 31 days are left."""
    made = await begin(world, most=10)
    await made.merchant.travel(date(2024, 1, 15))
    return made


def body(seats: Seats, delta: object, **more: object) -> dict[str, Any]:
    """A change of the seats."""
    item = encode(Prefix.SUBSCRIPTION_COMPONENT, seats.item_id)
    return {"component_id": item, "delta": delta, **more}


def path(seats: Seats) -> str:
    """Where they are changed."""
    name = encode(Prefix.SUBSCRIPTION, seats.subscription_id)
    return f"/api/v1/subscriptions/{name}"


async def post(
    api: httpx.AsyncClient, seats: Seats, sent: object, key: str | None = None
) -> httpx.Response:
    """Ask for a change."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return await api.post(f"{path(seats)}/slots", json=sent, headers=headers)


async def fee_of(sdk: AsyncMeteroid, seats: Seats) -> m.SlotFee:
    """The fee of the seats, as the SDK reads it."""
    name = encode(Prefix.SUBSCRIPTION, seats.subscription_id)
    (component,) = (await sdk.subscriptions.retrieve(name)).components
    assert isinstance(component.fee, m.SlotFee)
    return component.fee


async def test_more_at_once(api: httpx.AsyncClient, sdk: AsyncMeteroid, seats: Seats) -> None:
    """Two more: 2 x 10.00 x 17 / 31 = 10.97 at once, and the SDK reads seven."""
    answer = await post(api, seats, body(seats, 2))

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["delta"], told["slots"], told["effective_on"]) == (2, 7, "2024-01-15")
    assert (told["invoice"]["total"], told["invoice"]["invoice_type"]) == (1097, "ADJUSTMENT")
    assert told["subscription"]["mrr_cents"] == 7000
    assert (await fee_of(sdk, seats)).initial_slots == 7


async def test_fewer_are_shown_until_they_go(
    api: httpx.AsyncClient, sdk: AsyncMeteroid, seats: Seats
) -> None:
    """Two more and two fewer: seven, of which two go on February 1."""
    await post(api, seats, body(seats, 2))

    told = (await post(api, seats, body(seats, -2))).json()

    assert (told["slots"], told["effective_on"], told["invoice"]) == (7, "2024-02-01", None)
    fee = told["subscription"]["components"][0]["fee"]
    assert fee["scheduled"] == [{"delta": -2, "effective_on": "2024-02-01"}]
    assert (await fee_of(sdk, seats)).initial_slots == 7
    await seats.merchant.travel(date(2024, 2, 1))
    assert (await fee_of(sdk, seats)).initial_slots == 5


async def test_they_wait_for_their_invoice(
    api: httpx.AsyncClient, sdk: AsyncMeteroid, seats: Seats
) -> None:
    """Shown with the invoice that they wait for; paid, they are there."""
    told = (await post(api, seats, body(seats, 5, mode="ON_INVOICE_PAID"))).json()

    invoice = told["invoice"]["id"]
    assert (told["slots"], told["effective_on"]) == (5, None)
    fee = told["subscription"]["components"][0]["fee"]
    assert fee["awaiting_payment"] == [{"delta": 5, "invoice_id": invoice}]
    paid = await api.post(f"/api/v1/invoices/{invoice}/payments", json={"amount": 2742})
    assert paid.status_code in {200, 201}, paid.text
    assert (await fee_of(sdk, seats)).initial_slots == 10
    shown = (await api.get(path(seats))).json()["components"][0]["fee"]
    assert (shown["awaiting_payment"], shown["scheduled"]) == ([], [])


@pytest.mark.parametrize("more", [{"preview": True}, {"mode": "ON_CHECKOUT"}])
async def test_a_preview(api: httpx.AsyncClient, seats: Seats, more: dict[str, object]) -> None:
    """The amount without a number, and nothing is stored."""
    before = await seats.everything()

    told = (await post(api, seats, body(seats, 5, **more))).json()

    assert (told["invoice"]["total"], told["invoice"]["invoice_number"]) == (2742, "draft")
    assert await seats.everything() == before


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"delta": 0}, "delta", "out_of_range"),
        ({"delta": 6}, "delta", "out_of_bounds"),
        ({"delta": -1}, "delta", "out_of_bounds"),
        ({"delta": "2"}, "delta", "wrong_type"),
        ({"delta": 1.5}, "delta", "wrong_type"),
        ({"delta": 10**10}, "delta", "out_of_range"),
        ({"mode": "SOMETIMES"}, "mode", "unknown_value"),
        ({"component_id": None}, "component_id", "contradiction"),
        (
            {"add_on_id": encode(Prefix.SUBSCRIPTION_ADD_ON, new_id())},
            "component_id",
            "contradiction",
        ),
        (
            {"component_id": encode(Prefix.SUBSCRIPTION_COMPONENT, new_id())},
            "component_id",
            "unknown",
        ),
        (
            {
                "component_id": None,
                "add_on_id": encode(Prefix.SUBSCRIPTION_ADD_ON, new_id()),
            },
            "add_on_id",
            "unknown",
        ),
        ({"billing": "OPTIMISTIC"}, "billing", "unknown_field"),
    ],
)
async def test_what_is_refused(
    api: httpx.AsyncClient, seats: Seats, change: dict[str, object], field: str, code: str
) -> None:
    """The field is named, and nothing is changed."""
    before = await seats.everything()

    answer = await post(api, seats, {**body(seats, 1), **change})

    assert answer.status_code == 400, answer.text
    faults = [(fault["field"], fault["code"]) for fault in answer.json()["errors"]]
    assert faults == [(field, code)]
    assert await seats.everything() == before


async def test_one_key_changes_once(api: httpx.AsyncClient, seats: Seats) -> None:
    """Sent twice together and a third time under one key: two more, and one invoice."""
    sent = body(seats, 2)

    both = await asyncio.gather(*(post(api, seats, sent, "k") for _ in range(2)))
    third = await post(api, seats, sent, "k")

    assert third.status_code == 200
    assert third.headers["idempotent-replayed"] == "true"
    assert {one.status_code for one in both} <= {200, 409, 503}
    assert await seats.count() == 7
    assert await seats.totals() == [5000, 1097]
    invoice = third.json()["invoice"]["id"]
    assert decode(Prefix.INVOICE, invoice) == (await seats.last())["id"]
