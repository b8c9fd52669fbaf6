"""What the page lets in, what it tells browsers to refuse, and what it never shows."""

import hashlib
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest

from tallystick.http import pages
from tallystick.http.app import create_app
from tallystick.http.checkout.visit import PAID_COOKIE
from tallystick.http.pages.chosen_language import LANGUAGE_COOKIE
from tallystick.http.pages.tokens import FORM_COOKIE
from tests.http.checkout.buyer import CARD, Buyer, Form, Seen, browser, link_of
from tests.http.checkout.conftest import Visit
from tests.world import World


def policy(response: httpx.Response) -> dict[str, list[str]]:
    """The directives of an answer's content security policy."""
    header = response.headers["content-security-policy"]
    return {
        name: sources
        for name, *sources in (directive.split() for directive in header.split(";"))
    }


def cookies(response: httpx.Response) -> SimpleCookie:
    """The cookies that an answer sets."""
    jar = SimpleCookie()
    for header in response.headers.get_list("set-cookie"):
        jar.load(header)
    return jar


async def test_the_policy_is_strict(visit: Visit) -> None:
    """Nothing inline, nothing foreign, no frame; forms lead to us and the success page only."""
    buyer = await visit(success_url="https://app.acme.example:8443/done?x=1")
    found = policy((await buyer.open()).response)

    assert found == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", "http://127.0.0.1:8484", "https://app.acme.example:8443"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }


async def test_a_logo_is_the_only_foreign_image(visit: Visit, world: World) -> None:
    """The merchant's logo may be loaded from its own origin."""
    await world.execute("update invoicing_entities set logo_url = 'https://cdn.acme.example/a'")
    buyer = await visit()
    page = await buyer.open()

    assert policy(page.response)["img-src"] == ["'self'", "https://cdn.acme.example"]
    assert '<img class="logo" src="https://cdn.acme.example/a"' in page.response.text


async def test_every_answer_carries_the_headers(visit: Visit) -> None:
    """Pages, redirects, fragments and refusals are not cached, framed or sniffed."""
    buyer = await visit()
    page = await buyer.open()
    redirect = await buyer.post(page.form, to=buyer.quote_url)
    fragment = await buyer.post(page.form, None, buyer.quote_url, **{"HX-Request": "true"})
    unknown = await buyer.client.get(buyer.link[:-1] + "!")
    refused = await buyer.client.post(buyer.quote_url, content=b"{}")

    for answer in (page.response, redirect, fragment, unknown, refused):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert "'unsafe" not in answer.headers["content-security-policy"]
    assert [answer.status_code for answer in (redirect, fragment, unknown, refused)] == [
        303,
        200,
        404,
        400,
    ]


async def test_nothing_inline_is_in_the_pages(visit: Visit) -> None:
    """No page has an inline style, script or handler that the policy would have to allow."""
    buyer = await visit(trial_duration_days=14)
    for text in ((await buyer.open()).response.text, (await buyer.open("!")).response.text):
        assert "style=" not in text
        assert "<style" not in text
        assert "<script>" not in text
        assert "onclick" not in text
        assert "hx-on" not in text


@pytest.mark.parametrize("damage", ["signature", "session", "garbage", "other"])
async def test_only_the_whole_link_opens(visit: Visit, damage: str) -> None:
    """A wrong signature, an unknown session and another session's signature open nothing."""
    buyer, other = await visit(), await visit()
    _, _, name, signature = buyer.link.split("/")
    links = {
        "signature": f"/checkout/{name}/{'A' * len(signature)}",
        "session": f"/checkout/che_7n42DGM5Tflk9n8mt7Fhc7/{signature}",
        "garbage": "/checkout/%00%ff/%E2%98%83",
        "other": f"/checkout/{name}/{other.link.split('/')[3]}",
    }
    page = await Buyer(buyer.client, links[damage]).open()

    assert page.status == 404
    assert "We cannot find this page" in page.text
    assert "Acme" not in page.text


async def test_a_part_of_a_link_is_a_page_too(visit: Visit) -> None:
    """A link that lost its end gets the page for unknown links, not an error body."""
    buyer = await visit()
    page = Seen.of(await buyer.client.get(buyer.link.rpartition("/")[0]))

    assert page.status == 404
    assert "We cannot find this page" in page.text


@pytest.mark.parametrize("path", ["/quote", "/confirm", "/another-method"])
async def test_a_forms_answer_can_be_loaded_again(visit: Visit, path: str) -> None:
    """Opening the address that a form was sent to leads back to the page."""
    buyer = await visit()
    answer = await buyer.client.get(buyer.link + path)

    assert (answer.status_code, answer.headers["location"]) == (303, buyer.link)


def test_our_own_files_are_small() -> None:
    """Styles, script and drawings of ours stay under 40 kB, uncompressed."""
    folder = Path(str(pages.__file__)).parent
    own = ("static/checkout.css", "static/checkout.js", "static/icon.svg")
    sizes = [(folder / name).stat().st_size for name in (*own, "templates/icons.html")]

    assert sum(sizes) < 40_000


def test_htmx_is_the_one_that_was_pinned() -> None:
    """The vendored file is the one whose hash is written beside it."""
    folder = Path(str(pages.__file__)).parent / "static"
    found = hashlib.sha256((folder / "htmx.min.js").read_bytes()).hexdigest()

    assert found in (folder / "README.md").read_text(encoding="utf-8")


async def test_only_the_button_marks_the_browser(visit: Visit) -> None:
    """Nobody sees a confirmation by coming back from the bank or asking how it stands."""
    buyer = await visit()
    await buyer.send((await buyer.open()).form, CARD)
    buyer.client.cookies.clear()
    for path in ("", "/return", "/status"):
        await buyer.open(path)
    form = Form("", {"csrf": buyer.client.cookies[FORM_COOKIE]})
    await buyer.send(form, to=f"{buyer.link}/another-method")

    assert "INV-" not in (await buyer.open()).text


async def test_a_link_shows_nothing_of_other_sessions(visit: Visit, world: World) -> None:
    """What one buyer typed is on that session's page alone, and not on the customer."""
    customer_id = await world.customer()
    first, second = await visit(customer_id=customer_id), await visit(customer_id=customer_id)
    page = await first.open()
    await first.send(page.form, {"line1": "Secret Lane 5"}, to=first.quote_url)

    assert "Secret Lane 5" in (await first.open()).response.text
    assert "Secret Lane 5" not in (await second.open()).response.text


@pytest.mark.parametrize("path", ["/quote", "/confirm", "/another-method"])
@pytest.mark.parametrize("forgery", ["no cookie", "no field", "other token", "other session"])
async def test_forms_come_from_our_page_only(
    visit: Visit, world: World, path: str, forgery: str
) -> None:
    """A form whose token is missing, foreign or another session's changes and buys nothing."""
    buyer, other = await visit(), await visit()
    page, foreign = await buyer.open(), await other.open()
    typed = {**CARD, "line1": "Forged Lane 1"}
    if forgery == "no cookie":
        buyer.client.cookies.clear()
    elif forgery == "no field":
        typed["csrf"] = ""
    elif forgery == "other token":
        typed["csrf"] = page.form.values["csrf"][:-1] + "_"
    else:
        token = foreign.form.values["csrf"]
        typed["csrf"] = token
        buyer.client.cookies.clear()
        buyer.client.cookies.set(FORM_COOKIE, token)
    answer = await buyer.send(page.form, typed, to=buyer.link + path)

    assert answer.status == 403
    assert "Nothing was charged." in answer.text
    assert await world.charges() == []
    assert "Forged Lane" not in (await buyer.open()).response.text


async def test_two_tabs_share_a_token(visit: Visit) -> None:
    """A second tab of the same browser does not make the first tab's form stale."""
    buyer = await visit()
    first = await buyer.open()
    await buyer.open()
    answer = await buyer.send(first.form, CARD)

    assert "You are subscribed" in answer.text


async def test_cookies_are_closed(visit: Visit) -> None:
    """The page's cookies are for its own session, HttpOnly and SameSite=Lax."""
    buyer = await visit()
    page = await buyer.open()
    paid = await buyer.post(page.form, CARD)
    form_cookie = cookies(page.response)[FORM_COOKIE]
    paid_cookie = cookies(paid)[PAID_COOKIE]
    name = buyer.link.split("/")[2]

    for cookie in (form_cookie, paid_cookie):
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "lax"
        assert cookie["path"] == f"/checkout/{name}"
    assert paid_cookie["max-age"] == "86400"


async def test_https_makes_cookies_secure(world: World) -> None:
    """Where buyers come over https the cookies travel over nothing else."""
    object.__setattr__(world.app, "public_url", "https://pay.example.com/billing")
    session_id = await world.session(await world.customer(), await world.plan())
    async with browser(create_app(world.app)) as client:
        buyer = Buyer(client, link_of(world, session_id))
        page = await buyer.open()
        chosen = await client.get(buyer.link, params={"lang": "de"})

    assert cookies(page.response)[FORM_COOKIE]["secure"] is True
    assert cookies(chosen)[LANGUAGE_COOKIE]["secure"] is True
    assert page.form.action.startswith("/billing/checkout/")
    assert 'href="/billing/assets/checkout/checkout.' in page.response.text


async def test_the_language_is_kept(visit: Visit) -> None:
    """The browser's language is spoken, and the one chosen in the footer is remembered."""
    buyer = await visit(headers={"Accept-Language": "de-AT,de;q=0.8"})
    german = await buyer.open()

    assert '<html lang="de">' in german.response.text
    assert "Zahlungspflichtig bestellen" in german.text
    assert "€ 49,00" in german.text

    answer = await buyer.client.get(buyer.link, params={"lang": "es"})

    assert answer.status_code == 303
    assert cookies(answer)[LANGUAGE_COOKIE].value == "es"
    assert "Pagar 49,00" in (await buyer.open()).text
    assert "No encontramos esta página" in (await buyer.open("!")).text


async def test_the_customers_language_comes_first(visit: Visit, world: World) -> None:
    """A customer whose record names a language gets it, whatever the browser says."""
    customer_id = await world.customer(preferred_locales=["fr-FR"])
    buyer = await visit(customer_id=customer_id, headers={"Accept-Language": "de"})

    assert "Payer 49,00" in (await buyer.open()).text


async def test_what_is_typed_is_escaped(visit: Visit) -> None:
    """Markup in a field, a code or a plan's name stays text."""
    buyer = await visit()
    page = await buyer.open()
    attack = '"><script>alert(1)</script>'
    answer = await buyer.send(page.form, {"city": attack, "code": attack}, to=buyer.quote_url)

    assert "<script>alert" not in answer.response.text
    assert answer.form.values["city"] == attack


@pytest.mark.parametrize(
    "body",
    [
        b"csrf=%ff",
        b"name=" + b"x" * 300_000,
        b"&".join(b"a%d=1" % number for number in range(100)),
        "name=\u00e9".encode(),
    ],
    ids=["bytes", "long", "many", "unescaped"],
)
async def test_a_form_that_is_no_form_is_refused(visit: Visit, body: bytes) -> None:
    """A body that no browser sends is refused before it is looked at."""
    buyer = await visit()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await buyer.client.post(buyer.quote_url, content=body, headers=headers)

    assert answer.status_code == 400
    assert "We could not read that" in answer.text


async def test_htmx_gets_fragments(visit: Visit) -> None:
    """An update by htmx answers the parts that change, and never the payment fields."""
    buyer = await visit()
    page = await buyer.open()
    answer = await buyer.post(
        page.form, {"country": "DE"}, buyer.quote_url, **{"HX-Request": "true"}
    )

    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="summary">')
    assert 'id="finish" hx-swap-oob="true"' in answer.text
    assert "Total updated. Due today: €49.00" in answer.text
    assert "card_number" not in answer.text


async def test_htmx_is_sent_on_when_the_session_has_ended(visit: Visit) -> None:
    """An update of a session that was bought in another tab loads its page."""
    buyer = await visit()
    page = await buyer.open()
    await buyer.send(page.form, CARD)
    answer = await buyer.post(page.form, None, buyer.quote_url, **{"HX-Request": "true"})

    assert answer.headers["hx-redirect"] == buyer.link


async def test_files_are_kept_by_their_hash(visit: Visit) -> None:
    """A file under its own hash is kept for a year; under an old one it is not kept."""
    buyer = await visit()
    page = (await buyer.open()).response.text
    start = page.index("/assets/checkout/checkout.")
    address = page[start : page.index('"', start)]
    kept = await buyer.client.get(address)
    stem, _, _ = address.rsplit(".", 2)
    old = await buyer.client.get(f"{stem}.{'0' * 12}.css")
    unknown = await buyer.client.get("/assets/checkout/..%2f..%2fpage.000000000000.py")

    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.headers["content-type"].startswith("text/css")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
    assert unknown.status_code == 404


async def test_success_in_any_script_is_one_address(visit: Visit) -> None:
    """A success page that is not in ASCII is reached by form, by poll and by link alike."""
    buyer = await visit(success_url="https://münchen.example/gekauft/☃?gruß=ja")
    page = await buyer.open()
    paid = await buyer.post(page.form, CARD)
    polled = await buyer.client.get(f"{buyer.link}/status", headers={"HX-Request": "true"})
    name = buyer.link.split("/")[2]
    expected = (
        "https://xn--mnchen-3ya.example/gekauft/%E2%98%83"
        f"?gru%C3%9F=ja&checkout_session_id={name}"
    )

    assert paid.headers["location"] == polled.headers["hx-redirect"] == expected
    assert expected.replace("&", "&amp;") in (await buyer.open()).response.text


async def test_success_at_no_address_stays_here(visit: Visit, world: World) -> None:
    """After the money was taken no address that is kept can make the answer fail."""
    buyer = await visit(success_url="https://[")
    done = await buyer.send((await buyer.open()).form, CARD)

    assert done.status == 200
    assert "You are subscribed to Pro" in done.text
    assert await world.charges() == [4900]


async def test_a_part_of_a_link_gets_a_page(visit: Visit) -> None:
    """Whoever opens a link that was cut off anywhere is told so on a page."""
    buyer = await visit()
    session = buyer.link.rpartition("/")[0]
    for address in ("/checkout", "/checkout/", session, f"{session}/", buyer.link[:-5]):
        page = Seen.of(await buyer.client.get(address))
        assert page.status == 404
        assert "We cannot find this page" in page.text


async def test_a_scanner_looks_without_reading(visit: Visit) -> None:
    """HEAD, by which scanners look at a link in a mail, answers as GET without a body."""
    buyer = await visit()
    read = await buyer.client.get(buyer.link)
    looked = await buyer.client.head(buyer.link)
    unknown = await buyer.client.head(f"{buyer.link}x")

    assert (looked.status_code, unknown.status_code) == (200, 404)
    assert looked.content == unknown.content == b""
    assert looked.headers["content-type"] == read.headers["content-type"]
