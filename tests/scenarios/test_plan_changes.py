"""Plan changes now: credits, charges, balance, slots, usage, and what is refused."""

import json
from datetime import date
from decimal import Decimal

import pytest

from tallystick.domain.coupons import Percentage
from tallystick.domain.credit_note import DebtCancellation, LineCredit
from tallystick.domain.errors import Conflict, InvalidInput
from tallystick.domain.purchase import Activation
from tallystick.services.change_invoice import void_invoice
from tests.cases.golden import case
from tests.crediting import Billed
from tests.scenarios.plan_changes import Shop, amounts, begin, last
from tests.subscribing import Merchant
from tests.world import SoldPlan, World


@pytest.fixture
def shop(world: World) -> Shop:
    """A shop whose plans share their products."""
    return Shop(merchant=Merchant(world=world))


@pytest.mark.parametrize("case_id", ["PCH-03"])
async def test_an_upgrade_is_billed_at_once(shop: Shop, case_id: str) -> None:
    """16 of 31 days left, -1497 -516 +5110 +1290 = 4387; the period stays."""
    golden = case(case_id)["expected"]
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.travel(date(2024, 1, 16))

    changed = await shop.change(made, pro)

    told = changed.details.subscription
    assert (told.plan_id, told.plan_version_id, told.mrr) == (pro.id, pro.version_id, 12400)
    assert (told.current_period_start, told.current_period_end) == (
        date(2024, 1, 1),
        date(2024, 2, 1),
    )
    assert len(changed.details.items) == golden["components"]["active"]
    assert (changed.matched, changed.added, changed.removed) == (2, 0, 0)
    invoice = await last(shop)
    assert amounts(invoice) == golden["line_amounts_documented"]
    assert [line["name"] for line in invoice["lines"]] == [
        "Platform Fee (credit)",
        "Seats (credit)",
        "Platform Fee (prorated)",
        "Seats (prorated)",
    ]
    wanted = golden["invoices"][0]
    assert (invoice["status"], invoice["payment_status"]) == ("FINALIZED", "UNPAID")
    assert (invoice["total"], invoice["amount_due"]) == (wanted["total"], wanted["amount_due"])
    assert (invoice["invoice_type"], invoice["number"]) == ("ADJUSTMENT", 2)
    assert await shop.balance() == 0
    places = await shop.world.fetch("select plan_id, holder from plan_places")
    assert places == [{"plan_id": pro.id, "holder": made}]
    assert ("subscription.updated", "plan_changed") in await shop.merchant.events()
    await shop.merchant.travel(date(2024, 2, 2))
    assert (await last(shop))["total"] == 12400


@pytest.mark.parametrize("case_id", ["PCH-04"])
async def test_a_downgrade_goes_to_the_balance(shop: Shop, case_id: str) -> None:
    """-4387, nothing due, PAID; the balance pays of the next renewal."""
    golden = case(case_id)["expected"]
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, pro)
    await shop.merchant.travel(date(2024, 1, 16))

    await shop.change(made, starter)

    invoice = await last(shop)
    assert amounts(invoice) == golden["line_amounts_documented"]
    assert (invoice["total"], invoice["amount_due"]) == (-4387, 0)
    assert invoice["payment_status"] == "PAID"
    assert await shop.balance() == golden["customer_balance"]
    await shop.merchant.travel(date(2024, 2, 2))
    renewed = await last(shop)
    assert (renewed["total"], renewed["applied_balance"], renewed["amount_due"]) == (
        3900,
        3900,
        0,
    )
    assert await shop.balance() == 487


@pytest.mark.parametrize("case_id", ["PCH-08"])
async def test_slots_of_a_component_that_had_none_before(shop: Shop, case_id: str) -> None:
    """LeetCode to Starter with five seats, -1806 +1497 +2581 = 2272."""
    golden = case(case_id)["expected"]
    leetcode, starter = await shop.sold("LEETCODE"), await shop.sold("STARTER")
    made = await begin(shop, leetcode)
    await shop.merchant.travel(date(2024, 1, 16))

    changed = await shop.change(made, starter, {"Seats": 5})

    assert amounts(await last(shop)) == golden["line_amounts_documented"]
    assert [one.slots for one in changed.details.items] == [None, 5]
    assert (changed.matched, changed.added, changed.removed) == (1, 1, 0)


@pytest.mark.parametrize("case_id", ["PCH-06"])
async def test_slots_are_kept(shop: Shop, case_id: str) -> None:
    """Five seats stay five, -1497 -2581 +5110 +6452 = 7484; MRR 22400."""
    golden = case(case_id)["expected"]
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    leetcode = await shop.sold("LEETCODE")
    made = await begin(shop, leetcode)
    await shop.change(made, starter, {"Seats": 5})
    await shop.merchant.travel(date(2024, 1, 16))

    changed = await shop.change(made, pro)

    assert amounts(await last(shop)) == golden["line_amounts_documented"]
    assert changed.details.subscription.mrr == golden["final"]["subscription"]["mrr"]


@pytest.mark.parametrize("case_id", ["PCH-09"])
async def test_usage_is_billed_by_the_price_of_its_days(shop: Shop, case_id: str) -> None:
    """50 units at 0.10 until February 15, then 200 at 0.20 and 100 at 0.50."""
    golden, used = case(case_id)["expected"], case(case_id)["input"]["usage"]
    alpha, beta = await shop.sold("USAGE_ALPHA"), await shop.sold("USAGE_BETA")
    made = await begin(shop, alpha, "2025-01-01")
    customer = (await shop.merchant.stands(made))["customer_id"]
    for one in used[:1]:
        await shop.use(customer, one["metric"], int(one["units"]), one["period"][0])
    await shop.merchant.travel(date(2025, 2, 2))
    await shop.merchant.travel(date(2025, 2, 15))

    await shop.change(made, beta)

    await shop.merchant.travel(date(2025, 2, 20))
    for one in used[1:]:
        await shop.use(customer, one["metric"], int(one["units"]), one["period"][0])
    await shop.merchant.travel(date(2025, 3, 2))
    totals = [one["total"] for one in await shop.merchant.invoices()]
    assert totals == [one["total"] for one in golden["invoices"]]
    lines = (await last(shop))["lines"]
    assert sorted((one["start"], one["end"], one["amount"]) for one in lines) == [
        ("2025-02-01", "2025-02-15", 500),
        ("2025-02-15", "2025-03-01", 4000),
        ("2025-02-15", "2025-03-01", 5000),
        ("2025-03-01", "2025-04-01", 2000),
    ]


@pytest.mark.parametrize(
    ("case_id", "before", "after", "totals"),
    [
        ("PCH-11", "MIXED_ALPHA", "MIXED_BETA", [28000, 11000, 2500, 17000]),
        ("PCH-13", "MIXED_BETA", "MIXED_ALPHA", [13000, 18000, -2500, 12000]),
        ("PCH-14", "MIXED_ALPHA", "MIXED_CAP_UPGRADED", [28000, 11000, 3500, 18200]),
    ],
)
async def test_fees_of_every_kind(
    shop: Shop, case_id: str, before: str, after: str, totals: list[int]
) -> None:
    """Bases by days, arrears by what they lived, one-time fees never again."""
    decided = "overage of a closed capacity window" if case_id == "PCH-14" else None
    golden = case(case_id, decided=decided)
    old, new = await shop.sold(before), await shop.sold(after)
    made = await begin(shop, old, "2025-01-01")
    customer = (await shop.merchant.stands(made))["customer_id"]
    await shop.merchant.travel(date(2025, 2, 2))
    await shop.merchant.travel(date(2025, 2, 15))

    await shop.change(made, new)

    await shop.merchant.travel(date(2025, 2, 20))
    for one in golden["input"].get("usage", ()):
        await shop.use(customer, one["metric"], int(one["units"]), one["period"][0])
    await shop.merchant.travel(date(2025, 3, 2))
    found = [one["total"] for one in await shop.merchant.invoices()]
    assert found == totals
    for one in golden["expected"]["invoices"]:
        assert found[one["index"]] == one["total"]


async def test_overage_of_a_window_that_a_change_closed(shop: Shop) -> None:
    """150 units before the change, 100 of them included: 50 at EUR 0.05 at the renewal."""
    alpha, beta = await shop.sold("MIXED_ALPHA"), await shop.sold("MIXED_BETA")
    made = await begin(shop, alpha, "2025-02-01")
    customer = (await shop.merchant.stands(made))["customer_id"]
    await shop.merchant.travel(date(2025, 2, 15))
    await shop.use(customer, "bandwidth", 150, "2025-02-10")

    await shop.change(made, beta)

    await shop.merchant.travel(date(2025, 3, 2))
    lines = (await last(shop))["lines"]
    assert ["2025-02-01", "2025-02-15", 250] in [
        [one["start"], one["end"], one["amount"]] for one in lines
    ]


@pytest.mark.parametrize("case_id", ["PCH-16"])
async def test_a_free_trial_ends_with_the_change(shop: Shop, case_id: str) -> None:
    """From January 8 billed in full, 3900 on the 8th and on February 8."""
    golden = case(case_id)["expected"]
    trial, starter = await shop.sold("PAID_FREE_TRIAL"), await shop.sold("STARTER")
    made = await begin(shop, trial)
    await shop.merchant.travel(date(2024, 1, 8))

    changed = await shop.change(made, starter)

    told = changed.details.subscription
    assert (told.status, told.billing_day_anchor) == ("ACTIVE", 8)
    assert (told.current_period_start, told.current_period_end) == (
        date(2024, 1, 8),
        date(2024, 2, 8),
    )
    await shop.merchant.travel(date(2024, 2, 9))
    made_invoices = await shop.merchant.invoices()
    assert [one["total"] for one in made_invoices] == [
        one["total"] for one in golden["invoices"]
    ]
    assert {one["invoice_type"] for one in made_invoices} == {"RECURRING"}


@pytest.mark.parametrize("case_id", ["PCH-19"])
async def test_a_cancellation_is_replaced(shop: Shop, case_id: str) -> None:
    """After a change now nothing is scheduled any more."""
    assert case(case_id)["expected"]["rows"][1]["pending_events_after"] == 0
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.cancel(made)
    await shop.merchant.travel(date(2024, 1, 15))

    told = (await shop.change(made, pro)).details.subscription

    assert (told.status, told.cancelled_on) == ("ACTIVE", None)
    await shop.merchant.travel(date(2024, 2, 2))
    assert (await last(shop))["total"] == 12400


@pytest.mark.parametrize("case_id", ["PCH-23"])
@pytest.mark.parametrize("target", ["draft", "USD_PLAN", "pending", "same", "over"])
async def test_what_is_refused_changes_nothing(shop: Shop, target: str, case_id: str) -> None:
    """The golden refusals, and one that has ended: refused, and everything is as it was."""
    assert len(case(case_id)["expected"]["rows"]) == 5
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    activation = Activation.MANUAL if target == "pending" else Activation.ON_START
    made = await begin(shop, starter, activation=activation)
    plan = pro
    if target == "draft":
        version = pro.version_id
        await shop.world.execute(
            "insert into plan_versions (tenant_id, id, plan_id, version, currency, created_at)"
            " select tenant_id, gen_random_uuid(), plan_id, 2, currency, created_at"
            " from plan_versions where id = $1",
            version,
        )
        row = await shop.world.one("select id from plan_versions where published_at is null")
        plan = SoldPlan(id=pro.id, version_id=row["id"], components={}, products={})
    elif target == "USD_PLAN":
        plan = await shop.sold("USD_PLAN")
    elif target == "same":
        plan = starter
    elif target == "over":
        await shop.merchant.cancel(made, shop.merchant.today)
    before = await shop.merchant.stands(made), await shop.merchant.invoices()

    with pytest.raises((InvalidInput, Conflict)):
        await shop.change(made, plan)

    assert (await shop.merchant.stands(made), await shop.merchant.invoices()) == before


@pytest.mark.parametrize("case_id", ["PCH-24"])
async def test_a_preview_is_the_invoice_and_stores_nothing(shop: Shop, case_id: str) -> None:
    """The golden counts; the same amounts as the change itself, and no number."""
    preview = case(case_id)["expected"]["preview"]
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    await shop.merchant.travel(date(2024, 1, 16))
    before = await shop.merchant.stands(made), await shop.merchant.invoices()

    seen = await shop.change(made, pro, preview=True)

    assert (await shop.merchant.stands(made), await shop.merchant.invoices()) == before
    assert preview == {"matched": seen.matched, "added": seen.added, "removed": seen.removed}
    changed = await shop.change(made, pro)
    assert seen.invoice is not None
    assert changed.invoice is not None
    assert seen.invoice.number is None
    assert [one.amount for one in seen.invoice.lines] == [
        one.amount for one in changed.invoice.lines
    ]
    assert seen.invoice.total == changed.invoice.total == 4387


async def test_a_credit_is_discounted_as_it_was_billed(shop: Shop) -> None:
    """Half of 39.00 was paid: -1497 and -516 become -749 and -258; charges bear no coupon."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    await shop.world.coupon("HALF", Percentage(percentage=Decimal(50)), recurring_value=1)
    made = await begin(shop, starter, coupon_codes=("HALF",))
    await shop.merchant.travel(date(2024, 1, 16))

    await shop.change(made, pro)

    invoice = await last(shop)
    assert amounts(invoice) == [-749, -258, 5110, 1290]
    assert (invoice["discount"], invoice["coupon_count"]) == (0, 0)


async def test_a_credit_bears_the_tax_of_its_bill(shop: Shop) -> None:
    """Billed at 20 %, credited at 20 %, though the customer bears no tax any more."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    rates = json.dumps([{"name": "VAT", "rate": "0.2", "tax_code": "VAT"}])
    await shop.at("2024-01-01")
    customer = await shop.world.customer(custom_taxes=rates)
    made = (
        await shop.merchant.subscribe(
            customer, starter, date(2024, 1, 1), charge_automatically=False
        )
    ).subscription.id
    assert (await last(shop))["tax_amount"] == 780
    await shop.world.execute("update customers set custom_taxes = '[]' where id = $1", customer)
    await shop.merchant.travel(date(2024, 1, 16))

    await shop.change(made, pro)

    invoice = await last(shop)
    # 20 % of 14.97 and of 5.16, each rounded.
    assert (invoice["subtotal"], invoice["tax_amount"]) == (4387, -299 - 103)


async def test_to_the_same_prices_and_back_costs_nothing(shop: Shop) -> None:
    """A twin of the plan: an invoice of zero, PAID, and the next renewal as ever."""
    starter, twin = await shop.sold("STARTER"), await shop.sold("STARTER")
    made = await begin(shop, starter, "2024-01-10", billing_day_anchor=1)
    await shop.merchant.travel(date(2024, 1, 20))

    await shop.change(made, twin)
    await shop.change(made, starter)

    totals = [one["total"] for one in await shop.merchant.invoices()]
    assert totals[1:] == [0, 0]
    await shop.merchant.travel(date(2024, 2, 2))
    assert (await last(shop))["total"] == 3900


async def test_nothing_of_a_void_invoice_is_given_back(shop: Shop) -> None:
    """January was voided: it is charged 5110 and 1290 for the rest, and nothing comes back."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    (first,) = await shop.merchant.invoices()
    async with shop.world.app.transaction() as tx:
        await void_invoice(shop.world.ctx.within(tx), first["id"])
    await shop.merchant.travel(date(2024, 1, 16))

    await shop.change(made, pro)

    assert amounts(await last(shop)) == [5110, 1290]


async def test_what_a_note_took_back_is_not_given_back_again(shop: Shop) -> None:
    """20.00 of the fee's 29.00 were cancelled: 9.00 of its 14.97 are left, the seat's 5.16."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    made = await begin(shop, starter)
    row = await shop.world.one(
        "select invoice_id, id from invoice_lines where name = 'Platform Fee'"
    )
    billed = Billed(world=shop.world, customer_id=made, id=row["invoice_id"])
    await billed.credit(DebtCancellation(), (LineCredit(line_id=row["id"], amount=2000),))
    await shop.merchant.travel(date(2024, 1, 16))

    await shop.change(made, pro)

    assert amounts(await last(shop)) == [-900, -516, 5110, 1290]


async def test_an_import_is_given_back_in_full(shop: Shop) -> None:
    """January was billed elsewhere: -1497 -516 +5110 +1290, as if here."""
    starter, pro = await shop.sold("STARTER"), await shop.sold("PRO")
    await shop.at("2024-01-16")
    made = await shop.merchant.subscribe(
        await shop.world.customer(),
        starter,
        date(2024, 1, 1),
        skips_past=True,
        charge_automatically=False,
    )

    await shop.change(made.subscription.id, pro)

    assert amounts(await last(shop)) == [-1497, -516, 5110, 1290]
