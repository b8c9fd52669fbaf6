"""`Idempotency-Key` on the doors of a checkout: one request, however often it is sent."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.http.purchase.market import Json, Market

PATH = "/checkout-sessions"


def send(market: Market, body: Json, key: str, path: str = PATH) -> httpx.Response:
    """Send a request under a key."""
    return market.raw.post(path, json=body, headers={"Idempotency-Key": key})


def sessions_of(market: Market, body: Json) -> int:
    """How many sessions the customer of a request has."""
    answer = market.raw.get(PATH, params={"customer_id": body["customer_id"]}).json()
    total: int = answer["pagination_meta"]["total_items"]
    return total


def at_once(count: int, ask: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Ask from so many threads at the same time."""
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(ask, range(count)))


def age(market: Market) -> None:
    """Let a day go by for all keys."""
    market.execute(
        "update idempotency_keys set created_at = now() - interval '24 hours 1 second' "
        "where tenant_id = $1",
        market.tenant.tenant_id,
    )


def test_a_repeat(market: Market) -> None:
    """A repeat gets the first answer, byte by byte, and says so; one session is made."""
    body = market.body(metadata={"order": 1}, invoice_memo="é")
    first, again = (send(market, body, "repeat") for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["request-id"] != first.headers["request-id"]
    assert sessions_of(market, body) == 1


def test_a_repeat_after_the_purchase(market: Market) -> None:
    """The answer stays what it was, whatever has become of the session."""
    body = market.body()
    first = send(market, body, "bought")
    session_id = first.json()["session"]["id"]
    market.buy(market.sdk.checkout_sessions.retrieve(session_id).session)

    assert send(market, body, "bought").content == first.content


def test_another_body(market: Market) -> None:
    """The key of one request refuses another: 409, without a pause, and nothing is made."""
    body = market.body()
    send(market, body, "mismatch")
    other = send(market, {**body, "net_terms": 3}, "mismatch")

    assert (other.status_code, other.json()["code"]) == (409, "CONFLICT")
    assert "retry-after" not in other.headers
    assert sessions_of(market, body) == 1


def test_twenty_at_once(market: Market) -> None:
    """Twenty identical requests at once make one session, and all get its answer."""
    body = market.body()
    answers = at_once(20, lambda _: send(market, body, "twenty"))

    assert {one.status_code for one in answers} == {200}
    assert len({one.content for one in answers}) == 1
    assert sum("idempotent-replayed" in one.headers for one in answers) == 19
    assert sessions_of(market, body) == 1


def test_twenty_at_once_under_an_old_key(market: Market) -> None:
    """The same holds where the key was used more than a day ago."""
    body = market.body()
    send(market, body, "old twenty")
    age(market)
    answers = at_once(20, lambda _: send(market, body, "old twenty"))

    assert {one.status_code for one in answers} == {200}
    assert len({one.content for one in answers}) == 1
    assert sessions_of(market, body) == 2


def test_twenty_refused_at_once(market: Market) -> None:
    """Twenty identical requests that are refused for good get one and the same refusal."""
    body = {**market.body(), "customer_id": "nobody"}
    answers = at_once(20, lambda _: send(market, body, "twenty refused"))

    assert {one.status_code for one in answers} == {404}
    assert len({one.content for one in answers}) == 1


def test_not_found_is_kept(market: Market) -> None:
    """404 is kept, although the customer is there by now; another key finds it."""
    body = {**market.body(), "customer_id": "latecomer"}
    first = send(market, body, "missing")
    market.customer(alias="latecomer")
    again = send(market, body, "missing")

    assert (first.status_code, again.status_code) == (404, 404)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert send(market, body, "found").status_code == 200


def test_a_conflict_is_kept(market: Market) -> None:
    """409 is kept, also when its reason is gone."""
    bought = market.bought()
    body = market.body(customer_id=bought.subscription.customer_id)
    first = send(market, body, "held")
    market.execute(
        "delete from plan_places where tenant_id = $1 and holder = "
        "(select subscription_id from checkout_sessions where tenant_id = $1 and "
        " customer_id = (select customer_id from plan_places where tenant_id = $1 limit 1) "
        " limit 1)",
        market.tenant.tenant_id,
    )
    again = send(market, body, "held")

    assert (first.status_code, again.status_code) == (409, 409)
    assert again.content == first.content


def test_a_malformed_request_is_not_kept(market: Market) -> None:
    """After a 400 the mended request may use the key."""
    body = market.body()
    wrong = send(market, {**body, "coupon_code": "NOPE"}, "mended")
    unfit = send(market, {**body, "net_terms": -1}, "mended")
    mended = send(market, body, "mended")

    assert (wrong.status_code, unfit.status_code, mended.status_code) == (400, 400, 200)


def test_an_expired_key(market: Market) -> None:
    """After a day of real time a key is free, for the same request and for another."""
    body = market.body()
    first = send(market, body, "old")
    age(market)
    other = {**body, "net_terms": 7}
    second = send(market, other, "old")
    repeat = send(market, other, "old")

    assert second.status_code == 200
    assert second.json()["session"]["id"] != first.json()["session"]["id"]
    assert repeat.content == second.content
    assert send(market, body, "old").status_code == 409


def test_keys_of_two_tenants(market: Market, rival: Market) -> None:
    """Tenants do not share keys."""
    mine = send(market, market.body(), "shared")
    theirs = send(rival, rival.body(), "shared")

    assert (mine.status_code, theirs.status_code) == (200, 200)


def test_a_key_on_preview(market: Market) -> None:
    """A preview under a key is computed once, and is another operation than creating."""
    body = market.body()
    first, again = (send(market, body, "preview", f"{PATH}/preview") for _ in range(2))
    created = send(market, body, "preview")

    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "session" in created.json()
    assert sessions_of(market, body) == 1


def test_a_key_on_cancel(market: Market) -> None:
    """A cancel that is sent again gets its answer, not a 409."""
    session = market.offer()
    path = f"{PATH}/{session.id}/cancel"
    headers = {"Idempotency-Key": "cancel"}
    first, again = (market.raw.post(path, headers=headers) for _ in range(2))
    without = market.raw.post(path)

    assert (first.status_code, again.status_code, without.status_code) == (200, 200, 409)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"


def test_a_refused_cancel_is_kept(market: Market) -> None:
    """A cancel that came too late stays refused under its key."""
    session = market.bought().session
    path = f"{PATH}/{session.id}/cancel"
    first, again = (
        market.raw.post(path, headers={"Idempotency-Key": "late"}) for _ in range(2)
    )

    assert (first.status_code, again.status_code) == (409, 409)
    assert again.content == first.content


def test_cancels_at_once(market: Market) -> None:
    """Ten cancels at once under one key cancel once, and none is told a conflict."""
    session = market.offer()
    path = f"{PATH}/{session.id}/cancel"
    answers = at_once(
        10, lambda _: market.raw.post(path, headers={"Idempotency-Key": "cancels"})
    )
    done = [one for one in answers if one.status_code == 200]

    assert done
    assert {one.status_code for one in answers} == {200}
    assert {one.json()["session"]["status"] for one in done} == {"CANCELLED"}
