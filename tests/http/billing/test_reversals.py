"""Playing the test bank that takes money back: refunds of its own, and disputes."""

from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m

from tallystick.domain.ids import Prefix, encode
from tests.crediting import Billed, bought, sound, told
from tests.reversing import Reversible, reversible
from tests.world import World

DISPUTE, REFUND = "dispute", "refund"


@pytest.fixture
async def bank(world: World) -> Reversible:
    """A purchase of EUR 49 by card, and its bank."""
    return await reversible(await bought(world))


def path(bank: Reversible, part: str) -> str:
    """The door that plays a part for the payment."""
    payment = encode(Prefix.TRANSACTION, bank.payment)
    return f"/api/v1/test-provider/payments/{payment}/{part}"


def invoice_id(billed: Billed) -> str:
    """The invoice as it is known outside."""
    return encode(Prefix.INVOICE, billed.id)


async def standing(api: httpx.AsyncClient, bank: Reversible) -> dict[str, Any]:
    """The invoice over REST."""
    answer = await api.get(f"/api/v1/invoices/{invoice_id(bank.billed)}")
    found: dict[str, Any] = answer.json()
    return found


async def test_a_refund_of_the_banks_own(
    world: World, api: httpx.AsyncClient, sdk: AsyncMeteroid, bank: Reversible
) -> None:
    """EUR 10, then the rest: what the official client reads, and what is explained."""
    part = await api.post(path(bank, REFUND), json={"amount": 1000, "reason": "duplicate"})
    rest = await api.post(path(bank, REFUND))

    assert part.status_code == 200, part.text
    figures = [(one["payment_status"], one["amount_due"]) for one in (part.json(), rest.json())]
    assert figures == [("PARTIALLY_PAID", 1000), ("UNPAID", 4900)]
    assert (rest.json()["amount_reversed"], rest.json()["paid_at"]) == (4900, None)
    invoice = await sdk.invoices.retrieve(invoice_id(bank.billed))
    (payment,) = invoice.transactions
    assert (payment.status, payment.amount) == ("REFUNDED", 4900)
    assert (payment.amount_refunded, payment.amount_reversed) == (0, 4900)
    assert payment.reversal_kind == "REFUND"
    (shown,) = part.json()["transactions"]
    assert (shown["status"], shown["reversal_reason"]) == ("SETTLED", "duplicate")
    explained = await api.get(f"/api/v1/invoices/{invoice_id(bank.billed)}/explain")
    assert explained.json()["steps"][-3:] == [
        {"type": "SETTLED", "amount": 4900},
        {"type": "TAKEN_BACK", "amount": 4900},
        {"type": "DUE", "amount": 4900},
    ]
    assert "Taken back by the payment provider: EUR 49.00" in explained.json()["sentences"]
    await sound(world)


async def test_what_merchants_are_told(
    world: World, api: httpx.AsyncClient, bank: Reversible
) -> None:
    """The official client decodes the events: taken back, and given back again."""
    for body in ({"amount": 1000}, {"outcome": "WON"}):
        await api.post(path(bank, DISPUTE), json=body)

    rows = await world.fetch(
        "select type, data from events where type like 'payment.%' order by position"
    )
    (taken, back) = [m.RefundEventData.from_json(row["data"]) for row in rows]
    assert [row["type"] for row in rows] == ["payment.reversed", "payment.reinstated"]
    assert (taken.amount, taken.amount_reversed, taken.amount_refunded) == (4900, 1000, 0)
    assert (taken.payment_type, taken.status, taken.reversal_kind) == (
        m.PaymentTypeEnum.PAYMENT,
        m.PaymentStatusEnum.SETTLED,
        m.ReversalKind.DISPUTE,
    )
    assert taken.invoice_id == invoice_id(bank.billed)
    assert (back.amount_reversed, back.reversal_kind) == (0, None)


async def test_a_dispute_of_more_than_was_paid(
    world: World, api: httpx.AsyncClient, sdk: AsyncMeteroid, bank: Reversible
) -> None:
    """EUR 53.10 of 49: 49 are due, and 4.10 lost; the official client reads it, and won, all
    of it is back.
    """
    taken = (await api.post(path(bank, DISPUTE), json={"amount": 5310})).json()

    (payment,) = taken["transactions"]
    assert (taken["amount_due"], taken["amount_reversed"], taken["amount_lost"]) == (
        4900,
        4900,
        410,
    )
    assert (payment["amount"], payment["amount_reversed"], payment["amount_lost"]) == (
        4900,
        5310,
        410,
    )
    (read,) = (await sdk.invoices.retrieve(invoice_id(bank.billed))).transactions
    assert (read.status, read.amount_reversed) == ("REFUNDED", 5310)
    await sound(world)

    won = (await api.post(path(bank, DISPUTE), json={"outcome": "WON"})).json()

    assert (won["payment_status"], won["amount_reversed"], won["amount_lost"]) == ("PAID", 0, 0)
    assert won["transactions"][0]["amount_lost"] == 0
    await sound(world)


async def test_a_dispute_and_how_it_ends(
    world: World, api: httpx.AsyncClient, bank: Reversible
) -> None:
    """Opened, won, won again; a new one, lost, and then it cannot be won any more."""
    answers = [
        await api.post(path(bank, DISPUTE), json=body)
        for body in (
            {"amount": 1000},
            {"outcome": "WON"},
            {"outcome": "WON"},
            {"amount": 900},
            {"outcome": "LOST"},
            {"outcome": "WON"},
        )
    ]

    assert [one.status_code for one in answers] == [200, 200, 200, 200, 200, 409]
    assert [one.json()["amount_due"] for one in answers[:5]] == [1000, 0, 0, 900, 900]
    (payment,) = answers[4].json()["transactions"]
    assert payment["reversal_kind"] == "CHARGEBACK"
    assert answers[5].json()["message"] == "This dispute was lost already."
    assert await told(world) == [
        "invoice.paid",
        "payment.reversed",
        "payment.reinstated",
        "invoice.paid",
        "payment.reversed",
    ]
    await sound(world)


@pytest.mark.parametrize("part", [DISPUTE, REFUND])
async def test_a_repeat_takes_nothing_more(
    world: World, api: httpx.AsyncClient, bank: Reversible, part: str
) -> None:
    """Under one key the money is taken once; without a key it is another request."""
    headers = {"Idempotency-Key": "once"}
    first = await api.post(path(bank, part), json={"amount": 1000}, headers=headers)
    again = await api.post(path(bank, part), json={"amount": 1000}, headers=headers)

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    moved = [one.amount for one in await world.sandbox.movements(world.tenant_id)]
    assert moved == [4900, 1000]
    await sound(world)


@pytest.mark.parametrize("part", [DISPUTE, REFUND])
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": "1000"}, "amount"),
        ({"amount": 10**19}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amout": 1000}, "amout"),
        ({"reason": "x" * 256}, "reason"),
        ({"outcome": "MAYBE"}, "outcome"),
        ({"amount": 1000, "outcome": "WON"}, "amount"),
        ({"reason": "because", "outcome": "LOST"}, "reason"),
    ],
)
async def test_what_cannot_be_meant(
    world: World,
    api: httpx.AsyncClient,
    bank: Reversible,
    part: str,
    body: dict[str, Any],
    field: str,
) -> None:
    """Each fault by its path, and nothing is taken."""
    before = await standing(api, bank)

    answer = await api.post(path(bank, part), json=body)

    wrong = "outcome" if part == REFUND and "outcome" in body else field
    assert answer.status_code == 400, answer.text
    assert wrong in {one["field"] for one in answer.json()["errors"]}
    assert await standing(api, bank) == before
    assert len(await world.sandbox.movements(world.tenant_id)) == 1


async def test_what_the_payments_state_forbids(
    world: World, api: httpx.AsyncClient, bank: Reversible
) -> None:
    """Too much, a dispute that is not there, money that came another way, a pending debit."""
    pending = await reversible(await bought(world, method=await world.debit()))
    await bank.disputed()
    by_hand = await api.post(
        f"/api/v1/invoices/{invoice_id(bank.billed)}/payments", json={"amount": 4900}
    )
    manual = by_hand.json()["transactions"][-1]["id"]
    before = await standing(api, bank)

    refused = [
        await api.post(path(bank, REFUND), json={"amount": 1}),
        await api.post(path(pending, DISPUTE)),
        await api.post(path(pending, DISPUTE), json={"outcome": "WON"}),
        await api.post(f"/api/v1/test-provider/payments/{manual}/refund"),
    ]

    assert [one.status_code for one in refused] == [409] * 4
    assert [one.json()["message"] for one in refused] == [
        "Of this payment 0 can still be taken back, in minor units.",
        "Only a settled payment can be taken back: this one is PENDING.",
        "Only a settled payment can be taken back: this one is PENDING.",
        "This payment did not come through the test bank.",
    ]
    assert await standing(api, bank) == before
    await sound(world)


async def test_what_came_back_to_spare_is_taken_again(
    world: World, api: httpx.AsyncClient, sdk: AsyncMeteroid, bank: Reversible
) -> None:
    """Of EUR 49, disputed and won, 26.40 were forgiven meanwhile: they are on the balance. A
    refund of the bank's own takes them from there, and of the invoice the 22.60 that it kept.
    """
    note = {"invoice_id": invoice_id(bank.billed), "credit_type": "DEBT_CANCELLATION"}
    await api.post(path(bank, DISPUTE))
    await api.post("/api/v1/credit-notes", json=note | {"amount": 2640})
    won = (await api.post(path(bank, DISPUTE), json={"outcome": "WON"})).json()
    won_steps = await steps(api, bank)

    refunded = await api.post(path(bank, REFUND), json={"reason": "requested_by_customer"})

    assert refunded.status_code == 200, refunded.text
    fields = ("payment_status", "amount_due", "amount_reversed", "amount_returned_to_balance")
    assert [[one[name] for name in fields] for one in (won, refunded.json())] == [
        ["PAID", 0, 2640, 2640],
        ["UNPAID", 2260, 4900, 0],
    ]
    assert [one["transactions"][0]["amount_reversed"] for one in (won, refunded.json())] == [
        0,
        4900,
    ]
    assert won_steps[-4:] == [
        {"type": "DEBT_CANCELLED", "amount": 2640},
        {"type": "SETTLED", "amount": 4900},
        {"type": "TO_BALANCE", "amount": 2640},
        {"type": "DUE", "amount": 0},
    ]
    assert (await steps(api, bank))[-3:] == [
        {"type": "SETTLED", "amount": 4900},
        {"type": "TAKEN_BACK", "amount": 4900},
        {"type": "DUE", "amount": 2260},
    ]
    assert await bank.billed.balance() == 0
    (payment,) = (await sdk.invoices.retrieve(note["invoice_id"])).transactions
    assert (payment.status, payment.amount_reversed) == ("REFUNDED", 4900)
    nothing_left = await api.post(path(bank, REFUND))
    assert nothing_left.status_code == 409
    await sound(world)


async def steps(api: httpx.AsyncClient, bank: Reversible) -> list[dict[str, Any]]:
    """The steps of the invoice's explanation."""
    answer = await api.get(f"/api/v1/invoices/{invoice_id(bank.billed)}/explain")
    found: list[dict[str, Any]] = answer.json()["steps"]
    return found


async def test_a_person_decides(world: World, api: httpx.AsyncClient, bank: Reversible) -> None:
    """`POST /invoices/{id}/pay` charges what was taken back to the saved card."""
    await api.post(path(bank, DISPUTE), json={"amount": 1000})

    paid = await api.post(f"/api/v1/invoices/{invoice_id(bank.billed)}/pay")

    assert paid.status_code == 200, paid.text
    assert (paid.json()["payment_status"], paid.json()["amount_due"]) == ("PAID", 0)
    assert [one["amount"] for one in paid.json()["transactions"]] == [4900, 1000]
    await sound(world)


async def test_a_reopened_invoice_can_be_voided(
    world: World, api: httpx.AsyncClient, bank: Reversible
) -> None:
    """Once all of it was taken back."""
    await api.post(path(bank, REFUND), json={"amount": 4899})
    early = await api.post(f"/api/v1/invoices/{invoice_id(bank.billed)}/void")
    await api.post(path(bank, REFUND))
    voided = await api.post(f"/api/v1/invoices/{invoice_id(bank.billed)}/void")

    assert (early.status_code, voided.status_code) == (409, 200)
    assert (voided.json()["status"], voided.json()["amount_due"]) == ("VOID", 0)
    await sound(world)
