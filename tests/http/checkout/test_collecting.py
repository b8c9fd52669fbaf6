"""What was typed in the payment panel is handed to the bank, which may not answer."""

import pytest

from tallystick.http.app import create_app
from tests.http.checkout.buyer import CARD, Buyer, browser, link_of
from tests.scripted_bank import ScriptedBank, Step, hanging, silent, with_bank
from tests.world import World


@pytest.mark.parametrize("step", [hanging, silent])
async def test_a_bank_that_takes_no_card_is_told_on_the_page(world: World, step: Step) -> None:
    """Within the limit of a call the buyer reads that there was no answer, and tries again."""
    bank = ScriptedBank(world.sandbox)
    bank.script("collect", step)
    shop = with_bank(world, bank, call_limit_seconds=0.2)
    session_id = await shop.session(await shop.customer(), await shop.plan())
    async with browser(create_app(shop.app)) as client:
        buyer = Buyer(client, link_of(shop, session_id))
        told = await buyer.send((await buyer.open()).form, CARD)

        assert told.status == 400
        assert "The payment service does not answer. Nothing was charged." in told.text
        assert await world.fetch("select * from payment_attempts") == []
        assert "You are subscribed" in (await buyer.send(told.form, CARD)).text
    assert await world.charges() == [4900]
