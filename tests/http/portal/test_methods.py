"""A customer adds a payment method, chooses one, and takes one away."""

from dataclasses import replace
from uuid import UUID

import pytest
from fastapi import FastAPI

from tallystick.domain.ids import Prefix, encode
from tallystick.domain.payment import Unknown
from tallystick.http.app import create_app
from tallystick.services.confirm_result import Completed
from tallystick.services.portal_token import PortalScope
from tests.http.checkout.buyer import CARD
from tests.http.checkout.test_doors import policy
from tests.http.portal.test_managing import subscribed
from tests.mounted_bank import MODULE, UNKNOWN, MountedBank
from tests.portals import Guest, enter, form_to
from tests.scripted_bank import ScriptedBank, lost, says, with_bank
from tests.soundness import assert_sound
from tests.world import World

MASTERCARD = CARD | {"card_number": "5555555555554444"}
CHALLENGED = CARD | {"card_number": "4000002500003155"}
ORIGIN = "https://js.bank.example"


async def adding(guest: Guest, method: str = "CARD", **typed: str) -> tuple[str, int]:
    """What the customer sees after sending the form of a new method, and the status."""
    page = await guest.open("/methods/add")
    seen = await guest.send(form_to(page, "/methods/add"), method=method, **typed)
    return seen.text, seen.status


async def charged_to(world: World) -> str | None:
    """The last digits of the card that the subscription is charged to."""
    row = await world.one(
        "select m.card_last4 from subscriptions s left join payment_methods m "
        "on m.tenant_id = s.tenant_id and m.id = s.payment_method_id"
    )
    last4: str | None = row["card_last4"]
    return last4


async def test_a_card_is_added_and_charged(world: World, web: FastAPI) -> None:
    """It is saved without a charge, and the subscription is charged to it from now on."""
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)
    page = await guest.open("/methods/add")
    assert "you allow Acme Cloud SAS to keep this payment method" in page.text

    text, _ = await adding(guest, **MASTERCARD)

    assert "The payment method is saved and will be charged from now on." in text
    assert "Mastercard ending in 4444 Valid until 12/2040 Charged for your subscr" in text
    assert await charged_to(world) == "4444"
    assert await world.charges() == [4900]
    row = await world.one("select state, consent ->> 'text' as text from method_setups")
    assert row["state"] == "SUCCEEDED"
    assert row["text"].startswith("By saving it, you allow Acme Cloud SAS")
    await assert_sound(world)


async def test_a_form_that_is_sent_twice(world: World, web: FastAPI) -> None:
    """The same form adds one method."""
    customer = await world.customer()
    guest = await enter(world, web, customer)
    form = form_to(await guest.open("/methods/add"), "/methods/add")
    for _ in range(2):
        assert (await guest.send(form, method="CARD", **CARD)).status == 200

    assert len(await world.fetch("select id from payment_methods")) == 1


async def test_a_debit_is_added(world: World, web: FastAPI) -> None:
    """Its mandate is shown, with the reference that it gets, and kept with its wording."""
    customer = await world.customer()
    guest = await enter(world, web, customer)
    page = await guest.open("/methods/add")
    assert "you authorise Acme Cloud SAS to send instructions" in page.text
    form = form_to(page, "/methods/add")
    typed = {"iban": "DE89370400440532013000", "account_holder": "Dana"}
    seen = await guest.send(form, method="DIRECT_DEBIT", **typed)

    assert "Bank account ending in 3000" in seen.text
    row = await world.one(
        "select m.mandate_reference, s.consent ->> 'text' as text from payment_methods m "
        "join method_setups s on s.tenant_id = m.tenant_id and s.id = m.id"
    )
    assert row["mandate_reference"] in page.text
    assert "refund from your bank" in row["text"]
    assert "advance notice" not in row["text"]


async def test_no_debit_where_another_currency_is_charged(world: World, web: FastAPI) -> None:
    """What is added is charged for every subscription, and a mandate is in one currency."""
    customer = await world.customer()
    guest = await enter(world, web, customer)
    form = form_to(await guest.open("/methods/add"), "/methods/add")
    session = await world.session(customer, await world.plan(name="Abroad", currency="GBP"))
    assert await world.confirm(session) == Completed()

    page = await guest.open("/methods/add")
    typed = {"iban": "DE89370400440532013000", "account_holder": "Dana"}
    late = await guest.send(form, method="DIRECT_DEBIT", **typed)

    assert "SEPA" not in page.text
    assert late.status == 400
    assert await world.fetch("select from payment_methods where kind <> 'CARD'") == []


@pytest.mark.parametrize(
    ("number", "told", "status"),
    [
        ("4000000000000002", "Your bank declined the payment.", 409),
        ("4242424242424241", "This is not a valid card number.", 400),
    ],
)
async def test_a_card_that_is_refused(
    world: World, web: FastAPI, number: str, told: str, status: int
) -> None:
    """A decline and a wrong number say so; nothing is saved, and nothing else is charged."""
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)
    seen = await adding(guest, **(CARD | {"card_number": number}))

    assert seen[1] == status
    assert told in seen[0]
    assert len(await world.fetch("select id from payment_methods")) == 1
    assert await charged_to(world) == "4242"


async def test_3d_secure(world: World, web: FastAPI) -> None:
    """The bank asks; approved there, the method is saved on the way back."""
    customer = await world.customer()
    guest = await enter(world, web, customer)
    form = form_to(await guest.open("/methods/add"), "/methods/add")
    values = {**form.values, "method": "CARD", **CHALLENGED}
    answer = await guest.client.post(form.action, data=values)
    bank = await guest.follow(answer)
    row = await world.one("select id, reference from method_setups")
    name = encode(Prefix.PAYMENT_METHOD, row["id"])

    assert answer.headers["location"].startswith("http://127.0.0.1:8484/sandbox/challenge/")
    assert "Confirm saving this card" in bank.text
    early = await guest.open(f"/methods/{name}/return")
    assert "The confirmation with your bank was not finished." in early.text

    await world.sandbox.answer_challenge(world.tenant_id, row["reference"], approve=True)
    back = await guest.open(f"/methods/{name}/return")

    assert "The payment method is saved" in back.text
    assert "Visa ending in 3155" in back.text
    again = await guest.open(f"/methods/{name}/return")
    assert again.status == 200
    assert len(await world.fetch("select id from payment_methods")) == 1


async def test_an_answer_that_is_lost(world: World) -> None:
    """Without an answer nothing is said to be saved; looking again saves it once."""
    bank = ScriptedBank(world.sandbox)
    bank.script("confirm", lost)
    bank.script("look", says(Unknown()))
    world = with_bank(world, bank)
    guest = await enter(world, create_app(world.app), await world.customer())
    text, _ = await adding(guest, **CARD)
    assert "The payment service has not answered yet." in text
    row = await world.one("select id from method_setups")
    path = f"/methods/{encode(Prefix.PAYMENT_METHOD, row['id'])}/return"

    assert "has not answered yet" in (await guest.open(path)).text
    assert "The payment method is saved" in (await guest.open(path)).text
    assert bank.calls.count("save_method") == 1


async def test_the_last_method_stays_while_something_is_charged(
    world: World, web: FastAPI
) -> None:
    """What the subscription needs cannot be removed before there is another."""
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)
    first = await _only_method(world)
    asked = await guest.open(f"/methods/{first}/remove")
    assert "Remove Visa ending in 4242?" in asked.text
    refused = await guest.send(form_to(asked, "/remove"))

    assert refused.status == 409
    assert "there is no other. Add another one first." in refused.text

    await adding(guest, **MASTERCARD)
    removed = await guest.send(form_to(asked, "/remove"))

    assert "The payment method is removed." in removed.text
    assert "4242" not in removed.text
    assert (await guest.open(f"/methods/{first}/remove")).status == 404
    await assert_sound(world)


async def test_another_method_is_chosen(world: World, web: FastAPI) -> None:
    """The one that is chosen is charged from now on."""
    customer, _ = await subscribed(world)
    guest = await enter(world, web, customer)
    first = await _only_method(world)
    await adding(guest, **MASTERCARD)
    assert await charged_to(world) == "4444"

    seen = await guest.send(form_to(await guest.open(), f"/methods/{first}/use"))

    assert "This payment method will be charged from now on." in seen.text
    assert await charged_to(world) == "4242"


async def test_who_may_only_look_adds_nothing(world: World, web: FastAPI) -> None:
    """A token for looking shows no button, and no form of hers is taken."""
    customer, _ = await subscribed(world)
    manager = await enter(world, web, customer)
    form = form_to(await manager.open("/methods/add"), "/methods/add")
    method = await _only_method(world)
    looker = await enter(world, web, customer, [PortalScope.READ])
    overview = await looker.open()

    assert "Add a payment method" not in overview.text
    assert "Visa" in (await looker.open("/methods/add")).text
    csrf = overview.form.values["csrf"]
    for path, values in (
        ("/portal/methods/add", {**form.values, "csrf": csrf, "method": "CARD", **CARD}),
        (f"/portal/methods/{method}/use", {"csrf": csrf}),
        (f"/portal/methods/{method}/remove", {"csrf": csrf}),
    ):
        assert (await looker.client.post(path, data=values)).status_code == 403
    assert len(await world.fetch("select id from payment_methods")) == 1


async def test_methods_of_others_are_out_of_reach(world: World, web: FastAPI) -> None:
    """Another customer's methods and setups are not there."""
    customer, _ = await subscribed(world)
    await adding(await enter(world, web, customer), **MASTERCARD)
    rows = await world.fetch("select id from payment_methods")
    other = await enter(world, web, await world.customer(name="Initech", alias="initech"))
    csrf = (await other.open()).form.values["csrf"]
    for row in rows:
        path = f"/portal/methods/{encode(Prefix.PAYMENT_METHOD, row['id'])}"
        for page in ("/remove", "/return", "/bank"):
            assert (await other.client.get(path + page)).status_code == 404
        for page in ("/remove", "/use"):
            sent = await other.client.post(path + page, data={"csrf": csrf})
            assert sent.status_code == 404


async def test_a_mounted_panel(world: World) -> None:
    """The provider's script is let in on this page alone; the token is all that is sent."""
    bank = MountedBank(world.database, ORIGIN, "https://hooks.bank.example")
    app = replace(world.app, providers={"sandbox": bank}, panel_modules={"stripe": MODULE})
    world = replace(world, app=app, ctx=replace(world.ctx, app=app))
    guest = await enter(world, create_app(app), await world.customer())
    page = await guest.open("/methods/add")
    place = page.read.ids["payment_token"]
    found = policy(page.response)

    assert found["script-src"] == ["'self'", ORIGIN]
    assert found["frame-src"] == [ORIGIN]
    assert "frame-src" not in policy((await guest.open()).response)
    assert (place["data-amount"], place["data-name"]) == ("0", "Globex")
    assert "data-city" not in place

    form = form_to(page, "/methods/add")
    none = await guest.send(form, method="CARD")
    assert "JavaScript must be switched on" in none.text
    wrong = await guest.send(form, method="CARD", payment_token=UNKNOWN)
    assert "The payment service did not accept these details." in wrong.text

    sent = {**form.values, "method": "CARD", "payment_token": "pm_4000002500003155"}
    answer = await guest.client.post(form.action, data=sent)
    assert answer.headers["location"].endswith("/bank")
    assert answer.headers["location"].startswith("/portal/methods/")
    way = await guest.follow(answer)
    assert '<meta http-equiv="refresh" content="0; url=https://hooks.bank' in way.response.text


async def _only_method(world: World) -> str:
    row = await world.one("select id from payment_methods")
    found: UUID = row["id"]
    return encode(Prefix.PAYMENT_METHOD, found)


async def test_coming_back_is_answered_as_often_as_its_pace_allows(world: World) -> None:
    """A page that is loaded again and again asks the provider twice, and no more."""
    bank = ScriptedBank(world.sandbox)
    bank.script("confirm", lost)
    bank.script("look", *[says(Unknown())] * 4)
    world = with_bank(world, bank)
    web = create_app(world.app, page_posts_per_minute=2)
    guest = await enter(world, web, await world.customer())
    form = form_to(await guest.open("/methods/add"), "/methods/add")
    await guest.client.post(form.action, data={**form.values, "method": "CARD", **CARD})
    row = await world.one("select id from method_setups")
    name = encode(Prefix.PAYMENT_METHOD, row["id"])

    answers = [
        await guest.client.get(f"/portal/methods/{name}/{page}")
        for page in ("return", "bank", "return", "bank")
    ]

    assert [one.status_code for one in answers] == [200, 200, 429, 429]
    assert bank.calls.count("look") == 2
    assert int(answers[-1].headers["retry-after"]) > 0
