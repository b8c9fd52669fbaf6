"""No tenant can see or touch what is another's."""

import pytest

from tallystick.domain.ids import Prefix, encode
from tests.http.conftest import Shop

CUSTOMER = {"name": "Globex", "currency": "EUR", "alias": "globex"}
ENTRY = {"currency": "EUR", "amount": 100}


@pytest.mark.parametrize("named_by", ["id", "alias"])
async def test_customers(shop: Shop, named_by: str) -> None:
    """Another tenant's customer is not found, by id or by alias, to read, change or credit."""
    other = await shop.another()
    made = (await shop.client.post("/customers", json=CUSTOMER)).json()
    path = f"/customers/{made[named_by]}"

    answers = [
        await other.client.get(path),
        await other.client.patch(path, json={"name": "Stolen"}),
        await other.client.post(f"{path}/balance-entries", json=ENTRY),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert (await shop.client.get(path)).json() == made
    assert (await other.client.get("/customers")).json()["data"] == []


async def test_one_alias_each(shop: Shop) -> None:
    """Two tenants may each have a customer of one alias, and each finds its own."""
    other = await shop.another()
    mine = (await shop.client.post("/customers", json=CUSTOMER)).json()
    theirs = (await other.client.post("/customers", json=CUSTOMER)).json()

    assert mine["id"] != theirs["id"]
    assert (await other.client.get("/customers/globex")).json() == theirs


async def test_entities(shop: Shop) -> None:
    """Another tenant's entity is not found: to read, to change, or to bill a customer."""
    other = await shop.another()
    entity = encode(Prefix.INVOICING_ENTITY, shop.tenant.invoicing_entity_id)
    path = f"/invoicing-entities/{entity}"

    answers = [
        await other.client.get(path),
        await other.client.patch(path, json={"legal_name": "Stolen"}),
        await other.client.post("/customers", json=CUSTOMER | {"invoicing_entity_id": entity}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert (await shop.client.get(path)).json()["legal_name"] == "Acme"


async def test_bank_accounts(shop: Shop) -> None:
    """Another tenant's bank account cannot be taken over by its id."""
    other = await shop.another()

    def path(of: Shop) -> str:
        entity = encode(Prefix.INVOICING_ENTITY, of.tenant.invoicing_entity_id)
        return f"/invoicing-entities/{entity}"

    account = {"holder": "Acme", "iban": "DE89370400440532013000"}
    mine = await shop.client.patch(path(shop), json={"bank_accounts": [account]})
    stolen = account | {"id": mine.json()["bank_accounts"][0]["id"], "holder": "Mallory"}
    answer = await other.client.patch(path(other), json={"bank_accounts": [stolen]})

    assert answer.status_code == 400
    assert (await shop.client.get(path(shop))).json() == mine.json()
