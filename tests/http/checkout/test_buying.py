"""The page's forms, sent as a browser without JavaScript sends them."""

import re
from datetime import date, timedelta

import httpx
import pytest

from tallystick.domain.buyer import Address
from tallystick.domain.offer import BankTransfer, ExternalPayment, OnlinePayment
from tests.http.checkout.buyer import CARD, Buyer, Seen
from tests.http.checkout.conftest import Visit
from tests.world import World


async def pay(buyer: Buyer, **typed: str) -> Seen:
    """Open the page, fill it in and press the button."""
    page = await buyer.open()
    return await buyer.send(page.form, {**CARD, **typed})


async def test_a_card_pays_once(visit: Visit, world: World) -> None:
    """A good card is charged what the page showed, and the confirmation names the invoice."""
    buyer = await visit()
    page = await buyer.open()

    assert page.status == 200
    assert "Pay €49.00" in page.text

    done = await buyer.send(page.form, CARD)

    assert done.status == 200
    assert "You are subscribed to Pro" in done.text
    assert "INV-" in done.text
    assert "Visa ending in 4242" in done.text
    assert await world.charges() == [4900]


async def test_a_decline_says_why_and_lets_try_again(visit: Visit, world: World) -> None:
    """After a decline the page says why in the buyer's words; another card then pays."""
    buyer = await visit()
    declined = await pay(buyer, card_number="4000000000009995")

    assert declined.status == 200
    assert "There is not enough money on this account. Nothing was charged." in declined.text
    assert await world.charges() == []

    done = await pay(buyer)

    assert "You are subscribed to Pro" in done.text
    assert await world.charges() == [4900]


async def test_faults_of_the_card_stand_beside_their_fields(visit: Visit) -> None:
    """A number, date or code that cannot be is told at its field; nothing typed is lost."""
    buyer = await visit()
    page = await pay(
        buyer,
        card_number="4242424242424241",
        card_expiry="13/40",
        card_cvc="1",
        city="Lyon",
        email="me",
    )

    assert page.status == 400
    assert page.error("card_number") == "This is not a valid card number."
    assert page.error("card_expiry").startswith("Please enter month and year")
    assert page.error("card_cvc") == "The security code has three digits."
    assert page.error("email").startswith("Please enter an email address")
    assert "Please check these 4 fields" in page.text
    assert page.form.values["city"] == "Lyon"
    assert page.form.values["email"] == "me"


async def test_a_card_number_is_never_sent_back(visit: Visit) -> None:
    """What was typed into the payment panel does not come back in the page."""
    buyer = await visit()
    page = await pay(buyer, card_number="4242424242424241", card_cvc="987")

    assert "4242424242424241" not in page.response.text
    assert "987" not in page.response.text


async def test_an_address_changes_the_tax(visit: Visit, world: World) -> None:
    """The country decides the VAT: France pays 20 %, Germany 19 %, outside none."""
    await world.execute("update invoicing_entities set tax_engine = 'EU_VAT'")
    buyer = await visit()
    page = await buyer.open()

    assert "VAT 20% on €49.00 €9.80" in page.text

    page = await buyer.send(page.form, {"country": "DE"}, to=buyer.quote_url)

    assert page.status == 200
    assert "VAT 19% on €49.00 €9.31" in page.text
    assert "Pay €58.31" in page.text

    page = await buyer.send(page.form, {"country": "US"}, to=buyer.quote_url)

    assert "No VAT You are outside the European Union. €0.00" in page.text
    assert "Pay €49.00" in page.text


async def test_a_postal_code_changes_the_tax(visit: Visit, world: World) -> None:
    """On the Canary Islands no VAT is due, which the postal code tells."""
    await world.execute("update invoicing_entities set tax_engine = 'EU_VAT'")
    buyer = await visit()
    page = await buyer.open()
    page = await buyer.send(page.form, {"country": "ES"}, to=buyer.quote_url)

    assert "Pay €59.29" in page.text

    page = await buyer.send(page.form, {"zip_code": "38001"}, to=buyer.quote_url)

    assert "Your territory is outside the European Union's VAT area. €0.00" in page.text
    assert "Pay €49.00" in page.text


async def test_a_country_is_asked_for_first(visit: Visit, world: World) -> None:
    """Where tax needs the country the page says so, and takes no order until it is chosen."""
    await world.execute("update invoicing_entities set tax_engine = 'EU_VAT'")
    customer_id = await world.customer(billing_address=Address())
    buyer = await visit(customer_id=customer_id)
    page = await buyer.open()

    assert "Choose your country first: the tax depends on it." in page.text

    page = await buyer.send(page.form, CARD)

    assert page.status == 400
    assert page.error("country") == "Please choose your country."

    page = await buyer.send(page.form, {"country": "DE"}, to=buyer.quote_url)

    assert "Choose your country first" not in page.text


@pytest.mark.parametrize("country", ["XK", "fr", "D" * 300])
async def test_an_unknown_country_is_told_at_its_field(
    visit: Visit, world: World, country: str
) -> None:
    """A country that no list holds is refused beside the field, and nothing is charged."""
    page = await pay(await visit(), country=country)

    assert page.status == 400
    assert page.error("country") == "Please choose your country from the list."
    assert page.form.values["country"] == ""
    assert await world.charges() == []


async def test_a_debit_shows_its_mandate(visit: Visit, world: World) -> None:
    """A direct debit names creditor and mandate, and the confirmation says it is on its way."""
    buyer = await visit(payment=OnlinePayment(card=False, direct_debit=True))
    page = await buyer.open()

    assert "SEPA direct debit mandate" in page.text
    assert "Creditor identifier FR72ZZZ123456" in page.text
    reference = re.search(r"Mandate reference (TEST-[0-9A-F]{16})", page.text)
    assert reference is not None

    iban = "DE89 3704 0044 0532 0130 00"
    done = await buyer.send(page.form, {"iban": iban, "account_holder": "Dana Globex"})

    assert "You are subscribed to Pro" in done.text
    assert "On its way" in done.text
    assert f"Mandate reference {reference[1]}" in done.text
    saved = await world.one("select mandate_reference from payment_methods")
    assert saved["mandate_reference"] == reference[1]
    consent = await world.one("select consent from payment_attempts")
    assert "You are entitled to a refund from your bank" in consent["consent"]


async def test_a_free_trial_saves_a_card(visit: Visit, world: World) -> None:
    """A free trial charges nothing today, says what comes, and keeps the card."""
    buyer = await visit(trial_duration_days=14)
    page = await buyer.open()

    assert "14 days free then €49.00 on March 24, 2026" in page.text
    assert "Start free trial" in page.text
    assert "the next time €49.00 on March 24, 2026" in page.text

    done = await buyer.send(page.form, CARD)

    assert "Your free trial of Pro has started" in done.text
    assert await world.charges() == []


async def test_a_transfer_shows_where_to_pay(visit: Visit, world: World) -> None:
    """A purchase by bank transfer ends with an unpaid invoice and the account to pay it to."""
    await world.execute(
        "insert into bank_accounts (tenant_id, id, invoicing_entity_id, holder, iban) "
        "select tenant_id, gen_random_uuid(), id, 'Acme Cloud SAS', "
        "'FR7630006000011234567890189' from invoicing_entities"
    )
    buyer = await visit(payment=BankTransfer())
    page = await buyer.open()

    assert "FR76 3000 6000 0112 3456 7890 189" in page.text
    assert "Order with obligation to pay" in page.text

    done = await buyer.send(page.form)

    assert "You are subscribed to Pro" in done.text
    assert "To be paid by" in done.text
    assert "FR76 3000 6000 0112 3456 7890 189" in done.text
    assert await world.charges() == []


async def test_an_external_payment_goes_on_invoice(visit: Visit) -> None:
    """A purchase paid outside asks for no method."""
    buyer = await visit(payment=ExternalPayment())
    page = await buyer.open()

    assert "pay it as agreed with the seller" in page.text
    assert "You are subscribed to Pro" in (await buyer.send(page.form)).text


async def test_a_challenge_leads_to_the_bank_and_back(visit: Visit, world: World) -> None:
    """A card that asks for 3-D Secure goes to the bank; approved there, it pays."""
    buyer = await visit()
    at_bank = await pay(buyer, card_number="4000002500003155")

    assert "/sandbox/challenge/" in str(at_bank.response.url)

    waiting = await buyer.open()

    assert "Confirm with your bank" in waiting.text
    assert "Use another payment method" in waiting.text

    await buyer.send(at_bank.form, {"answer": "approve"}, to=str(at_bank.response.url))
    done = await buyer.send_back()

    assert "You are subscribed to Pro" in done.text
    assert await world.charges() == [4900]


async def test_a_refused_challenge_lets_try_again(visit: Visit, world: World) -> None:
    """A challenge that the buyer refuses costs nothing, and the link still works."""
    buyer = await visit()
    at_bank = await pay(buyer, card_number="4000002500003155")
    await buyer.send(at_bank.form, {"answer": "refuse"}, to=str(at_bank.response.url))
    page = await buyer.send_back()

    assert "Your bank could not confirm that it is you." in page.text
    assert "You are subscribed to Pro" in (await buyer.send(page.form, CARD)).text
    assert await world.charges() == [4900]


async def test_a_challenge_can_be_left_for_another_card(visit: Visit, world: World) -> None:
    """Using another payment method cancels the first attempt before the next one."""
    buyer = await visit()
    await pay(buyer, card_number="4000002500003155")
    waiting = await buyer.open()
    page = await buyer.send(waiting.form)

    assert "Choose how you would like to pay You stopped the payment." in page.text
    assert "You are subscribed to Pro" in (await buyer.send(page.form, CARD)).text
    assert await world.charges() == [4900]


async def test_success_leads_to_the_merchant(visit: Visit) -> None:
    """After success the buyer is sent on, told which checkout it was, all else kept."""
    buyer = await visit(
        success_url="https://acme.example/done?plan=pro&checkout_session_id=x#top"
    )
    page = await buyer.open()
    answer = await buyer.post(page.form, CARD)
    name = buyer.link.split("/")[2]

    assert answer.status_code == 303
    expected = f"https://acme.example/done?plan=pro&checkout_session_id={name}#top"
    assert answer.headers["location"] == expected
    seen = await buyer.open()
    assert "Continue to Acme Cloud SAS" in seen.text


async def test_a_confirmation_is_the_paying_browsers_alone(visit: Visit, world: World) -> None:
    """Another browser with the same link sees that it is complete, and nothing more."""
    buyer = await visit()
    await pay(buyer)
    async with httpx.AsyncClient(
        transport=buyer.client._transport, base_url=buyer.client.base_url
    ) as other:
        stranger = await Buyer(other, buyer.link).open()

    assert stranger.status == 200
    assert "This checkout is complete" in stranger.text
    assert "INV-" not in stranger.text
    assert "globex" not in stranger.response.text
    assert "49.00" not in stranger.text
    assert len(await world.charges()) == 1


async def test_an_expired_session_is_gone(visit: Visit, world: World) -> None:
    """Past its time the link says so, with the way back, and takes no money."""
    buyer = await visit(expires_in_hours=1, cancel_url="https://acme.example/pricing")
    page = await buyer.open()
    await world.execute("update tenants set clock = $1", world.ctx.now + timedelta(hours=2))
    ended = await buyer.send(page.form, CARD)

    assert ended.status == 410
    assert "This checkout has expired" in ended.text
    assert 'href="https://acme.example/pricing"' in ended.response.text
    assert await world.charges() == []


async def test_a_session_whose_offer_is_over_is_gone(visit: Visit, world: World) -> None:
    """With no day left to bill the page has no form any more, and the session ends."""
    buyer = await visit(end_date=date(2026, 3, 12), expires_in_hours=0)
    page = await buyer.open()
    await world.execute(
        "update tenants set time_zone = 'Pacific/Kiritimati', clock = '2026-03-11T12:00:00Z'"
    )

    assert (await buyer.open()).status == 410
    ended = await buyer.send(page.form, CARD)

    assert ended.status == 410
    assert "This checkout has expired" in ended.text
    assert (await world.one("select state from checkout_sessions"))["state"] == "EXPIRED"
    assert await world.charges() == []


async def test_a_plan_that_is_held_is_not_sold_twice(visit: Visit, world: World) -> None:
    """A second link for a plan that was bought meanwhile says so before any charge."""
    customer_id, plan = await world.customer(), await world.plan()
    first = await visit(plan, customer_id=customer_id)
    second = await visit(plan, customer_id=customer_id)
    page = await second.open()
    await pay(first)
    held = await second.send(page.form, CARD)

    assert held.status == 409
    assert "You already have Pro Nothing was charged." in held.text
    assert await world.charges() == [4900]


async def test_a_lost_answer_is_waited_for(visit: Visit) -> None:
    """When the bank does not answer the page waits, and says not to pay twice."""
    buyer = await visit()
    waiting = await pay(buyer, card_number="4000000000009987")

    assert waiting.status == 200
    assert "please do not pay a second time" in waiting.text
    assert f'hx-get="{buyer.link}/status?look=2"' in waiting.response.text
    assert "<noscript><meta http-equiv=" in waiting.response.text

    again = await buyer.send_back()
    assert again.status == 200
