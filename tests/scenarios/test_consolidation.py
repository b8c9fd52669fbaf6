"""Renewals of one customer and day, made one invoice where the entity wants it."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tallystick.domain.coupons import Percentage
from tallystick.domain.errors import Conflict
from tallystick.domain.ids import Prefix, encode
from tallystick.services.change_invoice import (
    MoneyReceived,
    finalize_invoice,
    receive_money,
    void_invoice,
)
from tests.cases.golden import case
from tests.scenarios.consolidating import RENEWED, Consolidating
from tests.scenarios.golden_lives import GRACE, at, sold
from tests.scenarios.test_usage_billed import metered_plan, use
from tests.world import World

DECLINES = "4000000000000341"


@pytest.mark.parametrize("case_id", ["CON-01", "CON-04", "CON-06"])
async def test_same_day_renewals_are_merged(world: World, case_id: str) -> None:
    """One invoice with number, lines and balance; two drafts that keep their amounts."""
    told = case(case_id)
    asked, expected = told["input"], told["expected"]
    merchant = await Consolidating.open(world, grace_hours=asked.get("grace_period_hours", 12))
    name, start = asked["subscriptions"][0].split()
    await merchant.stand_at(at(start))
    customer = await world.customer()
    plan = await sold(world, name)
    await merchant.sells(
        customer, [plan] * len(asked["subscriptions"]), date.fromisoformat(start)
    )
    if "customer_balance" in asked:
        await world.balance(customer, asked["customer_balance"])
    boundary = told["steps"][-1]["transition_date"]

    await merchant.travel(at(boundary) + GRACE)

    (whole,), members, others = await merchant.of(date.fromisoformat(boundary))
    wanted = expected["parent"]
    assert len(members) == expected.get("children_count", 2)
    assert others == []
    assert (whole["status"], whole["invoice_type"]) == ("FINALIZED", "RECURRING")
    assert (whole["total"], len(json.loads(whole["lines"]))) == (wanted["total"], 2)
    assert whole["applied_balance"] == wanted.get("applied_credits", 0)
    assert whole["amount_due"] == wanted.get("amount_due", 7000)
    assert whole["invoice_number"] == "INV-3"
    for member in members:
        assert (member["status"], member["total"], member["amount_due"]) == (
            "DRAFT",
            3500,
            3500,
        )
        assert (member["number"], member["applied_balance"]) == (None, 0)
        assert member["consolidated_into_invoice_id"] == whole["id"]
    creation = [one for one in await merchant.invoices() if one["invoice_date"] == day(start)]
    assert [one["status"] for one in creation] == ["FINALIZED"] * 2, "creations are not merged"


def day(text: str) -> date:
    """A date from its ISO form."""
    return date.fromisoformat(text)


async def test_an_hour_of_grace_at_least(world: World) -> None:
    """Without grace the drafts wait until one o'clock, and not a second longer."""
    merchant = await Consolidating.open(world, grace_hours=0)
    await merchant.sells(await world.customer(), [await world.plan()] * 2)

    await merchant.travel(RENEWED + timedelta(minutes=59, seconds=59))
    _, _, waiting = await merchant.of(RENEWED)
    await merchant.travel(RENEWED + timedelta(hours=1))
    whole, members, _ = await merchant.of(RENEWED)

    assert [one["status"] for one in waiting] == ["DRAFT", "DRAFT"]
    assert [one["total"] for one in whole] == [9800]
    assert len(members) == 2


async def test_trials_that_end_on_one_day_are_one_invoice(world: World) -> None:
    """Two free trials of 14 days end on March 24: EUR 98.00 once, both are active."""
    merchant = await Consolidating.open(world)
    plans = [await world.plan(trial_days=14, trial_is_free=True) for _ in range(2)]
    ids = await merchant.sells(await world.customer(), plans)

    await merchant.travel(date(2026, 3, 25))

    (whole,), members, others = await merchant.of(date(2026, 3, 24))
    assert (whole["total"], len(members), others) == (9800, 2, [])
    assert [(await merchant.stands(one))["status"] for one in ids] == ["ACTIVE"] * 2


async def test_late_usage_is_in_the_one_invoice(world: World) -> None:
    """30 calls that come in the grace are billed by both metered plans: 2 x (2000 + 300)."""
    merchant = await Consolidating.open(world)
    customer = await world.customer()
    await merchant.sells(customer, [await metered_plan(world)] * 2)
    await merchant.travel(RENEWED + timedelta(hours=8))
    await use(world, customer, 30, "2026-04-09T20:00:00")

    await merchant.travel(RENEWED + timedelta(hours=12))

    (whole,), members, _ = await merchant.of(RENEWED)
    assert [one["total"] for one in members] == [2300, 2300]
    lines = [(one["name"], one["amount"]) for one in json.loads(whole["lines"])]
    assert lines == [("Fee", 2000), ("Calls", 300)] * 2
    assert whole["total"] == 4600
    assert whole["subtotal_recurring"] == 4000


async def test_coupons_and_tax_are_added_up(world: World) -> None:
    """10 % off one of two fees of 4900, 20 % tax: 490 off, 931 x 2 - 98 = 1764 - 98 tax."""
    merchant = await Consolidating.open(world)
    await world.coupon("TENTH", Percentage(percentage=Decimal(10)))
    taxes = json.dumps([{"name": "VAT", "rate": "0.20", "tax_code": "VAT"}])
    customer = await world.customer(custom_taxes=taxes)
    plan = await world.plan()
    await merchant.sells(customer, [plan], coupon_codes=("TENTH",))
    await merchant.sells(customer, [plan])

    await merchant.travel(RENEWED + GRACE)

    (whole,), _, _ = await merchant.of(RENEWED)
    assert (whole["subtotal"], whole["discount"]) == (9800, 490)
    assert (whole["tax_amount"], whole["total"]) == (882 + 980, 11172)
    (row,) = json.loads(whole["tax_breakdown"])
    assert (row["taxable"], row["tax"]) == (9310, 1862)
    (coupon,) = json.loads(whole["coupons"])
    assert (coupon["code"], coupon["amount"]) == ("TENTH", 490)


@pytest.mark.parametrize(
    "terms",
    [{"net_terms": 30}, {"charge_automatically": True}],
    ids=["other terms of payment", "charged automatically"],
)
async def test_what_one_invoice_cannot_say_stays_apart(
    world: World, terms: dict[str, Any]
) -> None:
    """Two of three have everything in common; the third has an invoice of its own."""
    merchant = await Consolidating.open(world)
    customer, plan = await world.customer(), await world.plan()
    await merchant.sells(customer, [plan, plan])
    await merchant.sells(customer, [plan], **terms)

    await merchant.travel(RENEWED + GRACE)

    (whole,), members, (alone,) = await merchant.of(RENEWED)
    assert (whole["total"], len(members)) == (9800, 2)
    assert (alone["total"], alone["status"]) == (4900, "FINALIZED")
    assert {whole["invoice_number"], alone["invoice_number"]} == {"INV-4", "INV-5"}


async def test_another_customer_or_day_stays_apart(world: World) -> None:
    """A single draft stays as it is: of the other customer, and of the other day."""
    merchant = await Consolidating.open(world)
    customer, plan = await world.customer(), await world.plan()
    await merchant.sells(customer, [plan])
    await merchant.sells(await world.customer("Initech"), [plan])
    await merchant.sells(customer, [plan], date(2026, 3, 11))

    await merchant.travel(date(2026, 4, 13))

    for on in (10, 11):
        whole, members, alone = await merchant.of(date(2026, 4, on))
        assert (whole, members) == ([], [])
        assert {one["status"] for one in alone} == {"FINALIZED"}
    assert len(await merchant.invoices()) == 6


async def test_without_the_setting_nothing_is_merged(world: World) -> None:
    """Switched off meanwhile, drafts that could have been one are two invoices."""
    merchant = await Consolidating.open(world)
    await merchant.sells(await world.customer(), [await world.plan()] * 2)
    await merchant.travel(RENEWED)
    await world.execute("update invoicing_entities set consolidate_recurring_invoices = false")

    await merchant.travel(RENEWED + GRACE)

    whole, members, alone = await merchant.of(RENEWED)
    assert (whole, members) == ([], [])
    assert [one["invoice_number"] for one in alone] == ["INV-3", "INV-4"]


async def test_what_waits_for_a_person_is_not_merged(world: World) -> None:
    """Drafts that somebody finalizes by hand stay what they are."""
    merchant = await Consolidating.open(world)
    plan = await world.plan()
    await merchant.sells(await world.customer(), [plan, plan], auto_advance_invoices=False)

    await merchant.travel(RENEWED + GRACE)

    whole, members, alone = await merchant.of(RENEWED)
    assert (whole, members) == ([], [])
    assert [one["status"] for one in alone] == ["DRAFT", "DRAFT"]


async def test_a_draft_that_is_finalized_by_hand_goes_alone(world: World) -> None:
    """What was finalized in the grace is final; the other two become one."""
    merchant = await Consolidating.open(world)
    await merchant.sells(await world.customer(), [await world.plan()] * 3)
    await merchant.travel(RENEWED)
    _, _, drafts = await merchant.of(RENEWED)
    async with world.app.transaction() as tx:
        await finalize_invoice(world.ctx.within(tx), drafts[1]["id"])

    await merchant.travel(RENEWED + GRACE)

    (whole,), members, (alone,) = await merchant.of(RENEWED)
    assert (whole["total"], len(members)) == (9800, 2)
    assert alone["id"] == drafts[1]["id"]


async def test_a_member_is_left_to_its_invoice(world: World) -> None:
    """Finalized, voided, paid by hand: each is refused, names the invoice, changes nothing."""
    merchant = await Consolidating.open(world)
    await merchant.sells(await world.customer(), [await world.plan()] * 2)
    await merchant.travel(RENEWED + GRACE)
    before = await merchant.of(RENEWED)
    (whole,), (member, _), _ = before
    money = MoneyReceived(amount=100, paid_at=None, reference=None)

    for verb in (
        finalize_invoice,
        void_invoice,
        lambda ctx, of: receive_money(ctx, of, money),
    ):
        with pytest.raises(Conflict, match=encode(Prefix.INVOICE, whole["id"])):
            async with world.app.transaction() as tx:
                await verb(world.ctx.within(tx), member["id"])

    assert await merchant.of(RENEWED) == before


async def test_voiding_the_one_invoice_gives_its_balance_back(world: World) -> None:
    """The balance that it used is there again; its members stay as they are."""
    merchant = await Consolidating.open(world)
    customer = await world.customer()
    await merchant.sells(customer, [await world.plan()] * 2)
    await world.balance(customer, 1000)
    await merchant.travel(RENEWED + GRACE)
    (whole,), _, _ = await merchant.of(RENEWED)

    async with world.app.transaction() as tx:
        await void_invoice(world.ctx.within(tx), whole["id"])

    (after,), members, _ = await merchant.of(RENEWED)
    assert (whole["applied_balance"], whole["amount_due"]) == (1000, 8800)
    assert (after["status"], after["amount_due"]) == ("VOID", 0)
    assert [one["status"] for one in members] == ["DRAFT"] * 2
    left = await world.one("select balance from customer_balances")
    assert left["balance"] == 1000
    await merchant.is_sound()


async def bought(merchant: Consolidating, number: str | None = None) -> None:
    """Two plans of one customer, bought by card, and charged to the same one from then on."""
    world = merchant.world
    customer = await world.customer()
    for _ in range(2):
        session = await world.session(customer, await world.plan())
        await world.confirm(session)
    if number is not None:
        token = (await world.card(number)).token
        await world.execute("update payment_methods set token = $1", token)
    await world.execute(
        "update subscriptions set payment_method_id ="
        " (select id from payment_methods order by created_at, id limit 1)"
    )


async def test_the_one_invoice_is_charged_once(world: World) -> None:
    """EUR 98.00 from the saved card of both, once; the invoice is paid."""
    merchant = await Consolidating.open(world)
    await bought(merchant)

    await merchant.travel(RENEWED + GRACE + timedelta(hours=12))

    (whole,), members, _ = await merchant.of(RENEWED)
    assert (whole["payment_status"], whole["settled"]) == ("PAID", 9800)
    assert await world.charges() == [4900, 4900, 9800]
    assert [one["payment_status"] for one in members] == ["UNPAID"] * 2


async def test_the_one_invoice_is_tried_again(world: World) -> None:
    """Declined, it is tried again after three days, and once only at a time."""
    merchant = await Consolidating.open(world)
    await bought(merchant, DECLINES)

    await merchant.travel(RENEWED + GRACE + timedelta(hours=12))
    (declined,), _, _ = await merchant.of(RENEWED)
    await merchant.travel(RENEWED + GRACE + timedelta(days=3, hours=12))
    (again,), _, _ = await merchant.of(RENEWED)

    assert (declined["payment_status"], declined["collection_failures"]) == ("ERRORED", 1)
    assert again["collection_failures"] == 2


async def test_each_is_told(world: World) -> None:
    """A member is consolidated into the invoice; the invoice is created and finalized."""
    merchant = await Consolidating.open(world)
    await merchant.sells(await world.customer(), [await world.plan()] * 2)
    await merchant.travel(RENEWED + GRACE)
    (whole,), members, _ = await merchant.of(RENEWED)

    told = await merchant.told_of(whole["id"])
    assert [name for name, _ in told] == ["invoice.created", "invoice.finalized"]
    assert [body["total"] for _, body in told] == [9800, 9800]
    assert told[-1][1]["invoice_number"] == "INV-3"
    for member in members:
        told = await merchant.told_of(member["id"])
        assert [name for name, _ in told] == ["invoice.created", "invoice.consolidated"]
        into = encode(Prefix.INVOICE, whole["id"])
        assert told[-1][1]["consolidated_into_invoice_id"] == into
        assert told[-1][1]["status"] == "DRAFT"
