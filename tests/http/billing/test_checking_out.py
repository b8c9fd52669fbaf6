"""Subscriptions that a checkout activates, as the SDK asks for them."""

from datetime import date

import httpx
from meteroid import AsyncMeteroid

from tallystick.domain.ids import Prefix, decode, encode
from tallystick.services.confirm_result import Completed
from tests.subscribing import Merchant
from tests.world import World

TODAY = date(2026, 3, 10)


async def test_the_link_stands_on_it_in_every_answer(
    sdk: AsyncMeteroid, api: httpx.AsyncClient, world: World
) -> None:
    """Created, retrieved, listed, changed: the same link, until it is confirmed."""
    plan = await world.plan()
    made = await sdk.subscriptions.create(
        activation_condition="ON_CHECKOUT",
        customer_id_or_alias=encode(Prefix.CUSTOMER, await world.customer()),
        plan_id=encode(Prefix.PLAN, plan.id),
        start_date=TODAY,
    )
    assert made.status == "PENDING_ACTIVATION"
    link = made.checkout_url
    assert link is not None
    path = f"/api/v1/subscriptions/{made.id}"
    assert (await api.get(path)).json()["checkout_url"] == link
    assert (await api.get("/api/v1/subscriptions")).json()["data"][0]["checkout_url"] == link
    changed = await api.patch(path, json={"purchase_order": "PO-7"})
    assert changed.json()["subscription"]["checkout_url"] == link

    (session,) = (await sdk.checkout_sessions.list()).sessions
    assert (session.checkout_type, session.status) == ("SUBSCRIPTION_ACTIVATION", "CREATED")
    assert (session.checkout_url, session.expires_at) == (link, None)
    page = await api.get(link.removeprefix("http://127.0.0.1:8484"))
    assert page.status_code == 200
    assert "49.00" in page.text

    assert await world.confirm(decode(Prefix.CHECKOUT_SESSION, session.id)) == Completed()
    bought = await sdk.subscriptions.retrieve(made.id)
    assert (bought.status, bought.checkout_url) == ("ACTIVE", None)
    (session,) = (await sdk.checkout_sessions.list()).sessions
    assert (session.status, session.subscription_id) == ("COMPLETED", made.id)
    await Merchant(world=world).is_sound()


async def test_what_the_session_tells_of_the_request(
    api: httpx.AsyncClient, world: World
) -> None:
    """The session says what was asked for, in a session's words."""
    plan = await world.plan()
    body = {
        "activation_condition": "ON_CHECKOUT",
        "customer_id_or_alias": encode(Prefix.CUSTOMER, await world.customer()),
        "plan_id": encode(Prefix.PLAN, plan.id),
        "start_date": "2026-03-10",
        "trial_days": 14,
        "net_terms": 5,
    }

    made = await api.post("/api/v1/subscriptions", json=body)

    assert (made.status_code, made.json()["status"]) == (201, "TRIAL_ACTIVE")
    session_id = made.json()["checkout_session_id"]
    session = (await api.get(f"/api/v1/checkout-sessions/{session_id}")).json()["session"]
    assert (session["trial_duration_days"], session["net_terms"]) == (14, 5)
    assert (session["amount_due"], session["currency"]) == (0, "EUR")


async def test_cancelled_by_its_session(sdk: AsyncMeteroid, world: World) -> None:
    """The SDK cancels the session, and the subscription is cancelled with it; and back."""
    for by_session in (True, False):
        plan = await world.plan(name=f"Plan {by_session}")
        made = await sdk.subscriptions.create(
            activation_condition="ON_CHECKOUT",
            customer_id_or_alias=encode(Prefix.CUSTOMER, await world.customer()),
            plan_id=encode(Prefix.PLAN, plan.id),
            start_date=TODAY,
        )
        row = await world.one(
            "select checkout_session_id from subscriptions where id = $1",
            decode(Prefix.SUBSCRIPTION, made.id),
        )
        session_id = encode(Prefix.CHECKOUT_SESSION, row["checkout_session_id"])

        if by_session:
            await sdk.checkout_sessions.cancel(session_id)
        else:
            await sdk.subscriptions.cancel(made.id)

        ended = await sdk.subscriptions.retrieve(made.id)
        assert (ended.status, ended.checkout_url) == ("CANCELLED", None)
        session = (await sdk.checkout_sessions.retrieve(session_id)).session
        assert session.status == "CANCELLED"


async def test_it_is_made_once_under_a_key(api: httpx.AsyncClient, world: World) -> None:
    """A repeat under the same key gets the same subscription, with the same link."""
    plan = await world.plan()
    body = {
        "activation_condition": "ON_CHECKOUT",
        "customer_id_or_alias": encode(Prefix.CUSTOMER, await world.customer()),
        "plan_id": encode(Prefix.PLAN, plan.id),
        "start_date": "2026-03-10",
    }
    headers = {"Idempotency-Key": "once"}

    first = await api.post("/api/v1/subscriptions", json=body, headers=headers)
    again = await api.post("/api/v1/subscriptions", json=body, headers=headers)

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await world.fetch("select * from checkout_sessions")) == 1


async def test_a_refused_request_makes_no_session(api: httpx.AsyncClient, world: World) -> None:
    """A coupon that is not there: refused by its field, and nothing is stored."""
    plan = await world.plan()
    body = {
        "activation_condition": "ON_CHECKOUT",
        "customer_id_or_alias": encode(Prefix.CUSTOMER, await world.customer()),
        "plan_id": encode(Prefix.PLAN, plan.id),
        "start_date": "2026-03-10",
        "coupon_codes": ["NONE"],
    }

    refused = await api.post("/api/v1/subscriptions", json=body)

    assert refused.status_code == 400
    assert await world.fetch("select * from checkout_sessions") == []
    assert await world.fetch("select * from subscriptions") == []
