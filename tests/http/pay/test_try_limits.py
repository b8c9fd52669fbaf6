"""Cards cannot be tested on an invoice's page: what fails counts as at a checkout."""

from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from tallystick.domain.try_limits import TryLimits
from tallystick.http.app import create_app
from tallystick.services.pay_on_page import TRIES_MAX
from tallystick.services.try_limits import payer_of
from tests.http.checkout.buyer import CARD, Buyer, Seen, browser
from tests.http.checkout.buyer import link_of as session_link
from tests.http.pay.conftest import link_of
from tests.world import PUBLIC_URL, World

DECLINED = {"method": "CARD", **CARD, "card_number": "4000 0000 0000 0002"}
GOOD = {"method": "CARD", **CARD}
REFUSED = "Too many payments have failed. Please try again in an hour."


def limited(world: World, limits: TryLimits) -> World:
    """The shop with these limits."""
    world.app = replace(world.app, try_limits=limits)
    world.ctx = replace(world.ctx, app=world.app)
    return world


async def pays(world: World, invoice_id: UUID, card: dict[str, str], address: str) -> Seen:
    """Somebody at an address tries a card on the page, with a form that is open already."""
    web = create_app(world.app, page_posts_per_minute=1000)
    transport = httpx.ASGITransport(web, client=(address, 1024))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        buyer = Buyer(client, link_of(world, invoice_id))
        return await buyer.send((await buyer.open()).form, card)


async def seen_by_bank(world: World) -> int:
    """How many cards the bank has seen."""
    return int((await world.one("select count(*) as seen from sandbox.methods"))["seen"])


async def test_a_customers_tries_count_wherever_they_fail(
    world: World, invoice_id: UUID
) -> None:
    """Two declines on the page and one at a checkout: neither takes another card."""
    limited(world, TryLimits(per_customer=3, per_address=0))
    customer = (await world.one("select customer_id from invoices"))["customer_id"]
    for number in range(2):
        told = await pays(world, invoice_id, DECLINED, f"198.51.100.{number}")
        assert "Your bank declined the payment." in told.text
    session = await world.session(customer, await world.plan())
    async with browser(create_app(world.app)) as client:
        at_checkout = Buyer(client, session_link(world, session))
        form = (await at_checkout.open()).form
        assert "Your bank declined" in (await at_checkout.send(form, DECLINED)).text
        before = await seen_by_bank(world)
        told = await at_checkout.send((await at_checkout.open()).form, GOOD)
        assert (told.status, REFUSED in told.text) == (400, True)

    told = await pays(world, invoice_id, GOOD, "198.51.100.9")

    assert (told.status, REFUSED in told.text) == (400, True)
    assert await seen_by_bank(world) == before
    assert await world.charges() == []
    for table in ("collections", "payment_attempts"):
        await world.execute(f"update {table} set claimed_on = claimed_on - interval '2 hours'")
    assert (await pays(world, invoice_id, GOOD, "198.51.100.9")).status == 200
    assert await world.charges() == [4900]


async def test_an_addresss_tries_count(world: World, invoice_id: UUID) -> None:
    """The third card from one address is not looked at; another address may try."""
    limited(world, TryLimits(per_customer=0, per_address=2))
    for _ in range(2):
        await pays(world, invoice_id, DECLINED, "203.0.113.9")
    rows = await world.fetch("select payer from collections")
    assert {row["payer"] for row in rows} == {payer_of(world.ctx, "203.0.113.9")}

    assert REFUSED in (await pays(world, invoice_id, GOOD, "203.0.113.9")).text
    assert (await pays(world, invoice_id, GOOD, "203.0.113.10")).status == 200


@pytest.mark.parametrize(("age", "status"), [("23 hours", 400), ("25 hours", 200)])
async def test_a_page_has_twenty_tries_a_day(
    world: World, invoice_id: UUID, age: str, status: int
) -> None:
    """Whoever it is: the twenty-first of a day is refused, and a day later none is."""
    await pays(world, invoice_id, DECLINED, "203.0.113.9")
    await world.execute(
        f"""
        insert into collections select (jsonb_populate_record(c, jsonb_build_object(
            'id', gen_random_uuid(), 'transaction_id', gen_random_uuid(),
            'reference', c.reference || n))).*
        from collections c, generate_series(2, {TRIES_MAX}) n
        """
    )
    await world.execute(f"update collections set claimed_on = now() - interval '{age}'")

    told = await pays(world, invoice_id, GOOD, "203.0.113.9")

    assert told.status == status
    assert ("too many tries with this link" in told.text) == (status == 400)
