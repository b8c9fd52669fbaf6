"""The page on which a customer pays for another plan."""

from tallystick.db.engine import Database
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RateFee
from tallystick.http.app import create_app
from tallystick.services.changing_plan import open_plan_change
from tallystick.services.confirm_result import Completed
from tallystick.services.plan_wanted import PlanChangeRequest
from tests.http.checkout.buyer import browser, link_of
from tests.world import open_world, rate


async def test_the_page_is_about_the_change(db: Database) -> None:
    """It says so; what is given back names no rhythm, and no code is asked for."""
    world = await open_world(db)
    product = await world.product("Fee", RateFee())
    small, large = [
        await world.plan(
            ("Fee", RateFee(), [(Cadence.MONTHLY, rate(price))]),
            name=name,
            products={"Fee": product},
        )
        for name, price in (("Small", "49.00"), ("Large", "99.00"))
    ]
    session = await world.session(await world.customer(), small)
    assert await world.confirm(session) == Completed()
    bought = await world.one(
        "select subscription_id as id from checkout_sessions where id = $1", session
    )
    wanted = PlanChangeRequest(plan_version_id=large.version_id, components=OfferRequest())
    async with world.app.transaction() as tx:
        opened = await open_plan_change(world.ctx.within(tx), bought["id"], wanted, "{}")
    assert opened.session is not None

    async with browser(create_app(world.app)) as client:
        page = (await client.get(link_of(world, opened.session.session.id))).text

    assert "Change to Large" in page
    assert "Subscribe to" not in page
    assert "Fee (credit)" in page
    assert "\N{EURO SIGN}49.00 once" not in page
    assert "\N{EURO SIGN}99.00 / month" in page
    assert 'name="code"' not in page
