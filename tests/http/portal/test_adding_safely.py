"""Adding a method in the portal is a try like another one, ends, and sets collecting going."""

from dataclasses import replace
from datetime import date

import pytest
from fastapi import FastAPI

from tallystick.domain.try_limits import TryLimits
from tallystick.http.app import create_app
from tallystick.services.collect_invoice import collect_due
from tallystick.services.sweep_setups import sweep_setups
from tests.http.checkout.buyer import CARD
from tests.http.portal.test_managing import DECLINES_LATER, owing, subscribed
from tests.http.portal.test_methods import CHALLENGED, adding
from tests.portals import Guest, enter, form_to
from tests.scripted_bank import ScriptedBank, lost, silent, with_bank
from tests.soundness import assert_sound
from tests.subscribing import Merchant
from tests.world import NOON, World

DECLINED = CARD | {"card_number": "4000000000000002"}
REFUSED = "Too many payments have failed. Please try again in an hour."


async def send(guest: Guest, **typed: str) -> None:
    """Send the form of a new card, and do not follow where it leads."""
    form = form_to(await guest.open("/methods/add"), "/methods/add")
    await guest.client.post(form.action, data={**form.values, "method": "CARD", **typed})


async def setups(world: World) -> list[tuple[str, str | None]]:
    """How the setups stand, and why they failed."""
    rows = await world.fetch("select state, failure from method_setups order by claimed_on")
    return [(row["state"], row["failure"]) for row in rows]


async def an_hour_later(world: World) -> int:
    """The time of every setup is over, and the sweeper comes."""
    await world.execute("update method_setups set check_at = now() where state = 'LIVE'")
    return await sweep_setups(world.app, NOON)


@pytest.mark.parametrize("limits", [(2, 0), (0, 2)])
async def test_too_many_cards_have_failed(world: World, limits: tuple[int, int]) -> None:
    """After two declines the bank sees no third card, of this customer or this address."""
    of_customer, from_address = limits
    guard = TryLimits(per_customer=of_customer, per_address=from_address)
    world.app = replace(world.app, try_limits=guard)
    guest = await enter(world, create_app(world.app), await world.customer())
    for _ in range(2):
        assert (await adding(guest, **DECLINED))[1] == 409

    text, status = await adding(guest, **CARD)

    assert (status, REFUSED in text) == (400, True)
    assert len(await setups(world)) == 2
    assert await world.fetch("select from payment_methods") == []
    await world.execute(
        "update method_setups set claimed_on = claimed_on - interval '61 minutes'"
    )
    assert (await adding(guest, **CARD))[1] == 200


@pytest.mark.parametrize("limits", [(2, 0), (0, 2)])
async def test_too_many_invoices_were_not_paid(world: World, limits: tuple[int, int]) -> None:
    """After two declines of a saved card it is not charged a third time, nor is one added."""
    of_customer, from_address = limits
    guard = TryLimits(per_customer=of_customer, per_address=from_address)
    world.app = replace(world.app, try_limits=guard)
    customer, _ = await subscribed(world)
    billed = await owing(world, customer)
    later = await world.card(DECLINES_LATER)
    await world.execute("update payment_methods set token = $1", later.token)
    guest = await enter(world, create_app(world.app), customer)
    page = await guest.open(f"/invoices/{billed}")
    for _ in range(2):
        page = await guest.send(form_to(page, "/pay"))
        assert "Nothing was charged." in page.text
    state = "select collect_at, collection_failures, awaits_person from invoices order by id"
    before = await world.fetch(state)

    refused = await guest.send(form_to(page, "/pay"))

    assert (refused.status, REFUSED in refused.text) == (409, True)
    assert await world.fetch(state) == before
    assert len(await world.fetch("select from collections")) == 2
    assert REFUSED in (await adding(guest, **CARD))[0]
    await world.execute(
        "update collections set claimed_on = claimed_on - interval '61 minutes'"
    )
    assert REFUSED not in (await guest.send(form_to(refused, "/pay"))).text


async def test_what_is_open_is_collected_with_it(world: World, web: FastAPI) -> None:
    """An invoice that waited for a method is paid with the one that was added."""
    customer = await world.customer()
    merchant = Merchant(world=world)
    await merchant.subscribe(customer, await world.plan(), date(2026, 3, 10))
    await collect_due(world.ctx)
    assert await world.charges() == []

    await adding(await enter(world, web, customer), **CARD)
    await collect_due(world.ctx)

    assert await world.charges() == [4900]
    assert (await world.one("select payment_status from invoices"))["payment_status"] == "PAID"
    await merchant.is_sound()


async def test_a_challenge_that_nobody_answers_ends(world: World, web: FastAPI) -> None:
    """It is left alone while its time lasts, then cancelled; nothing is saved."""
    await send(await enter(world, web, await world.customer()), **CHALLENGED)
    assert await sweep_setups(world.app, NOON) == 0
    assert await setups(world) == [("LIVE", None)]

    assert await an_hour_later(world) == 1

    assert await setups(world) == [("FAILED", "AUTHENTICATION_ABANDONED")]
    assert await world.fetch("select from payment_methods") == []
    await assert_sound(world)


async def test_a_challenge_that_was_answered_and_not_come_back_from(
    world: World, web: FastAPI
) -> None:
    """The bank keeps the method: so do we."""
    await send(await enter(world, web, await world.customer()), **CHALLENGED)
    row = await world.one("select reference from method_setups")
    await world.sandbox.answer_challenge(world.tenant_id, row["reference"], approve=True)

    assert await an_hour_later(world) == 1
    assert await an_hour_later(world) == 0

    assert await setups(world) == [("SUCCEEDED", None)]
    assert len(await world.fetch("select from payment_methods")) == 1
    await assert_sound(world)


@pytest.mark.parametrize(
    ("call", "state"), [("confirm", "SUCCEEDED"), ("save_method", "FAILED")]
)
async def test_an_answer_that_was_lost(world: World, call: str, state: str) -> None:
    """Saved without our knowing, it is kept; opened without our knowing, it is cancelled.

    While the bank is silent it stays as it is.
    """
    bank = ScriptedBank(world.sandbox)
    bank.script(call, lost, *([silent] if call == "save_method" else []))
    scripted = with_bank(world, bank)
    guest = await enter(scripted, create_app(scripted.app), await world.customer())
    await send(guest, **CARD)
    assert await setups(world) == [("LIVE", None)]

    for _ in range(2):
        await an_hour_later(scripted)

    assert [one for one, _ in await setups(world)] == [state]
    kept = await world.fetch("select from payment_methods")
    assert len(kept) == (state == "SUCCEEDED")
