"""What the page gives to a provider that draws the payment panel, and to nobody else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tallystick.domain.coupons import Percentage
from tallystick.domain.offer import BankTransfer, OnlinePayment
from tallystick.domain.payment_panel import MountedPanel
from tallystick.http.app import create_app
from tests.http.checkout.buyer import Buyer, Seen, browser, link_of
from tests.http.checkout.test_doors import policy
from tests.mounted_bank import MODULE, UNKNOWN, MountedBank
from tests.world import World

ORIGIN = "https://js.bank.example"
BANK = "https://hooks.bank.example"
VISA = {"method": "CARD", "payment_token": "pm_4242424242424242"}
CHALLENGED = {"method": "CARD", "payment_token": "pm_4000002500003155"}


@pytest.fixture
async def shop(world: World) -> World:
    """A shop whose provider draws its own fields, and whose bank asks elsewhere."""
    bank = MountedBank(world.database, ORIGIN, BANK)
    app = replace(world.app, providers={"sandbox": bank}, panel_modules={"stripe": MODULE})
    return replace(world, app=app, ctx=replace(world.ctx, app=app))


@pytest.fixture
async def buyer(shop: World) -> AsyncIterator[Buyer]:
    """A buyer with the link of a session of EUR 49."""
    async with browser(create_app(shop.app)) as client:
        session = await shop.session(await shop.customer(), await shop.plan())
        yield Buyer(client, link_of(shop, session))


def mount(page: Seen) -> dict[str, str]:
    """The attributes of the place where the script draws."""
    return page.read.ids["payment_token"]


async def test_the_page_lets_in_what_the_provider_names(buyer: Buyer) -> None:
    """Scripts, frames and connections of the provider, and everything else as before."""
    found = policy((await buyer.open()).response)

    assert found == {
        "default-src": ["'none'"],
        "script-src": ["'self'", ORIGIN],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'", ORIGIN],
        "frame-src": [ORIGIN],
        "form-action": ["'self'", "http://127.0.0.1:8484"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }


async def test_no_other_page_lets_it_in(shop: World, buyer: Buyer) -> None:
    """The way to the bank, the wait, the confirmation and offers without a panel stay shut."""
    page = await buyer.open()
    answer = await buyer.post(page.form, CHALLENGED)
    pages = [await buyer.open("/bank"), await buyer.open(), await buyer.open("!")]
    [row] = await shop.fetch("select reference from payment_attempts")
    bank = shop.app.providers["sandbox"]
    assert isinstance(bank, MountedBank), "the shop has this bank"
    await bank.answer_challenge(shop.tenant_id, row["reference"], approve=True)
    pages.append(await buyer.send_back())
    bought = pages[-1]
    await shop.execute(
        "insert into bank_accounts (tenant_id, id, invoicing_entity_id, holder, iban) "
        "values ($1, gen_random_uuid(), $2, 'Acme', 'FR7630006000011234567890189')",
        shop.tenant_id,
        shop.entity_id,
    )
    session = await shop.session(
        await shop.customer(), await shop.plan(), payment=BankTransfer(account_id=None)
    )
    pages.append(await Buyer(buyer.client, link_of(shop, session)).open())

    assert answer.headers["location"] == f"{buyer.link}/bank"
    assert "You are subscribed to Pro" in bought.text
    for one in pages:
        found = policy(one.response)
        assert "frame-src" not in found
        assert found["script-src"] == found["connect-src"] == ["'self'"]
        assert ORIGIN not in one.response.text


async def test_the_place_says_what_the_script_needs(buyer: Buyer) -> None:
    """Amount, currency, language, details and settings; the scripts are kept for ever."""
    page = await buyer.open(**{"accept-language": "fr"})
    given = mount(page)

    assert {name: given[f"data-{name}"] for name in ("amount", "currency", "saves")} == {
        "amount": "4900",
        "currency": "EUR",
        "saves": "true",
    }
    assert given["data-script"] == f"{ORIGIN}/script.js"
    assert given["data-settings"] == '{"publishable_key": "pk_test_browser"}'
    assert (given["data-language"], given["data-country"]) == ("fr", "FR")
    assert (given["data-name"], given["data-email"]) == ("Globex", "ap@globex.example")
    assert given["data-incomplete"] == "Veuillez vérifier vos données de paiement."
    assert "card_number" not in page.form.values

    [module] = [part for part in page.response.text.split('"') if "panel-stripe" in part]
    sent = await buyer.client.get(module)
    assert sent.content == MODULE
    assert sent.headers["cache-control"] == "public, max-age=31536000, immutable"
    old = await buyer.client.get(module.replace(module.split(".")[-2], "0" * 12))
    assert (old.content, old.headers["cache-control"]) == (MODULE, "no-cache")


async def test_an_update_tells_the_total(shop: World, buyer: Buyer) -> None:
    """A fragment brings the amount, and leaves the place of the panel alone."""
    await shop.coupon("LAUNCH20", Percentage(percentage=Decimal(20)))
    page = await buyer.open()
    typed = {"code": "LAUNCH20", "intent": "apply"}
    answer = await buyer.post(page.form, typed, buyer.quote_url, **{"HX-Request": "true"})
    finish = Seen.of(answer).read.ids["finish"]

    assert (finish["data-amount"], finish["data-currency"]) == ("3920", "EUR")
    assert 'id="payment_token"' not in answer.text


async def test_the_token_pays(shop: World, buyer: Buyer) -> None:
    """The token alone pays; without one, or with a wrong one, nothing is tried."""
    page = await buyer.open()
    none = await buyer.send(page.form, {"method": "CARD"})
    wrong = await buyer.send(page.form, {"method": "CARD", "payment_token": UNKNOWN})

    assert none.status == wrong.status == 400
    assert "JavaScript must be switched on" in none.error("payment_token")
    assert "did not accept these details" in wrong.error("payment_token")
    assert await shop.fetch("select id from payment_attempts") == []

    bought = await buyer.send(wrong.form, VISA)

    assert "You are subscribed to Pro" in bought.text


async def test_a_debit_agrees_to_the_mandate_that_names_the_provider(
    shop: World, buyer: Buyer
) -> None:
    """The wording that is kept is the one that the page showed, the provider's name in it."""
    page = await buyer.open()
    assert "Acme Cloud SAS and Acme Pay, its payment service provider" in page.text
    iban = {"method": "DIRECT_DEBIT", "payment_token": "pm_DE89370400440532013000"}
    await buyer.send(page.form, iban)
    row = await shop.one("select consent ->> 'text' as text from payment_attempts")

    assert "Acme Pay, its payment service provider" in row["text"]
    assert "The amounts and dates named on this page are your advance notice" in row["text"]


async def test_a_card_alone_needs_no_choice(shop: World, buyer: Buyer) -> None:
    """With one kind of method there is no choice to make, and one place to draw in."""
    offer = OnlinePayment(card=True, direct_debit=False)
    session = await shop.session(await shop.customer(), await shop.plan(), payment=offer)
    page = await Buyer(buyer.client, link_of(shop, session)).open()

    assert page.form.values["method"] == "CARD"
    assert page.response.text.count("data-kind=") == 1
    assert "mandate" not in page.response.text


@pytest.mark.parametrize("source", ["https://a.example; x", "'unsafe-inline'", "data:", "*"])
def test_a_source_is_one_source(source: str) -> None:
    """Nothing that a provider names can say more than one address."""
    with pytest.raises(AssertionError, match="is not one source"):
        MountedPanel(
            script_url="",
            module=b"",
            settings={},
            script_sources=(),
            frame_sources=(source,),
            connect_sources=(),
        )
