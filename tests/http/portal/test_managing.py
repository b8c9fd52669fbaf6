"""What a customer sees and does in the portal."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from fastapi import FastAPI

from tallystick.db import invoicing_entities
from tallystick.domain.credit_note import DebtCancellation
from tallystick.domain.entity_settings import EntityAccount
from tallystick.domain.ids import Prefix, decode, encode
from tallystick.domain.offer import BankTransfer, ExternalPayment, PaymentConfig
from tallystick.services.change_invoice import MoneyReceived, receive_money
from tallystick.services.confirm_result import Completed
from tallystick.services.ids import new_id
from tallystick.services.portal_token import PortalScope
from tests.crediting import Billed
from tests.http.checkout.buyer import Seen
from tests.http.pay.conftest import link_of
from tests.portals import Guest, enter, form_to
from tests.soundness import assert_sound
from tests.subscribing import Merchant
from tests.world import World

TODAY = date(2026, 3, 10)
IBAN = "DE89370400440532013000"
DECLINES_LATER = "4000000000000341"


async def subscribed(world: World, **fields: object) -> tuple[UUID, str]:
    """A customer who has bought by card, and the subscription's name."""
    customer = await world.customer(alias="globex")
    session = await world.session(customer, await world.plan())
    method = await world.card(str(fields.pop("card", "4242424242424242")))
    assert await world.confirm(session, method=method) == Completed()
    row = await world.one("select id from subscriptions where customer_id = $1", customer)
    return customer, encode(Prefix.SUBSCRIPTION, row["id"])


async def owing(world: World, customer: UUID, payment: PaymentConfig | None = None) -> str:
    """The name of an invoice of EUR 49 that waits for its buyer."""
    merchant = Merchant(world=world)
    plan = await world.plan(name="By transfer")
    await merchant.subscribe(
        customer, plan, TODAY, payment=payment or ExternalPayment(), charge_automatically=False
    )
    row = await world.one(
        "select id from invoices where customer_id = $1 and payment_status = 'UNPAID'", customer
    )
    return encode(Prefix.INVOICE, row["id"])


async def test_the_overview(world: World, web: FastAPI) -> None:
    """Plan, next charge with its day, invoices, the card, who is billed."""
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)

    page = await guest.open()

    for told in (
        "Pro",
        "Active",
        "Next charge: €49.00 on April 10, 2026",
        "Renews every month until you cancel.",
        "INV-1",
        "Paid",
        "Visa ending in 4242",
        "Valid until 12/2040",
        "France",
    ):
        assert told in page.text


async def test_cancelling_and_taking_it_back(world: World, web: FastAPI) -> None:
    """The page says until when it runs; then it says so, and it can be kept."""
    customer, name = await subscribed(world)
    guest = await enter(world, web, customer)
    asked = await guest.open(f"/subscriptions/{name}/cancel")
    assert "Pro runs until April 9, 2026 and is not renewed." in asked.text

    done = await guest.send(form_to(asked, "/cancel"))

    assert "The subscription is cancelled." in done.text
    assert "Runs until April 9, 2026." in done.text
    assert "Next charge" not in done.text
    twice = await guest.send(form_to(asked, "/cancel"))
    assert twice.status == 200
    row = await world.one("select cancelled_on, cancellation_reason from subscriptions")
    assert row["cancelled_on"] == date(2026, 4, 10)
    assert row["cancellation_reason"] == "Cancelled by the customer in the portal."
    kept = await guest.send(form_to(done, "/keep"))
    assert "The subscription goes on." in kept.text
    assert "Next charge: €49.00 on April 10, 2026" in kept.text
    events = await world.fetch(
        "select data ->> 'change_type' as change from events"
        " where type = 'subscription.updated' order by position"
    )
    assert [row["change"] for row in events] == ["cancellation_scheduled", None]
    await assert_sound(world)


async def test_an_invoice_and_how_it_came_about(world: World, web: FastAPI) -> None:
    """Lines, totals and the sentences that lead to them."""
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)
    row = await world.one("select id from invoices")

    page = await guest.open(f"/invoices/{encode(Prefix.INVOICE, row['id'])}")

    for told in ("Invoice INV-1", "Paid", "Invoice total", "€49.00", "How is this calculated?"):
        assert told in page.text
    assert "1 \N{MULTIPLICATION SIGN} €49.00 = €49.00" in page.text
    assert "pay-form" not in page.response.text
    pdf = await guest.client.get(f"{page.response.url.path}/invoice.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")


async def test_paying_an_open_invoice(world: World, web: FastAPI) -> None:
    """Charged to the saved card, once, however often the form is sent."""
    customer, _ = await subscribed(world)
    billed = await owing(world, customer)
    guest = await enter(world, web, customer)
    page = await guest.open(f"/invoices/{billed}")
    assert "Charged to Visa ending in 4242." in page.text
    assert "Pay €49.00" in page.text

    paid = await guest.send(form_to(page, "/pay"))
    again = await guest.send(form_to(page, "/pay"))

    for seen in (paid, again):
        assert "Thank you, the invoice is paid." in seen.text
        assert "pay-form" not in seen.response.text
    assert await world.charges() == [4900, 4900]
    forged = form_to(page, "/pay")
    forged.values["try"] = forged.values["try"][:-1] + "!"
    assert (await guest.send(forged)).status == 403


async def test_an_address_cannot_say_that_an_invoice_is_paid(
    world: World, web: FastAPI
) -> None:
    """What is owed is not called paid by whoever made the link."""
    customer, _ = await subscribed(world)
    billed = await owing(world, customer)
    guest = await enter(world, web, customer)

    page = await guest.open(f"/invoices/{billed}?done=paid")

    assert "Thank you, the invoice is paid." not in page.text
    assert "Pay €49.00" in page.text


async def test_a_decline_is_told(world: World, web: FastAPI) -> None:
    """Nothing is charged, the page says why, and it can be tried again."""
    customer, _ = await subscribed(world)
    billed = await owing(world, customer)
    # The bank knows a card by what was typed: this one is declined when it is charged later.
    later = await world.card(DECLINES_LATER)
    await world.execute("update payment_methods set token = $1", later.token)
    guest = await enter(world, web, customer)
    page = await guest.open(f"/invoices/{billed}")

    refused = await guest.send(form_to(page, "/pay"))

    assert refused.status == 409
    assert "Nothing was charged." in refused.text
    assert form_to(refused, "/pay").values["try"] != form_to(page, "/pay").values["try"]
    assert await world.charges() == [4900]


async def test_without_a_method_nothing_can_be_paid(world: World, web: FastAPI) -> None:
    """The page says whom to write to."""
    customer = await world.customer()
    billed = await owing(world, customer)
    guest = await enter(world, web, customer)

    page = await guest.open(f"/invoices/{billed}")

    assert "No saved payment method can be charged." in page.text
    assert "pay-form" not in page.response.text


async def test_where_to_transfer_to(world: World, web: FastAPI) -> None:
    """The account of an invoice that is to be transferred, as its own page shows it, and not
    once it is paid. The other account of the seller stands nowhere.
    """
    async with world.app.transaction() as tx:
        entity = await invoicing_entities.load(tx, world.tenant_id, world.entity_id)
        assert entity is not None
        holders = {"Acme SAS": IBAN, "Acme Reserve": "FR7630006000011234567890189"}
        first, other = (
            EntityAccount(
                id=new_id(), holder=holder, iban=iban, bic="COBADEFFXXX", currency="EUR"
            )
            for holder, iban in holders.items()
        )
        entity = replace(entity, bank_accounts=(other, first))
        await invoicing_entities.save(tx, world.tenant_id, entity)
    customer = await world.customer()
    billed = await owing(world, customer, BankTransfer(account_id=first.id))
    guest = await enter(world, web, customer, (PortalScope.READ,))
    page = await guest.open(f"/invoices/{billed}")
    own = Seen.of(await guest.client.get(link_of(world, decode(Prefix.INVOICE, billed))))

    for seen in (page, own):
        for told in ("to this account:", "Acme SAS", "DE89 3704 0044 0532 0130 00", "COBADEFF"):
            assert told in seen.text
        assert "Acme Reserve" not in seen.text
    assert "No saved payment method" not in page.text

    async with world.app.transaction() as tx:
        money = MoneyReceived(amount=4900, paid_at=None, reference=None)
        await receive_money(world.ctx.within(tx), decode(Prefix.INVOICE, billed), money)
    assert "Acme SAS" not in (await guest.open(f"/invoices/{billed}")).text


async def test_drafts_are_nobodys_business(world: World, web: FastAPI) -> None:
    """A draft is not listed, and has no page."""
    customer = await world.customer()
    merchant = Merchant(world=world)
    await merchant.subscribe(customer, await world.plan(), TODAY, auto_advance_invoices=False)
    row = await world.one("select id, status from invoices")
    assert row["status"] == "DRAFT"
    guest = await enter(world, web, customer)

    assert "There is no invoice yet." in (await guest.open()).text
    name = encode(Prefix.INVOICE, row["id"])
    assert (await guest.open(f"/invoices/{name}")).status == 404


async def edited(guest: Guest, **typed: str) -> Seen:
    """Send the form of billing details with something else in it."""
    return await guest.send(form_to(await guest.open("/details"), "/details"), **typed)


async def test_billing_details(world: World, web: FastAPI) -> None:
    """Address, VAT number and emails are changed, and stand on the next invoice."""
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)

    done = await edited(
        guest,
        country="DE",
        line1="Unter den Linden 1",
        city="Berlin",
        zip_code="10117",
        vat_number="DE136695976",
        invoicing_emails="a@globex.example\r\nb@globex.example, a@globex.example",
    )

    assert "Your billing details are saved." in done.text
    for told in ("Unter den Linden 1", "10117 Berlin", "Germany", "DE136695976"):
        assert told in done.text
    row = await world.one("select * from customers where id = $1", customer)
    assert row["invoicing_emails"] == ["a@globex.example", "b@globex.example"]
    assert (row["name"], row["vat_number"]) == ("Globex", "DE136695976")
    merchant = Merchant(world=world)
    await merchant.travel(date(2026, 4, 11))
    *_, renewal = await merchant.invoices()
    assert "Unter den Linden 1" in str(renewal["customer_details"])


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"vat_number": "FR12"}, "vat_number"),
        ({"country": ""}, "country"),
        ({"country": "XX"}, "country"),
        ({"line1": "x" * 256}, "line1"),
        ({"invoicing_emails": "nobody"}, "invoicing_emails"),
        ({"invoicing_emails": "a\0b@globex.example"}, "invoicing_emails"),
        (
            {"invoicing_emails": ",".join(f"a{n}@b.example" for n in range(21))},
            "invoicing_emails",
        ),
    ],
)
async def test_billing_details_that_cannot_be(
    world: World, web: FastAPI, typed: dict[str, str], field: str
) -> None:
    """What is wrong is told at its field, what was typed stays, and nothing is changed."""
    customer = await world.customer()
    guest = await enter(world, web, customer)
    before = await world.one("select * from customers where id = $1", customer)

    seen = await edited(guest, **{"city": "Lyon", **typed})

    assert seen.status == 400
    assert seen.error(field)
    assert 'value="Lyon"' in seen.response.text
    assert await world.one("select * from customers where id = $1", customer) == before


async def test_pages_of_invoices(world: World, web: FastAPI) -> None:
    """Twelve on a page, the newest first, with ways to the others."""
    customer, _ = await subscribed(world)
    await Merchant(world=world).travel(date(2027, 3, 11))
    guest = await enter(world, web, customer)

    first, second = await guest.open(), await guest.open("?page=1")

    assert ("INV-13" in first.text, "Older invoices" in first.text) == (True, True)
    assert "Newer invoices" not in first.text
    assert ("INV-1" in second.text, "Newer invoices" in second.text) == (True, True)
    assert "Older invoices" not in second.text


async def test_ended_subscriptions_are_folded(world: World, web: FastAPI) -> None:
    """What has ended is there on demand, without anything to press."""
    customer, _ = await subscribed(world)
    row = await world.one("select id from subscriptions")
    await Merchant(world=world).cancel(row["id"], TODAY)
    guest = await enter(world, web, customer)

    page = await guest.open()

    assert "You have no subscription." in page.text
    assert "1 ended subscription" in page.text
    assert [form.action for form in page.read.forms] == ["/portal/leave"]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Next charge: €49.00 on April 10, 2026"),
        ("fr", "Prochain prélèvement : 49,00 € le 10 avril 2026"),
        ("de", "Nächste Abbuchung: 49,00 € am 10. April 2026"),
        ("es", "Próximo cargo: 49,00 € el 10 de abril de 2026"),
    ],
)
async def test_in_the_customers_language(
    world: World, web: FastAPI, language: str, told: str
) -> None:
    """The customer's language comes first; one chosen in the footer wins and is kept."""
    customer, _ = await subscribed(world)
    await world.execute("update customers set preferred_locales = $1", [language])
    guest = await enter(world, web, customer, accept_language="it-IT")

    page = await guest.open()

    assert told in " ".join(page.response.text.split())
    assert f'<html lang="{language}">' in page.response.text
    chosen = await guest.open("/details?lang=fr")
    assert "Coordonnées de facturation" in chosen.text
    assert "Votre compte" in (await guest.open()).text


async def test_what_was_credited_was_not_paid(world: World, web: FastAPI) -> None:
    """An invoice of which nothing is due, because it was credited, is not said to be paid."""
    customer = await world.customer()
    name = await owing(world, customer)
    billed = Billed(world=world, customer_id=customer, id=decode(Prefix.INVOICE, name))
    await billed.credit(DebtCancellation())
    guest = await enter(world, web, customer)

    overview, page = await guest.open(), await guest.open(f"/invoices/{name}")

    for seen in (overview, page):
        assert "Credited" in seen.text
        assert "Paid" not in seen.text
