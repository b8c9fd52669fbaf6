"""The confirmation is for the browser that paid: not for one that only was at the bank."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tallystick.domain.payment import FailureReason
from tallystick.http.app import create_app
from tallystick.http.checkout import confirming
from tallystick.http.checkout.visit import PAID_COOKIE
from tallystick.services.confirm_checkout import confirm_checkout
from tallystick.services.confirm_result import Completed, ConfirmResult
from tallystick.services.record_failure import record_failure
from tallystick.services.record_purchase import record_purchase
from tests.http.checkout.buyer import CARD, Buyer, browser
from tests.http.checkout.conftest import Visit
from tests.real_time import sweep
from tests.world import World

ASKS = {**CARD, "card_number": "4000002500003155"}
QUESTION_IS_LOST = {**CARD, "card_number": "4000000000009987"}
ANSWER_IS_LOST = {**CARD, "card_number": "4000000000009979"}


def another(world: World, buyer: Buyer) -> Buyer:
    """A second browser with the same link."""
    return Buyer(browser(create_app(world.app)), buyer.link)


async def shows_receipt(buyer: Buyer) -> bool:
    """Whether this browser sees what was bought."""
    seen = await buyer.open()
    assert ("INV-1" in seen.text) is ("You are subscribed to Pro" in seen.text)
    return "INV-1" in seen.text


async def test_who_left_for_the_bank_sees_no_other_ones_receipt(
    visit: Visit, world: World
) -> None:
    """One browser goes to the bank, another pays: the confirmation is the second one's."""
    first = await visit()
    await first.send((await first.open()).form, ASKS)
    second = another(world, first)
    page = await second.send((await second.open()).form)
    assert "You are subscribed" in (await second.send(page.form, CARD)).text

    assert await shows_receipt(second)
    assert not await shows_receipt(first)
    await second.client.aclose()


async def test_who_waited_for_an_answer_sees_no_other_ones_receipt(
    visit: Visit, world: World
) -> None:
    """A payment that came to nothing shows its browser nothing of the next one."""
    first = await visit()
    await first.send((await first.open()).form, QUESTION_IS_LOST)
    await sweep(world)
    second = another(world, first)
    await second.send((await second.open()).form, CARD)

    assert await shows_receipt(second)
    assert not await shows_receipt(first)
    await second.client.aclose()


async def test_who_comes_second_sees_no_receipt(
    visit: Visit, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bought by another browser at the same moment: this one is not marked as having paid."""
    first = await visit()
    second = another(world, first)
    page, form = await first.open(), (await second.open()).form
    verb: Callable[..., Awaitable[ConfirmResult]] = confirm_checkout

    async def meanwhile(*args: Any, **words: Any) -> ConfirmResult:  # noqa: ANN401
        monkeypatch.setattr(confirming, "confirm_checkout", verb)
        await second.send(form, CARD)
        return await verb(*args, **words)

    monkeypatch.setattr(confirming, "confirm_checkout", meanwhile)
    await first.send(page.form, CARD)

    assert await world.charges() == [4900]
    assert await shows_receipt(second)
    assert not await shows_receipt(first)
    await second.client.aclose()


@pytest.mark.parametrize("card", [CARD, ANSWER_IS_LOST])
async def test_who_presses_twice_sees_the_receipt(
    visit: Visit, world: World, card: dict[str, str]
) -> None:
    """The first answer never came, the second one marks the browser all the same."""
    buyer = await visit()
    page = await buyer.open()
    await buyer.post(page.form, card)
    buyer.client.cookies.delete(PAID_COOKIE)
    await buyer.post(page.form, card)
    await sweep(world)

    assert await world.charges() == [4900]
    assert await shows_receipt(buyer)


async def test_money_that_comes_late_has_its_receipt(visit: Visit, world: World) -> None:
    """Told that the payment failed, and bought after all: the browser that paid sees it."""
    buyer = await visit()
    await buyer.send((await buyer.open()).form, ASKS)
    attempt = (await world.one("select id from payment_attempts"))["id"]
    async with world.app.transaction() as tx:
        await record_failure(world.ctx, tx, attempt, FailureReason.INTERRUPTED)
    assert "Pay €49.00" in (await buyer.send_back()).text

    async with world.app.transaction() as tx:
        assert await record_purchase(world.ctx, tx, attempt) == Completed()

    assert await shows_receipt(buyer)
