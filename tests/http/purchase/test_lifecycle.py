"""A session over REST: found, listed, cancelled, previewed; and one place for a plan."""

import pytest
from meteroid import BadRequestError, ConflictError, NotFoundError
from meteroid import models as m

from tallystick.domain.ids import Prefix
from tests.http.purchase.market import Json, Market, id_of

CREATED = m.CheckoutSessionStatus.CREATED
DEBIT = {"method": "DIRECT_DEBIT", "account_holder": "Dana Globex"}


def ids(answer: m.ListCheckoutSessionsResponse) -> list[str]:
    """The ids of a list."""
    return [one.id for one in answer.sessions]


def challenged(market: Market, session: m.CheckoutSession) -> None:
    """Start to pay with a card that asks for 3-D Secure, and go no further."""
    card = {"card_number": "4000002500003155", "card_expiry": "12/40", "card_cvc": "123"}
    with market.page(session) as browser:
        browser.send(browser.open(), card)
    assert market.session(session.id)["status"] == "AWAITING_PAYMENT"


def test_a_session_is_found(market: Market) -> None:
    """Retrieving answers what creating did, by prefixed id and by bare UUID."""
    made = market.offer()
    found = market.sdk.checkout_sessions.retrieve(made.id).session

    assert found == made
    assert found.checkout_url is not None
    assert found.subscription_id is None


def test_a_session_that_is_not_there(market: Market, rival: Market) -> None:
    """An unknown, malformed or foreign id is not found."""
    theirs = rival.offer()
    for session_id in (id_of(Prefix.CHECKOUT_SESSION), "che_", "x", theirs.id):
        with pytest.raises(NotFoundError):
            market.sdk.checkout_sessions.retrieve(session_id)
        with pytest.raises(NotFoundError):
            market.sdk.checkout_sessions.cancel(session_id)
    assert rival.session(theirs.id)["status"] == "CREATED"


def test_the_list_of_a_customer(market: Market) -> None:
    """Sessions are listed newest first, by the customer's id or alias."""
    customer = market.customer(alias="lister")
    made = [market.offer(customer_id=customer.id).id for _ in range(3)]
    market.offer()
    sdk = market.sdk.checkout_sessions

    assert ids(sdk.list(customer_id=customer.id)) == made[::-1]
    assert ids(sdk.list(customer_id="lister")) == made[::-1]
    assert ids(sdk.list(customer_id="nobody")) == []
    assert ids(sdk.list(customer_id=id_of(Prefix.CUSTOMER))) == []


def test_the_list_of_another_tenant(market: Market, rival: Market) -> None:
    """Nobody lists another tenant's sessions."""
    theirs = rival.offer()

    assert theirs.id not in ids(market.sdk.checkout_sessions.list())
    assert ids(market.sdk.checkout_sessions.list(customer_id=theirs.customer_id)) == []


def test_the_list_by_status_as_reported(market: Market) -> None:
    """The filter means the status that is told: EXPIRED from the moment on, sweeper or not."""
    customer = market.customer().id

    def offer() -> m.CheckoutSession:
        return market.offer(customer_id=customer)

    open_, over, cancelled, paying = offer(), offer(), offer(), offer()
    market.expire(over.id)
    market.sdk.checkout_sessions.cancel(cancelled.id)
    challenged(market, paying)
    found: dict[str, list[str]] = {}
    for status in m.CheckoutSessionStatus:
        listed = market.sdk.checkout_sessions.list(customer_id=customer, status=status)
        assert {one.status for one in listed.sessions} <= {status}
        found[status.value] = ids(listed)

    assert found == {
        "CREATED": [open_.id],
        "AWAITING_PAYMENT": [paying.id],
        "COMPLETED": [],
        "EXPIRED": [over.id],
        "CANCELLED": [cancelled.id],
    }
    stored = (
        "select state from checkout_sessions where tenant_id = $1 and expires_at = created_at"
    )
    assert market.value(stored, market.tenant.tenant_id) == "CREATED"
    assert market.session(over.id)["checkout_url"] is None
    assert market.session(cancelled.id)["checkout_url"] is None
    assert market.session(paying.id)["checkout_url"] is not None


def test_pages(market: Market) -> None:
    """Pages are true to the last and past it."""
    customer = market.customer().id
    made = [market.offer(customer_id=customer).id for _ in range(5)][::-1]

    def page(number: int, size: int = 2) -> Json:
        query: Json = {"customer_id": customer, "page": number, "per_page": size}
        answer: Json = market.raw.get("/checkout-sessions", params=query).json()
        return answer

    for number, expected in ((0, made[:2]), (1, made[2:4]), (2, made[4:]), (3, []), (900, [])):
        found = page(number)
        assert [one["id"] for one in found["sessions"]] == expected
        assert found["pagination_meta"] == {
            "page": number,
            "per_page": 2,
            "total_items": 5,
            "total_pages": 3,
        }
    assert len(page(0, 100)["sessions"]) == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
        ("page=-1", "page"),
        ("page=99999999999999999999", "page"),
        ("page=x", "page"),
        ("status=created", "status"),
        ("status=", "status"),
        ("customer_id=", "customer_id"),
        ("customer_id=a%00b", "customer_id"),
        ("statuses=CREATED", "statuses"),
        ("customer=x", "customer"),
    ],
)
def test_a_query_that_cannot_be(market: Market, query: str, field: str) -> None:
    """Queries are held to their bounds, and unknown ones are refused."""
    answer = market.raw.get(f"/checkout-sessions?{query}")

    assert answer.status_code == 400, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_cancel(market: Market) -> None:
    """A cancelled session has no link, its page says so, and its event is told."""
    session = market.offer()
    cancelled = market.sdk.checkout_sessions.cancel(session.id).session
    with market.page(session) as browser:
        seen = browser.open()

    assert (cancelled.status, cancelled.checkout_url) == ("CANCELLED", None)
    assert market.session(session.id)["status"] == "CANCELLED"
    assert "card_number" not in seen.read.ids
    told = market.value(
        "select data ->> 'status' from events where tenant_id = $1 and "
        "type = 'checkout_session.cancelled' order by position desc limit 1",
        market.tenant.tenant_id,
    )
    assert told == "CANCELLED"


def test_cancel_with_a_body(market: Market) -> None:
    """The client sends no body and no type; an empty object is as good, a full one is not."""
    url = "/checkout-sessions/{}/cancel"
    bare = market.raw.post(url.format(market.offer().id))
    empty = market.raw.post(url.format(market.offer().id), json={})
    kept = market.offer()
    full = market.raw.post(url.format(kept.id), json={"reason": "x"})

    assert "content-type" not in bare.request.headers
    assert (bare.status_code, empty.status_code, full.status_code) == (200, 200, 400)
    assert market.session(kept.id)["status"] == "CREATED"


def test_cancel_what_has_ended(market: Market) -> None:
    """What has ended stays as it is: 409 names its state."""
    completed = market.bought().session
    expired, cancelled = market.offer(), market.offer()
    market.expire(expired.id)
    market.sdk.checkout_sessions.cancel(cancelled.id)

    for session, state in (
        (completed, "COMPLETED"),
        (expired, "EXPIRED"),
        (cancelled, "CANCELLED"),
    ):
        with pytest.raises(ConflictError, match=state):
            market.sdk.checkout_sessions.cancel(session.id)
        assert market.session(session.id)["status"] == state


def test_cancel_while_paying(market: Market) -> None:
    """A session that waits for the bank is cancelled there first; nothing is charged."""
    session = market.offer()
    before = market.charges()
    challenged(market, session)
    cancelled = market.sdk.checkout_sessions.cancel(session.id).session

    assert cancelled.status == "CANCELLED"
    assert market.charges() == before
    assert market.offer(customer_id=session.customer_id).status == CREATED


def test_a_preview_is_the_creation_unstored(market: Market) -> None:
    """The preview's amounts and quote are the session's, and nothing is stored."""
    body = market.body(
        billing_day_anchor=15,
        coupon_code="LAUNCH20",
        add_ons=[{"add_on_id": market.add_ons["Priority support"].id, "quantity": 2}],
    )
    before = market.stored()
    quote = market.raw.post("/checkout-sessions/preview", json=body).json()
    again = market.raw.post("/checkout-sessions/preview", json=body).json()
    between = market.stored()
    session = market.raw.post("/checkout-sessions", json=body).json()["session"]

    assert between == before
    assert again == quote
    assert (quote["amount_due"], quote["amount_total"], quote["quote_id"]) == (
        session["amount_due"],
        session["amount_total"],
        session["quote_id"],
    )
    # (49 + 2 x 60) x 5/28, line by line: 8.75 + 21.43; less 20 % of 30.18.
    assert quote["amount_due"] == 875 + 2143 - 604


def test_the_bought_quote_is_the_previewed(market: Market) -> None:
    """What is charged is what was previewed."""
    body = market.body(billing_day_anchor=1)
    quote = market.raw.post("/checkout-sessions/preview", json=body).json()
    session = market.raw.post("/checkout-sessions", json=body).json()["session"]
    bought = market.buy(market.sdk.checkout_sessions.retrieve(session["id"]).session)

    assert bought.invoice.total == quote["amount_total"] == 3477
    assert market.session(session["id"])["quote_id"] == quote["quote_id"]


def test_one_place_for_a_plan(market: Market) -> None:
    """A customer who has the plan gets no other session for it: 409 names the subscription."""
    bought = market.bought()
    customer = bought.subscription.customer_id
    with pytest.raises(ConflictError, match=bought.subscription.id) as refused:
        market.offer(customer_id=customer)

    assert "already" in str(refused.value)
    assert market.offer("Trial", customer_id=customer).status == CREATED
    assert market.preview(customer_id=customer)["amount_due"] == 4900


def test_an_open_session_holds_no_place(market: Market) -> None:
    """Sessions that are only open do not stand in each other's way."""
    customer = market.customer().id

    assert market.offer(customer_id=customer).id != market.offer(customer_id=customer).id


def test_a_session_that_is_being_paid_holds_the_place(market: Market) -> None:
    """While a payment is under way, 409 names its session; when it ends, the place is free."""
    session = market.offer()
    challenged(market, session)
    with pytest.raises(ConflictError, match=session.id):
        market.offer(customer_id=session.customer_id)
    market.sdk.checkout_sessions.cancel(session.id)

    assert market.offer(customer_id=session.customer_id).status == CREATED


def test_a_place_that_is_being_paid_for_may_be_free_shortly(market: Market) -> None:
    """The refusal says when to ask again, and the idempotency key does not keep it."""
    session = market.offer()
    challenged(market, session)
    body = market.body(customer_id=session.customer_id)
    headers = {"Idempotency-Key": "while-it-is-paid"}
    busy = market.raw.post("/checkout-sessions", json=body, headers=headers)

    assert (busy.status_code, busy.headers["retry-after"]) == (409, "15")
    assert busy.json()["errors"][0]["code"] == "already_held"
    market.sdk.checkout_sessions.cancel(session.id)

    free = market.raw.post("/checkout-sessions", json=body, headers=headers)
    assert free.status_code == 200


def test_two_places_for_a_plan(roomy: Market) -> None:
    """Where a tenant allows two of a plan, the third is refused."""
    customer = roomy.customer().id
    bought = [roomy.bought(customer_id=customer).subscription.id for _ in range(2)]
    with pytest.raises(ConflictError) as refused:
        roomy.offer(customer_id=customer)

    assert any(one in str(refused.value) for one in bought)
    listed = roomy.sdk.subscriptions.list(customer_id=customer)
    assert {one.id for one in listed} == set(bought)


def test_faults_come_before_places(market: Market) -> None:
    """A request with faults is told its faults, whoever holds the place."""
    bought = market.bought()
    with pytest.raises(BadRequestError, match="coupon_code"):
        market.offer(customer_id=bought.subscription.customer_id, coupon_code="NOPE")
