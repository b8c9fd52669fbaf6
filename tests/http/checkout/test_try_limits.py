"""Stolen cards are tried in rows: of one customer, and from one address, only so many fail."""

from dataclasses import replace

import httpx
import pytest

from tallystick.domain.try_limits import RecentTries, TryLimits, is_too_many
from tallystick.http.app import create_app
from tallystick.services.try_limits import payer_of
from tests.http.checkout.buyer import CARD, Buyer, Seen, browser, link_of
from tests.world import PUBLIC_URL, World

DECLINED = CARD | {"card_number": "4000 0000 0000 0002"}
LIMITS = TryLimits(per_customer=3, per_address=5)
REFUSED = "Too many payments have failed. Please try again in an hour."


@pytest.fixture
def guarded(world: World) -> World:
    """A shop with low limits."""
    world.app = replace(world.app, try_limits=LIMITS)
    world.ctx = replace(world.ctx, app=world.app)
    return world


async def come(world: World, customer: str = "Globex") -> Buyer:
    """A buyer in a fresh browser with a fresh link of a fresh customer."""
    session_id = await world.session(await world.customer(customer), await world.plan())
    return Buyer(browser(create_app(world.app)), link_of(world, session_id))


async def pays(buyer: Buyer, card: dict[str, str]) -> Seen:
    """Open the link, type a card and press the button."""
    page = await buyer.open()
    return await buyer.send(page.form, card)


async def kept(world: World) -> int:
    """How many cards the bank has seen."""
    return int((await world.one("select count(*) as kept from sandbox.methods"))["kept"])


@pytest.mark.parametrize(
    ("of_customer", "from_address", "limits", "expected"),
    [
        (2, 4, LIMITS, False),
        (3, 0, LIMITS, True),
        (0, 5, LIMITS, True),
        (99, 99, TryLimits(per_customer=0, per_address=0), False),
        (99, 0, TryLimits(per_customer=0, per_address=1), False),
    ],
)
def test_limits(
    of_customer: int, from_address: int, limits: TryLimits, *, expected: bool
) -> None:
    """Reached is too many; zero is no limit."""
    tries = RecentTries(of_customer=of_customer, from_address=from_address)
    assert is_too_many(tries, limits) is expected


async def test_a_customer_has_three_tries_over_all_links(guarded: World) -> None:
    """After three declines no card of the customer is looked at, whatever its link is."""
    customer_id, plan = await guarded.customer(), await guarded.plan()
    web = create_app(guarded.app)
    for number in range(LIMITS.per_customer):
        session_id = await guarded.session(customer_id, plan)
        client = browser(web, **{"x-forwarded-for": str(number)})
        told = await pays(Buyer(client, link_of(guarded, session_id)), DECLINED)
        assert "Your bank declined the payment." in told.text
    before = await kept(guarded)
    session_id = await guarded.session(customer_id, plan)
    told = await pays(Buyer(browser(web), link_of(guarded, session_id)), CARD)

    assert told.status == 400
    assert REFUSED in told.text
    assert await kept(guarded) == before
    assert await guarded.charges() == []

    await guarded.execute(
        "update payment_attempts set claimed_on = claimed_on - interval '61 minutes'"
    )
    bought = await pays(Buyer(browser(web), link_of(guarded, session_id)), CARD)
    assert "You are subscribed" in bought.text
    assert await guarded.charges() == [4900]


async def test_an_address_has_five_tries_over_all_customers(guarded: World) -> None:
    """Five declines from one address, of five customers, and the sixth is not looked at."""
    for number in range(LIMITS.per_address):
        told = await pays(await come(guarded, f"Customer {number}"), DECLINED)
        assert "Your bank declined the payment." in told.text
    before = await kept(guarded)
    told = await pays(await come(guarded, "Sixth"), CARD)

    assert (told.status, REFUSED in told.text) == (400, True)
    assert await kept(guarded) == before


async def test_addresses_are_kept_as_marks_of_a_tenant(guarded: World) -> None:
    """No column holds the address, and another tenant could not tell that it is the same."""
    buyer = await come(guarded)
    transport = httpx.ASGITransport(create_app(guarded.app), client=("203.0.113.9", 1024))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        await pays(Buyer(client, buyer.link), DECLINED)
    row = await guarded.one("select payer, to_jsonb(a)::text as text from payment_attempts a")

    assert len(row["payer"]) == 32
    assert row["payer"] == payer_of(guarded.ctx, "203.0.113.9")
    assert "203.0.113.9" not in row["text"]


async def test_purchases_do_not_count(guarded: World) -> None:
    """A household of customers buys from one address as often as it likes."""
    for number in range(LIMITS.per_address + 1):
        bought = await pays(await come(guarded, f"Customer {number}"), CARD)
        assert "You are subscribed" in bought.text
    assert await guarded.charges() == [4900] * (LIMITS.per_address + 1)


async def test_the_claim_counts_for_itself(guarded: World) -> None:
    """Whoever comes past the page's own look is refused by the claim, under lock."""
    customer_id, plan = await guarded.customer(), await guarded.plan()
    declined = await guarded.card("4000000000000002")
    for _ in range(LIMITS.per_customer):
        session_id = await guarded.session(customer_id, plan)
        await guarded.confirm(session_id, method=declined)
    session_id = await guarded.session(customer_id, plan)
    refused = await guarded.confirm(session_id)

    assert [fault.code for fault in getattr(refused, "faults", ())] == ["too_many_tries"]
    assert await guarded.charges() == []
