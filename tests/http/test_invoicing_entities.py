"""Invoicing entities: everything that rules depend on can be set, and only what can be."""

import httpx
import pytest

from tallystick.domain.ids import Prefix, encode
from tests.http.conftest import Shop

ACME = {
    "legal_name": "Acme Cloud GmbH",
    "address": {
        "line1": "Allee 1",
        "line2": None,
        "city": "Berlin",
        "state": None,
        "zip_code": "10115",
        "country": "DE",
    },
    "vat_number": "DE136695976",
    "creditor_identifier": "DE98ZZZ09999999999",
    "logo_url": "https://acme.example/logo.svg",
    "brand_color": "#3366ff",
    "email": "billing@acme.example",
    "tax_engine": "EU_VAT",
    "below_vat_threshold": True,
    "number_pattern": "AC-{YYYY}{MM}-{number}",
    "grace_period_hours": 24,
    "net_terms": 30,
    "consolidate_recurring_invoices": True,
    "dunning_policy": "SUSPEND",
    "dunning_marks_uncollectible": True,
    "default_payment_methods_config": {
        "type": "online",
        "config": {"card": {"enabled": True}, "direct_debit": {"enabled": False}},
    },
}
BANK = {
    "holder": "Acme Cloud GmbH",
    "iban": "DE89 3704 0044 0532 0130 00",
    "bic": "cobadeffxxx",
    "bank_name": "Commerzbank",
    "account_number": None,
    "currency": "EUR",
}


@pytest.fixture
def path(shop: Shop) -> str:
    """The default entity of the shop's tenant."""
    entity = encode(Prefix.INVOICING_ENTITY, shop.tenant.invoicing_entity_id)
    return f"/invoicing-entities/{entity}"


async def test_what_a_tenant_begins_with(client: httpx.AsyncClient, path: str) -> None:
    """A new tenant has one entity of its name, paid on the page, taxed by its own rates."""
    found = (await client.get(path)).json()
    listed = (await client.get("/invoicing-entities")).json()

    assert listed["data"] == [found]
    assert (found["legal_name"], found["is_default"]) == ("Acme", True)
    assert (found["tax_engine"], found["net_terms"]) == ("MANUAL", 0)
    assert found["number_pattern"] == "INV-{number}"
    assert found["grace_period_hours"] == 12
    assert found["bank_accounts"] == []
    assert found["default_payment_methods_config"]["type"] == "online"


async def test_every_field_can_be_set(client: httpx.AsyncClient, path: str) -> None:
    """What is set comes back, and is kept."""
    changed = await client.patch(path, json=ACME)
    found = (await client.get(path)).json()

    assert changed.status_code == 200
    assert changed.json() == found
    assert {name: found[name] for name in ACME} == ACME


async def test_left_out_stays_and_null_clears(client: httpx.AsyncClient, path: str) -> None:
    """Null clears, or sets what a new entity has; what is left out stays."""
    await client.patch(path, json=ACME)
    cleared = await client.patch(
        path,
        json={
            "vat_number": None,
            "address": None,
            "tax_engine": None,
            "number_pattern": None,
            "grace_period_hours": None,
            "default_payment_methods_config": None,
        },
    )

    found = cleared.json()
    assert found["vat_number"] is None
    assert set(found["address"].values()) == {None}
    assert found["tax_engine"] == "MANUAL"
    assert (found["number_pattern"], found["grace_period_hours"]) == ("INV-{number}", 12)
    assert found["default_payment_methods_config"]["config"]["direct_debit"]["enabled"]
    assert (found["legal_name"], found["net_terms"]) == ("Acme Cloud GmbH", 30)


async def test_bank_accounts(client: httpx.AsyncClient, path: str) -> None:
    """The list of accounts is set whole: some stay by their id, some are new, some go."""
    first = (await client.patch(path, json={"bank_accounts": [BANK]})).json()["bank_accounts"]
    assert first[0]["id"].startswith("ba_")
    assert first[0]["iban"] == "DE89370400440532013000"
    assert first[0]["bic"] == "COBADEFFXXX"

    kept = BANK | {"id": first[0]["id"], "bank_name": "Coba"}
    usd = {"holder": "Acme Inc", "account_number": "000123456789", "currency": "USD"}
    both = (await client.patch(path, json={"bank_accounts": [kept, usd]})).json()
    assert [account["bank_name"] for account in both["bank_accounts"]] == ["Coba", None]
    assert both["bank_accounts"][0]["id"] == first[0]["id"]

    config = {"type": "bank_transfer", "account_id": first[0]["id"]}
    await client.patch(path, json={"default_payment_methods_config": config})
    needed = await client.patch(path, json={"bank_accounts": []})
    assert needed.status_code == 400
    assert needed.json()["errors"][0]["field"] == "default_payment_methods_config.account_id"

    gone = await client.patch(
        path, json={"bank_accounts": [], "default_payment_methods_config": None}
    )
    assert gone.json()["bank_accounts"] == []


async def test_all_that_cannot_be(client: httpx.AsyncClient, path: str) -> None:
    """Values of a wrong kind and settings that cannot work are told together."""
    before = (await client.get(path)).json()
    change = {"net_terms": "30", "number_pattern": "INV", "creditor_identifier": "ZZZ"}
    refused = await client.patch(path, json=change)

    assert [fault["field"] for fault in refused.json()["errors"]] == [
        "net_terms",
        "number_pattern",
        "creditor_identifier",
    ]
    assert (await client.get(path)).json() == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"legal_name": None}, "legal_name"),
        ({"legal_name": " "}, "legal_name"),
        ({"number_pattern": "INV"}, "number_pattern"),
        ({"number_pattern": "{number}{number}"}, "number_pattern"),
        ({"number_pattern": "{number}-{year}"}, "number_pattern"),
        ({"number_pattern": "{number}{"}, "number_pattern"),
        ({"net_terms": 366}, "net_terms"),
        ({"grace_period_hours": -1}, "grace_period_hours"),
        ({"brand_color": "red"}, "brand_color"),
        ({"logo_url": "javascript:alert(1)"}, "logo_url"),
        ({"tax_engine": "US_TAX"}, "tax_engine"),
        ({"creditor_identifier": "ZZZ"}, "creditor_identifier"),
        ({"vat_number": "DE136695977"}, "vat_number"),
        ({"vat_number": "FR40303265045", "address": {"country": "DE"}}, "vat_number"),
        ({"address": {"country": "UK"}}, "address.country"),
        ({"bank_accounts": [{"holder": "Acme"}]}, "bank_accounts[0]"),
        (
            {"bank_accounts": [BANK | {"iban": "DE88370400440532013000"}]},
            "bank_accounts[0].iban",
        ),
        ({"bank_accounts": [BANK | {"bic": "COBA"}]}, "bank_accounts[0].bic"),
        ({"bank_accounts": [BANK | {"id": "ba_1"}]}, "bank_accounts[0].id"),
        (
            {
                "default_payment_methods_config": {
                    "type": "online",
                    "config": {"card": {"enabled": False}, "direct_debit": {"enabled": False}},
                }
            },
            "default_payment_methods_config",
        ),
        (
            {"default_payment_methods_config": {"type": "bank_transfer", "account_id": "ba_1"}},
            "default_payment_methods_config.account_id",
        ),
        ({"creditor_number": "x"}, "creditor_number"),
    ],
)
async def test_what_cannot_be(
    client: httpx.AsyncClient, path: str, change: dict[str, object], field: str
) -> None:
    """A setting that cannot work is refused with its field, and nothing is changed."""
    before = (await client.get(path)).json()
    refused = await client.patch(path, json=change)

    assert refused.status_code == 400
    assert [fault["field"] for fault in refused.json()["errors"]] == [field]
    assert (await client.get(path)).json() == before
