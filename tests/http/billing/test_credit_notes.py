"""Credit notes over REST: made with ours, read with the official client."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid import models as m

from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment import RefundRefused
from tests.crediting import Billed, bought, refunds_swept, sound, went_back
from tests.http.billing.conftest import served
from tests.scripted_bank import ScriptedBank, lost, says, with_bank
from tests.shops import selling_under_eu_rules
from tests.world import World

Json = dict[str, Any]
NOTES = "/api/v1/credit-notes"


@pytest.fixture
async def billed(world: World) -> Billed:
    """EUR 49 with 20 % VAT, 58.80, paid from EUR 10 of balance and a card."""
    await selling_under_eu_rules(world)
    return await bought(world, balance=1000)


def asking(billed: Billed, credit_type: str = "CREDIT_TO_BALANCE", **fields: object) -> Json:
    """The body of a request."""
    invoice_id = encode(Prefix.INVOICE, billed.id)
    return {"invoice_id": invoice_id, "credit_type": credit_type, **fields}


async def test_a_note_as_the_client_reads_it(
    api: httpx.AsyncClient, sdk: AsyncMeteroid, billed: Billed
) -> None:
    """Half of the line: 24.50 and 4.90 of VAT, below zero, to the balance."""
    (line,) = await billed.lines()
    lines = [{"line_item_id": str(line), "quantity": "0.5"}]
    body = asking(billed, lines=lines, reason="Outage", memo="Sorry.")

    made = await api.post(NOTES, json=body)

    assert made.status_code == 201, made.text
    note = await sdk.credit_notes.retrieve(made.json()["id"])
    assert (note.credit_note_number, note.invoice_number) == ("CN-000001", "INV-1")
    assert (note.status, note.credit_type) == ("FINALIZED", "CREDIT_TO_BALANCE")
    assert (note.subtotal, note.tax_amount, note.total) == (-2450, -490, -2940)
    assert (note.credited_amount_cents, note.refunded_amount_cents) == (2940, 0)
    assert (note.reason, note.memo, note.currency) == ("Outage", "Sorry.", "EUR")
    assert note.subscription_id is not None
    assert note.plan_version_id is not None
    (shown,) = note.line_items
    assert (str(shown.quantity), str(shown.unit_price)) == ("0.5", "49")
    assert shown.amount_total == -2940
    (tax,) = note.tax_breakdown
    assert (tax.taxable_amount, tax.tax_amount, tax.tax_rate) == (-2450, -490, Decimal("0.2"))
    assert await billed.balance() == 2940
    await sound(billed.world)


async def test_what_was_written_off(
    world: World, api: httpx.AsyncClient, sdk: AsyncMeteroid
) -> None:
    """EUR 49.00, of which the balance paid 48.60 and 0.40 are too small to charge."""
    billed = await bought(world, balance=4860)
    body = asking(billed, memo="Never used.")

    shown = await api.post(NOTES, json=body | {"preview": True})
    made = await api.post(NOTES, json=body)
    again = await api.post(NOTES, json=body)

    assert (shown.status_code, made.status_code, again.status_code) == (200, 201, 409)
    for one in (shown.json(), made.json()):
        assert (one["total"], one["credited_amount_cents"]) == (-4900, 4860)
        assert (one["refunded_amount_cents"], one["written_off_amount_cents"]) == (0, 40)
    note = await sdk.credit_notes.retrieve(made.json()["id"])
    assert (note.total, note.credited_amount_cents) == (-4900, 4860)
    invoice = await sdk.invoices.retrieve(note.invoice_id)
    assert (invoice.payment_status, invoice.amount_due) == ("PAID", 0)
    assert await billed.balance() == 4860
    voided = await api.post(f"{NOTES}/{note.id}/void")
    assert (voided.status_code, await billed.balance()) == (200, 0)
    await sound(world)


async def test_a_refund_on_the_invoice(
    api: httpx.AsyncClient, sdk: AsyncMeteroid, billed: Billed
) -> None:
    """The whole of it: 10.00 to the balance, 48.80 to the card; the invoice stays PAID."""
    made = (await api.post(NOTES, json=asking(billed, "REFUND"))).json()

    assert (made["status"], made["total"]) == ("FINALIZED", -5880)
    assert (made["credited_amount_cents"], made["refunded_amount_cents"]) == (1000, 4880)
    invoice = await sdk.invoices.retrieve(made["invoice_id"])
    assert (invoice.payment_status, invoice.amount_due) == ("PAID", 0)
    payment, back = invoice.transactions
    assert (payment.payment_type, payment.status) == ("PAYMENT", "SETTLED")
    assert (payment.amount, payment.amount_refunded) == (4880, 4880)
    assert (back.payment_type, back.status, back.amount) == ("REFUND", "SETTLED", 4880)
    assert (back.parent_transaction_id, back.credit_note_id) == (payment.id, made["id"])
    assert back.refund_mode == "ONLINE"
    assert await went_back(billed.world) == [4880]
    await sound(billed.world)


async def test_a_payment_is_refunded(api: httpx.AsyncClient, billed: Billed) -> None:
    """Half of what the card paid is half of the invoice; then the rest, with no body at all."""
    payment = f"/api/v1/payments/{encode(Prefix.TRANSACTION, await billed.payment())}/refund"

    shown = await api.post(payment, json={"amount": 2440, "preview": True})
    half = await api.post(payment, json={"amount": 2440, "reason": "Half"})
    rest = await api.post(payment)

    assert (shown.status_code, half.status_code, rest.status_code) == (200, 201, 201)
    for one in (shown, half, rest):
        assert one.json()["total"] == -2940
        assert one.json()["refunded_amount_cents"] == 2440
    assert (half.json()["reason"], rest.json()["credit_note_number"]) == ("Half", "CN-000002")
    assert await went_back(billed.world) == [2440, 2440]
    assert (await api.post(payment)).status_code == 409
    await sound(billed.world)


async def test_a_refund_without_an_answer(world: World) -> None:
    """It is a draft without a number, also for a repeat under its key, until there is one."""
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", lost)
    billed = await bought(with_bank(world, bank))
    key = {"Idempotency-Key": "once"}
    async with served(billed.world) as api:
        made = await api.post(NOTES, json=asking(billed, "REFUND"), headers=key)
        again = await api.post(NOTES, json=asking(billed, "REFUND"), headers=key)
        assert (made.status_code, again.json()) == (201, made.json())
        assert (made.json()["status"], made.json()["credit_note_number"]) == ("DRAFT", "draft")
        assert (await api.post(NOTES, json=asking(billed, "REFUND"))).status_code == 409

        await refunds_swept(billed.world)

        note = (await api.get(f"{NOTES}/{made.json()['id']}")).json()
    assert (note["status"], note["credit_note_number"]) == ("FINALIZED", "CN-000001")
    assert await went_back(world) == [4900]


async def test_a_refund_that_the_provider_refuses(world: World) -> None:
    """The refusal says why, also for a repeat; the note is there, void."""
    bank = ScriptedBank(world.sandbox)
    bank.script("refund", says(RefundRefused("the account is closed")))
    billed = await bought(with_bank(world, bank))
    key = {"Idempotency-Key": "once"}
    async with served(billed.world) as api:
        refused = await api.post(NOTES, json=asking(billed, "REFUND"), headers=key)
        again = await api.post(NOTES, json=asking(billed, "REFUND"), headers=key)
        (note,) = (await api.get(NOTES)).json()["data"]

    assert (refused.status_code, again.status_code) == (409, 409)
    assert "the account is closed" in refused.json()["message"]
    assert (note["status"], note["refund_failure"]) == ("VOIDED", "the account is closed")
    assert await went_back(world) == []


@pytest.mark.parametrize("kind", ["REFUND", "CREDIT_TO_BALANCE"])
async def test_a_preview_stores_nothing(
    api: httpx.AsyncClient, billed: Billed, kind: str
) -> None:
    """It is what the note then is, but for its ids, its number and its status."""
    answer = await api.post(NOTES, json=asking(billed, kind, amount=1000, preview=True))

    shown = answer.json()
    assert (answer.status_code, shown["status"]) == (200, "DRAFT")
    assert shown["credit_note_number"] == "draft"
    assert (await api.get(NOTES)).json()["data"] == []
    assert await went_back(billed.world) == []
    assert await billed.balance() == 0
    made = (await api.post(NOTES, json=asking(billed, kind, amount=1000))).json()
    differs = {"id", "credit_note_number", "status", "finalized_at", "line_items"}
    same = made.keys() - differs
    assert {name: made[name] for name in same} == {name: shown[name] for name in same}
    (line,), (before,) = made["line_items"], shown["line_items"]
    assert line | {"id": ""} == before | {"id": ""}


async def test_a_repeat_under_its_key(api: httpx.AsyncClient, billed: Billed) -> None:
    """The same answer, and one note; another body under the key is a conflict."""
    for kind in ("REFUND", "CREDIT_TO_BALANCE"):
        key = {"Idempotency-Key": kind}
        body = asking(billed, kind, amount=500)
        first = await api.post(NOTES, json=body, headers=key)
        again = await api.post(NOTES, json=body, headers=key)
        other = await api.post(NOTES, json=body | {"amount": 501}, headers=key)
        assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
        assert again.json() == first.json()
        assert again.headers["Idempotent-Replayed"] == "true"
    assert len((await api.get(NOTES)).json()["data"]) == 2
    assert len(await went_back(billed.world)) == 1
    await sound(billed.world)


async def test_the_list(api: httpx.AsyncClient, sdk: AsyncMeteroid, billed: Billed) -> None:
    """By customer, invoice, status and number, in the documented orders."""
    for amount in (300, 100, 200):
        await api.post(NOTES, json=asking(billed, amount=amount))

    async def listed(**query: Any) -> list[int]:  # noqa: ANN401
        return [-one.total async for one in sdk.credit_notes.list(**query)]

    customer = encode(Prefix.CUSTOMER, billed.customer_id)
    assert await listed(customer_id=customer, order_by="total.asc") == [100, 200, 300]
    assert await listed(order_by="credit_note_number.asc") == [300, 100, 200]
    assert await listed(order_by="created_at.desc", per_page=2) == [200, 100, 300]
    assert await listed(order_by="status.asc") == [300, 100, 200]
    assert await listed(search="cn-000002") == [100]
    assert await listed(status="DRAFT") == []
    assert await listed(invoice_id=encode(Prefix.INVOICE, billed.customer_id)) == []
    assert await listed(customer_id="nobody") == []


async def test_a_note_is_voided(api: httpx.AsyncClient, billed: Billed) -> None:
    """The balance gives the money back once; a refund is not undone."""
    made = (await api.post(NOTES, json=asking(billed, amount=500))).json()
    back = (await api.post(NOTES, json=asking(billed, "REFUND", amount=500))).json()

    answers = [await api.post(f"{NOTES}/{one['id']}/void") for one in (made, made, back)]

    assert [one.status_code for one in answers] == [200, 409, 409]
    assert answers[0].json()["status"] == "VOIDED"
    await sound(billed.world)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 5881}, "amount"),
        ({"amount": 2**53}, "amount"),
        ({"lines": []}, "lines"),
        ({"lines": [{"line_item_id": "x"}]}, "lines[0].line_item_id"),
        ({"lines": [{"line_item_id": str(NOTES)}], "amount": 1}, "lines[0].line_item_id"),
        ({"payment_id": "pay_1"}, "payment_id"),
        ({"offline": True}, "offline"),
        ({"credit_type": "GIFT"}, "credit_type"),
        ({"line": []}, "line"),
    ],
)
async def test_what_is_refused(
    api: httpx.AsyncClient, billed: Billed, fields: Json, field: str
) -> None:
    """Each with the path of the field; nothing is changed."""
    refused = await api.post(NOTES, json=asking(billed) | fields)

    assert refused.status_code == 400, refused.text
    assert [one["field"] for one in refused.json()["errors"]] == [field]
    assert (await api.get(NOTES)).json()["data"] == []
    assert await billed.balance() == 0


async def test_events_as_the_client_decodes_them(
    api: httpx.AsyncClient, billed: Billed
) -> None:
    """Of the note and of its refund, with the amounts of the note."""
    made = (await api.post(NOTES, json=asking(billed, "REFUND", amount=588))).json()

    rows = await billed.world.fetch(
        "select type, data::text from events where type like 'credit_note.%'"
        " or type like 'refund.%' order by position"
    )

    told = {row["type"]: row["data"] for row in rows}
    final = m.CreditNoteEventData.from_json(told["credit_note.finalized"])
    assert (final.credit_note_id, final.total) == (made["id"], -588)
    assert (final.credited_amount_cents, final.refunded_amount_cents) == (100, 488)
    assert final.line_items[0].amount_total == -588
    draft = m.CreditNoteEventData.from_json(told["credit_note.created"])
    assert (draft.status, draft.credit_note_number) == ("DRAFT", None)
    issued = m.RefundEventData.from_json(told["refund.issued"])
    settled = m.RefundEventData.from_json(told["refund.settled"])
    assert (issued.status, settled.status) == ("PENDING", "SETTLED")
    assert (settled.amount, settled.credit_note_id) == (488, made["id"])
