"""Who is let into the portal, what it tells browsers to refuse, and what it never shows."""

from http.cookies import SimpleCookie
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from meteroid import AsyncMeteroid
from meteroid.errors import BadRequestError, NotFoundError

from tallystick.db.engine import Database
from tallystick.domain.ids import Prefix, encode
from tallystick.domain.offer import ExternalPayment
from tallystick.http.app import create_app
from tallystick.http.portal.visit import COOKIE
from tallystick.services.api_keys import create_api_key
from tallystick.services.confirm_result import Completed
from tallystick.services.portal_token import PortalScope
from tests.http.checkout.buyer import browser
from tests.portals import Guest, enter, form_to, link_of
from tests.world import PUBLIC_URL, World, open_world

Bought = tuple[UUID, UUID, UUID]


async def bought(world: World, name: str) -> Bought:
    """A customer with a subscription and its invoice, which nobody has paid."""
    customer = await world.customer(name, vat_number=f"{name} number")
    session = await world.session(
        customer,
        await world.plan(name=f"Plan of {name}"),
        payment=ExternalPayment(),
        charge_automatically=False,
    )
    assert await world.confirm(session, chooses=False, agrees=False) == Completed()
    row = await world.one(
        "select s.id as subscription, i.id as invoice from subscriptions s"
        " join invoices i on i.subscription_id = s.id where s.customer_id = $1",
        customer,
    )
    return customer, row["subscription"], row["invoice"]


async def test_the_token_leaves_the_address(world: World, web: FastAPI) -> None:
    """It goes into a cookie that scripts cannot read and other pages do not get."""
    link = await link_of(world, await world.customer(), seconds=90)
    client = browser(web)

    answer = await client.get(link.removeprefix(PUBLIC_URL))

    assert (answer.status_code, answer.headers["location"]) == (303, "/portal")
    assert answer.headers["referrer-policy"] == "no-referrer"
    jar: SimpleCookie = SimpleCookie()
    jar.load(answer.headers["set-cookie"])
    cookie = jar[COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/portal", True, "lax")
    assert 80 <= int(cookie["max-age"]) <= 90
    page = await client.get("/portal")
    assert page.status_code == 200
    assert cookie.value not in page.text


async def test_nobody_enters_without_a_token(world: World, web: FastAPI) -> None:
    """No cookie, a forged token, a forged cookie: a page says so, in the browser's language."""
    _, subscription, invoice = await bought(world, "Globex")
    client = browser(web, **{"accept-language": "de"})
    answers = [
        await client.get("/portal"),
        await client.get("/portal?token=forged"),
        await client.get("/portal/details"),
        await client.get(f"/portal/invoices/{encode(Prefix.INVOICE, invoice)}"),
        await client.post("/portal/details", data={"csrf": "x"}),
        await client.post(
            f"/portal/subscriptions/{encode(Prefix.SUBSCRIPTION, subscription)}/cancel"
        ),
        await client.get("/portal", headers={"cookie": f"{COOKIE}=forged"}),
    ]

    for answer in answers:
        assert answer.status_code == 401
        assert "Dieser Link ist abgelaufen" in answer.text
        assert "Globex" not in answer.text


async def test_every_answer_carries_the_headers(world: World, web: FastAPI) -> None:
    """Nothing inline, nothing foreign, no frame, not kept; the merchant's logo is let in."""
    await world.execute("update invoicing_entities set logo_url = 'https://cdn.acme.example/a'")
    customer, subscription, _ = await bought(world, "Globex")
    guest = await enter(world, web, customer)
    name = encode(Prefix.SUBSCRIPTION, subscription)
    pages = [
        (await guest.open()).response,
        (await guest.open("/details")).response,
        (await guest.open(f"/subscriptions/{name}/cancel")).response,
    ]

    for page in pages:
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "img-src 'self' https://cdn.acme.example;" in policy
        assert "form-action 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert "<script" not in page.text
        assert " style=" not in page.text
    sheet = pages[0].text.partition('href="/assets/portal/')[2].partition('"')[0]
    found = await guest.client.get(f"/assets/portal/{sheet}")
    assert found.headers["content-type"].startswith("text/css")
    assert "immutable" in found.headers["cache-control"]
    assert (await guest.client.get("/assets/portal/nothing.css")).status_code == 404


async def test_one_customer_never_sees_another(world: World, web: FastAPI) -> None:
    """Every address and every form with another's ids is as unknown as one that nobody has."""
    mine, *_ = await bought(world, "Mine")
    _, subscription, invoice = await bought(world, "Theirs")
    guest = await enter(world, web, mine)
    overview = await guest.open()
    csrf = overview.read.forms[0].values["csrf"]
    theirs = encode(Prefix.SUBSCRIPTION, subscription)
    billed = encode(Prefix.INVOICE, invoice)
    own = await world.one("select id from invoices where customer_id = $1", mine)
    own_name = encode(Prefix.INVOICE, own["id"])
    pay = await guest.open(f"/invoices/{own_name}")

    async def post(path: str, **fields: str) -> httpx.Response:
        return await guest.client.post(f"/portal{path}", data={"csrf": csrf, **fields})

    answers = [
        await guest.client.get(f"/portal/invoices/{billed}"),
        await guest.client.get(f"/portal/invoices/{billed}/invoice.pdf"),
        await guest.client.get(f"/portal/subscriptions/{theirs}/cancel"),
        await post(f"/subscriptions/{theirs}/cancel"),
        await post(f"/subscriptions/{theirs}/keep"),
        await guest.client.get("/portal/invoices/nonsense"),
    ]

    assert [one.status_code for one in answers] == [404] * len(answers)
    stolen = await post(f"/invoices/{billed}/pay", **{"try": "x.y"})
    assert stolen.status_code == 403
    for one in (overview.text, pay.text, *(answer.text for answer in answers)):
        assert "Theirs" not in one
    row = await world.one("select cancelled_on from subscriptions where id = $1", subscription)
    assert row["cancelled_on"] is None
    assert await world.charges() == []


async def test_another_tenants_things_are_unknown(
    world: World, web: FastAPI, db: Database
) -> None:
    """The ids of another merchant's things open nothing."""
    mine, *_ = await bought(world, "Mine")
    _, subscription, invoice = await bought(await open_world(db), "Foreign")
    guest = await enter(world, web, mine)
    paths = (
        f"/invoices/{encode(Prefix.INVOICE, invoice)}",
        f"/subscriptions/{encode(Prefix.SUBSCRIPTION, subscription)}/cancel",
    )

    assert [(await guest.open(path)).status for path in paths] == [404, 404]


async def test_forms_that_are_not_ours(world: World, web: FastAPI) -> None:
    """Without the mark of this browser's token nothing is done, nor with another's."""
    customer, subscription, _ = await bought(world, "Globex")
    guest = await enter(world, web, customer)
    stranger = await enter(world, web, await world.customer("Stranger"))
    foreign = (await stranger.open()).read.forms[0].values["csrf"]
    name = encode(Prefix.SUBSCRIPTION, subscription)

    for csrf in ("", "x", foreign):
        for path in (f"/subscriptions/{name}/cancel", "/details", "/leave"):
            answer = await guest.client.post(f"/portal{path}", data={"csrf": csrf})
            assert answer.status_code == 403
    row = await world.one("select cancelled_on from subscriptions where id = $1", subscription)
    assert row["cancelled_on"] is None


async def test_a_token_to_read_changes_nothing(world: World, web: FastAPI) -> None:
    """Nothing to press is shown, and what is sent all the same is refused."""
    customer, subscription, invoice = await bought(world, "Globex")
    guest = await enter(world, web, customer, [PortalScope.READ])
    overview = await guest.open()
    name = encode(Prefix.SUBSCRIPTION, subscription)
    billed = encode(Prefix.INVOICE, invoice)

    assert "You can look at everything here" in overview.text
    assert [form.action for form in overview.read.forms] == ["/portal/leave"]
    csrf = overview.read.forms[0].values["csrf"]
    for path in (f"/subscriptions/{name}/cancel", f"/subscriptions/{name}/keep", "/details"):
        answer = await guest.client.post(f"/portal{path}", data={"csrf": csrf})
        assert (answer.status_code, "This cannot be done here" in answer.text) == (403, True)
    assert (await guest.open(f"/subscriptions/{name}/cancel")).response.url.path == "/portal"
    assert "pay-form" not in (await guest.open(f"/invoices/{billed}")).response.text


async def test_signing_out(world: World, web: FastAPI) -> None:
    """The cookie is gone, and the portal is shut until a link is opened again."""
    guest = await enter(world, web, await world.customer())
    left = await guest.send(form_to(await guest.open(), "/leave"))

    assert "You are signed out" in left.text
    assert (await guest.open()).status == 401


async def test_too_many_forms(world: World) -> None:
    """Forms are limited by address and by customer, as on the checkout page."""
    web = create_app(world.app, page_posts_per_minute=2)
    guest = await enter(world, web, await world.customer())
    answers = [await guest.client.post("/portal/details", data={"csrf": "x"}) for _ in range(3)]

    assert [one.status_code for one in answers] == [403, 403, 429]
    assert "retry-after" in answers[-1].headers


async def test_what_cannot_be_read(world: World, web: FastAPI) -> None:
    """A page that is no number, a form that is no form: a page, and no defect."""
    guest = await enter(world, web, await world.customer())

    assert (await guest.client.get("/portal?page=x")).status_code == 400
    assert (await guest.client.get("/portal?page=-1")).status_code == 400
    assert (await guest.client.get("/portal?page=99999")).status_code == 200
    nowhere = await guest.client.get("/portal/leave")
    assert (nowhere.status_code, "cannot find this page" in nowhere.text) == (404, True)
    assert (await guest.client.post("/portal/details", content=b"{}")).status_code == 400


async def test_the_client_makes_a_token(world: World, web: FastAPI) -> None:
    """What the official client reads opens the portal; its bounds are told."""
    async with world.app.transaction() as tx:
        key = await create_api_key(world.ctx.within(tx), "test")
    customer = await world.customer(alias="globex")
    async with web.router.lifespan_context(web), browser(web) as http:
        sdk = AsyncMeteroid(
            api_key=key.secret, base_url=PUBLIC_URL, http_client=http, max_retries=0
        )
        made = await sdk.customers.create_portal_token("globex", expires_in_seconds=60)
        plain = await sdk.customers.create_portal_token(encode(Prefix.CUSTOMER, customer))
        for seconds in (59, 2_592_001):
            with pytest.raises(BadRequestError, match="expires_in_seconds"):
                await sdk.customers.create_portal_token("globex", expires_in_seconds=seconds)
        with pytest.raises(BadRequestError, match="scopes"):
            await sdk.customers.create_portal_token("globex", scopes=[])
        with pytest.raises(NotFoundError):
            await sdk.customers.create_portal_token("nobody")
        headers = {"Authorization": f"Bearer {key.secret}", "Idempotency-Key": "once"}
        path = "/api/v1/customers/globex/portal-token"
        first = await http.post(path, headers=headers)
        again = await http.post(path, headers=headers)

    assert made.portal_link == f"{made.portal_url}?token={made.token}"
    assert (made.portal_url, made.api_url) == (f"{PUBLIC_URL}/portal", PUBLIC_URL)
    assert (plain.expires_at - made.expires_at).total_seconds() >= 86_400 - 61
    guest = Guest(browser(web))
    opened = await guest.client.get(made.portal_link.removeprefix(PUBLIC_URL))
    assert (await guest.follow(opened)).status == 200
    assert (first.status_code, again.status_code) == (200, 409)
    assert "shown once" in again.json()["message"]
    kept = await world.one("select answer from idempotency_keys where key = 'once'")
    assert first.json()["token"] not in kept["answer"]


async def test_a_language_is_chosen_below_a_path(world: World) -> None:
    """What stands in front of us takes the path off an address; the way back has it."""
    object.__setattr__(world.app, "public_url", "https://pay.example.com/billing")
    async with browser(create_app(world.app)) as client:
        chosen = await client.get("/portal", params={"lang": "de"})

    assert chosen.headers["location"] == "/billing/portal"


async def test_a_link_is_taken_back(world: World, web: FastAPI) -> None:
    """One token alone, by itself; every one, when none is named. Who is inside is outside."""
    customer = await world.customer(alias="globex")
    async with world.app.transaction() as tx:
        key = await create_api_key(world.ctx.within(tx), "server")
    lost, other = [await link_of(world, customer) for _ in range(2)]
    guest = Guest(browser(web))
    assert (await guest.follow(await guest.client.get(lost))).status == 200
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(web), base_url=f"{PUBLIC_URL}/api/v1/customers/globex"
    ) as merchant:
        merchant.headers["Authorization"] = f"Bearer {key.secret}"
        path = "/portal-token/revoke"
        token = lost.partition("=")[2]
        wrong = await merchant.post(path, json={"token": f"{token}x"})
        one = await merchant.post(path, json={"token": token})
        shut = await guest.client.get("/portal")
        still = await browser(web).get(other)
        every = await merchant.post(path)
        late = await browser(web).get(other)

    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "token")
    assert (one.status_code, shut.status_code) == (204, 401)
    assert (still.status_code, every.status_code, late.status_code) == (303, 204, 401)
