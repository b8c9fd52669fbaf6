"""A promotion code on the page: applied, removed, refused beside its field, never lost."""

from decimal import Decimal

from tallystick.domain.coupons import Percentage
from tallystick.locales.formats import MINUS
from tests.http.checkout.buyer import CARD
from tests.http.checkout.conftest import Visit
from tests.world import World


async def test_a_code_lowers_the_total(visit: Visit, world: World) -> None:
    """A promotion code typed on the page is applied, named, and can be removed again."""
    await world.coupon("LAUNCH20", Percentage(percentage=Decimal(20)))
    buyer = await visit()
    page = await buyer.open()
    page = await buyer.send(page.form, {"code": "LAUNCH20"}, to=buyer.quote_url)

    assert f"Discount LAUNCH20 {MINUS}€9.80" in page.text
    assert "Pay €39.20" in page.text

    page = await buyer.send(page.form, {"intent": "remove"}, to=buyer.quote_url)

    assert "Pay €49.00" in page.text


async def test_a_bad_code_says_why(visit: Visit) -> None:
    """A code that cannot be redeemed stays in its field, with the reason below."""
    buyer = await visit()
    page = await buyer.open()
    page = await buyer.send(page.form, {"code": "NOPE"}, to=buyer.quote_url)

    assert page.status == 400
    assert page.form.values["code"] == "NOPE"
    assert page.error("code") == "We do not know this code."


async def test_a_long_code_is_taken_whole(visit: Visit, world: World) -> None:
    """A code of 255 characters can be typed; a longer one is none, whatever it begins with."""
    long = "LAUNCH" + "X" * 249
    await world.coupon(long, Percentage(percentage=Decimal(20)))
    await world.coupon("L" * 100, Percentage(percentage=Decimal(50)))
    buyer = await visit()
    page = await buyer.open()

    assert page.read.ids["code"]["maxlength"] == "255"
    assert "Pay €39.20" in (await buyer.send(page.form, {"code": long}, buyer.quote_url)).text
    for other in (long + "X", long + "X" * 300, "L" * 101, "L" * 300):
        page = await buyer.send(page.form, {"code": other}, to=buyer.quote_url)
        assert page.status == 400
        assert page.error("code") == "We do not know this code."


async def test_a_code_typed_with_the_button_is_not_lost(visit: Visit, world: World) -> None:
    """A code that was typed and not applied changes the quote: nothing is charged unseen."""
    await world.coupon("LAUNCH20", Percentage(percentage=Decimal(20)))
    buyer = await visit()
    page = await buyer.open()
    changed = await buyer.send(page.form, {**CARD, "code": "LAUNCH20"})

    assert changed.status == 409
    assert "Due today €49.00 €39.20" in changed.text

    done = await buyer.send(changed.form, CARD)

    assert "You are subscribed" in done.text
    assert await world.charges() == [3920]
