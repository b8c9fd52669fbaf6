"""The mandate of each scheme, and which of them a page shows."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from babel import Locale
from typing_extensions import override

from tallystick.domain.debit_scheme import SCHEME_OF_CURRENCY, DebitScheme
from tallystick.domain.payment_panel import MountedPanel, TypedPanel
from tallystick.http.app import create_app
from tallystick.http.pages.mandate import Mandate, debit_of, make_mandate
from tallystick.http.pages.teller import teller_for
from tallystick.locales.choice import LANGUAGES
from tallystick.providers.stripe_debits import AGENTS
from tests.http.checkout.buyer import Buyer, browser, link_of
from tests.http.checkout.stories import ACME
from tests.mounted_bank import MODULE, MountedBank
from tests.world import World

PANEL = MountedPanel(
    script_url="https://js.bank.example/script.js",
    module=b"",
    settings={},
    script_sources=(),
    frame_sources=(),
    connect_sources=(),
    debit_agents=AGENTS,
)
NAMES = {
    "en": ("SEPA direct debit mandate", "Direct Debit Instruction", "Direct Debit Request"),
    "de": ("SEPA-Lastschriftmandat", "Direct Debit Instruction", "Direct Debit Request"),
    "fr": ("Mandat de prélèvement SEPA", "Direct Debit Instruction", "Direct Debit Request"),
    "es": ("adeudo directo SEPA", "Direct Debit Instruction", "Direct Debit Request"),
}


def shown(currency: str, language: str = "en", panel: MountedPanel = PANEL) -> Mandate:
    """The mandate of a currency, as a page shows it."""
    debit = debit_of(panel, ACME, currency)
    assert debit is not None, "the account takes debits of this currency"
    return make_mandate(debit, ACME, None, teller_for(Locale.parse(language)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_scheme_has_its_words_in_every_language(language: str) -> None:
    """Each names its scheme, the creditor and who collects; nothing is left to fill in."""
    for name, currency in zip(NAMES[language], SCHEME_OF_CURRENCY, strict=True):
        mandate = shown(currency, language)
        assert name in mandate.title
        assert ACME.legal_name in mandate.text
        assert "Stripe" in mandate.text
        assert "{" not in mandate.text


def test_an_instruction_at_bacs_comes_with_the_guarantee() -> None:
    """The guarantee word by word, where it is published, and that the payer signs alone."""
    mandate = shown("GBP")
    instruction, guarantee = mandate.paragraphs

    assert "Acme Cloud has partnered with Stripe, who collects Direct Debits" in instruction
    assert "the only person required to authorise debits from this account" in instruction
    assert guarantee.startswith("The Direct Debit Guarantee.")
    assert "a full and immediate refund of the amount paid from your bank" in guarantee
    assert mandate.terms == (
        "Direct Debit Guarantee",
        "https://stripe.com/legal/bacs-direct-debit-guarantee",
    )
    # Its agent announces debits two working days before; the page's figures are no notice.
    assert "advance notice" not in mandate.text
    assert dict(mandate.rows) == {
        "Creditor": "Acme Cloud",
        "Collected by": "Stripe",
        "Mandate reference": "given with your confirmation",
    }


def test_a_request_at_becs_names_the_debit_user() -> None:
    """The words that the scheme wants, with the debit user's number and its agreement."""
    mandate = shown("AUD")

    assert mandate.text.startswith(
        "By providing your bank account details and confirming, you agree to this Direct "
        "Debit Request and the Direct Debit Request service agreement "
        "(https://stripe.com/au-becs-dd-service-agreement/legal), and authorise Stripe "
        "Payments Australia Pty Ltd ACN 160 180 343 Direct Debit User ID number 507156 "
        "(“Stripe”) to debit your account through the Bulk Electronic Clearing System (BECS) "
        "on behalf of Acme Cloud (the “Merchant”) for any amounts separately communicated to "
        "you by the Merchant. You certify that you are either an account holder or an "
        "authorised signatory on the account listed above."
    )
    assert mandate.terms == (
        "Direct Debit Request service agreement",
        "https://stripe.com/au-becs-dd-service-agreement/legal",
    )
    assert dict(mandate.rows) == {"Creditor": "Acme Cloud", "Collected by": "Stripe"}


def test_a_mandate_at_sepa_is_as_it_was() -> None:
    """It names creditor and agent, and the page is the notice of the debits."""
    mandate = shown("EUR")

    assert "you authorise (A) Acme Cloud and Stripe, its payment service provider" in (
        mandate.text
    )
    assert mandate.text.endswith("are your advance notice of the debits.")
    assert mandate.terms is None
    assert dict(mandate.rows)["Creditor identifier"] == ACME.creditor_identifier


def test_what_nobody_collects_has_no_mandate() -> None:
    """Other currencies, schemes that the account has not, and SEPA without its number."""
    taking = replace(PANEL, debit_agents={DebitScheme.BACS: AGENTS[DebitScheme.BACS]})

    assert debit_of(PANEL, ACME, "USD") is None
    assert debit_of(taking, ACME, "AUD") is None
    assert debit_of(TypedPanel(), ACME, "GBP") is None
    assert debit_of(PANEL, replace(ACME, creditor_identifier=None), "EUR") is None


class BacsBank(MountedBank):
    """A test bank whose accounts are said to be at Bacs."""

    @override
    def panel(self) -> MountedPanel:
        """As that of the mounted bank, with another scheme."""
        agents = {DebitScheme.BACS: AGENTS[DebitScheme.BACS]}
        return replace(super().panel(), debit_agents=agents)


@pytest.fixture
async def buyer(world: World) -> AsyncIterator[Buyer]:
    """A buyer of a plan in pounds, from a shop whose account takes Bacs debits."""
    bank = BacsBank(world.database, "https://js.bank.example", "https://hooks.bank.example")
    app = replace(world.app, providers={"sandbox": bank}, panel_modules={"stripe": MODULE})
    shop = replace(world, app=app, ctx=replace(world.ctx, app=app))
    customer = await shop.customer(currency="GBP")
    session = await shop.session(customer, await shop.plan(currency="GBP"))
    async with browser(create_app(app)) as client:
        yield Buyer(client, link_of(shop, session))


TOKEN = {"method": "DIRECT_DEBIT", "payment_token": "pm_DE89370400440532013000"}


async def test_the_page_shows_the_mandate_of_its_currency(buyer: Buyer, world: World) -> None:
    """The choice has the scheme's name; what is kept is the instruction and the guarantee."""
    page = await buyer.open()
    assert "Bacs Direct Debit" in page.text
    assert "SEPA" not in page.text
    assert 'href="https://stripe.com/legal/bacs-direct-debit-guarantee"' in page.response.text

    await buyer.send(page.form, TOKEN)

    row = await world.one("select consent ->> 'text' as text from payment_attempts")
    assert row["text"].startswith("By confirming, you instruct your bank or building society")
    assert "The Direct Debit Guarantee." in row["text"]


async def test_a_debit_that_is_not_taken_any_more_is_not_tried(
    buyer: Buyer, world: World
) -> None:
    """The account lost Bacs while the page was open: there is no mandate to agree to."""
    page = await buyer.open()
    shop = MountedBank(world.database, "https://js.bank.example", "https://hooks.bank.example")
    app = replace(world.app, providers={"sandbox": shop}, panel_modules={"stripe": MODULE})
    async with browser(create_app(app)) as client:
        await Buyer(client, buyer.link).send(page.form, TOKEN)

    assert await world.fetch("select id from payment_attempts") == []
