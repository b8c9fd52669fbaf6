"""The golden cases of an invoice: tax, coupons, balance and usage, made by the services.

The cases compute an invoice for a day; here it is the one that the subscription gets that day.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tallystick.domain.buyer import Address
from tallystick.domain.payment import Pending
from tallystick.domain.tax import REVERSE_CHARGE_NOTE
from tallystick.services.confirm_result import InFlight
from tests.cases.golden import case
from tests.real_time import sweep
from tests.scenarios.golden_lives import GRACE, at, day, discount_of, sold
from tests.scenarios.test_usage_billed import metered_plan, use
from tests.scripted_bank import Ask, ScriptedBank, with_bank
from tests.shops import invoice, selling_under_eu_rules
from tests.subscribing import Merchant
from tests.world import World

VALID_VAT_NUMBER = "DE136695976"


@dataclass(kw_only=True)
class Billed:
    """The subscription of a case, and the invoices of its days."""

    merchant: Merchant

    async def on(self, boundary: str) -> dict[str, Any]:
        """The invoice of a day, final; the clock goes there when that is still to come."""
        moment = at(boundary) + GRACE
        if self.merchant.today < day(boundary):
            await self.merchant.travel(moment)
        (found,) = [
            one
            for one in await self.merchant.invoices()
            if one["invoice_date"] == day(boundary)
        ]
        assert found["status"] == "FINALIZED"
        return found


async def subscribed(
    world: World,
    told: dict[str, Any],
    *,
    balance: int = 0,
    **customer: Any,  # noqa: ANN401 - columns
) -> Billed:
    """A customer with these columns on the plan of a case, from its start on."""
    asked, merchant = told["input"], Merchant(world=world)
    start = day(asked["start_date"])
    await merchant.stand_at(at(start))
    buyer = await world.customer(**customer)
    if balance:
        await world.balance(buyer, balance)
    for coupon in asked["coupons"]:
        await world.coupon(coupon["code"], discount_of(coupon), reusable=coupon["reusable"])
    await merchant.subscribe(
        buyer,
        await sold(world, asked["plan"]),
        start,
        charge_automatically=asked["charge_automatically"],
        coupon_codes=tuple(coupon["code"] for coupon in asked["coupons"]),
    )
    return Billed(merchant=merchant)


def sums(row: dict[str, Any]) -> dict[str, int]:
    """Subtotal, total and what is due."""
    return {name: row[name] for name in ("subtotal", "total", "amount_due")}


@pytest.mark.parametrize("case_id", ["INV-01"])
async def test_without_tax(world: World, case_id: str) -> None:
    """INV-01: 35.00 on January 1 and February 1, of one line; no tax, and no trace of it."""
    told = case(case_id)
    first, second, _ = told["steps"]
    asserted, later, _ = told["expected"]["per_step"]
    billed = await subscribed(world, told)

    today = await billed.on(first["date"])
    renewed = await billed.on(second["date"])

    lines = json.loads(today["lines"])
    expected = told["derived"]["per_step"][0]
    assert (today["tax_amount"], len(lines)) == (asserted["tax"], asserted["line_count"])
    assert len(json.loads(today["tax_breakdown"])) == asserted["tax_breakdown_count"]
    assert sums(today) == sums(expected)
    (line,), (wanted,) = lines, expected["lines"]
    assert (line["name"], line["amount"]) == (wanted["name"], wanted["amount"])
    assert (line["start"], line["end"]) == (wanted["period_start"], wanted["period_end"])
    assert (renewed["subtotal"], renewed["total"]) == (later["subtotal"], later["total"])


@pytest.mark.parametrize("case_id", ["INV-01"])
async def test_what_was_paid_before_lowers_what_is_due(world: World, case_id: str) -> None:
    """INV-01: with 10.00 on the balance 25.00 are due; subtotal and total stay 35.00."""
    told = case(case_id)
    step = told["steps"][2]

    billed = await subscribed(world, told, balance=step["prepaid"])

    made = await billed.on(step["date"])
    assert sums(made) == sums(told["derived"]["per_step"][2])
    without = told["derived"]["per_step"][0]["amount_due"]
    delta = told["expected"]["per_step"][2]["amount_due_delta_vs_step0"]
    assert made["amount_due"] - without == delta


@pytest.mark.parametrize("case_id", ["INV-03"])
async def test_a_business_across_the_border(world: World, case_id: str) -> None:
    """INV-03: from France to Germany no VAT, and one row that says who accounts for it."""
    told = case(case_id, decided="use DE136695976")
    country = told["input"]["customer"]["country"]
    await selling_under_eu_rules(world)
    billed = await subscribed(
        world, told, vat_number=VALID_VAT_NUMBER, billing_address=Address(country=country)
    )

    for boundary in (told["input"]["start_date"], told["steps"][0]["date"]):
        made = await billed.on(boundary)

        assert (made["subtotal"], made["total"]) == (
            told["expected"]["subtotal"],
            told["expected"]["total"],
        )
        assert (made["tax_amount"], made["amount_due"]) == (
            told["derived"]["tax"],
            told["derived"]["amount_due"],
        )
        (row,), (wanted,) = json.loads(made["tax_breakdown"]), told["expected"]["tax_breakdown"]
        assert (row["taxable"], row["tax"]) == (wanted["taxable"], wanted["tax"])
        assert row["exemption"] == wanted["exemption"].upper()
        assert row["reason"] == REVERSE_CHARGE_NOTE


@pytest.mark.parametrize("case_id", ["INV-04"])
async def test_tax_is_on_what_the_coupon_leaves(world: World, case_id: str) -> None:
    """INV-04: 8.25 % of 31.50 is 2.60; 34.10 are due, on February 1 as at the start."""
    told = case(case_id)
    asked = told["input"]["customer"]
    rates = [
        {"name": one["name"], "rate": one["rate"], "tax_code": ""}
        for one in asked["custom_rates"]
    ]
    billed = await subscribed(
        world,
        told,
        currency=asked["currency"],
        custom_taxes=json.dumps(rates),
        billing_address=Address(country=asked["country"], state=asked["state"]),
    )

    for boundary in (told["input"]["start_date"], told["steps"][0]["date"]):
        made = await billed.on(boundary)

        assert made["currency"] == told["input"]["currency"]
        assert (made["subtotal"], made["discount"], made["tax_amount"]) == (
            told["expected"]["subtotal"],
            told["expected"]["discount"],
            told["derived"]["tax"],
        )
        assert (made["total"], made["amount_due"]) == (
            told["derived"]["total"],
            told["derived"]["amount_due"],
        )
        assert [
            {"code": one["code"], "value": one["amount"]} for one in json.loads(made["coupons"])
        ] == told["expected"]["applied_coupons"]


@pytest.mark.parametrize("case_id", ["UBB-01"])
async def test_usage_comes_with_the_second_invoice(world: World, case_id: str) -> None:
    """UBB-01: 20.00 in January; 20.00 for February and 10.00 for the use of January after."""
    told = case(case_id)
    merchant, start = Merchant(world=world), day(told["input"]["start_date"])
    await merchant.stand_at(at(start))
    buyer = await world.customer()
    made = await merchant.subscribe(
        buyer, await metered_plan(world), start, charge_automatically=False
    )
    first, second = told["expected"]["per_step"]
    for used in told["input"]["usage"]:
        begins = day(used["period"][0])
        await use(world, buyer, int(used["units"]), (begins + timedelta(days=14)).isoformat())

    for step, boundary in ((first, None), (second, told["steps"][1]["transition_date"])):
        if boundary is not None:
            await merchant.travel(at(boundary) + GRACE)
        stands = await merchant.stands(made.subscription.id)
        wanted = step["subscription"]
        assert stands["status"].lower() == wanted["status"]
        assert (stands["cycle_index"], stands["mrr"]) == (wanted["cycle_index"], wanted["mrr"])
        assert len(await merchant.invoices()) == step["invoice_count"]

    for found, expected in zip(
        await merchant.invoices(), told["expected"]["invoices"], strict=True
    ):
        assert found["total"] == expected["total"]
    derived = told["derived"]["invoices"][1]["lines"]
    lines = json.loads((await merchant.invoices())[1]["lines"])
    assert [(one["amount"], one["start"], one["end"]) for one in lines] == [
        (one["amount"], one["period_start"], one["period_end"]) for one in derived
    ]


async def decided_later(ask: Ask) -> object:
    """The bank takes the charge, and does not say yet whether it succeeds."""
    await ask()
    return Pending()


@pytest.mark.parametrize("case_id", ["PAY-12"])
async def test_a_purchase_begins_on_the_day_of_its_charge(world: World, case_id: str) -> None:
    """PAY-12: a card decided two days later; start, period and invoice are of the first day."""
    told = case(case_id)
    amount = told["steps"][0]["amount"]
    bank = ScriptedBank(world.sandbox)
    world = with_bank(world, bank)
    charged_on = world.ctx.today
    session = await world.session(
        await world.customer(), await sold(world, told["input"]["plan"])
    )
    bank.script("confirm", decided_later)
    assert await world.confirm(session) == InFlight()
    merchant = Merchant(world=world)
    await merchant.stand_at(at(charged_on + timedelta(days=2)))
    assert await merchant.invoices() == []

    await sweep(world)

    stands = await world.one("select * from subscriptions")
    assert {stands[name] for name in ("start_date", "billing_start_date")} == {charged_on}
    assert stands["current_period_start"] == charged_on
    (wanted,) = told["expected"]["invoices"]
    made = await invoice(world)
    assert made["invoice_date"] == charged_on
    assert (made["status"].lower(), made["payment_status"].lower()) == (
        wanted["status"],
        wanted["payment_status"],
    )
    assert (made["total"], made["amount_due"]) == (amount, wanted["amount_due"])
    await merchant.is_sound()
