"""A draft is made again on request: today's usage, customer, taxes and coupons."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
from meteroid import AsyncMeteroid
from meteroid.errors import ConflictError, NotFoundError

from tallystick.domain.coupons import Fixed, Percentage
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.offer import ExternalPayment
from tallystick.services.collect_invoice import collect_due
from tallystick.services.examine import examine
from tallystick.services.ids import new_id
from tests.http.billing.conftest import served
from tests.scenarios.test_usage_billed import metered_plan, use
from tests.scripted_bank import ScriptedBank, silent, with_bank
from tests.shops import selling_under_eu_rules
from tests.subscribing import Merchant, explain_all
from tests.trials import at_the_end, in_trial, swept
from tests.world import World

Json = dict[str, Any]
DETAILS = {
    "billing_address": {"line1": "Ring 1", "city": "Berlin", "country": "DE"},
    "vat_number": "DE136695976",
}


async def draft_of(world: World, **offer: object) -> str:
    """The path of a draft of EUR 49 that waits for a person."""
    session = await world.session(
        await world.customer(),
        await world.plan(),
        payment=ExternalPayment(),
        auto_advance_invoices=False,
        **offer,
    )
    await world.confirm(session, chooses=False)
    row = await world.one("select id from invoices")
    return f"/api/v1/invoices/{encode(Prefix.INVOICE, row['id'])}"


def sums(invoice: Json) -> tuple[int, int, int, int]:
    """Subtotal, discount, tax and total; what is due of a draft is its total."""
    assert invoice["amount_due"] == invoice["total"]
    return invoice["subtotal"], invoice["discount"], invoice["tax_amount"], invoice["total"]


async def sound(world: World) -> None:
    """The doctor finds nothing, and every invoice can be explained."""
    assert (await examine(world.database)).breaches == ()
    await explain_all(world)


async def test_a_customer_that_has_moved(
    api: httpx.AsyncClient, sdk: AsyncMeteroid, world: World
) -> None:
    """EUR 49 with 20 % French VAT become EUR 49 under reverse charge, for the new address."""
    await selling_under_eu_rules(world)
    path = await draft_of(world)
    before = (await api.get(path)).json()
    await api.patch(f"/api/v1/customers/{before['customer_id']}", json=DETAILS)

    made = await sdk.invoices.refresh(before["id"])

    after = (await api.get(path)).json()
    assert (sums(before), sums(after)) == ((4900, 0, 980, 5880), (4900, 0, 0, 4900))
    assert (made.total, made.tax_amount, made.status) == (4900, 0, "DRAFT")
    assert made.customer_details.vat_number == "DE136695976"
    assert after["customer_details"]["billing_address"]["city"] == "Berlin"
    assert [one["exemption_type"] for one in after["tax_breakdown"]] == ["REVERSE_CHARGE"]
    assert after["invoice_date"] == before["invoice_date"]
    (line,), (again,) = before["line_items"], after["line_items"]
    assert (again["id"], again["amount"], again["tax"]) == (line["id"], 4900, 0)
    final = (await api.post(f"{path}/finalize")).json()
    assert sums(final) == (4900, 0, 0, 4900)
    await sound(world)


async def test_coupons_stay_as_they_were(api: httpx.AsyncClient, world: World) -> None:
    """EUR 49 less 10 % and EUR 5 are taxed anew; each coupon is used once, as before."""
    await selling_under_eu_rules(world)
    ten = await world.coupon("TEN", Percentage(percentage=Decimal(10)), recurring_value=1)
    five = await world.coupon("FIVE", Fixed(amount=Decimal(5), currency="EUR"))
    path = await draft_of(world, coupon_ids=(ten, five))
    uses = "select applied_count, applied_amount from coupon_redemptions order by id"
    before, used = (await api.get(path)).json(), await world.fetch(uses)
    await api.patch(f"/api/v1/customers/{before['customer_id']}", json=DETAILS)

    after = (await api.post(f"{path}/refresh")).json()

    assert (sums(before), sums(after)) == ((4900, 990, 782, 4692), (4900, 990, 0, 3910))
    assert after["coupons"] == before["coupons"]
    assert await world.fetch(uses) == used
    await sound(world)


async def test_prices_with_tax_included(api: httpx.AsyncClient, world: World) -> None:
    """EUR 49 in all stay EUR 49 in all: without tax, all of it is net."""
    await selling_under_eu_rules(world)
    plan = await world.plan(tax_inclusive=True)
    coupon = await world.coupon("TEN", Percentage(percentage=Decimal(10)))
    session = await world.session(
        await world.customer(),
        plan,
        payment=ExternalPayment(),
        auto_advance_invoices=False,
        coupon_ids=(coupon,),
    )
    await world.confirm(session, chooses=False)
    row = await world.one("select id from invoices")
    path = f"/api/v1/invoices/{encode(Prefix.INVOICE, row['id'])}"
    before = (await api.get(path)).json()
    await api.patch(f"/api/v1/customers/{before['customer_id']}", json=DETAILS)

    after = (await api.post(f"{path}/refresh")).json()

    assert (sums(before), sums(after)) == ((4083, 408, 735, 4410), (4900, 490, 0, 4410))
    await sound(world)


async def test_a_repeat_is_answered_as_at_first(api: httpx.AsyncClient, world: World) -> None:
    """Under one key nothing is made again, though the customer has moved meanwhile."""
    await selling_under_eu_rules(world)
    path = await draft_of(world)
    key = {"Idempotency-Key": "refresh-1"}
    first = await api.post(f"{path}/refresh", headers=key)
    await api.patch(f"/api/v1/customers/{first.json()['customer_id']}", json=DETAILS)

    again = await api.post(f"{path}/refresh", headers=key)

    assert again.headers["idempotent-replayed"] == "true"
    assert again.content == first.content
    assert sums((await api.get(path)).json()) == (4900, 0, 980, 5880)


async def test_late_usage(api: httpx.AsyncClient, world: World) -> None:
    """70 calls come after the draft of the renewal: EUR 20 + 10 become 37 before it is final,
    and are not billed again by the next one.
    """
    customer = await world.customer()
    session = await world.session(customer, await metered_plan(world))
    await world.confirm(session)
    await use(world, customer, 100, "2026-03-20T12:00:00")
    await api.post("/api/v1/test-clock/advance", json={"to": "2026-04-10T06:00:00Z"})
    row = await world.one("select id from invoices where status = 'DRAFT'")
    path = f"/api/v1/invoices/{encode(Prefix.INVOICE, row['id'])}"
    before = (await api.get(path)).json()
    await use(world, customer, 70, "2026-04-09T23:00:00")

    first = (await api.post(f"{path}/refresh")).json()
    second = (await api.post(f"{path}/refresh")).json()

    assert [one["total"] for one in (before, first, second)] == [3000, 3700, 3700]
    assert [one["amount"] for one in second["line_items"]] == [2000, 1700]
    assert second["status"] == "DRAFT"
    await api.post("/api/v1/test-clock/advance", json={"to": "2026-05-11"})
    totals = await world.fetch("select total from invoices order by invoice_date")
    assert [one["total"] for one in totals] == [2000, 3700, 2000]
    await sound(world)


async def test_coupons_are_counted_once_however_often(
    api: httpx.AsyncClient, world: World
) -> None:
    """10 % of EUR 20, then of the renewal's 30, which becomes 37: 2.00 + 3.70 in two uses."""
    customer = await world.customer()
    coupon = await world.coupon("TEN", Percentage(percentage=Decimal(10)), recurring_value=2)
    session = await world.session(customer, await metered_plan(world), coupon_ids=(coupon,))
    await world.confirm(session)
    await use(world, customer, 100, "2026-03-20T12:00:00")
    await api.post("/api/v1/test-clock/advance", json={"to": "2026-04-10T06:00:00Z"})
    row = await world.one("select id from invoices where status = 'DRAFT'")
    path = f"/api/v1/invoices/{encode(Prefix.INVOICE, row['id'])}"
    uses = "select applied_count, applied_amount from coupon_redemptions"
    before = await world.one(uses)
    await use(world, customer, 70, "2026-04-09T23:00:00")

    for _ in range(3):
        made = (await api.post(f"{path}/refresh")).json()
        assert sums(made) == (3700, 370, 0, 3330)
        assert await world.one(uses) == {"applied_count": 2, "applied_amount": 570}
    final = (await api.post(f"{path}/finalize")).json()

    assert before == {"applied_count": 2, "applied_amount": 500}
    assert (final["discount"], final["total"]) == (370, 3330)
    assert await world.one(uses) == {"applied_count": 2, "applied_amount": 570}
    await sound(world)


async def test_a_draft_whose_usage_has_not_changed(
    api: httpx.AsyncClient, world: World
) -> None:
    """The customer has moved all the same: the draft of EUR 20 is taxed anew."""
    await selling_under_eu_rules(world)
    customer = await world.customer()
    await world.confirm(await world.session(customer, await metered_plan(world)))
    await api.post("/api/v1/test-clock/advance", json={"to": "2026-04-10T06:00:00Z"})
    row = await world.one("select id from invoices where status = 'DRAFT'")
    path = f"/api/v1/invoices/{encode(Prefix.INVOICE, row['id'])}"
    before = (await api.get(path)).json()
    await api.patch(f"/api/v1/customers/{before['customer_id']}", json=DETAILS)

    after = (await api.post(f"{path}/refresh")).json()

    assert (sums(before), sums(after)) == ((2000, 0, 400, 2400), (2000, 0, 0, 2000))
    await sound(world)


async def test_what_is_final_stays(
    api: httpx.AsyncClient, sdk: AsyncMeteroid, world: World
) -> None:
    """A final invoice, a void one and one that is not there: nothing is changed."""
    await selling_under_eu_rules(world)
    path = await draft_of(world)
    final = (await api.post(f"{path}/finalize")).json()
    await api.patch(f"/api/v1/customers/{final['customer_id']}", json=DETAILS)

    with pytest.raises(ConflictError) as refused:
        await sdk.invoices.refresh(final["id"])
    with pytest.raises(NotFoundError):
        await sdk.invoices.refresh(encode(Prefix.INVOICE, new_id()))

    assert "Only a draft can be refreshed: this invoice is FINALIZED." in str(refused.value)
    assert (await api.get(path)).json() == final
    await api.post(f"{path}/void")
    assert (await api.post(f"{path}/refresh")).status_code == 409


async def test_a_part_of_another_invoice(api: httpx.AsyncClient, world: World) -> None:
    """The refusal names the invoice that carries its lines."""
    entity = encode(Prefix.INVOICING_ENTITY, world.entity_id)
    await api.patch(
        f"/api/v1/invoicing-entities/{entity}", json={"consolidate_recurring_invoices": True}
    )
    merchant, customer, plan = Merchant(world=world), await world.customer(), await world.plan()
    for _ in range(2):
        await merchant.subscribe(customer, plan, world.ctx.today, charge_automatically=False)
    await api.post("/api/v1/test-clock/advance", json={"to": "2026-04-11"})
    rows = await world.fetch(
        "select id, consolidated_into_invoice_id as whole from invoices"
        " where consolidated_into_invoice_id is not null"
    )
    assert len(rows) == 2

    refused = await api.post(
        f"/api/v1/invoices/{encode(Prefix.INVOICE, rows[0]['id'])}/refresh"
    )

    assert refused.status_code == 409
    assert encode(Prefix.INVOICE, rows[0]["whole"]) in refused.json()["message"]


async def test_what_is_being_paid(world: World) -> None:
    """A trial's end whose charge has no answer yet; once it has failed, it is refreshed."""
    await in_trial(world)
    bank = ScriptedBank(world.sandbox)
    bank.script("confirm", silent)
    later = with_bank(await at_the_end(world), bank)
    await collect_due(later.ctx)
    row = await later.one("select id, total from invoices")
    path = f"/api/v1/invoices/{encode(Prefix.INVOICE, row['id'])}/refresh"

    async with served(later) as api:
        busy = await api.post(path)
        await swept(later)
        done = await api.post(path)

    assert (busy.status_code, busy.headers["retry-after"]) == (409, "15")
    assert (done.status_code, done.json()["total"]) == (200, 4900)
    await sound(later)
