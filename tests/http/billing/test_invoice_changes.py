"""What a person does to an invoice: finalize, void, note money that came another way."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tallystick.domain.ids import Prefix, encode
from tallystick.domain.offer import ExternalPayment
from tallystick.services.examine import examine
from tests.world import NOON, World


@pytest.fixture
async def unpaid(world: World) -> str:
    """A finalized invoice of EUR 49, of which the balance met EUR 10."""
    customer = await world.customer()
    await world.balance(customer, 1000)
    session = await world.session(customer, await world.plan(), payment=ExternalPayment())
    await world.confirm(session, chooses=False)
    return await only_invoice(world)


@pytest.fixture
async def draft(world: World) -> str:
    """A draft of EUR 49 that waits for a person."""
    session = await world.session(
        await world.customer(),
        await world.plan(),
        payment=ExternalPayment(),
        auto_advance_invoices=False,
    )
    await world.confirm(session, chooses=False)
    return await only_invoice(world)


async def only_invoice(world: World) -> str:
    """The path of the shop's one invoice."""
    row = await world.one("select id from invoices")
    return f"/api/v1/invoices/{encode(Prefix.INVOICE, row['id'])}"


async def events(world: World) -> list[str]:
    """What happened to invoices, oldest first."""
    rows = await world.fetch(
        "select type from events where type like 'invoice.%' order by position"
    )
    return [row["type"] for row in rows]


def standing(invoice: dict[str, Any]) -> tuple[str, str, int]:
    """Status, payment status and what is due."""
    return invoice["status"], invoice["payment_status"], invoice["amount_due"]


async def sound(world: World) -> None:
    """The doctor finds nothing."""
    assert (await examine(world.database)).breaches == ()


async def test_a_draft_is_finalized_by_hand(
    api: httpx.AsyncClient, draft: str, world: World
) -> None:
    """It gets the next number and is due; finalizing it again is a conflict."""
    made = (await api.post(f"{draft}/finalize")).json()

    assert standing(made) == ("FINALIZED", "UNPAID", 4900)
    assert made["invoice_number"] == "INV-1"
    assert (await events(world))[-1] == "invoice.finalized"
    again = await api.post(f"{draft}/finalize")
    assert again.status_code == 409
    await sound(world)


async def test_an_unpaid_invoice_is_voided(
    api: httpx.AsyncClient, unpaid: str, world: World
) -> None:
    """Nothing is due any more, and the EUR 10 are on the balance again, once."""
    made = (await api.post(f"{unpaid}/void")).json()

    assert (made["status"], made["amount_due"]) == ("VOID", 0)
    assert (await events(world))[-1] == "invoice.voided"
    stands = await world.one("select balance from customer_balances")
    assert stands["balance"] == 1000
    assert (await api.post(f"{unpaid}/void")).status_code == 409
    assert (await world.one("select balance from customer_balances"))["balance"] == 1000
    await sound(world)


async def test_money_that_came_another_way(
    api: httpx.AsyncClient, unpaid: str, world: World
) -> None:
    """EUR 9 leave EUR 30; EUR 30 pay it."""
    part = (
        await api.post(f"{unpaid}/payments", json={"amount": 900, "reference": "BANK-1"})
    ).json()
    rest = (await api.post(f"{unpaid}/payments", json={"amount": 3000})).json()

    assert standing(part) == ("FINALIZED", "PARTIALLY_PAID", 3000)
    assert standing(rest) == ("FINALIZED", "PAID", 0)
    assert [one["amount"] for one in rest["transactions"]] == [900, 3000]
    assert rest["transactions"][0]["provider_transaction_id"] == "BANK-1"
    assert (await events(world))[-1] == "invoice.paid"
    await sound(world)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount": 3901}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        (
            {"amount": 1, "paid_at": (NOON + timedelta(seconds=1)).isoformat()},
            "paid_at",
        ),
    ],
)
async def test_money_that_cannot_be(
    api: httpx.AsyncClient, unpaid: str, world: World, body: dict[str, Any], field: str
) -> None:
    """More than is due, nothing, or a day to come is refused, and nothing is changed."""
    refused = await api.post(f"{unpaid}/payments", json=body)

    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["errors"]] == [field]
    assert standing((await api.get(unpaid)).json()) == ("FINALIZED", "UNPAID", 3900)
    assert await world.fetch("select from transactions") == []


async def test_a_payment_is_noted_once(
    api: httpx.AsyncClient, unpaid: str, world: World
) -> None:
    """A reference that is known already is a conflict, and nothing is changed."""
    paid = {"amount": 900, "reference": "BANK-1"}
    await api.post(f"{unpaid}/payments", json=paid)

    again = await api.post(f"{unpaid}/payments", json=paid)

    assert again.status_code == 409
    assert standing((await api.get(unpaid)).json()) == ("FINALIZED", "PARTIALLY_PAID", 3000)
    assert len(await world.fetch("select from transactions")) == 1


async def test_nothing_is_due_on_what_is_paid(api: httpx.AsyncClient, unpaid: str) -> None:
    """More money for it is a conflict with its state, whatever the amount."""
    await api.post(f"{unpaid}/payments", json={"amount": 3900})

    refused = await api.post(f"{unpaid}/payments", json={"amount": 1})

    assert refused.status_code == 409
    assert refused.json()["message"] == "Nothing is due on this invoice: it is PAID."


async def test_what_was_paid_stays(api: httpx.AsyncClient, unpaid: str) -> None:
    """An invoice with a payment on it cannot be voided."""
    await api.post(f"{unpaid}/payments", json={"amount": 900})

    assert (await api.post(f"{unpaid}/void")).status_code == 409


async def test_a_draft_is_neither_voided_nor_paid(api: httpx.AsyncClient, draft: str) -> None:
    """Only what is final can be; the message says what it is."""
    for change, body in (("void", None), ("payments", {"amount": 1})):
        refused = await api.post(f"{draft}/{change}", json=body)
        assert refused.status_code == 409
        assert "DRAFT" in refused.json()["message"]
