"""Stripe's adapter against answers that a test writes; the contract runs elsewhere."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tallystick.domain.payment import (
    Acceptance,
    AlreadySucceeded,
    Cancelled,
    Declined,
    FailureReason,
    Method,
    MethodKind,
    MethodRefused,
    NeedsAction,
    PaymentOrder,
    Pending,
    Refunded,
    RefundRefused,
    Succeeded,
    Unconfirmed,
    Unknown,
)
from tallystick.providers.stripe_client import API_VERSION
from tallystick.services.ids import new_id
from tests.providers.contract import order_for
from tests.providers.stripe_stub import (
    LOST,
    Answer,
    Stub,
    declined,
    fault,
    intent,
    refused,
)

CARD = Method(provider="stripe", token="pm_1", kind=MethodKind.CARD)
DEBIT = Method(provider="stripe", token="pm_2", kind=MethodKind.DIRECT_DEBIT)
TENANT = new_id()
PI = "/v1/payment_intents/pi_1"
FAILED = {"code": "card_declined", "decline_code": "generic_decline"}


def order(method: Method = CARD, **more: Any) -> PaymentOrder:  # noqa: ANN401
    """An order of a known customer."""
    return replace(order_for(TENANT, method), customer_reference="cus_1", **more)


async def test_an_order_is_worded_whole() -> None:
    """Amount, method, customer, our ids and the pinned version, under the order's key."""
    stub = Stub()
    stub.on("POST", "/v1/payment_intents", intent())
    one = order(save=True)

    assert await stub.provider().open(one) == "pi_1"

    (asked,) = stub.asked
    assert asked.key == f"{one.attempt_id}:open"
    assert asked.version == API_VERSION
    assert asked.params == {
        "amount": "5412",
        "currency": "eur",
        "customer": "cus_1",
        "payment_method": "pm_1",
        "allowed_payment_method_types[0]": "card",
        "setup_future_usage": "off_session",
        "description": f"Tallystick attempt {one.attempt_id}",
        "metadata[tallystick_tenant]": str(TENANT),
        "metadata[tallystick_customer]": str(one.customer_id),
        "metadata[tallystick_attempt]": str(one.attempt_id),
    }


async def test_a_fault_that_is_kept_under_the_key_is_left_behind() -> None:
    """A 500 that Stripe repeats, and another wording, are got around by the next key."""
    stub = Stub()
    other = Answer(status=400, body={"error": {"type": "idempotency_error", "message": "No."}})
    stub.on("POST", "/v1/payment_intents", fault(kept=True), other, intent("pi_3"))
    one = order()

    assert await stub.provider().open(one) == "pi_3"

    assert [asked.key for asked in stub.asked] == [
        f"{one.attempt_id}:open",
        f"{one.attempt_id}:open:2",
        f"{one.attempt_id}:open:3",
    ]


async def test_a_fresh_fault_is_no_answer() -> None:
    """The same order is asked again later, under its first key."""
    stub = Stub()
    stub.on("POST", "/v1/payment_intents", fault())

    with pytest.raises(Exception, match="Sorry"):
        await stub.provider().open(order())
    assert len(stub.asked) == 1


async def test_an_order_that_stripe_refuses_is_declined() -> None:
    """Nothing was opened, and the same order would be refused again."""
    stub = Stub()
    stub.on("POST", "/v1/payment_intents", refused("amount_too_small"))

    assert await stub.provider().open(order()) == Declined(FailureReason.PROCESSING_ERROR)


async def test_what_was_not_begun_is_asked_again_under_its_key() -> None:
    """Too many at once, or a twin of the call under way: the key stays."""
    stub = Stub()
    busy = Answer(status=409, body={"error": {"type": "api_error", "message": "In use."}})
    many = Answer(status=429, body={"error": {"type": "api_error", "message": "Slow down."}})
    stub.on("POST", "/v1/payment_intents", busy, many, intent())

    assert await stub.provider().open(order()) == "pi_1"
    assert len({asked.key for asked in stub.asked}) == 1


@pytest.mark.parametrize(
    ("code", "decline_code", "reason"),
    [
        ("card_declined", "generic_decline", FailureReason.DECLINED),
        ("card_declined", "insufficient_funds", FailureReason.INSUFFICIENT_FUNDS),
        ("expired_card", None, FailureReason.CARD_EXPIRED),
        ("authentication_required", "authentication_required", "AUTHENTICATION_FAILED"),
        ("processing_error", None, FailureReason.PROCESSING_ERROR),
        ("card_declined", "issuer_not_available", FailureReason.PROCESSING_ERROR),
        ("incorrect_cvc", None, FailureReason.DECLINED),
    ],
)
async def test_a_declined_card_is_cancelled_before_it_is_told(
    code: str, decline_code: str | None, reason: FailureReason
) -> None:
    """Stripe would let the same intent be confirmed again, with another card."""
    stub = Stub()
    error = declined(code, decline_code)
    failed = intent(status="requires_payment_method", last_payment_error=error["error"])
    stub.on("POST", f"{PI}/confirm", Answer(status=402, body=error))
    stub.on("GET", PI, failed)
    stub.on("POST", f"{PI}/cancel", intent(status="canceled"))

    assert await stub.provider().confirm(order(), "pi_1") == Declined(FailureReason(reason))

    assert stub.calls() == [f"POST {PI}/confirm", f"GET {PI}", f"POST {PI}/cancel"]
    assert stub.asked[-1].params == {"cancellation_reason": "abandoned"}


async def test_a_decline_is_not_told_while_it_may_still_pay() -> None:
    """As long as the cancel gives no answer, nobody knows; the next look tries again."""
    stub = Stub()
    failed = intent(status="requires_payment_method", last_payment_error=FAILED)
    stub.on("POST", f"{PI}/confirm", Answer(status=402, body=declined()))
    stub.on("GET", PI, failed)
    stub.on("POST", f"{PI}/cancel", LOST, intent(status="canceled", last_payment_error=FAILED))
    bank = stub.provider()

    assert await bank.confirm(order(), "pi_1") == Unknown()
    assert await bank.look(TENANT, "pi_1") == Declined(FailureReason.DECLINED)


async def test_who_pays_with_another_card_meanwhile_has_paid() -> None:
    """The buyer's browser knows the intent after a challenge: its second try counts."""
    stub = Stub()
    failed = intent(status="requires_payment_method", last_payment_error=FAILED)
    stub.on("GET", PI, failed, intent(status="succeeded"))
    stub.on("POST", f"{PI}/cancel", refused())

    assert await stub.provider().look(TENANT, "pi_1") == Succeeded()


async def test_a_lost_answer_is_unknown() -> None:
    """Neither a confirmation, nor a look, nor a cancel, nor a refund is guessed."""
    stub = Stub()
    for call in (f"{PI}/confirm", f"{PI}/cancel"):
        stub.on("POST", call, LOST)
    stub.on("GET", PI, LOST)
    bank, one = stub.provider(), order()

    assert await bank.confirm(one, "pi_1") == Unknown()
    assert await bank.look(TENANT, "pi_1") == Unknown()
    assert await bank.cancel(one, "pi_1") == Unknown()
    assert await bank.refund(TENANT, "pi_1", 100, "k") == Unknown()


async def test_a_refused_key_is_no_decline() -> None:
    """Keys that were revoked say nothing of the payment."""
    stub = Stub()
    body = {"error": {"type": "invalid_request_error", "message": "Invalid API Key"}}
    stub.on("POST", f"{PI}/confirm", Answer(status=401, body=body))

    assert await stub.provider().confirm(order(), "pi_1") == Unknown()


@pytest.mark.parametrize(
    ("seen", "standing"),
    [
        (intent(status="succeeded"), Succeeded()),
        (intent(status="processing"), Pending()),
        (intent(status="requires_confirmation"), Unconfirmed()),
        (intent(status="requires_payment_method"), Unconfirmed()),
        (intent(status="canceled"), Cancelled()),
        (
            intent(status="canceled", last_payment_error={"code": "expired_card"}),
            Declined(FailureReason.CARD_EXPIRED),
        ),
        (
            intent(status="canceled", cancellation_reason="abandoned"),
            Declined(FailureReason.DECLINED),
        ),
        (
            intent(
                status="canceled",
                cancellation_reason="abandoned",
                payment_method_types=["sepa_debit"],
            ),
            Declined(FailureReason.DEBIT_FAILED),
        ),
        (intent(status="requires_capture"), Unknown()),
        (
            intent(
                status="requires_action",
                next_action={
                    "type": "redirect_to_url",
                    "redirect_to_url": {"url": "https://hooks.stripe.com/1"},
                },
            ),
            NeedsAction("https://hooks.stripe.com/1"),
        ),
        (intent("seti_1", status="succeeded"), Succeeded()),
    ],
)
async def test_every_status_has_its_meaning(seen: dict[str, Any], standing: object) -> None:
    """What Stripe calls it, and what it is here."""
    stub = Stub()
    path = "setup_intents" if seen["object"] == "setup_intent" else "payment_intents"
    stub.on("GET", f"/v1/{path}/{seen['id']}", seen)

    assert await stub.provider().look(TENANT, seen["id"]) == standing


async def test_a_debit_that_failed_weeks_later_is_cancelled() -> None:
    """Its intent could be confirmed again, too."""
    stub = Stub()
    error = {"code": "payment_method_failed", "payment_method": {"type": "sepa_debit"}}
    stub.on("GET", PI, intent(status="requires_payment_method", last_payment_error=error))
    stub.on("POST", f"{PI}/cancel", intent(status="canceled", last_payment_error=error))

    assert await stub.provider().look(TENANT, "pi_1") == Declined(FailureReason.DEBIT_FAILED)


async def test_a_challenge_without_an_address_is_no_challenge() -> None:
    """What only Stripe's script could answer is cancelled: nobody would ever answer it."""
    stub = Stub()
    seen = intent(status="requires_action", next_action={"type": "use_stripe_sdk"})
    stub.on("GET", PI, seen)
    stub.on("POST", f"{PI}/cancel", intent(status="canceled"))

    standing = await stub.provider().look(TENANT, "pi_1")
    assert standing == Declined(FailureReason.AUTHENTICATION_FAILED)


async def test_a_cancel_that_was_refused_is_asked_anew() -> None:
    """Stripe keeps a refusal under its key, though the intent can be cancelled by now."""
    stub = Stub()
    stub.on("POST", f"{PI}/cancel", refused(), intent(status="canceled"))
    stub.on("GET", PI, intent(status="requires_confirmation"))
    one = order()

    assert await stub.provider().cancel(one, "pi_1") == Cancelled()

    first, _, second = stub.asked
    assert first.key == f"{one.attempt_id}:cancel"
    assert second.key not in {None, first.key}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("succeeded", AlreadySucceeded()),
        ("processing", AlreadySucceeded(pending=True)),
        ("canceled", Cancelled()),
    ],
)
async def test_too_late_to_cancel(status: str, outcome: object) -> None:
    """The refusal says nothing; where the intent stands says why."""
    stub = Stub()
    stub.on("POST", f"{PI}/cancel", refused())
    stub.on("GET", PI, intent(status=status))

    assert await stub.provider().cancel(order(), "pi_1") == outcome


async def test_a_mandate_is_signed_by_the_buyer() -> None:
    """Stripe is told from where; off session, and of a card, it is told nothing."""
    stub = Stub()
    stub.on("POST", f"{PI}/confirm", intent(status="processing"))
    who = Acceptance(at=datetime(2026, 3, 1, tzinfo=UTC), ip="192.0.2.7", user_agent="Firefox")
    bank = stub.provider()

    assert await bank.confirm(order(DEBIT, acceptance=who), "pi_1") == Pending()
    await bank.confirm(order(DEBIT, off_session=True), "pi_1")
    await bank.confirm(order(acceptance=who), "pi_1")

    on_page, off_session, card = (asked.params for asked in stub.asked)
    accepted = "mandate_data[customer_acceptance]"
    assert on_page[f"{accepted}[type]"] == "online"
    assert on_page[f"{accepted}[online][ip_address]"] == "192.0.2.7"
    assert on_page[f"{accepted}[online][user_agent]"] == "Firefox"
    assert off_session == {"off_session": "true"}
    assert set(card) == {"return_url"}


async def test_a_refund_is_looked_for_before_it_is_asked_for() -> None:
    """Keys are forgotten after a day; the refund under the key is not."""
    stub = Stub()
    stub.on("GET", PI, intent(status="succeeded"))
    given = {
        "id": "re_1",
        "object": "refund",
        "amount": 100,
        "status": "pending",
        "metadata": {},
    }
    ours = {**given, "metadata": {"tallystick_refund": "k"}}
    empty: dict[str, Any] = {"object": "list", "data": [given], "has_more": False}
    stub.on("GET", "/v1/refunds", empty, {**empty, "data": [given, ours]})
    stub.on("POST", "/v1/refunds", ours)
    bank = stub.provider()

    assert await bank.refund(TENANT, "pi_1", 100, "k") == Refunded()
    assert await bank.refund(TENANT, "pi_1", 100, "k") == Refunded()

    (asked,) = [one for one in stub.asked if one.call == "POST /v1/refunds"]
    assert asked.key == "pi_1:k"
    assert asked.params["metadata[tallystick_refund]"] == "k"


async def test_a_refund_that_came_back_is_refused() -> None:
    """The account that it was sent to is closed."""
    stub = Stub()
    stub.on("GET", PI, intent(status="succeeded"))
    failed = {
        "id": "re_1",
        "object": "refund",
        "amount": 100,
        "status": "failed",
        "failure_reason": "lost_or_stolen_card",
        "metadata": {"tallystick_refund": "k"},
    }
    stub.on("GET", "/v1/refunds", {"object": "list", "data": [failed], "has_more": False})

    outcome = await stub.provider().refund(TENANT, "pi_1", 100, "k")
    assert isinstance(outcome, RefundRefused)
    assert "lost_or_stolen_card" in outcome.message


async def test_only_a_fresh_token_of_the_chosen_kind_is_collected() -> None:
    """A method of somebody else, and one of another kind, are refused at the panel."""
    stub = Stub()
    card = {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2031}
    fresh = {"id": "pm_1", "object": "payment_method", "type": "card", "card": card}
    stub.on("GET", "/v1/payment_methods/pm_1", {**fresh, "customer": None})
    stub.on("GET", "/v1/payment_methods/pm_2", {**fresh, "customer": "cus_9"})
    bank = stub.provider()

    async def collect(kind: MethodKind, token: str) -> Method:
        return await bank.collect(TENANT, new_id(), kind, {"payment_token": token})

    method = await collect(MethodKind.CARD, "pm_1")
    assert (method.card_brand, method.card_last4, method.card_expiry) == (
        "visa",
        "4242",
        "04/2031",
    )
    for kind, token, code in (
        (MethodKind.DIRECT_DEBIT, "pm_1", "invalid"),
        (MethodKind.CARD, "pm_2", "invalid"),
        (MethodKind.CARD, "../customers", "invalid"),
        (MethodKind.CARD, "", "required"),
    ):
        with pytest.raises(MethodRefused) as refusal:
            await collect(kind, token)
        assert [one.code for one in refusal.value.faults] == [code]
