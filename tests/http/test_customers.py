"""Customers, through the official client where it can say it."""

import httpx
import meteroid
import pytest
from meteroid import Meteroid
from meteroid.models import Address, CustomerEvent, CustomTaxRate, ShippingAddress

from tallystick.db.subscription_writes import keep_buyer
from tallystick.domain.buyer import Address as BuyersAddress
from tallystick.domain.buyer import BuyerDetails
from tallystick.domain.ids import Prefix, decode
from tallystick.http.v1.customer_schemas import (
    CustomerCreateRequest,
    CustomerPatchRequest,
    CustomerUpdateRequest,
)
from tallystick.http.v1.free_form import NOT_YET
from tests.http.conftest import NOON, Served, Shop

PARIS = Address(line1="1 rue de Rivoli", city="Paris", zip_code="75001", country="FR")


def test_a_company_with_everything(sdk: Meteroid, api: Served) -> None:
    """Every field that a merchant says comes back, by id and by alias."""
    made = sdk.customers.create(
        currency="EUR",
        name="Globex SA",
        alias="globex-all",
        billing_address=PARIS,
        billing_email="ap@globex.example",
        buyer_reference="04011000-1234512345-35",
        custom_taxes=[CustomTaxRate(name="VAT", rate="0.20", tax_code="FR-STD")],
        exemption_reason="Article 262 ter",
        invoicing_emails=["a@globex.example", "b@globex.example"],
        is_tax_exempt=True,
        legal_number="552 100 554",
        phone="+33 1 23 45 67 89",
        preferred_locales=["fr-FR", "en"],
        shipping_address=ShippingAddress(same_as_billing=False, address=PARIS),
        vat_number="FR40303265045",
    )

    assert made == sdk.customers.retrieve(made.id) == sdk.customers.retrieve("globex-all")
    assert made.id.startswith("cus_")
    assert (made.name, made.alias, made.currency) == ("Globex SA", "globex-all", "EUR")
    assert made.billing_address is not None
    assert made.billing_address.zip_code == "75001"
    assert made.custom_taxes[0].rate == "0.20"
    assert made.invoicing_emails == ["a@globex.example", "b@globex.example"]
    assert made.preferred_locales == ["fr-FR", "en"]
    assert made.invoicing_language == "fr-FR"
    assert made.shipping_address is not None
    assert made.vat_number == "FR40303265045"
    assert made.customer_type == "COMPANY"
    assert made.custom_properties == {}
    assert made.invoicing_entity_id.startswith("ive_")
    del api


def test_an_individual(sdk: Meteroid) -> None:
    """A person's name is first and last, whatever `name` says; the country is needed."""
    made = sdk.customers.create(
        currency="EUR",
        customer_type="INDIVIDUAL",
        name="ignored",
        first_name="Ada",
        last_name="Lovelace",
        billing_address=Address(country="GB"),
    )
    assert made.name == "Ada Lovelace"

    married = sdk.customers.update(made.id, last_name="King")
    assert married.name == "Ada King"

    with pytest.raises(meteroid.BadRequestError) as refused:
        sdk.customers.create(currency="EUR", customer_type="INDIVIDUAL", name="Ada")
    message = str(refused.value)
    assert "first_name: is required for an individual (and 2 more)" in message


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"phone": "1"}, "Ada, Countess of Lovelace"),
        ({"first_name": "Ada"}, "Ada Byron"),
        ({"customer_type": "INDIVIDUAL"}, "Ada Byron"),
        ({"name": "ignored"}, "Ada Byron"),
    ],
)
async def test_a_person_keeps_the_name_of_a_purchase(
    shop: Shop, change: dict[str, str], name: str
) -> None:
    """Bought under another name, a person has it until type or name are said anew."""
    made = await shop.client.post(
        "/customers",
        json={
            "currency": "EUR",
            "customer_type": "INDIVIDUAL",
            "first_name": "Ada",
            "last_name": "Byron",
            "billing_address": {"country": "GB"},
        },
    )
    customer_id = made.json()["id"]
    buyer = BuyerDetails(
        name="Ada, Countess of Lovelace", email=None, address=BuyersAddress(country="GB")
    )
    async with shop.app.transaction() as tx:
        await keep_buyer(
            tx, shop.tenant.tenant_id, decode(Prefix.CUSTOMER, customer_id), buyer, NOON
        )

    changed = await shop.client.patch(f"/customers/{customer_id}", json=change)

    assert changed.json()["name"] == name


def test_a_company_needs_a_name(sdk: Meteroid) -> None:
    """A company without a name is refused."""
    with pytest.raises(meteroid.BadRequestError, match="name: is required for a company"):
        sdk.customers.create(currency="EUR")


async def test_all_faults_of_a_customer(shop: Shop) -> None:
    """What is missing, of a wrong type, and what cannot be is told together."""
    empty = await shop.client.post("/customers", json={})
    wrong = {"currency": "EURO", "alias": "cus_1", "phone": 33}
    faulty = await shop.client.post("/customers", json=wrong)
    person = await shop.client.post("/customers", json={"customer_type": "PERSON"})
    made = await shop.client.post("/customers", json={"name": "Globex", "currency": "EUR"})
    path = f"/customers/{made.json()['id']}"
    changed = await shop.client.patch(path, json={"name": None, "phone": 33})

    def told(answer: httpx.Response) -> list[str]:
        assert answer.status_code == 400
        return [fault["field"] for fault in answer.json()["errors"]]

    assert told(empty) == ["currency", "name"]
    assert told(faulty) == ["phone", "currency", "name", "alias"]
    assert told(person) == ["customer_type", "currency"]
    assert told(changed) == ["phone", "name"]
    assert (await shop.client.get(path)).json() == made.json()


def test_a_change_keeps_what_it_does_not_name(sdk: Meteroid) -> None:
    """What is left out stays, what is None is cleared, what is said is set."""
    made = sdk.customers.create(
        currency="EUR",
        name="Initech",
        alias="initech",
        phone="123",
        billing_address=PARIS,
        custom_taxes=[CustomTaxRate(name="VAT", rate="0.1", tax_code="X")],
        preferred_locales=["de"],
        is_tax_exempt=True,
    )
    changed = sdk.customers.update(
        "initech",
        name="Initech GmbH",
        phone=None,
        billing_address=None,
        custom_taxes=None,
        is_tax_exempt=None,
        preferred_locales=[],
    )

    assert changed.id == made.id
    assert (changed.name, changed.alias, changed.phone) == ("Initech GmbH", "initech", None)
    assert changed.billing_address is None
    assert changed.custom_taxes == []
    assert changed.preferred_locales == []
    assert sdk.customers.update(made.id) == changed


def test_what_cannot_be_cleared(sdk: Meteroid) -> None:
    """A currency and a company's name cannot be cleared."""
    made = sdk.customers.create(currency="EUR", name="Hooli")

    for change in ({"currency": None}, {"name": None}):
        with pytest.raises(meteroid.BadRequestError):
            sdk.customers.update(made.id, **change)
    assert sdk.customers.retrieve(made.id) == made


def test_aliases_are_unique(sdk: Meteroid) -> None:
    """Two customers cannot have one alias, made or changed; one that is free again may be."""
    first = sdk.customers.create(currency="EUR", name="One", alias="the-one")
    second = sdk.customers.create(currency="EUR", name="Two")
    with pytest.raises(meteroid.ConflictError, match="alias 'the-one' already"):
        sdk.customers.create(currency="EUR", name="Three", alias="the-one")
    with pytest.raises(meteroid.ConflictError):
        sdk.customers.update(second.id, alias="the-one")

    sdk.customers.update(first.id, alias=None)
    assert sdk.customers.update(second.id, alias="the-one").alias == "the-one"


def test_an_alias_cannot_pass_for_an_id(sdk: Meteroid) -> None:
    """An alias that reads as a customer's id would hide that customer: refused."""
    made = sdk.customers.create(currency="EUR", name="One")

    with pytest.raises(meteroid.BadRequestError, match="alias"):
        sdk.customers.create(currency="EUR", name="Two", alias=made.id)


@pytest.mark.parametrize("alias", ["a/b", "/", ".", "..", "a\nb", "a\x7fb", "a\x85b"])
async def test_an_alias_must_fit_into_an_address(shop: Shop, alias: str) -> None:
    """An alias that no address could hold is refused, new or changed."""
    body = {"name": "Globex", "currency": "EUR"}
    made = await shop.client.post("/customers", json=body)
    refused = [
        await shop.client.post("/customers", json=body | {"alias": alias}),
        await shop.client.patch(f"/customers/{made.json()['id']}", json={"alias": alias}),
    ]

    for answer in refused:
        assert answer.status_code == 400
        (fault,) = answer.json()["errors"]
        assert (fault["field"], fault["code"]) == ("alias", "malformed")
        assert "without `/`" in fault["message"]


@pytest.mark.parametrize("alias", ["a b", "a.b", "...", "é?#%2F&", "\N{SNOWMAN}"])
def test_any_other_alias_finds_its_customer(sdk: Meteroid, alias: str) -> None:
    """Whatever else an alias holds, the customer is found by it."""
    made = sdk.customers.create(currency="EUR", name="Globex", alias=alias)

    assert sdk.customers.retrieve(alias).id == made.id


NO_RULE = {"country": "US"}
FRENCH = {"country": "FR"}


@pytest.mark.parametrize(
    ("number", "address", "is_taken"),
    [
        ("FR40303265045", FRENCH, True),
        ("fr 40 303 265 045", FRENCH, True),
        ("FR40303265046", FRENCH, False),
        ("DE136695976", FRENCH, False),
        ("FR40303265046", None, False),
        ("12-3456789", NO_RULE, True),
        ("CHE-107.787.577 IVA", None, True),
        ("CHE-107.787.578 IVA", {"country": "CH"}, False),
    ],
)
async def test_vat_numbers(
    shop: Shop, number: str, address: dict[str, str] | None, *, is_taken: bool
) -> None:
    """A VAT number is looked at by its check digits where its country's rule is known."""
    body = {"name": "Globex", "currency": "EUR", "billing_address": address}
    made = await shop.client.post("/customers", json=body)
    answers = [
        await shop.client.post("/customers", json=body | {"vat_number": number}),
        await shop.client.patch(f"/customers/{made.json()['id']}", json={"vat_number": number}),
    ]

    assert [answer.is_success for answer in answers] == [is_taken] * 2
    told = [answer.json().get("errors", []) for answer in answers]
    assert (
        is_taken or [[fault["field"] for fault in one] for one in told] == [["vat_number"]] * 2
    )


async def test_a_vat_number_follows_its_address(shop: Shop) -> None:
    """Moving to another country needs another number; other changes do not look at it."""
    body = {"name": "G", "currency": "EUR", "billing_address": FRENCH}
    made = await shop.client.post("/customers", json=body | {"vat_number": "FR40303265045"})
    path = f"/customers/{made.json()['id']}"
    moved = await shop.client.patch(path, json={"billing_address": {"country": "DE"}})
    async with shop.app.transaction() as tx:
        await tx.execute("update customers set vat_number = 'FR1'")
    renamed = await shop.client.patch(path, json={"name": "Globex"})

    assert [fault["field"] for fault in moved.json()["errors"]] == ["vat_number"]
    assert renamed.status_code == 200


def test_languages_that_nobody_writes(sdk: Meteroid) -> None:
    """A list of languages needs one that documents are written in."""
    made = sdk.customers.create(currency="EUR", name="A", preferred_locales=["pt-BR", "es"])
    assert made.preferred_locales == ["pt-BR", "es"]

    with pytest.raises(meteroid.BadRequestError, match="preferred_locales"):
        sdk.customers.create(currency="EUR", name="A", preferred_locales=["pt-BR"])
    by_old_name = sdk.customers.create(currency="EUR", name="A", invoicing_language="fr")
    assert by_old_name.preferred_locales == ["fr"]


def test_another_entity(sdk: Meteroid) -> None:
    """An entity that is not there is not found; None means the default one."""
    made = sdk.customers.create(currency="EUR", name="A", invoicing_entity_id=None)
    with pytest.raises(meteroid.NotFoundError):
        sdk.customers.create(currency="EUR", name="A", invoicing_entity_id="ive_1")

    assert sdk.customers.update(made.id, invoicing_entity_id=None) == made


def test_lists_through_the_client(sdk: Meteroid) -> None:
    """The client walks over all pages."""
    for number in range(5):
        sdk.customers.create(currency="EUR", name=f"Paged {number}")
    found = [one.name for one in sdk.customers.list(search="Paged", per_page=2)]

    assert found == [f"Paged {number}" for number in (4, 3, 2, 1, 0)]


async def test_the_event(shop: Shop) -> None:
    """A new customer is told to the merchant, in the shape of the client's `CustomerEvent`."""
    made = await shop.client.post(
        "/customers", json={"name": "Globex", "currency": "EUR", "alias": "globex"}
    )
    async with shop.app.database.connection() as connection:
        event = await connection.fetchrow(
            "select type, data::text, happened_at from events where tenant_id = $1",
            shop.tenant.tenant_id,
        )

    assert event is not None
    assert event["type"] == "customer.created"
    head = '{"id": "evt_1", "timestamp": "2026-03-10T12:00:00Z", "type": "customer.created", '
    decoded = CustomerEvent.from_json(head + event["data"][1:])
    assert decoded.customer_event_data.customer_id == made.json()["id"]


async def test_balance_entries(shop: Shop) -> None:
    """Money is added and taken by hand, per currency, never below zero."""
    await shop.client.post(
        "/customers", json={"name": "Globex", "currency": "EUR", "alias": "globex"}
    )
    path = "/customers/globex/balance-entries"

    async def move(amount: int, currency: str = "EUR") -> tuple[int, object]:
        answer = await shop.client.post(path, json={"currency": currency, "amount": amount})
        return answer.status_code, answer.json().get("balance_after")

    assert await move(10_000) == (201, 10_000)
    assert await move(-4_000) == (201, 6_000)
    assert await move(500, "JPY") == (201, 500)
    assert await move(-6_001) == (409, None)
    assert await move(-1, "USD") == (409, None)
    assert await move(0) == (400, None)
    assert await move(2**53 - 1) == (400, None)
    assert await move(-6_000) == (201, 0)
    assert await move(2**31, "USD") == (201, 2**31)
    assert await move(2**50, "USD") == (201, 2**50 + 2**31)


async def test_what_is_held_cannot_be_taken(shop: Shop) -> None:
    """What an open payment holds of a balance is not available."""
    await shop.client.post(
        "/customers", json={"name": "Globex", "currency": "EUR", "alias": "globex"}
    )
    path = "/customers/globex/balance-entries"
    await shop.client.post(path, json={"currency": "EUR", "amount": 100})
    async with shop.app.database.connection() as connection:
        await connection.execute(
            "update customer_balances set held = 30 where tenant_id = $1",
            shop.tenant.tenant_id,
        )

    refused = await shop.client.post(path, json={"currency": "EUR", "amount": -71})
    taken = await shop.client.post(path, json={"currency": "EUR", "amount": -70})

    assert refused.status_code == 409
    assert "70 available" in refused.json()["message"]
    assert (taken.json()["balance_after"], taken.json()["balance_held"]) == (30, 30)


def test_fields_that_do_nothing_yet() -> None:
    """The fields of a customer that are refused by name are these, and no others."""
    idle = {
        f"{model.__name__}.{name}"
        for model in (CustomerCreateRequest, CustomerPatchRequest, CustomerUpdateRequest)
        for name, field in model.model_fields.items()
        if NOT_YET in field.metadata
    }

    assert idle == {"CustomerCreateRequest.connected_account_id"}
