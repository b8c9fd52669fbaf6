"""Custom properties of subscriptions, invoices and credit notes, with the official client."""

import json
from datetime import date
from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m
from meteroid.errors import BadRequestError, ConflictError

from tallystick.domain.ids import Prefix, encode
from tests.crediting import bought
from tests.subscribing import Merchant
from tests.world import World

TODAY = date(2026, 3, 10)
PATH = "/api/v1/invoices"


@pytest.fixture
def merchant(world: World) -> Merchant:
    """A merchant whose day is March 10."""
    return Merchant(world=world)


async def define(
    sdk: AsyncMeteroid,
    entity: m.CustomPropertyEntityTypeLiteral,
    key: str,
    kind: m.CustomPropertyTypeLiteral = "TEXT",
    **more: Any,  # noqa: ANN401 - of the definition
) -> None:
    """Define a property."""
    await sdk.custom_properties.create_custom_property_definition(
        entity_type=entity, key=key, name=key, property_type=kind, **more
    )


async def asking(merchant: Merchant, **fields: object) -> dict[str, Any]:
    """A subscription to be, for a customer and a plan of its own."""
    world = merchant.world
    customer, plan = await world.customer(), await world.plan()
    row = await world.one("select plan_id from plan_versions where id = $1", plan.version_id)
    return {
        "activation_condition": "ON_START",
        "customer_id_or_alias": encode(Prefix.CUSTOMER, customer),
        "plan_id": encode(Prefix.PLAN, row["plan_id"]),
        "start_date": TODAY,
        **fields,
    }


async def data_of(world: World, event_type: str) -> list[Any]:
    """The custom properties that events of a type told of, in their order."""
    rows = await world.fetch(
        "select data -> 'custom_properties' as told from events where type = $1 order by id",
        event_type,
    )
    return [json.loads(row["told"]) for row in rows]


async def test_a_subscription_with_properties(sdk: AsyncMeteroid, merchant: Merchant) -> None:
    """Validated with everything else that is asked, told, merged, and kept after its end."""
    await define(sdk, "SUBSCRIPTION", "channel", required=True)
    await define(sdk, "SUBSCRIPTION", "vip", "BOOLEAN", default_value=False)
    asked = await asking(merchant)
    with pytest.raises(BadRequestError, match=r"custom_properties\.channel: is required"):
        await sdk.subscriptions.create(**asked)
    with pytest.raises(BadRequestError, match=r"coupon_codes.* \(and 1 more\)"):
        await sdk.subscriptions.create(
            **asked, coupon_codes=["NONE"], custom_properties={"channel": 7}
        )

    made = await sdk.subscriptions.create(**asked, custom_properties={"channel": "direct"})

    assert made.custom_properties == {"channel": "direct", "vip": False}
    assert await data_of(merchant.world, "subscription.created") == [made.custom_properties]
    told = await sdk.subscriptions.update(made.id, custom_properties={"vip": True}, net_terms=7)
    assert told.subscription.custom_properties == {"channel": "direct", "vip": True}
    with pytest.raises(BadRequestError, match=r"channel: is required"):
        await sdk.subscriptions.update(made.id, custom_properties={"channel": None})
    await sdk.subscriptions.cancel(made.id, effective_date=TODAY)
    ended = await sdk.subscriptions.update(made.id, custom_properties={"channel": "partner"})
    assert ended.subscription.custom_properties["channel"] == "partner"
    with pytest.raises(ConflictError, match="has ended"):
        await sdk.subscriptions.update(made.id, custom_properties={}, net_terms=1)
    assert await sdk.subscriptions.update(made.id) == ended
    listed = [one async for one in sdk.subscriptions.list()]
    assert listed[0].custom_properties == {"channel": "partner", "vip": True}


async def test_what_a_checkout_makes_has_the_defaults(sdk: AsyncMeteroid, world: World) -> None:
    """Nobody can say values there: subscription and invoice begin with the defaults."""
    await define(sdk, "SUBSCRIPTION", "channel", default_value="web", required=True)
    await define(sdk, "SUBSCRIPTION", "owner", required=True)
    await define(sdk, "INVOICE", "booked", "BOOLEAN", default_value=False)

    billed = await bought(world)

    invoice = await sdk.invoices.retrieve(encode(Prefix.INVOICE, billed.id))
    assert invoice.custom_properties == {"booked": False}
    assert await data_of(world, "subscription.created") == [{"channel": "web"}]
    for name in ("invoice.created", "invoice.finalized", "invoice.paid"):
        assert await data_of(world, name) == [{"booked": False}]


async def test_an_invoice_keeps_properties_when_it_is_final(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, merchant: Merchant
) -> None:
    """Renewals begin with the defaults; a final invoice changes nothing but its properties."""
    await define(sdk, "INVOICE", "cost_center", default_value="c-0")
    await define(sdk, "INVOICE", "approved", "DATE")
    made = await sdk.subscriptions.create(**await asking(merchant))
    await merchant.travel(date(2026, 4, 11))
    second, first = [one async for one in sdk.invoices.list()]
    assert (second.custom_properties, first.custom_properties) == (
        {"cost_center": "c-0"},
        {"cost_center": "c-0"},
    )
    assert second.status == "FINALIZED"

    changed = await sdk.invoices.update_custom_properties(
        second.id, custom_properties={"approved": "2026-04-11", "cost_center": None}
    )

    assert changed.custom_properties == {"approved": "2026-04-11"}
    before, after = second.to_dict(), changed.to_dict()
    assert {name for name in before if before[name] != after.get(name)} <= {
        "custom_properties",
        "updated_at",
    }
    refused = await api.patch(
        f"{PATH}/{second.id}/custom-properties",
        json={"custom_properties": {"approved": "soon", "cost_centre": "x"}},
    )
    assert [one["field"] for one in refused.json()["errors"]] == [
        "custom_properties.approved",
        "custom_properties.cost_centre",
    ]
    assert "did you mean `cost_center`?" in refused.json()["errors"][1]["message"]
    again = await sdk.invoices.retrieve(second.id)
    assert again.custom_properties == changed.custom_properties
    assert made.id == second.subscription_id
    assert await data_of(merchant.world, "invoice.finalized") == [{"cost_center": "c-0"}] * 2


async def test_a_credit_note_with_properties(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World
) -> None:
    """It begins with the defaults; values are merged, null takes one away."""
    await define(sdk, "CREDIT_NOTE", "case", default_value="none")
    await define(sdk, "CREDIT_NOTE", "n", "NUMBER")
    billed = await bought(world)
    body = {
        "invoice_id": encode(Prefix.INVOICE, billed.id),
        "credit_type": "CREDIT_TO_BALANCE",
        "amount": 100,
    }
    made = (await api.post("/api/v1/credit-notes", json=body)).json()
    assert made["custom_properties"] == {"case": "none"}
    assert await data_of(world, "credit_note.finalized") == [{"case": "none"}]

    note = await sdk.credit_notes.update_custom_properties(
        made["id"], custom_properties={"case": None, "n": 3}
    )

    assert note.custom_properties == {"n": 3}
    with pytest.raises(BadRequestError, match=r"custom_properties\.n: must be a number"):
        await sdk.credit_notes.update_custom_properties(
            made["id"], custom_properties={"n": "3"}
        )
    assert (await sdk.credit_notes.retrieve(made["id"])).custom_properties == {"n": 3}
