"""The test bank's page speaks the language of the page that led to it."""

from tests.http.checkout.buyer import CARD
from tests.http.checkout.conftest import Visit
from tests.world import World


async def test_the_bank_goes_on_in_the_same_language(visit: Visit, world: World) -> None:
    """The customer record's language, in which the page was, is that of the challenge, too."""
    customer_id = await world.customer(preferred_locales=["fr"])
    buyer = await visit(customer_id=customer_id, headers={"Accept-Language": "de"})
    form = (await buyer.open()).form
    sent = await buyer.post(form, {**CARD, "card_number": "4000002500003155"})
    bank = await buyer.client.get(sent.headers["location"])

    assert "Confirmez ce paiement" in bank.text
