"""Custom properties and their definitions, through the official client where it can say it."""

from typing import Any

import httpx
import meteroid
import pytest
from meteroid import AsyncMeteroid, Meteroid
from meteroid import models as m
from meteroid.models import CustomPropertyDefinition, PropertyConfig, SelectOption

from tests.http.conftest import TRUSTED, Served, Shop

DEFINITIONS = "/custom-property-definitions"


def defined(
    sdk: Meteroid,
    key: str,
    kind: str = "TEXT",
    entity: str = "CUSTOMER",
    **more: Any,  # noqa: ANN401 - of the definition
) -> CustomPropertyDefinition:
    """A property with a name like its key."""
    return sdk.custom_properties.create_custom_property_definition(
        entity_type=entity,  # type: ignore[arg-type]
        key=key,
        name=key.title(),
        property_type=kind,  # type: ignore[arg-type]
        **more,
    )


async def test_a_definition_of_every_kind(api: Served) -> None:
    """Every type with what bounds it comes back as it was said, archived ones too."""
    async with (
        httpx.AsyncClient(verify=TRUSTED) as http,
        AsyncMeteroid(api_key=api.tenant.api_key, base_url=api.url, http_client=http) as client,
    ):
        properties = client.custom_properties
        options = [SelectOption(value="a", label="A"), SelectOption(value="b", label=None)]
        made = {
            kind: await properties.create_custom_property_definition(
                entity_type=m.CustomPropertyEntityType.QUOTE,
                key=f"of_{kind.lower()}",
                name=kind,
                property_type=m.CustomPropertyType(kind),
                config=PropertyConfig(min=0.5, max=10, max_length=7, options=options),
                default_value=default,
                description="For people.",
                display_order=-place,
                required=True,
            )
            for place, (kind, default) in enumerate(
                {
                    "TEXT": "seven",
                    "NUMBER": 2.5,
                    "BOOLEAN": False,
                    "DATE": "2026-03-10",
                    "DATETIME": "2026-03-10T12:00:00Z",
                    "SINGLE_SELECT": "a",
                    "MULTI_SELECT": ["b", "a"],
                    "JSON": {"a": [1, None]},
                    "URL": "https://a.example",
                    "EMAIL": "ada@a.example",
                }.items()
            )
        }

        for kind, one in made.items():
            assert one.id.startswith("cpd_")
            assert (one.property_type, one.entity_type, one.archived) == (kind, "QUOTE", False)
            assert (one.config.min, one.config.max, one.config.max_length) == (0.5, 10, 7)
            assert one.config.options == options
            assert (one.description, one.required) == ("For people.", True)
            assert await properties.retrieve_custom_property_definition(one.id) == one
        assert made["MULTI_SELECT"].default_value == ["b", "a"]
        assert made["BOOLEAN"].default_value is False
        listed = properties.list_custom_property_definitions(
            entity_type=m.CustomPropertyEntityType.QUOTE, per_page=3
        )
        found = [one.property_type async for one in listed]
        assert found == list(reversed(made))
        gone = await properties.archive_definition(made["URL"].id)
        assert (gone.archived, await properties.archive_definition(gone.id)) == (True, gone)


def test_a_definition_is_changed(sdk: Meteroid) -> None:
    """What is left out stays, null is the default; key, type and object never change."""
    made = defined(
        sdk,
        "region",
        "SINGLE_SELECT",
        config=PropertyConfig(options=[SelectOption(value="EU"), SelectOption(value="US")]),
        default_value="EU",
        description="Where.",
        display_order=4,
    )
    change = sdk.custom_properties.update_custom_property_definition

    named = change(made.id, name="Region of the world", required=True)
    assert (named.name, named.required, named.key) == ("Region of the world", True, "region")
    assert (named.default_value, named.config, named.display_order) == ("EU", made.config, 4)
    with pytest.raises(meteroid.BadRequestError, match=r"config\.options: is required"):
        change(made.id, config=None)
    fewer = PropertyConfig(options=[SelectOption(value="US")])
    with pytest.raises(meteroid.BadRequestError, match="default_value: must be one of `US`"):
        change(made.id, config=fewer)
    changed = change(made.id, config=fewer, default_value="US", description=None)
    assert (changed.default_value, changed.description) == ("US", None)
    cleared = change(made.id, required=None, display_order=None)
    assert (cleared.required, cleared.display_order) == (False, 0)

    sdk.custom_properties.archive_definition(made.id)
    with pytest.raises(meteroid.ConflictError, match="is archived"):
        change(made.id, name="Late")
    again = defined(sdk, "region", "TEXT")
    assert again.id != made.id
    live = list(sdk.custom_properties.list_custom_property_definitions(per_page=100))
    every = list(
        sdk.custom_properties.list_custom_property_definitions(
            per_page=100, include_archived=True
        )
    )
    assert [one.id for one in live if one.key == "region"] == [again.id]
    assert {one.id for one in every if one.key == "region"} == {again.id, made.id}


async def test_definitions_that_are_refused(shop: Shop) -> None:
    """All faults at once, with their paths; nothing is written."""
    body = {
        "entity_type": "PLAN",
        "key": "a b",
        "name": "",
        "property_type": "MONEY",
        "config": {"min": "1", "options": [{"value": "", "colour": "red"}]},
        "display_ordr": 1,
    }
    refused = await shop.client.post(DEFINITIONS, json=body)
    assert refused.status_code == 400
    assert {one["field"] for one in refused.json()["errors"]} == {
        "entity_type",
        "key",
        "name",
        "property_type",
        "config.min",
        "config.options[0].value",
        "config.options[0].colour",
        "display_ordr",
    }
    huge = {"entity_type": "CUSTOMER", "key": "n", "name": "N", "property_type": "NUMBER"}
    refused = await shop.client.post(DEFINITIONS, json=huge | {"config": {"max": 10**400}})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "out_of_range")
    fine = {
        "entity_type": "CUSTOMER",
        "key": "tier",
        "name": "Tier",
        "property_type": "TEXT",
    }
    made = await shop.client.post(DEFINITIONS, json=fine)
    twice = await shop.client.post(DEFINITIONS, json=fine)
    elsewhere = await shop.client.post(DEFINITIONS, json=fine | {"entity_type": "INVOICE"})
    assert (made.status_code, twice.status_code, elsewhere.status_code) == (201, 409, 201)
    assert twice.json()["errors"][0]["field"] == "key"
    path = f"{DEFINITIONS}/{made.json()['id']}"
    for immutable in ({"key": "other"}, {"property_type": "JSON"}, {"name": None}):
        assert (await shop.client.put(path, json=immutable)).status_code == 400
    assert (await shop.client.get(path)).json() == made.json()


async def test_there_can_be_a_hundred(shop: Shop) -> None:
    """One more of a kind of object is refused until one is archived."""
    fine = {"entity_type": "CUSTOMER", "name": "N", "property_type": "TEXT"}
    made = [
        await shop.client.post(DEFINITIONS, json=fine | {"key": f"k{number}"})
        for number in range(100)
    ]
    more = await shop.client.post(DEFINITIONS, json=fine | {"key": "more"})
    await shop.client.delete(f"{DEFINITIONS}/{made[0].json()['id']}")
    then = await shop.client.post(DEFINITIONS, json=fine | {"key": "more"})

    assert {one.status_code for one in made} == {201}
    assert (more.status_code, then.status_code) == (409, 201)


def test_values_of_customers(sdk: Meteroid) -> None:
    """Kept, merged, replaced; those of an archived definition stay, and can be sent back."""
    defined(sdk, "seats", "NUMBER", config=PropertyConfig(min=1, max=500), required=True)
    plan = defined(sdk, "plan_code", "TEXT", default_value="none")
    with pytest.raises(
        meteroid.BadRequestError, match=r"custom_properties\.seats: is required"
    ):
        sdk.customers.create(currency="EUR", name="Globex")
    made = sdk.customers.create(
        currency="EUR", name="Globex", alias="props", custom_properties={"seats": 5}
    )
    assert made.custom_properties == {"seats": 5, "plan_code": "none"}
    with pytest.raises(meteroid.BadRequestError, match=r"seats: must be 500 or less"):
        sdk.customers.update("props", name="Other", custom_properties={"seats": 501})
    assert sdk.customers.retrieve("props").name == "Globex"

    patched = sdk.customers.update("props", custom_properties={"seats": 6, "plan_code": None})
    assert patched.custom_properties == {"seats": 6}
    sdk.customers.update("props", custom_properties={"plan_code": "gold"})
    sdk.custom_properties.archive_definition(plan.id)
    kept = sdk.customers.retrieve("props")
    assert kept.custom_properties == {"seats": 6, "plan_code": "gold"}
    replaced = sdk.customers.replace(
        "props",
        currency="EUR",
        custom_taxes=[],
        invoicing_emails=[],
        invoicing_entity_id=made.invoicing_entity_id,
        name="Globex",
        alias="props",
        custom_properties=kept.custom_properties | {"seats": 7},
    )
    assert replaced.custom_properties == {"seats": 7, "plan_code": "gold"}
    assert sdk.customers.retrieve(made.id) == replaced
    with pytest.raises(meteroid.BadRequestError, match="plan_code: is not a defined property"):
        sdk.customers.update("props", custom_properties={"plan_code": "silver"})
    assert sdk.customers.update("props", phone="1").custom_properties == {
        "seats": 7,
        "plan_code": "gold",
    }
