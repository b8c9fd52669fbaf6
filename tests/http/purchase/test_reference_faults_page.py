"""Faults of the reference that must not come back: at the page and the bank.

Each test is named by its fault, and shows that it is not there.
"""

import pytest
from meteroid import models as m

from tallystick.bootstrap import wired
from tallystick.services.sweep_attempts import sweep_attempts
from tallystick.settings import Settings
from tests.database import in_own_loop
from tests.http.checkout.buyer import CARD
from tests.http.conftest import NOON
from tests.http.purchase.market import Json, Market
from tests.http.purchase.terms import percent, rate

ASKS = "4000002500003155"
LOSES_THE_QUESTION = "4000000000009987"
DEBIT = {
    "method": "DIRECT_DEBIT",
    "iban": "DE89370400440532013000",
    "account_holder": "Dana Globex",
}


def sweep(market: Market) -> None:
    """Let the half hour of every challenge be over, and sweep."""
    market.execute(
        "update payment_attempts set challenge_until = now() - interval '1 second', "
        "check_at = now() - interval '1 second' where tenant_id = $1 and state = 'LIVE'",
        market.tenant.tenant_id,
    )

    async def inside() -> None:
        async with wired(Settings(), market.dsn) as app:
            await sweep_attempts(app, NOON)

    in_own_loop(inside())


def test_anothers_payment_method_is_charged_from_any_link(market: Market) -> None:
    """A form that names somebody else's saved method pays nothing."""
    theirs = market.bought().wire["payment_method_id"]
    session = market.offer()
    before = market.charges()
    with market.page(session) as browser:
        shown = browser.open()
        seen = browser.send(shown, {"payment_method_id": theirs, "method_id": theirs})

    assert theirs
    assert seen.status == 400
    assert market.charges() == before
    assert market.session(session.id)["status"] == "CREATED"


@pytest.mark.parametrize("end", ["completed", "cancelled", "expired"])
def test_links_keep_write_access_after_the_end(market: Market, end: str) -> None:
    """After its end a link changes nothing about the customer, and takes no money."""
    session = market.offer()
    with market.page(session) as browser:
        shown = browser.open()
        if end == "completed":
            browser.send(shown, CARD)
        elif end == "cancelled":
            market.sdk.checkout_sessions.cancel(session.id)
        else:
            market.expire(session.id)
        customer = market.sdk.customers.retrieve(session.customer_id)
        before = market.charges()
        stolen = {"name": "Mallory", "email": "m@allory.example", "city": "Elsewhere"}
        browser.send(shown, {**CARD, **stolen})
        data = {**shown.form.values, **stolen}
        browser.client.post(f"{browser.link}/quote", data=data)

    assert market.sdk.customers.retrieve(session.customer_id) == customer
    assert market.charges() == before
    assert market.session(session.id)["status"] == end.upper()


def test_links_never_expire(market: Market) -> None:
    """Past its time a link shows its end, and no form."""
    session = market.offer()
    market.expire(session.id)
    with market.page(session) as browser:
        seen = browser.open()

    assert seen.status == 410
    assert seen.read.forms == []


def test_the_return_url_is_taken_from_the_query(market: Market) -> None:
    """Words in the query lead nowhere: the buyer goes where the merchant said at creation."""
    session = market.offer(success_url="https://acme.example/done")
    evil = "https://evil.example/"
    query = "&".join(
        f"{name}={evil}" for name in ("success_url", "return_url", "redirect", "next", "url")
    )
    with market.page(session) as browser:
        shown = browser.client.get(f"{browser.link}?{query}")
        page = browser.open()
        done = browser.client.post(
            f"{page.form.action}?{query}", data={**page.form.values, **CARD}
        )

    assert "evil.example" not in shown.text
    assert done.headers["location"].startswith("https://acme.example/done?")


def test_a_typed_coupon_is_lost_after_3d_secure(market: Market) -> None:
    """The code stands through the bank's page: the discounted total is charged and recorded."""
    market.coupon("TYPED", percent("50"))
    session = market.offer()
    before = market.charges()
    with market.page(session) as browser:
        page = browser.open()
        data = {**page.form.values, "code": "TYPED"}
        priced = browser.follow(browser.client.post(f"{browser.link}/quote", data=data))
        at_bank = browser.send(priced, {**CARD, "card_number": ASKS})
        browser.answer_bank(at_bank, "approve")
    bought = market.found(session.id)

    assert "24.50" in priced.text
    assert market.charges() == [*before, 2450]
    assert bought.invoice.total == 2450
    assert [one.coupon.code for one in bought.subscription.applied_coupons] == ["TYPED"]


def test_an_add_on_is_attached_before_its_payment_and_again_after(market: Market) -> None:
    """After a decline nothing is there; after the payment the add-on is there once."""
    add_ons = [
        m.CreateSubscriptionAddOn(add_on_id=market.add_ons["Priority support"].id, quantity=2)
    ]
    session = market.offer(add_ons=add_ons)
    count = "select count(*) from subscriptions where tenant_id = $1"
    before = market.value(count, market.tenant.tenant_id)
    with market.page(session) as browser:
        browser.pay("4000000000000002")
        between = market.value(count, market.tenant.tenant_id)
        browser.pay()
    bought = market.found(session.id)

    assert between == before
    assert [(one.name, one.quantity) for one in bought.subscription.add_ons] == [
        ("Priority support", 2)
    ]
    assert bought.lines == [("Fee", 4900), ("Priority support", 12_000)]


def test_a_free_trial_is_charged_at_once_through_a_redirect(market: Market) -> None:
    """A method that goes through the bank's page is saved for the trial, and not charged."""
    session = market.offer("Trial")
    before = market.charges()
    with market.page(session) as browser:
        browser.answer_bank(browser.pay(ASKS), "approve")
    bought = market.found(session.id)

    assert bought.subscription.status == "TRIAL_ACTIVE"
    assert (bought.invoices, market.charges()) == ([], before)
    assert bought.wire["payment_method_id"] is not None


@pytest.mark.parametrize(("plan", "charged"), [("Trial", []), ("Paid trial", [4900])])
def test_a_trial_is_lost_when_payment_is_asynchronous(
    market: Market, plan: str, charged: list[int]
) -> None:
    """A trial begun by direct debit is a trial."""
    bought = market.buy(market.offer(plan), **DEBIT)

    assert bought.subscription.status == "TRIAL_ACTIVE"
    assert bought.subscription.trial_duration == 14
    assert [one.total for one in bought.invoices] == charged


def test_one_failed_3d_secure_kills_the_link(market: Market) -> None:
    """After a challenge that was refused, the same link takes another card."""
    session = market.offer()
    before = market.charges()
    with market.page(session) as browser:
        refused = browser.answer_bank(browser.pay(ASKS), "refuse")
        between = market.session(session.id)
        browser.send(refused, CARD)

    assert (between["status"], between["last_payment_error"]["reason"]) == (
        "CREATED",
        "AUTHENTICATION_FAILED",
    )
    assert market.found(session.id).invoice.payment_status == "PAID"
    assert market.charges() == [*before, 4900]


def test_a_cancelled_session_completes_later(market: Market) -> None:
    """An approval at the bank after the cancel takes no money and changes nothing."""
    session = market.offer()
    before = market.charges()
    with market.page(session) as browser:
        at_bank = browser.pay(ASKS)
        market.sdk.checkout_sessions.cancel(session.id)
        browser.answer_bank(at_bank, "approve")
    sweep(market)

    assert market.session(session.id)["status"] == "CANCELLED"
    assert market.charges() == before


def test_sessions_await_payment_for_ever(market: Market) -> None:
    """A challenge that nobody answers ends after half an hour, and the link can be used."""
    session = market.offer()
    with market.page(session) as browser:
        browser.pay(ASKS)
        waiting = market.session(session.id)["status"]
        sweep(market)
        ended = market.session(session.id)
        browser.pay()

    assert waiting == "AWAITING_PAYMENT"
    assert ended["status"] == "CREATED"
    assert market.found(session.id).invoice.payment_status == "PAID"


def test_tax_is_not_refreshed_after_the_address_was_edited(rival: Market) -> None:
    """An address typed on the page changes the tax that is shown and charged."""
    body: Json = {"tax_engine": "EU_VAT", "address": {"country": "FR"}, "legal_name": "R SAS"}
    assert rival.raw.patch(rival.entity_path, json=body).status_code == 200
    session = rival.offer()
    with rival.page(session) as browser:
        page = browser.open()
        data = {**page.form.values, "country": "DE"}
        german = browser.follow(browser.client.post(f"{browser.link}/quote", data=data))
        browser.send(german, CARD)
    bought = rival.found(session.id)

    assert "58.80" in page.text
    assert "58.31" in german.text
    assert (bought.invoice.total, bought.invoice.tax_amount) == (5831, 931)
    assert rival.charges()[-1] == 5831
    address = rival.sdk.customers.retrieve(session.customer_id).billing_address
    assert address is not None
    assert address.country == "DE"


@pytest.mark.parametrize(
    ("number", "reason", "words"),
    [
        ("4000000000000002", "DECLINED", "declined"),
        ("4000000000009995", "INSUFFICIENT_FUNDS", "not enough money"),
        ("4000000000000069", "CARD_EXPIRED", "expired"),
    ],
)
def test_decline_reasons_are_hidden(
    market: Market, number: str, reason: str, words: str
) -> None:
    """The buyer reads why, and so does the merchant."""
    session = market.offer()
    with market.page(session) as browser:
        seen = browser.pay(number)

    assert words in seen.text
    assert market.session(session.id)["last_payment_error"] == {
        "reason": reason,
        "at": "2026-03-10T12:00:00.000Z",
    }


def test_billed_monthly_stands_on_an_annual_plan(market: Market) -> None:
    """An annual plan is called annual, everywhere on its page."""
    market.plan("Yearly", rate("Licence", "480.00", "ANNUAL"))
    session = market.offer("Yearly")
    with market.page(session) as browser:
        seen = browser.open()

    assert "year" in seen.text
    assert "month" not in seen.text
    assert market.buy(session).subscription.period == "ANNUAL"


def test_the_full_price_is_due_today_during_a_free_trial(market: Market) -> None:
    """Nothing is due today, and the page says what comes when."""
    session = market.offer("Trial")
    with market.page(session) as browser:
        seen = browser.open()

    assert market.session(session.id)["amount_due"] == 0
    assert "Pay €49.00" not in seen.text
    assert "Start free trial" in seen.text
    assert "€0.00" in seen.text
    assert "March 24, 2026" in seen.text or "Mar 24, 2026" in seen.text


def test_payment_successful_before_it_was(market: Market) -> None:
    """While the bank has not answered, or a debit is under way, nothing is called paid."""
    session = market.offer()
    with market.page(session) as browser:
        waiting = browser.pay(LOSES_THE_QUESTION)
    debit = market.offer()
    with market.page(debit) as browser:
        accepted = browser.send(browser.open(), DEBIT)

    assert market.session(session.id)["status"] == "AWAITING_PAYMENT"
    for words in ("You are subscribed", "Paid", "successful"):
        assert words not in waiting.text
    assert market.found(debit.id).invoice.payment_status == "PROCESSING"
    assert "Paid" not in accepted.text
    assert "successful" not in accepted.text


def test_there_is_no_way_back_from_the_page(market: Market) -> None:
    """The open page and the page of an ended session lead back; a challenge can be left."""
    session = market.offer(cancel_url="https://acme.example/pricing")
    with market.page(session) as browser:
        seen = [browser.open()]
        browser.pay(ASKS)
        seen.append(browser.send(browser.open()))
        market.sdk.checkout_sessions.cancel(session.id)
        seen.append(browser.open())

    for page in seen:
        assert 'href="https://acme.example/pricing"' in page.response.text


def test_zero_amount_purchases_have_no_paid_event(market: Market) -> None:
    """An invoice of zero is finalized, numbered, paid, and its `invoice.paid` is told."""
    market.coupon("ALLOFIT", percent("100"))
    bought = market.bought(coupon_code="ALLOFIT")
    told = market.value(
        "select array_agg(type order by position) from events where tenant_id = $1 "
        "and data ->> 'invoice_id' = $2",
        market.tenant.tenant_id,
        bought.invoice.id,
    )

    assert (bought.invoice.total, bought.invoice.payment_status) == (0, "PAID")
    assert told == ["invoice.created", "invoice.finalized", "invoice.paid"]


def test_an_expired_coupon_makes_a_session_unpayable(market: Market) -> None:
    """The page names the coupon that is left out, and sells at the full price."""
    market.coupon("SHORT", percent("50"))
    session = market.offer(coupon_code="SHORT")
    market.execute(
        "update coupons set expires_at = created_at where tenant_id = $1 and code = 'SHORT'",
        market.tenant.tenant_id,
    )
    with market.page(session) as browser:
        seen = browser.open()
    bought = market.buy(session)

    assert "SHORT" in seen.text
    assert bought.invoice.total == 4900
    assert bought.subscription.applied_coupons == []


def test_a_free_plan_asks_for_a_card(market: Market) -> None:
    """What can never owe anything needs no method: one button, and it is had."""
    market.plan("Free", rate("Nothing", "0"), plan_type=m.PlanTypeEnum.FREE)
    session = market.offer("Free")
    with market.page(session) as browser:
        seen = browser.open()
    bought = market.buy(session)

    assert "card_number" not in seen.read.ids
    assert bought.subscription.status == "ACTIVE"
    assert bought.wire["payment_method_id"] is None
