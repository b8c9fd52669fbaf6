"""Amendments of running subscriptions: what follows from the rules of the golden cases."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tallystick.domain.amendment_request import ComponentChange
from tallystick.domain.coupons import Percentage
from tallystick.domain.credit_note import CreditType, DebtCancellation, LineCredit
from tallystick.domain.errors import Conflict
from tallystick.domain.offer_request import AddOnEntry
from tallystick.domain.purchase import Activation
from tallystick.services.collect_invoice import collect_due
from tests.crediting import Billed
from tests.real_time import debits_are_decided
from tests.scenarios.amending import (
    Amending,
    extra,
    flat,
    in_arrears,
    joining,
    lines,
    metered,
    once,
    priced,
)
from tests.scenarios.consolidating import Consolidating
from tests.scenarios.plan_changes import Shop
from tests.scenarios.test_golden_payments import saved
from tests.subscribing import Merchant
from tests.world import World

NOTE = ("type", "subtotal", "total")


@pytest.fixture
def shop(world: World) -> Amending:
    """A shop with one subscription."""
    return Amending(shop=Shop(merchant=Merchant(world=world)))


async def credited(shop: Amending) -> list[tuple[object, ...]]:
    """Kind, subtotal and total of every note."""
    return [tuple(one[name] for name in NOTE) for one in await shop.notes()]


async def test_being_paid_goes_to_the_balance(shop: Amending) -> None:
    """A debit that is on its way pays for it: half of it comes to the balance."""
    world = shop.shop.world
    await shop.shop.at("2024-04-01")
    customer = await world.customer()
    await saved(world, customer, await world.debit())
    await shop.begin(when="2024-04-01", customer=customer, charge_automatically=True)
    await collect_due(world.ctx)
    (invoice,) = await shop.invoices()
    assert invoice["payment_status"] == "PROCESSING"
    await shop.on("2024-04-16")

    await shop.remove("Platform Fee")

    assert await credited(shop) == [("CREDIT_TO_BALANCE", 1450, 1450)]
    await debits_are_decided(world)
    (invoice,) = await shop.invoices()
    assert (invoice["payment_status"], await shop.shop.balance()) == ("PAID", 1450)
    await shop.shop.merchant.is_sound()


async def test_partly_paid_from_the_balance(shop: Amending) -> None:
    """39.00, 30.00 of it from the balance: 9.00 need not be paid, 5.50 come back."""
    await shop.shop.at("2024-04-01")
    customer = await shop.shop.world.customer()
    await shop.shop.world.balance(customer, 3000)
    await shop.begin(when="2024-04-01", customer=customer)
    await shop.on("2024-04-16")

    await shop.remove("Platform Fee")

    assert await credited(shop) == [
        ("DEBT_CANCELLATION", 900, 900),
        ("CREDIT_TO_BALANCE", 550, 550),
    ]
    (invoice,) = await shop.invoices()
    assert (invoice["payment_status"], invoice["amount_due"]) == ("PAID", 0)
    assert await shop.shop.balance() == 550


async def test_what_was_credited_before_is_not_credited_again(shop: Amending) -> None:
    """Half a line, of which all but 4.00 was credited by hand: 4.00 remain."""
    await shop.begin(when="2024-04-01")
    await shop.on("2024-04-16")
    (invoice,) = await shop.invoices()
    billed = Billed(world=shop.shop.world, customer_id=invoice["customer_id"], id=invoice["id"])
    fee = (await billed.lines())[0]
    await billed.credit(DebtCancellation(), (LineCredit(line_id=fee, amount=2500),))

    await shop.remove("Platform Fee")

    assert [one["subtotal"] for one in await shop.notes()] == [2500, 400]


async def test_discount_and_tax_come_back_in_proportion(shop: Amending) -> None:
    """Half of 29.00 at half price and 20 %: 14.50 less 7.25, with 1.45 of tax."""
    await shop.shop.world.coupon("HALF", Percentage(percentage=Decimal(50)))
    rates = json.dumps([{"name": "VAT", "rate": "0.2", "tax_code": "VAT"}])
    await shop.shop.at("2024-04-01")
    customer = await shop.shop.world.customer(custom_taxes=rates)
    await shop.begin(when="2024-04-01", customer=customer, coupon_codes=("HALF",))
    await shop.on("2024-04-16")

    await shop.remove("Platform Fee")

    (note,) = await shop.notes()
    assert (note["subtotal"], note["discount"], note["tax_amount"]) == (1450, 725, 145)


async def test_up_and_removed_gives_back_what_was_paid_for_the_days(shop: Amending) -> None:
    """29.00 to 99.00 on the 16th, gone on the 24th: 8 days of 99.00, from both lines."""
    await shop.begin()
    await shop.on("2024-01-16")
    await shop.reprice("Platform Fee", flat("99"))
    await shop.on("2024-01-24")

    await shop.remove("Platform Fee")

    # 2900 x 8/31 = 748 of the first line, 3613 x 8/16 = 1806.5 of the second.
    assert sorted(one["subtotal"] for one in await shop.notes()) == [748, 1807]


async def test_down_and_removed_gives_back_the_rest(shop: Amending) -> None:
    """99.00 to 29.00 gave 36.13 to the balance; of the first line 7.48 are left for 8 days."""
    await shop.begin("PRO")
    await shop.on("2024-01-16")
    await shop.reprice("Platform Fee", flat("29"))
    assert (await shop.invoices())[-1]["total"] == -3613
    assert await shop.shop.balance() == 3613
    await shop.on("2024-01-24")

    await shop.remove("Platform Fee")

    # 9900 x 8/31 = 2555, of which 3613 x 8/16 = 1807 were given back.
    assert [one["subtotal"] for one in await shop.notes()] == [748]


async def test_a_price_that_changes_twice(shop: Amending) -> None:
    """29.00 to 30.00 to 40.00 on one day: what the second replaces was paid by two lines."""
    await shop.begin()
    await shop.on("2024-01-16")

    await shop.reprice("Platform Fee", flat("30"))
    await shop.reprice("Platform Fee", flat("40"))

    # For 16 of 31 days 14.97, 15.48 and 20.65.
    assert [lines(one)[0][1] for one in (await shop.invoices())[1:]] == [51, 517]


async def test_another_name_costs_nothing(shop: Amending) -> None:
    """The same item under another name, on the next invoice, at half price as before."""
    await shop.shop.world.coupon("HALF", Percentage(percentage=Decimal(50)))
    await shop.begin(coupon_codes=("HALF",))
    before = await shop.item("Platform Fee")
    await shop.on("2024-01-16")

    amended = await shop.reprice("Platform Fee", None, "Base")

    assert (amended.invoice, len(await shop.invoices())) == (None, 1)
    assert (await shop.item("Base")).id == before.id
    await shop.on("2024-02-02")
    renewal = (await shop.invoices())[-1]
    assert (lines(renewal)[0], renewal["total"]) == (("Base", 2900), 1950)


async def test_what_replaces_is_charged_less_what_was_paid(shop: Amending) -> None:
    """Billed at half price: 51.10 for what is left, less 7.49 that were paid for it."""
    await shop.shop.world.coupon("HALF", Percentage(percentage=Decimal(50)))
    await shop.begin(coupon_codes=("HALF",))
    await shop.on("2024-01-16")

    await shop.reprice("Platform Fee", flat("99"))

    assert lines((await shop.invoices())[-1]) == [("Platform Fee (adjustment)", 5110 - 749)]


async def test_another_tax_needs_two_lines(shop: Amending) -> None:
    """Billed at 20 %, and without tax today: the credit bears its tax, the charge none."""
    rates = json.dumps([{"name": "VAT", "rate": "0.2", "tax_code": "VAT"}])
    await shop.shop.at("2024-01-01")
    customer = await shop.shop.world.customer(custom_taxes=rates)
    await shop.begin(customer=customer)
    await shop.shop.world.execute("update customers set custom_taxes = '[]'")
    await shop.on("2024-01-16")

    await shop.reprice("Platform Fee", flat("99"))

    invoice = (await shop.invoices())[-1]
    assert lines(invoice) == [
        ("Platform Fee (credit)", -1497),
        ("Platform Fee (prorated)", 5110),
    ]
    assert invoice["tax_amount"] == -299


async def test_usage_counts_from_its_day(shop: Amending) -> None:
    """Metered from January 16: of 30 units, the 20 used since then at 0.50 on February 1."""
    await shop.begin("USAGE_ALPHA", "2025-01-01")
    world = shop.shop.world
    customer = (await shop.stands())["customer_id"]
    metric = (await world.one("select id from metrics limit 1"))["id"]
    code = (await world.one("select code from metrics limit 1"))["code"]
    await shop.on("2025-01-16")

    amended = await shop.add(metered("Extra usage", metric, "0.50"))

    assert amended.invoice is None
    await shop.on("2025-01-20")
    await shop.shop.use(customer, code, 10, "2025-01-10")
    await shop.shop.use(customer, code, 20, "2025-01-18")
    await shop.on("2025-02-02")
    found = [
        (one["start"], one["end"], one["amount"])
        for one in (await shop.invoices())[-1]["lines"]
        if one["name"] == "Extra usage"
    ]
    assert found == [("2025-01-16", "2025-02-01", 1000)]


async def test_arrears_are_billed_for_the_days_lived(shop: Amending) -> None:
    """31.00 a month in arrears from the 11th to the 21st: ten days, 10.00, on February 1."""
    await shop.begin("STARTER", "2025-01-01")
    await shop.on("2025-01-11")
    added = await shop.add(in_arrears("Reports", "31"))
    await shop.on("2025-01-21")

    removed = await shop.remove("Reports")

    assert (added.invoice, removed.invoice, removed.credit_notes) == (None, None, ())
    await shop.on("2025-02-02")
    assert ("Reports", 1000) in lines((await shop.invoices())[-1])


async def test_in_a_free_trial_nothing_is_billed(shop: Amending) -> None:
    """Items change; the first invoice is of what there is when the trial ends."""
    await shop.begin("PAID_FREE_TRIAL")
    assert (await shop.stands())["status"] == "TRIAL_ACTIVE"
    (old,) = await shop.items()
    await shop.on("2024-01-05")

    amended = await shop.ask(joining(extra("Support", "50"), once("Setup", "100")))
    await shop.remove(old.name)

    assert (amended.invoice, await shop.invoices()) == (None, [])
    ends = (await shop.stands())["trial_end"]
    await shop.on(ends.isoformat())
    await shop.on(ends.replace(day=ends.day + 1).isoformat())
    (first,) = await shop.invoices()
    assert lines(first) == [("Support", 5000), ("Setup", 10000)]


async def test_a_cancellation_stays(shop: Amending) -> None:
    """What joins is charged to the end of the period, when the subscription ends as planned."""
    await shop.begin()
    await shop.shop.merchant.cancel(shop.subscription_id)
    await shop.on("2024-01-16")

    amended = await shop.add(extra("Support", "50"))

    assert amended.details.subscription.cancelled_on == date(2024, 2, 1)
    assert (await shop.invoices())[-1]["total"] == 2581
    with pytest.raises(Conflict, match="reactivate"):
        await shop.add(extra("More", "1"), ahead=True)
    await shop.on("2024-02-02")
    assert (await shop.stands())["status"] == "CANCELLED"
    assert len(await shop.invoices()) == 2


async def test_a_draft_is_met_by_a_line(shop: Amending) -> None:
    """Where invoices wait for a person there is nothing to credit: the line is a credit."""
    await shop.begin(auto_advance_invoices=False)
    await shop.on("2024-01-16")

    await shop.remove("Seats")

    assert await shop.notes() == []
    _, second = await shop.invoices()
    assert (second["status"], lines(second)) == ("DRAFT", [("Seats (credit)", -516)])


async def test_all_at_once_is_one_invoice(shop: Amending) -> None:
    """Joining, changing and leaving in one amendment; the preview has the same figures."""
    await shop.begin()
    add_on = await shop.add_on("Pack", "20")
    await shop.on("2024-01-16")
    fee, gone = await shop.item("Platform Fee"), await shop.leaving("Seats")
    request = replace(
        gone,
        sold=replace(
            joining(extra("Support", "50")).sold,
            add_ons=(AddOnEntry(add_on_id=add_on, quantity=2),),
        ),
        components=(ComponentChange(item_id=fee.id, price=priced(flat("99"))),),
    )
    before = await shop.everything()

    seen = await shop.ask(request, preview=True)

    assert await shop.everything() == before
    made = await shop.ask(request)
    assert seen.invoice is not None
    assert made.invoice is not None
    assert seen.invoice.number is None
    for one in (seen, made):
        assert one.invoice is not None
        assert [(line.name, line.amount) for line in one.invoice.lines] == [
            ("Platform Fee (adjustment)", 3613),
            ("Support (prorated)", 2581),
            ("Pack (prorated)", 2065),
        ]
        (note,) = one.credit_notes
        assert (note.type, note.total) == (CreditType.DEBT_CANCELLATION, 516)
    assert seen.credit_notes[0].number is None
    names = [[item.name for item in one.details.items] for one in (seen, made)]
    assert names == [["Platform Fee", "Support", "Pack"]] * 2


@pytest.mark.parametrize("activation", [Activation.MANUAL, Activation.ON_CHECKOUT])
async def test_before_it_begins(shop: Amending, activation: Activation) -> None:
    """What waits for its activation or its checkout is fixed."""
    await shop.begin(activation=activation, charge_automatically=None)
    before = await shop.everything()
    for ahead in (False, True):
        with pytest.raises(Conflict, match=r"PENDING_ACTIVATION|checkout"):
            await shop.add(extra("Support", "50"), ahead=ahead)
    assert await shop.everything() == before


async def test_after_it_has_ended(shop: Amending) -> None:
    """Nothing joins a subscription that is over."""
    await shop.begin()
    await shop.shop.merchant.cancel(shop.subscription_id, date(2024, 1, 1))
    with pytest.raises(Conflict, match="CANCELLED"):
        await shop.add(extra("Support", "50"))


async def test_a_consolidated_line_is_credited(shop: Amending) -> None:
    """The one invoice of two renewals has the line, and its debt is cancelled."""
    merchant = await Consolidating.open(shop.shop.world)
    shop.shop.merchant = merchant
    await shop.begin()
    customer = (await shop.stands())["customer_id"]
    other = await merchant.world.plan()
    await merchant.sells(customer, [other], date(2024, 1, 1))
    await shop.on("2024-02-02")
    ((whole,), members, _) = await merchant.of(date(2024, 2, 1))
    assert len(members) == 2
    await shop.on("2024-02-16")

    await shop.remove("Seats")

    # 1000 x 14 / 29 = 482.8
    (note,) = await shop.notes()
    assert (note["invoice_id"], note["total"]) == (whole["id"], 483)
