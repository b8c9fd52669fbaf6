"""The golden cases of amendments: what is billed, what is credited, and what is refused."""

from datetime import date

import pytest

from tallystick.domain.errors import Conflict
from tallystick.services.collect_invoice import collect_due
from tests.cases.golden import case
from tests.scenarios.amending import (
    Amending,
    extra,
    flat,
    lines,
    once,
)
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


@pytest.mark.parametrize("case_id", ["AMD-01"])
async def test_a_component_joins(shop: Amending, case_id: str) -> None:
    """AMD-01: 16 of 31 days of 50.00 are 25.81, from then on 89.00 a month."""
    told = case(case_id)
    await shop.begin()
    before = (await shop.stands())["mrr"]
    await shop.on("2024-01-16")

    amended = await shop.add(extra("Support", "50"))

    first, second = await shop.invoices()
    (wanted,), (shown,) = told["expected"]["invoices"], told["derived"]["invoices"]
    assert (second["status"], second["total"]) == ("FINALIZED", wanted["total"])
    assert (second["invoice_type"], first["invoice_type"]) == ("ADJUSTMENT", "RECURRING")
    (line,) = second["lines"]
    for name, key in (("name", "name"), ("amount", "amount"), ("start", "period_start")):
        assert line[name] == shown["lines"][0][key]
    assert (line["end"], line["days"], line["full_days"]) == ("2024-02-01", 16, 31)
    assert len(amended.details.items) == told["expected"]["component_count"]
    joined = await shop.item("Support")
    assert joined.starts_on == date(2024, 1, 16)
    assert (await shop.stands())["mrr"] - before == told["expected"]["mrr_delta"]
    assert ("subscription.updated", "amended") in await shop.shop.merchant.events()
    await shop.on("2024-02-02")
    assert (await shop.invoices())[-1]["total"] == 8900


@pytest.mark.parametrize("case_id", ["AMD-03"])
async def test_an_amendment_is_scheduled_and_dropped(shop: Amending, case_id: str) -> None:
    """AMD-03: for February 1; dropping it a second time is refused."""
    expected = case(case_id)["expected"]
    assert expected["second_cancel"] == "error"
    await shop.begin()

    amended = await shop.add(extra("Support", "50"), ahead=True)

    change = amended.details.subscription.scheduled
    assert change is not None
    assert change.effective_on == (await shop.stands())["current_period_end"]
    assert len(await shop.items()) == expected["component_count"]
    await shop.shop.drop(shop.subscription_id)
    with pytest.raises(Conflict, match="scheduled"):
        await shop.shop.drop(shop.subscription_id)
    await shop.on("2024-02-02")
    assert [one["total"] for one in await shop.invoices()] == [3900, 3900]


@pytest.mark.parametrize("case_id", ["AMD-04"])
async def test_an_add_on_joins(shop: Amending, case_id: str) -> None:
    """AMD-04: 20.00 for 16 of 31 days are 10.32."""
    told = case(case_id)
    await shop.begin()
    before = (await shop.stands())["mrr"]
    add_on = await shop.add_on("Premium Support", "20")
    await shop.on("2024-01-16")

    await shop.add_add_on(add_on)

    invoice = (await shop.invoices())[-1]
    assert invoice["invoice_type"] == "ADJUSTMENT"
    assert lines(invoice) == [
        ("Premium Support (prorated)", told["derived"]["adjustment_total"])
    ]
    assert (await shop.item("Premium Support")).starts_on == date(2024, 1, 16)
    assert (await shop.stands())["mrr"] - before == told["expected"]["mrr_delta"]


@pytest.mark.parametrize("case_id", ["AMD-06"])
async def test_at_the_end_of_the_period(shop: Amending, case_id: str) -> None:
    """AMD-06: one renewal of 89.00 from February 1, and nothing before."""
    told = case(case_id)
    await shop.begin()

    await shop.add(extra("Support", "50"), ahead=True)

    assert len(await shop.items()) == 2
    await shop.on("2024-02-02")
    renewal = (await shop.invoices())[1]
    assert [
        (one["name"], one["amount"], one["start"], one["end"]) for one in renewal["lines"]
    ] == [
        (one["name"], one["amount"], one["period_start"], one["period_end"])
        for one in told["derived"]["invoices"][0]["lines"]
    ]
    wanted = told["expected"]["invoices"][1]
    assert (renewal["total"], renewal["payment_status"]) == (wanted["total"], "UNPAID")
    assert (await shop.item("Support")).starts_on == date(2024, 2, 1)
    stands = await shop.stands()
    assert (stands["cycle_index"], stands["mrr"]) == (1, 8900)
    assert ("subscription.updated", "amended") in await shop.shop.merchant.events()
    await shop.on("2024-03-02")
    assert (await shop.invoices())[-1]["total"] == 8900


@pytest.mark.parametrize("case_id", ["AMD-08"])
async def test_a_one_time_fee_at_the_end_of_the_period(shop: Amending, case_id: str) -> None:
    """AMD-08: 139.00 on February 1, 39.00 on March 1."""
    told = case(case_id)["expected"]["invoices"]
    await shop.begin()

    await shop.add(once("Onboarding", "100"), ahead=True)

    await shop.on("2024-02-02")
    await shop.on("2024-03-02")
    found = await shop.invoices()
    assert [one["total"] for one in found] == [3900, *(one["total"] for one in told)]
    (line,) = [one for one in found[1]["lines"] if one["name"] == "Onboarding"]
    assert (line["amount"], line["start"], line["end"]) == (10000, "2024-02-01", "2024-02-01")


@pytest.mark.parametrize("case_id", ["AMD-09"])
async def test_what_was_removed_is_not_renewed(shop: Amending, case_id: str) -> None:
    """AMD-09: 59.00 with the add-on, 39.00 without; 14 of 29 days of it are forgiven."""
    told = case(case_id)["expected"]["renewals"]
    await shop.begin()
    add_on = await shop.add_on("Premium Support", "20")
    await shop.on("2024-01-16")
    await shop.add_add_on(add_on)
    await shop.on("2024-02-16")

    await shop.remove("Premium Support")

    await shop.on("2024-03-02")
    renewals = [one for one in await shop.invoices() if one["invoice_type"] == "RECURRING"][1:]
    for renewal, wanted in zip(renewals, told, strict=True):
        assert renewal["total"] == wanted["total"]
        names = {one["name"] for one in renewal["lines"]}
        assert ("Premium Support" in names) == ("has_line" in wanted)
    # 2000 x 14 / 29 = 965.5
    assert await credited(shop) == [("DEBT_CANCELLATION", 966, 966)]


@pytest.mark.parametrize("case_id", ["AMD-11"])
async def test_an_add_on_three_times(shop: Amending, case_id: str) -> None:
    """AMD-11: one line of 60.00 less 20.00 for 16 of 31 days: 3097 - 1032."""
    expected = case(case_id)["expected"]
    await shop.begin()
    add_on = await shop.add_on("Seats Pack", "20")
    await shop.on("2024-01-10")
    await shop.add_add_on(add_on)
    await shop.on("2024-01-16")
    before = (await shop.stands())["mrr"]

    await shop.count("Seats Pack", 3)

    found = await shop.item("Seats Pack")
    assert found.instances == expected["quantity"]
    assert (await shop.stands())["mrr"] - before == expected["mrr_delta_of_change"]
    assert lines((await shop.invoices())[-1]) == [("Seats Pack (adjustment)", 3097 - 1032)]
    await shop.on("2024-02-02")
    assert (await shop.invoices())[-1]["total"] == 3900 + 6000


@pytest.mark.parametrize("case_id", ["AMD-13"])
async def test_another_price(shop: Amending, case_id: str) -> None:
    """AMD-13: one line, 5110 - 1497 = 3613; 70.00 more a month."""
    told = case(case_id)
    await shop.begin()
    before = (await shop.stands())["mrr"]
    await shop.on("2024-01-16")

    amended = await shop.reprice("Platform Fee", flat("99"))

    invoice = (await shop.invoices())[-1]
    assert lines(invoice) == [
        ("Platform Fee (adjustment)", told["derived"]["adjustment_total"])
    ]
    assert invoice["invoice_type"] == "ADJUSTMENT"
    assert (await shop.stands())["mrr"] - before == told["expected"]["mrr_delta"]
    assert len(amended.details.items) == told["expected"]["component_count"]
    assert (await shop.item("Platform Fee")).starts_on == date(2024, 1, 16)
    await shop.on("2024-02-02")
    assert (await shop.invoices())[-1]["total"] == 9900 + 1000


@pytest.mark.parametrize("case_id", ["AMD-14"])
async def test_the_seats_leave(shop: Amending, case_id: str) -> None:
    """AMD-14: 10.00 less a month, and 16 of 31 days of them need not be paid."""
    expected = case(case_id)["expected"]
    await shop.begin()
    before = (await shop.stands())["mrr"]
    await shop.on("2024-01-16")

    await shop.remove("Seats")

    assert [one.name for one in await shop.items()] == expected["active_components"]
    assert (await shop.stands())["mrr"] - before == expected["mrr_delta"]
    assert await credited(shop) == [("DEBT_CANCELLATION", 516, 516)]
    (invoice,) = await shop.invoices()
    assert (invoice["total"], invoice["amount_due"]) == (3900, 3900 - 516)


@pytest.mark.parametrize("case_id", ["AMD-16"])
async def test_while_a_change_of_the_plan_is_scheduled(shop: Amending, case_id: str) -> None:
    """AMD-16: refused, now and at the end of the period, and nothing is changed.

    Its other row, a quantity of nothing, is refused at the door: `test_amending.py`.
    """
    told = case(case_id)["expected"]["rows"][0]
    assert told == {"situation": "plan change scheduled", "result": "error"}
    await shop.begin()
    await shop.shop.schedule(shop.subscription_id, await shop.shop.sold("PRO"))
    before = await shop.everything()
    for ahead in (False, True):
        with pytest.raises(Conflict, match="scheduled for 2024-02-01"):
            await shop.add(extra("Support", "50"), ahead=ahead)
    assert await shop.everything() == before


@pytest.mark.parametrize("case_id", ["AMD-18"])
async def test_removed_on_its_first_day(shop: Amending, case_id: str) -> None:
    """AMD-18: the whole line is credited, and nothing of it is a part."""
    told = case(case_id)
    await shop.begin(when="2024-04-01")

    await shop.remove("Platform Fee")

    expected, derived = told["expected"]["credit_note"], told["derived"]["credit_note"]
    (note,) = await shop.notes()
    assert expected["count"] == 1
    assert note["subtotal"] == -derived["subtotal"] == 2900
    row = await shop.shop.world.one(
        "select l.name, l.amount, c.amount as taken from credit_note_lines c"
        " join invoice_lines l on l.id = c.invoice_line_id"
    )
    assert row == {"name": "Platform Fee", "amount": 2900, "taken": 2900}


@pytest.mark.parametrize("case_id", ["AMD-19"])
async def test_removed_from_what_was_paid(shop: Amending, case_id: str) -> None:
    """AMD-19: half of the line goes to the balance, which rises by as much."""
    told = case(case_id)
    world = shop.shop.world
    await shop.shop.at("2024-04-01")
    customer = await world.customer()
    await saved(world, customer, await world.card())
    await shop.begin(when="2024-04-01", customer=customer, charge_automatically=True)
    await collect_due(world.ctx)
    (invoice,) = await shop.invoices()
    assert invoice["payment_status"] == told["expected"]["invoice"]["payment_status"].upper()
    await shop.on("2024-04-16")

    await shop.remove("Platform Fee")

    derived = told["derived"]["credit_note"]
    assert await credited(shop) == [
        ("CREDIT_TO_BALANCE", -derived["subtotal"], derived["credited"])
    ]
    assert await shop.shop.balance() == told["derived"]["customer_balance"]
    (invoice,) = await shop.invoices()
    assert (invoice["payment_status"], invoice["amount_due"]) == ("PAID", 0)


@pytest.mark.parametrize("case_id", ["PRO-08"])
async def test_a_one_time_fee_in_the_middle(shop: Amending, case_id: str) -> None:
    """PRO-08: twice 500.00 in full, and never again."""
    golden = case(case_id)
    await shop.begin(when="2025-01-01")
    await shop.on(golden["input"]["change_date"])

    await shop.add(once("Setup", "500", 2))

    (_, invoice) = await shop.invoices()
    assert [one["amount"] for one in invoice["lines"]] == golden["expected"]["lines"]
    await shop.on("2025-02-02")
    assert (await shop.invoices())[-1]["total"] == 3900
