"""How fast forms may be sent to the page, and how often codes may be guessed."""

from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial

import httpx
import pytest

from tallystick.domain.coupons import Percentage
from tallystick.domain.errors import RateLimited
from tallystick.http.app import create_app
from tallystick.http.checkout import router
from tallystick.http.pages import pace as pace_module
from tallystick.http.pages.pace import GUESSES_MAX, KEYS_MAX, Buckets, Pace
from tallystick.services.claim import ATTEMPTS_PER_SESSION_MAX
from tests.http.checkout.buyer import CARD, Buyer, Seen, browser, link_of
from tests.http.checkout.conftest import Visit
from tests.real_time import sweep
from tests.scripted_bank import ScriptedBank, with_bank
from tests.world import World

PER_MINUTE = 3
QUESTION_IS_LOST = "4000000000009987"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time in seconds."""
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of every page that is served here: it stands, however slow the machine is."""
    clock = Clock()
    monkeypatch.setattr(router, "Pace", partial(Pace, clock=clock))
    return clock


def passes(pace: Pace, address: str) -> bool:
    """Whether a form from an address is let in."""
    try:
        pace.sent_from(address)
    except RateLimited:
        return False
    return True


@pytest.fixture
async def limited(world: World) -> AsyncIterator[Buyer]:
    """A buyer where three forms a minute may be sent."""
    session_id = await world.session(await world.customer(), await world.plan())
    web = create_app(world.app, page_posts_per_minute=PER_MINUTE)
    async with browser(web) as client:
        yield Buyer(client, link_of(world, session_id))


def test_a_bucket_fills_again_with_time() -> None:
    """As many as the limit at once, then one each time another has run in."""
    clock = Clock()
    pace = Pace(60, clock)

    assert [passes(pace, "192.0.2.1") for _ in range(61)] == [True] * 60 + [False]
    with pytest.raises(RateLimited) as refused:
        pace.sent_from("192.0.2.1")
    assert refused.value.retry_after_seconds == 1
    assert passes(pace, "192.0.2.2")
    clock.now += 1
    assert [passes(pace, "192.0.2.1") for _ in range(2)] == [True, False]
    clock.now += 3600
    assert sum(passes(pace, "192.0.2.1") for _ in range(100)) == 60


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_a_subscriber_counts_once(one: str, other: str, expected: bool) -> None:
    """All addresses of an IPv6 network are one; IPv4 addresses are each their own."""
    pace = Pace(1, Clock())

    assert passes(pace, one)
    assert passes(pace, other) is not expected


def test_without_a_limit_nobody_waits() -> None:
    """A limit of zero is none."""
    pace = Pace(0, Clock())

    assert all(passes(pace, "192.0.2.1") for _ in range(1000))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the keys that are remembered, the one that was unused for longest is forgotten."""
    assert KEYS_MAX == 10_000
    monkeypatch.setattr(pace_module, "KEYS_MAX", 3)
    buckets = Buckets(1, 60, Clock())
    for key in ("a", "b", "c"):
        buckets.take(key)
    buckets.give_back("a")
    buckets.take("d")

    assert len(buckets) == 3
    assert buckets.take("b")


def test_only_wrong_codes_count() -> None:
    """The same code again and the right ones cost nothing; ten wrong ones are enough."""
    clock = Clock()
    pace = Pace(0, clock)
    for number in range(GUESSES_MAX):
        assert pace.guess("che_1", f"WRONG{number}")
        assert not pace.guess("che_1", f"WRONG{number}")
        if number < GUESSES_MAX - 1:
            assert pace.guess("che_1", "RIGHT")
            pace.was_right("che_1")

    with pytest.raises(RateLimited) as refused:
        pace.guess("che_1", "RIGHT")
    assert refused.value.retry_after_seconds == 60
    assert pace.guess("che_2", "OTHER")
    clock.now += 60
    assert pace.guess("che_1", "RIGHT")


@pytest.mark.parametrize("path", ["/quote", "/confirm", "/another-method"])
async def test_too_many_forms_are_told_to_wait(
    limited: Buyer, world: World, clock: Clock, path: str
) -> None:
    """Over the limit a form does nothing: its buyer reads, in their language, to wait."""
    page = await limited.open()
    for _ in range(PER_MINUTE):
        await limited.post(page.form, {"csrf": "no"}, to=limited.quote_url)
    headers = {"Accept-Language": "de"}
    told = await limited.post(page.form, CARD, to=limited.link + path, **headers)

    assert told.status_code == 429
    assert told.headers["retry-after"] == "20"
    assert "Bitte warten Sie einen Moment" in Seen.of(told).text
    assert "form-action 'self'" in told.headers["content-security-policy"]
    assert await world.charges() == []
    clock.now += 20

    assert "You are subscribed" in (await limited.send((await limited.open()).form, CARD)).text


async def test_an_update_is_told_in_words(limited: Buyer) -> None:
    """An update of an open page gets a sentence: nothing that was typed is loaded away."""
    page = await limited.open()
    for _ in range(PER_MINUTE):
        await limited.post(page.form, to=limited.quote_url)
    told = await limited.post(page.form, None, limited.quote_url, **{"HX-Request": "true"})

    assert told.status_code == 429
    assert told.headers["content-type"].startswith("text/plain")
    assert "hx-refresh" not in told.headers
    assert told.text == (
        "Please wait a moment. Too much was sent at once. Nothing was charged. "
        "Try again in a minute."
    )


async def test_nobody_names_an_address_of_their_own(limited: Buyer) -> None:
    """The header of a proxy counts only where the server is told to believe the proxy."""
    page = await limited.open()
    answers = [
        await limited.post(page.form, {"csrf": "no"}, **{"X-Forwarded-For": f"192.0.2.{one}"})
        for one in range(PER_MINUTE + 1)
    ]

    assert [answer.status_code for answer in answers] == [403] * PER_MINUTE + [429]


async def test_a_link_has_a_limit_of_its_own(world: World) -> None:
    """Whoever shares a link among many addresses gets no more out of it."""
    session_id = await world.session(await world.customer(), await world.plan())
    web = create_app(world.app, page_posts_per_minute=PER_MINUTE)
    statuses = []
    for one in range(PER_MINUTE + 1):
        transport = httpx.ASGITransport(web, client=(f"192.0.2.{one}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            buyer = Buyer(client, link_of(world, session_id))
            page = await buyer.open()
            statuses.append((await buyer.post(page.form, to=buyer.quote_url)).status_code)

    assert statuses == [303] * PER_MINUTE + [429]


@pytest.mark.parametrize("path", ["/status", "/return"])
async def test_waiting_pages_ask_the_bank_at_their_pace(
    world: World, clock: Clock, path: str
) -> None:
    """However often they look, the bank is asked three times a minute; news is told at once."""
    bank = ScriptedBank(world.sandbox)
    shop = with_bank(world, bank)
    session_id = await shop.session(await shop.customer(), await shop.plan())
    async with browser(create_app(shop.app, page_posts_per_minute=PER_MINUTE)) as client:
        buyer = Buyer(client, link_of(shop, session_id))
        await buyer.post((await buyer.open()).form, {**CARD, "card_number": QUESTION_IS_LOST})
        for _ in range(PER_MINUTE + 2):
            waiting = await client.get(buyer.link + path)
            assert waiting.status_code in {200, 303}
        assert bank.calls.count("look") == PER_MINUTE
        clock.now += 20
        await client.get(buyer.link + path)
        assert bank.calls.count("look") == PER_MINUTE + 1
        await sweep(shop)
        looks = bank.calls.count("look")

        told = await client.get(buyer.link + path)

        assert (told.status_code, told.headers["location"]) == (303, buyer.link)
        assert "The payment did not go through" in (await buyer.open()).text
        assert bank.calls.count("look") == looks


async def test_waiting_takes_nothing_from_what_may_be_sent(limited: Buyer) -> None:
    """A page that asked too often how it stands can still be paid."""
    page = await limited.open()
    for _ in range(PER_MINUTE + 1):
        await limited.open("/status")

    assert "You are subscribed" in (await limited.send(page.form, CARD)).text


async def test_codes_cannot_be_guessed(visit: Visit, world: World) -> None:
    """After ten wrong codes no other is tried with this link, by either button."""
    await world.coupon("LAUNCH20", Percentage(percentage=Decimal(20)))
    buyer = await visit()
    page = await buyer.open()
    for number in range(GUESSES_MAX):
        told = await buyer.send(page.form, {"code": f"NO{number}"}, to=buyer.quote_url)
        assert told.status == 400
    for path in ("/quote", "/confirm"):
        answer = await buyer.post(page.form, {**CARD, "code": "LAUNCH20"}, to=buyer.link + path)
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "60"
    again = await buyer.send(page.form, {"code": "NO9", "city": "Lyon"}, to=buyer.quote_url)

    assert again.status == 400
    assert again.form.values["city"] == "Lyon"
    assert await world.charges() == []
    assert "You are subscribed" in (await buyer.send(page.form, CARD)).text


async def test_a_right_code_may_be_sent_for_ever(visit: Visit, world: World) -> None:
    """A code that is applied is sent with every update, and never counts."""
    await world.coupon("LAUNCH20", Percentage(percentage=Decimal(20)))
    buyer = await visit()
    page = await buyer.open()
    for number in range(GUESSES_MAX + 2):
        typed = {"code": "LAUNCH20", "zip_code": str(number)}
        page = await buyer.send(page.form, typed, to=buyer.quote_url)
        assert "Pay €39.20" in page.text


async def test_no_card_is_looked_at_after_too_many_tries(visit: Visit, world: World) -> None:
    """A link that was tried too often hands no card to the bank any more."""
    buyer = await visit()
    page = await buyer.open()
    await world.execute(
        "update checkout_sessions set attempt_count = $1", ATTEMPTS_PER_SESSION_MAX
    )
    before = await world.one("select count(*) as kept from sandbox.methods")
    told = await buyer.send(page.form, CARD)

    assert told.status == 400
    assert "There have been too many tries with this link." in told.text
    assert await world.one("select count(*) as kept from sandbox.methods") == before
