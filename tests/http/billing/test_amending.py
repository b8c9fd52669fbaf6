"""Amending subscriptions over the wire: every kind of change, its refusals, and repeats."""

from datetime import date
from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid

from tallystick.domain.ids import Prefix, encode
from tallystick.services.ids import new_id
from tests.scenarios.amending import Amending
from tests.scenarios.plan_changes import Shop
from tests.subscribing import Merchant
from tests.world import World

RATE = {"type": "RATE", "rate": "50"}
SUPPORT: dict[str, Any] = {
    "name": "Support",
    "product_ref": {
        "type": "NEW",
        "name": "Support",
        "fee_type": "RATE",
        "fee_structure": {"type": "RATE"},
    },
    "price_entry": {"type": "NEW", "cadence": "MONTHLY", "currency": "EUR", "pricing": RATE},
}


@pytest.fixture
async def shop(world: World) -> Amending:
    """A subscription to Starter since January 1; it is January 16."""
    made = Amending(shop=Shop(merchant=Merchant(world=world)))
    await made.begin()
    await made.on("2024-01-16")
    return made


def path_of(shop: Amending) -> str:
    """Where it is amended."""
    name = encode(Prefix.SUBSCRIPTION, shop.subscription_id)
    return f"/api/v1/subscriptions/{name}"


async def component(shop: Amending, name: str) -> str:
    """The id of a component on the wire."""
    return encode(Prefix.SUBSCRIPTION_COMPONENT, (await shop.item(name)).id)


def faults(answer: httpx.Response) -> dict[str, str]:
    """The faults of a refusal: path and code."""
    assert answer.status_code == 400, answer.text
    return {one["field"]: one["code"] for one in answer.json()["errors"]}


async def test_everything_at_once(
    api: httpx.AsyncClient, sdk: AsyncMeteroid, shop: Amending
) -> None:
    """36.13 and 25.81 and 20.65 on one invoice, 5.16 forgiven; as the SDK reads it."""
    add_on = encode(Prefix.ADD_ON, await shop.add_on("Pack", "20", most=2))
    price = {**SUPPORT["price_entry"], "pricing": {"type": "RATE", "rate": "99"}}
    body = {
        "at": "NOW",
        "components": {
            "add": [SUPPORT],
            "change": [{"id": await component(shop, "Platform Fee"), "price_entry": price}],
            "remove": [await component(shop, "Seats")],
        },
        "add_ons": {"add": [{"add_on_id": add_on, "quantity": 2}]},
    }

    seen = (await api.post(f"{path_of(shop)}/amend", json=body | {"preview": True})).json()
    told = (await api.post(f"{path_of(shop)}/amend", json=body)).json()

    assert seen["invoice"]["invoice_number"] == "draft"
    assert seen["invoice"]["total"] == told["invoice"]["total"] == 3613 + 2581 + 2065
    assert told["invoice"]["invoice_number"] == "INV-2"
    (note,) = told["credit_notes"]
    read = await sdk.credit_notes.retrieve(note["id"])
    assert (read.credit_type, read.total) == ("DEBT_CANCELLATION", -516)
    invoice = await sdk.invoices.retrieve(told["invoice"]["id"])
    assert [one.name for one in invoice.line_items] == [
        "Platform Fee (adjustment)",
        "Support (prorated)",
        "Pack (prorated)",
    ]
    subscription = await sdk.subscriptions.retrieve(told["subscription"]["id"])
    assert subscription.mrr_cents == 9900 + 5000 + 4000
    explained = (await api.get(f"/api/v1/invoices/{invoice.id}/explain")).json()
    assert explained["lines"][0]["steps"][-2]["type"] == "BILLED_BEFORE"


async def test_every_fault_at_once(api: httpx.AsyncClient, shop: Amending) -> None:
    """Each with its path, by the rules of a checkout; and nothing is changed."""
    add_on = encode(Prefix.ADD_ON, await shop.add_on("Pack", "20", most=2))
    fee, seats = [await component(shop, name) for name in ("Platform Fee", "Seats")]
    dollars = {**SUPPORT["price_entry"], "currency": "USD"}
    before = await shop.everything()
    body = {
        "at": "NOW",
        "components": {
            "add": [{**SUPPORT, "price_entry": dollars}],
            "add_from_plan": [{"component_id": encode(Prefix.COMPONENT, new_id())}],
            "change": [
                {"id": fee},
                {"id": seats, "price_entry": SUPPORT["price_entry"]},
                {"id": encode(Prefix.SUBSCRIPTION_COMPONENT, new_id()), "name": "X"},
            ],
            "remove": [encode(Prefix.SUBSCRIPTION_COMPONENT, new_id())],
        },
        "add_ons": {
            "add": [{"add_on_id": add_on, "quantity": 3}],
            "remove": [encode(Prefix.SUBSCRIPTION_ADD_ON, new_id())],
        },
    }

    for at in ("NOW", "PERIOD_END"):
        answer = await api.post(f"{path_of(shop)}/amend", json={**body, "at": at})

        assert faults(answer) == {
            "components.add[0].price_entry.currency": "wrong_currency",
            "components.add_from_plan[0].component_id": "unknown",
            "components.change[0]": "missing",
            "components.change[1].price_entry.pricing": "wrong_fee_type",
            "components.change[2].id": "unknown",
            "components.remove[0]": "unknown",
            "add_ons.add[0].quantity": "above_limit",
            "add_ons.remove[0]": "unknown",
        }
    assert await shop.everything() == before


async def test_limits_count_what_is_had(api: httpx.AsyncClient, shop: Amending) -> None:
    """Two of at most three: one more, and not two; three, and not four."""
    add_on_id = await shop.add_on("Pack", "20", most=3)
    await shop.add_add_on(add_on_id, 2)
    add_on = encode(Prefix.ADD_ON, add_on_id)
    own = encode(Prefix.SUBSCRIPTION_ADD_ON, (await shop.item("Pack")).id)
    path = f"{path_of(shop)}/amend"

    def body(**add_ons: object) -> dict[str, object]:
        return {"at": "NOW", "preview": True, "add_ons": add_ons}

    for quantity, allowed in ((1, True), (2, False)):
        wanted = body(add=[{"add_on_id": add_on, "quantity": quantity}])
        assert ((await api.post(path, json=wanted)).status_code == 200) is allowed
    for quantity, allowed in ((3, True), (4, False)):
        wanted = body(change=[{"id": own, "quantity": quantity}])
        assert ((await api.post(path, json=wanted)).status_code == 200) is allowed
    both = body(change=[{"id": own, "quantity": 3}], add=[{"add_on_id": add_on, "quantity": 1}])
    assert faults(await api.post(path, json=both)) == {"add_ons.add[0].quantity": "above_limit"}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        pytest.param({}, {"components": "missing"}, id="nothing"),
        pytest.param({"at": "LATER"}, {"at": "unknown_value"}, id="when"),
        pytest.param(
            {"add_ons": {"change": [{"id": "sub_add_1", "quantity": 0}]}},
            {"add_ons.change[0].quantity": "out_of_range"},
            id="AMD-16[1]",
        ),
        pytest.param(
            {"components": {"extra": []}}, {"components.extra": "unknown_field"}, id="a word"
        ),
    ],
)
async def test_bodies_that_are_refused(
    api: httpx.AsyncClient, shop: Amending, body: dict[str, Any], wanted: dict[str, str]
) -> None:
    """By the path of what is wrong."""
    answer = await api.post(f"{path_of(shop)}/amend", json={"at": "NOW", **body})

    assert faults(answer).items() >= wanted.items()


async def test_a_repeat_amends_once(api: httpx.AsyncClient, shop: Amending) -> None:
    """The same key: the same answer, one component and one invoice."""
    headers, body = {"Idempotency-Key": "once"}, {"at": "NOW", "components": {"add": [SUPPORT]}}

    first, again = [
        await api.post(f"{path_of(shop)}/amend", json=body, headers=headers) for _ in range(2)
    ]

    assert (first.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert [one["total"] for one in await shop.invoices()] == [3900, 2581]


async def test_scheduled_and_dropped(api: httpx.AsyncClient, shop: Amending) -> None:
    """The preview has the renewal's invoice; then it is shown, replaced and dropped."""
    path, seats = path_of(shop), await component(shop, "Seats")
    body = {"at": "PERIOD_END", "components": {"add": [SUPPORT], "remove": [seats]}}

    seen = (await api.post(f"{path}/amend", json=body | {"preview": True})).json()
    first = (await api.post(f"{path}/amend", json=body)).json()
    second = await api.post(f"{path}/amend", json={**body, "components": {"add": [SUPPORT]}})
    now = await api.post(f"{path}/amend", json={**body, "at": "NOW"})
    dropped = await api.delete(f"{path}/scheduled-change")

    assert (seen["invoice"]["total"], seen["invoice"]["invoice_number"]) == (7900, "draft")
    change = first["subscription"]["scheduled_change"]
    assert (change["type"], change["effective_on"]) == ("AMENDMENT", "2024-02-01")
    assert [one["name"] for one in change["components"]] == ["Support"]
    assert (change["remove_components"], change["add_ons"]) == ([seats], [])
    assert second.json()["subscription"]["scheduled_change"]["remove_components"] == []
    assert now.status_code == 409
    assert dropped.json()["subscription"]["scheduled_change"] is None
    await shop.shop.merchant.travel(date(2024, 2, 2))
    assert [one["total"] for one in await shop.invoices()] == [3900, 3900]


async def test_a_component_of_the_plan_comes_back(
    api: httpx.AsyncClient, shop: Amending
) -> None:
    """Removed, and added again with five seats at 10.00 for 16 of 31 days."""
    seats = await shop.item("Seats")
    assert seats.component_id is not None
    wanted = {
        "component_id": encode(Prefix.COMPONENT, seats.component_id),
        "parameters": {"initial_slot_count": 5},
    }
    body = {"at": "NOW", "components": {"add_from_plan": [wanted]}}
    twice = await api.post(f"{path_of(shop)}/amend", json=body)
    await shop.remove("Seats")

    told = (await api.post(f"{path_of(shop)}/amend", json=body)).json()

    assert faults(twice) == {"components.add_from_plan[0].component_id": "duplicate"}
    assert told["invoice"]["total"] == 2581
    (shown,) = [one for one in told["subscription"]["components"] if one["name"] == "Seats"]
    assert shown["fee"]["initial_slots"] == 5


async def test_an_unknown_subscription(api: httpx.AsyncClient) -> None:
    """404 for what this tenant does not have."""
    missing = encode(Prefix.SUBSCRIPTION, new_id())
    body = {"at": "NOW", "components": {"add": [SUPPORT]}}
    assert (
        await api.post(f"/api/v1/subscriptions/{missing}/amend", json=body)
    ).status_code == 404
