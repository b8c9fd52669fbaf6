"""What cannot be subscribed to: each refusal names its field and changes nothing."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tallystick.domain.ids import Prefix, encode
from tests.world import World

Json = dict[str, Any]
MISSING = UUID(int=1)
PRICE = {
    "type": "NEW",
    "cadence": "MONTHLY",
    "currency": "EUR",
    "pricing": {"type": "RATE", "rate": "1"},
}

FAULTY: dict[str, tuple[Json, set[tuple[str, str]]]] = {
    "activation": (
        {"activation_condition": "LATER"},
        {("activation_condition", "unknown_value")},
    ),
    "properties": (
        {"custom_properties": {"tier": 1}},
        {("custom_properties.tier", "unknown_property")},
    ),
    "misspelt": ({"trial_duration_days": 3}, {("trial_duration_days", "unknown_field")}),
    "two at once": (
        {"trial_days": 731, "net_terms": -1},
        {("trial_days", "out_of_range"), ("net_terms", "out_of_range")},
    ),
    "anchor": ({"billing_day_anchor": 0}, {("billing_day_anchor", "out_of_range")}),
    "long ago": ({"start_date": "2016-01-01"}, {("start_date", "out_of_bounds")}),
    "far away": ({"start_date": "2036-04-01"}, {("start_date", "out_of_bounds")}),
    "no day": ({"end_date": "2026-03-10"}, {("end_date", "too_early")}),
    "no day after the trial": (
        {"end_date": "2026-03-24", "trial_days": 14},
        {("end_date", "too_early")},
    ),
    "no such version": ({"version": 2}, {("version", "unknown")}),
    "version": ({"version": 0}, {("version", "out_of_range")}),
    "coupons": (
        {"coupon_codes": ["NONE", "NEITHER"]},
        {("coupon_codes[0]", "unknown"), ("coupon_codes[1]", "unknown")},
    ),
    "charging": (
        {"charge_automatically": True, "payment_methods_config": {"type": "external"}},
        {("charge_automatically", "contradiction")},
    ),
    "payment": (
        {"payment_methods_config": {"type": "bank_transfer"}},
        {("payment_methods_config", "unusable")},
    ),
    "add-on": (
        {"add_ons": [{"add_on_id": encode(Prefix.ADD_ON, MISSING)}]},
        {("add_ons[0].add_on_id", "unknown")},
    ),
    "components": (
        {
            "price_components": {
                "remove_components": [encode(Prefix.COMPONENT, MISSING)],
                "extra_components": [
                    {
                        "name": "Extra",
                        "product_ref": {
                            "type": "EXISTING",
                            "id": encode(Prefix.PRODUCT, MISSING),
                        },
                        "price_entry": PRICE,
                    }
                ],
            }
        },
        {
            ("price_components.remove_components[0]", "unknown"),
            ("price_components.extra_components[0].product_ref.id", "unknown"),
        },
    ),
    "impossible price": (
        {
            "price_components": {
                "overridden_components": [
                    {
                        "component_id": encode(Prefix.COMPONENT, MISSING),
                        "name": "Fee",
                        "price_entry": {**PRICE, "pricing": {"type": "RATE", "rate": "-1"}},
                    }
                ]
            }
        },
        {
            (
                "price_components.overridden_components[0].price_entry.pricing.rate",
                "out_of_range",
            )
        },
    ),
}


async def _body(world: World, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {
        "activation_condition": "ON_START",
        "customer_id_or_alias": encode(Prefix.CUSTOMER, await world.customer()),
        "plan_id": encode(Prefix.PLAN, (await world.plan()).id),
        "start_date": "2026-03-10",
        **fields,
    }


@pytest.mark.parametrize("name", FAULTY)
async def test_impossible_requests(api: httpx.AsyncClient, world: World, name: str) -> None:
    """400 with every fault by the request's own names, and nothing is made."""
    fields, faults = FAULTY[name]

    answer = await api.post("/api/v1/subscriptions", json=await _body(world, **fields))

    assert answer.status_code == 400, answer.text
    told = {(one["field"], one["code"]) for one in answer.json()["errors"]}
    assert told == faults
    for table in ("subscriptions", "invoices", "plan_places", "events"):
        assert await world.fetch(f"select from {table}") == []


async def test_what_is_missing_is_named(api: httpx.AsyncClient) -> None:
    """Who, what, when and how are required."""
    answer = await api.post("/api/v1/subscriptions", json={})

    assert {one["field"] for one in answer.json()["errors"]} == {
        "activation_condition",
        "customer_id_or_alias",
        "plan_id",
        "start_date",
    }


@pytest.mark.parametrize("field", ["customer_id_or_alias", "plan_id"])
async def test_unknown_parties(api: httpx.AsyncClient, world: World, field: str) -> None:
    """404 for a customer or a plan that this tenant does not have, by the field's name."""
    prefix = Prefix.PLAN if field == "plan_id" else Prefix.CUSTOMER
    body = await _body(world, **{field: encode(prefix, MISSING)})

    answer = await api.post("/api/v1/subscriptions", json=body)

    assert answer.status_code == 404
    assert [one["field"] for one in answer.json()["errors"]] == [field]


async def test_archived_parties(api: httpx.AsyncClient, world: World) -> None:
    """An archived customer and an archived plan are refused together."""
    body = await _body(world)
    await world.execute("update customers set archived_at = now()")
    await world.execute("update plans set archived_at = now(), status = 'ARCHIVED'")

    answer = await api.post("/api/v1/subscriptions", json=body)

    assert answer.status_code == 400
    assert {(one["field"], one["code"]) for one in answer.json()["errors"]} == {
        ("customer_id_or_alias", "archived"),
        ("plan_id", "archived"),
    }
