"""An invoice's explanation over the API: as data and in sentences, from what is stored."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid

from tallystick.domain.coupons import Percentage
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.offer import ExternalPayment
from tallystick.services.confirm_result import Completed
from tallystick.services.ids import new_id
from tests.shops import selling_under_eu_rules
from tests.world import World

X = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"


@pytest.fixture
async def bought(world: World) -> str:
    """EUR 49 less 10 % plus 20 % VAT, paid from EUR 10 of balance and a card."""
    await selling_under_eu_rules(world)
    coupon = await world.coupon("TEN", Percentage(percentage=Decimal(10)))
    customer = await world.customer()
    await world.balance(customer, 1000)
    session = await world.session(customer, await world.plan(), coupon_ids=(coupon,))
    assert await world.confirm(session) == Completed()
    return encode(Prefix.INVOICE, (await world.one("select id from invoices"))["id"])


async def explained(api: httpx.AsyncClient, invoice_id: str) -> Any:  # noqa: ANN401 - JSON
    """The explanation, as JSON."""
    answer = await api.get(f"/api/v1/invoices/{invoice_id}/explain")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_paid_invoice_is_explained_in_sentences(
    bought: str, api: httpx.AsyncClient
) -> None:
    """EUR 49.00 - 4.90 + 8.82 = 52.92: the balance met 10.00 and the card the rest."""
    told = await explained(api, bought)

    (line,) = told["lines"]
    assert line["sentences"] == [
        "For 2026-03-10 to 2026-04-09, days: 31",
        f"1 {X} EUR 49.00 = EUR 49.00",
        "Less its share of the discount, EUR 4.90, leaves EUR 44.10",
        "VAT 20% on EUR 44.10 = EUR 8.82",
        "The VAT rate of the customer's country applies, which is the seller's too.",
    ]
    assert told["sentences"] == [
        "The lines come to EUR 49.00",
        "Code TEN takes off EUR 4.90: 10% of EUR 49.00 = EUR 4.90",
        "VAT 20% on EUR 44.10 = EUR 8.82",
        f"EUR 49.00 {MINUS} EUR 4.90 + EUR 8.82 = EUR 52.92",
        "The account balance pays EUR 10.00",
        "Paid: EUR 42.92",
        "To be paid: EUR 0.00",
    ]


async def test_every_sentence_has_its_data(bought: str, api: httpx.AsyncClient) -> None:
    """One step for each sentence; amounts are minor units, exact numbers fractions."""
    told = await explained(api, bought)

    (line,) = told["lines"]
    assert (told["invoice_number"], told["status"], told["currency"]) == (
        "INV-1",
        "FINALIZED",
        "EUR",
    )
    assert [step["type"] for step in line["steps"]] == [
        "COVERED",
        "MULTIPLIED",
        "DISCOUNTED",
        "TAXED",
        "RULED",
    ]
    assert line["steps"][1]["exact"] == "4900"
    assert line["steps"][3] == {
        "type": "TAXED",
        "name": "VAT",
        "rate": "0.20",
        "code": "FR-STANDARD",
        "base": 4410,
        "included": False,
        "total_rate": "0.20",
        "net": 4410,
        "exact": "882",
        "amount": 882,
    }
    assert [step["type"] for step in told["steps"]] == [
        "SUBTOTALED",
        "COUPON_TAKEN",
        "TAX_SUMMED",
        "TOTALED",
        "BALANCE_APPLIED",
        "SETTLED",
        "DUE",
    ]
    assert told["steps"][-1]["amount"] == 0
    assert (line["amount"], line["discount"], line["tax"], line["amount_total"]) == (
        4900,
        490,
        882,
        5292,
    )


async def test_a_draft_is_explained(world: World, api: httpx.AsyncClient) -> None:
    """An invoice that nobody has finalized yet, with nothing paid."""
    session = await world.session(
        await world.customer(),
        await world.plan(),
        payment=ExternalPayment(),
        auto_advance_invoices=False,
        charge_automatically=False,
    )
    assert await world.confirm(session, chooses=False, agrees=False) == Completed()
    row = await world.one("select id from invoices")

    told = await explained(api, encode(Prefix.INVOICE, row["id"]))

    assert (told["invoice_number"], told["status"]) == ("draft", "DRAFT")
    assert told["sentences"][-1] == "To be paid: EUR 49.00"


async def test_figures_that_do_not_follow_are_told(
    world: World, bought: str, api: httpx.AsyncClient
) -> None:
    """A price that was changed behind the invoice's back: 409, with both figures."""
    async with world.database.transaction() as tx:
        await tx.execute("set local session_replication_role = replica")
        await tx.execute(
            "update invoice_lines set computation ="
            " jsonb_set(computation, '{computation,unit_price}', '\"48.00\"')"
        )

    answer = await api.get(f"/api/v1/invoices/{bought}/explain")

    assert answer.status_code == 409
    assert answer.json()["message"] == (
        "This invoice cannot be explained: Fee: the amount as quoted comes to 4800, and 4900 is"
        " stored (in minor units). Look at it with `tallystick doctor`."
    )


async def test_what_is_not_there_is_not_explained(
    sdk: AsyncMeteroid, api: httpx.AsyncClient
) -> None:
    """An unknown invoice, and an id of another kind."""
    unknown = encode(Prefix.INVOICE, new_id())

    missing = await api.get(f"/api/v1/invoices/{unknown}/explain")
    malformed = await api.get("/api/v1/invoices/sub_1/explain")

    assert (missing.status_code, malformed.status_code) == (404, 404)
    assert missing.json()["message"] == f"There is no such invoice: {unknown}."
    assert [one async for one in sdk.invoices.list()] == []
