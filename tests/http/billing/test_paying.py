"""Paying an invoice on request, from a method that was saved by its test number."""

from typing import Any

import httpx
import pytest

from tallystick.db.engine import Database
from tallystick.domain.offer import ExternalPayment
from tallystick.services.examine import examine
from tallystick.services.try_to_collect import sweep_collections
from tests.http.billing.test_invoice_changes import events, only_invoice
from tests.scripted_bank import ScriptedBank, lost, silent, with_bank
from tests.world import World, open_world

GOOD, FAILS_WHEN_CHARGED = "4242424242424242", "4000000000000341"
IBAN = "DE89370400440532013000"
DEBIT = {"type": "DIRECT_DEBIT", "account_holder": "Dana Globex", "iban": IBAN}


def card(number: str = GOOD) -> dict[str, str]:
    """A card as it is typed."""
    return {"type": "CARD", "card_number": number, "card_expiry": "12/40", "card_cvc": "123"}


@pytest.fixture
async def world(db: Database) -> World:
    """A shop whose bank can be made to fail."""
    opened = await open_world(db)
    return with_bank(opened, ScriptedBank(opened.sandbox))


@pytest.fixture
def bank(world: World) -> ScriptedBank:
    """The shop's bank."""
    found = world.app.providers["sandbox"]
    assert isinstance(found, ScriptedBank)
    return found


@pytest.fixture
async def invoice(world: World) -> str:
    """The path of a finalized invoice of EUR 49 that nobody collects by itself."""
    session = await world.session(
        await world.customer(alias="globex"), await world.plan(), payment=ExternalPayment()
    )
    await world.confirm(session, chooses=False)
    return await only_invoice(world)


async def saved(api: httpx.AsyncClient, number: str = GOOD) -> dict[str, Any]:
    """A card on file."""
    answer = await api.post("/api/v1/customers/globex/payment-methods", json=card(number))
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_an_invoice_is_paid_by_the_saved_card(
    world: World, api: httpx.AsyncClient, invoice: str
) -> None:
    """Exactly what is due is charged once, a repeat under the key included."""
    method = await saved(api)
    key = {"Idempotency-Key": "pay-1"}

    paid = await api.post(f"{invoice}/pay", headers=key)
    again = await api.post(f"{invoice}/pay", headers=key)

    assert (method["card_brand"], method["card_last4"]) == ("visa", "4242")
    assert method["card_expiry"] == "12/2040"
    assert paid.status_code == 200
    assert (paid.json()["payment_status"], paid.json()["amount_due"]) == ("PAID", 0)
    assert [one["amount"] for one in paid.json()["transactions"]] == [4900]
    assert (again.headers["idempotent-replayed"], again.json()) == ("true", paid.json())
    assert await world.charges() == [4900]
    assert (await events(world))[-1] == "invoice.paid"
    assert (await examine(world.database)).breaches == ()


async def test_what_is_paid_is_not_paid_again(
    world: World, api: httpx.AsyncClient, invoice: str
) -> None:
    """A second request under a key of its own is told that nothing is due."""
    await saved(api)
    await api.post(f"{invoice}/pay")

    again = await api.post(f"{invoice}/pay")

    assert (again.status_code, again.json()["code"]) == (409, "CONFLICT")
    assert "PAID" in again.json()["message"]
    assert await world.charges() == [4900]


async def test_a_debit_is_promised(world: World, api: httpx.AsyncClient, invoice: str) -> None:
    """An accepted debit leaves the invoice PROCESSING, and nothing is asked for twice."""
    answer = await api.post("/api/v1/customers/globex/payment-methods", json=DEBIT)
    paid = await api.post(f"{invoice}/pay")
    again = await api.post(f"{invoice}/pay")

    assert (answer.status_code, answer.json()["account_hint"]) == (201, "3000")
    assert IBAN not in answer.text
    assert paid.json()["payment_status"] == "PROCESSING"
    assert (again.status_code, again.headers["retry-after"]) == (409, "15")
    assert len(await world.fetch("select from collections")) == 1


async def test_a_declined_card_is_told(
    world: World, api: httpx.AsyncClient, invoice: str
) -> None:
    """The reason is named, the invoice is ERRORED, and a good card pays it afterwards."""
    await saved(api, FAILS_WHEN_CHARGED)

    answer = await api.post(f"{invoice}/pay")

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "payment_method"
    assert answer.json()["errors"][0]["code"] == "declined"
    assert (await api.get(invoice)).json()["payment_status"] == "ERRORED"
    assert await world.charges() == []
    await saved(api)
    assert (await api.post(f"{invoice}/pay")).json()["payment_status"] == "PAID"


async def test_without_a_method_nothing_changes(
    world: World, api: httpx.AsyncClient, invoice: str
) -> None:
    """The refusal says what is missing; the invoice stays as it was."""
    before = await world.one("select collect_at, payment_status, updated_at from invoices")

    answer = await api.post(f"{invoice}/pay")

    assert (answer.status_code, "no saved payment method" in answer.text) == (409, True)
    assert before == await world.one(
        "select collect_at, payment_status, updated_at from invoices"
    )


async def test_an_answer_that_is_lost_is_asked_for_again(
    world: World, api: httpx.AsyncClient, invoice: str, bank: ScriptedBank
) -> None:
    """The money was taken, nobody heard it: the repeat finds the one charge."""
    await saved(api)
    bank.script("confirm", lost)
    key = {"Idempotency-Key": "pay-1"}

    first = await api.post(f"{invoice}/pay", headers=key)
    await world.execute("update collections set check_at = now() - interval '1 second'")
    await sweep_collections(world.app, world.ctx.now)
    second = await api.post(f"{invoice}/pay", headers=key)

    assert (first.status_code, first.headers["retry-after"]) == (409, "15")
    assert (second.status_code, second.json()["payment_status"]) == (200, "PAID")
    assert await world.charges() == [4900]


async def test_a_provider_that_is_silent_saves_nothing(
    world: World, api: httpx.AsyncClient, invoice: str, bank: ScriptedBank
) -> None:
    """The caller is told to ask again, and the repeat saves the one method."""
    del invoice
    bank.script("save_method", silent)
    key = {"Idempotency-Key": "save-1"}
    path = "/api/v1/customers/globex/payment-methods"

    first = await api.post(path, json=card(), headers=key)
    kept = await world.fetch("select from payment_methods")
    second = await api.post(path, json=card(), headers=key)

    assert (first.status_code, first.headers["retry-after"], kept) == (409, "5", [])
    assert second.status_code == 201
    assert len(await world.fetch("select from payment_methods")) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (card("4111111111111111"), "card_number"),
        (card() | {"card_expiry": "13/40"}, "card_expiry"),
        (card() | {"card_cvc": ""}, "card_cvc"),
        (DEBIT | {"iban": "DE02120300000000202051"}, "iban"),
        ({"type": "CASH"}, "type"),
        ({}, "type"),
    ],
)
async def test_what_is_no_test_number(
    world: World, api: httpx.AsyncClient, invoice: str, body: dict[str, str], field: str
) -> None:
    """Each fault is told by its field, and nothing is kept."""
    del invoice

    answer = await api.post("/api/v1/customers/globex/payment-methods", json=body)

    assert answer.status_code == 400
    assert field in [fault["field"] for fault in answer.json()["errors"]]
    assert await world.fetch("select from payment_methods") == []


async def test_an_invoice_is_given_up(api: httpx.AsyncClient, invoice: str) -> None:
    """Once; it is found by its status, says where it can be paid, and can be."""
    answer = await api.post(f"{invoice}/mark-uncollectible")
    told = answer.json()
    assert (answer.status_code, told["status"], told["amount_due"]) == (
        200,
        "UNCOLLECTIBLE",
        4900,
    )
    assert told["marked_as_uncollectible_at"] is not None
    assert told["payment_url"].startswith("http://127.0.0.1:8484/pay/ten_")
    assert (await api.post(f"{invoice}/mark-uncollectible")).status_code == 409
    listed = (await api.get("/api/v1/invoices?statuses=UNCOLLECTIBLE")).json()
    assert listed["pagination_meta"]["total_items"] == 1

    await saved(api)
    paid = (await api.post(f"{invoice}/pay")).json()
    assert (paid["status"], paid["payment_status"]) == ("FINALIZED", "PAID")
    assert (await api.post(f"{invoice}/mark-uncollectible")).status_code == 409
