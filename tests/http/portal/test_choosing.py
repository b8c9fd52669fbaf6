"""A customer chooses among the methods on file: what is open follows, merchants are told."""

import asyncio
import json
from datetime import date, timedelta
from typing import Any

from fastapi import FastAPI

from tallystick.domain.ids import Prefix, encode
from tallystick.services.collect_invoice import collect_due
from tests.http.checkout.buyer import CARD
from tests.http.portal.test_managing import DECLINES_LATER, subscribed
from tests.http.portal.test_methods import MASTERCARD, adding, charged_to
from tests.portals import enter, form_to
from tests.scenarios.consolidating import RENEWED, Consolidating
from tests.subscribing import Merchant
from tests.world import World


async def told(world: World) -> list[tuple[str, dict[str, Any]]]:
    """What merchants were told of methods, oldest first."""
    rows = await world.fetch(
        "select type, data from events where type like 'payment\\_method.%' order by position"
    )
    return [(row["type"].partition(".")[2], json.loads(row["data"])) for row in rows]


async def name_of(world: World, last4: str) -> str:
    """The name of the method that ends so."""
    row = await world.one("select id from payment_methods where card_last4 = $1", last4)
    return encode(Prefix.PAYMENT_METHOD, row["id"])


async def test_what_had_stopped_is_collected_with_it(world: World, web: FastAPI) -> None:
    """No try was left of an invoice; the card that is chosen is tried at once, and pays."""
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)
    good = await name_of(world, "4242")
    await adding(guest, **(CARD | {"card_number": DECLINES_LATER}))
    assert await charged_to(world) == "0341"
    merchant = Merchant(world=world)
    await merchant.stand_at(world.ctx.now)
    await merchant.travel(date(2026, 5, 5))
    open_ = "select collect_at, collection_failures as failed, amount_due from invoices"
    [stopped] = await world.fetch(f"{open_} where number = 2")
    assert stopped == {"collect_at": None, "failed": 4, "amount_due": 4900}

    page = await guest.open()
    for _ in range(2):
        await guest.send(form_to(page, f"/methods/{good}/use"))
    [due] = await world.fetch(f"{open_} where number = 2")
    assert (due["collect_at"], due["failed"]) == (merchant.world.ctx.now, 0)
    await collect_due(merchant.world.ctx)

    [paid] = await world.fetch(f"{open_} where number = 2")
    assert paid["amount_due"] == 0
    assert await charged_to(world) == "4242"
    await merchant.is_sound()


async def test_what_has_failed_puts_nothing_off(world: World, web: FastAPI) -> None:
    """A card that an invoice has failed with is tried on its day, however often it is chosen.

    Added once more it is tried at once, and its tries are counted on.
    """
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)
    await adding(guest, **(CARD | {"card_number": DECLINES_LATER}))
    bad = await name_of(world, "0341")
    use = form_to(await guest.open(f"/methods/{bad}/remove"), "/remove")
    use.action = use.action.replace("/remove", "/use")
    merchant = Merchant(world=world)
    await merchant.stand_at(world.ctx.now)
    await merchant.travel(date(2026, 4, 12))
    open_ = (
        "select collect_at, collection_failures as failed, policy_at, amount_due "
        "from invoices where number = 2"
    )
    before = await world.one(open_)
    assert (before["failed"], before["amount_due"]) == (1, 4900)

    await guest.send(use)
    assert await world.one(open_) == before

    await adding(guest, **(CARD | {"card_number": DECLINES_LATER}))
    again = await world.one(open_)
    assert (again["collect_at"], again["failed"]) == (merchant.world.ctx.now, 1)
    await collect_due(merchant.world.ctx)
    failed = await world.one(open_)
    assert failed["failed"] == 2
    await guest.send(use)
    assert await world.one(open_) == failed
    await merchant.is_sound()


async def test_an_ended_subscription_owes_it_too(world: World, web: FastAPI) -> None:
    """What is open of a subscription that is over is charged to what is chosen."""
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)
    good = await name_of(world, "4242")
    await adding(guest, **(CARD | {"card_number": DECLINES_LATER}))
    merchant = Merchant(world=world)
    await merchant.stand_at(world.ctx.now)
    await merchant.travel(date(2026, 5, 5))
    await merchant.subscribe(customer, await world.plan(name="Other"), date(2026, 5, 5))
    row = await world.one("select id from subscriptions where checkout_session_id is not null")
    await merchant.cancel(row["id"], date(2026, 5, 5))

    await guest.send(form_to(await guest.open(), f"/methods/{good}/use"))
    await collect_due(merchant.world.ctx)

    rows = await world.fetch("select amount_due from invoices where number in (2, 3)")
    assert [one["amount_due"] for one in rows] == [0, 0]
    await merchant.is_sound()


async def test_merchants_are_told(world: World, web: FastAPI) -> None:
    """Bought, added, chosen again, removed: each once, with what may be shown of the method."""
    customer, subscription = await subscribed(world)
    guest = await enter(world, web, customer)
    visa = await name_of(world, "4242")
    await adding(guest, **MASTERCARD)
    mastercard = await name_of(world, "4444")
    use = form_to(await guest.open(), f"/methods/{visa}/use")
    for _ in range(2):
        await guest.send(use)
    remove = form_to(await guest.open(f"/methods/{visa}/remove"), "/remove")
    for _ in range(2):
        await guest.send(remove)

    found = await told(world)
    assert [(kind, one["payment_method_id"]) for kind, one in found] == [
        ("added", visa),
        ("added", mastercard),
        ("chosen", mastercard),
        ("chosen", visa),
        ("removed", visa),
        ("chosen", mastercard),
    ]
    assert found[0][1] == {
        "payment_method_id": visa,
        "customer_id": encode(Prefix.CUSTOMER, customer),
        "method_type": "CARD",
        "card_brand": "visa",
        "card_last4": "4242",
        "card_expiry": "12/2040",
        "account_hint": None,
        "mandate_reference": None,
    }
    assert [one["subscription_ids"] for kind, one in found if kind == "chosen"] == [
        [subscription]
    ] * 3
    assert found[4][1]["removed_by"] == "CUSTOMER"
    assert await charged_to(world) == "4444"


async def test_the_page_of_a_consolidated_invoice_names_what_is_charged(
    world: World, web: FastAPI
) -> None:
    """That of its first subscription, as whoever collects it does, not the newest on file."""
    customer = await world.customer()
    guest = await enter(world, web, customer)
    await adding(guest, **CARD)
    await adding(guest, **MASTERCARD)
    shop = await Consolidating.open(world, grace_hours=0)
    await shop.stand_at(world.ctx.now)
    plans = [await world.plan(name=name) for name in ("One", "Other")]
    await shop.sells(customer, plans)
    visa = await world.one("select id from payment_methods where card_last4 = '4242'")
    await world.execute("update subscriptions set payment_method_id = $1", visa["id"])
    await shop.travel(RENEWED + timedelta(hours=1))
    [whole], _, _ = await shop.of(RENEWED)

    page = await guest.open(f"/invoices/{encode(Prefix.INVOICE, whole['id'])}")
    assert "Charged to Visa ending in 4242." in page.text
    await guest.send(form_to(page, "/pay"))

    paid = await world.one(
        "select payment_method_id from transactions where invoice_id = $1", whole["id"]
    )
    assert paid["payment_method_id"] == visa["id"]


async def test_the_last_two_are_removed_at_once(world: World, web: FastAPI) -> None:
    """Each would leave the other: one of them stays, since a subscription is charged."""
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)
    await adding(guest, **MASTERCARD)
    names = [await name_of(world, last4) for last4 in ("4242", "4444")]
    forms = [form_to(await guest.open(f"/methods/{one}/remove"), "/remove") for one in names]

    answers = await asyncio.gather(
        *(guest.client.post(form.action, data=form.values) for form in forms)
    )

    assert sorted(one.status_code for one in answers) == [303, 409]
    left = await world.one("select card_last4 from payment_methods where archived_at is null")
    assert await charged_to(world) == left["card_last4"]
