"""The coupons of an offer: by code and by id, and why one is refused."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from tallystick.domain.coupons import CouponState
from tallystick.domain.errors import Fault, Unread
from tallystick.domain.offer_request import OfferRequest
from tallystick.domain.resolve_offer import AT_A_CHECKOUT, faults_apart
from tests.domain.offers import OPEN, PLAN
from tests.domain.orders import (
    NOW,
    PLATFORM,
    TODAY,
    catalog,
    knowing,
    messages,
    refused,
    resolved,
    version,
)
from tests.domain.samples import fixed, named, percent

TENTH = percent("10", "TEN")


def test_code_and_ids_add_up_and_merge() -> None:
    """Named twice it counts once; the order is the request's, the code first."""
    five = fixed("5", "FIVE")
    facts = catalog(version(PLATFORM), **knowing(TENTH, five))
    request = OfferRequest(coupon_code="FIVE", coupon_ids=(TENTH.id, five.id, TENTH.id))
    assert resolved(facts, request).coupons == (five, TENTH)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (replace(OPEN, archived=True), "archived"),
        (replace(OPEN, disabled=True), "disabled"),
        (replace(OPEN, expires_at=datetime(2024, 1, 1, 12, tzinfo=UTC)), "expired"),
        (replace(OPEN, plan_ids=frozenset({named("another plan")})), "wrong_plan"),
        (replace(OPEN, redemption_limit=5, taken=5), "exhausted"),
    ],
)
def test_coupons_that_cannot_be_redeemed(state: CouponState, code: str) -> None:
    """By code and by id, each with its reason."""
    facts = catalog(version(PLATFORM), **knowing(TENTH, state=state))
    request = OfferRequest(coupon_code="TEN", coupon_ids=(TENTH.id,))
    assert refused(facts, request) == [("coupon_code", code), ("coupon_ids[0]", code)]
    assert len(set(messages(facts, request))) == 1


def test_coupons_of_another_currency_used_or_unknown() -> None:
    """Their own reasons, at their own places."""
    dollars = fixed("5", "USD5", "USD")
    single = replace(percent("5", "ONCE"), once_per_customer=True)
    used = replace(OPEN, used_by_customer=True)
    facts = catalog(version(PLATFORM), **knowing(dollars, single, TENTH, state=used))
    request = OfferRequest(
        coupon_code="nothing",
        coupon_ids=(named("nothing"), dollars.id, single.id, TENTH.id),
    )
    assert refused(facts, request) == [
        ("coupon_code", "unknown"),
        ("coupon_ids[0]", "unknown"),
        ("coupon_ids[1]", "wrong_currency"),
        ("coupon_ids[2]", "already_used"),
    ]
    assert len(set(messages(facts, request))) == 3


def test_a_coupon_of_this_plan_is_welcome() -> None:
    """Restricted to this plan among others, below its limit, not yet expired."""
    state = CouponState(
        expires_at=datetime(2024, 1, 1, 12, 0, 1, tzinfo=UTC),
        disabled=False,
        archived=False,
        redemption_limit=5,
        taken=4,
        plan_ids=frozenset({PLAN, named("another plan")}),
        used_by_customer=True,
    )
    facts = catalog(version(PLATFORM), **knowing(TENTH, state=state))
    assert resolved(facts, OfferRequest(coupon_code="TEN")).coupons == (TENTH,)


def test_coupons_are_looked_at_without_a_plan_or_a_customer() -> None:
    """What can be told of them and of the start, unless it could not be read."""
    dollars = fixed("5", "USD5", "USD")
    facts = catalog(version(PLATFORM), **knowing(dollars, TENTH)).coupons
    far = date(2020, 1, 1)
    request = OfferRequest(coupon_codes=("nothing", "USD5"), billing_start_date=far)

    def found(one: OfferRequest, plan: tuple[UUID, str] | None) -> list[str]:
        faults = faults_apart(one, facts, plan, now=NOW, today=TODAY, past=AT_A_CHECKOUT)
        return [f"{fault.field} {fault.code}" for fault in faults]

    start = "billing_start_date out_of_bounds"
    assert found(request, None) == ["coupon_codes[0] unknown", start]
    assert found(request, (PLAN, "EUR")) == [
        "coupon_codes[0] unknown",
        "coupon_codes[1] wrong_currency",
        start,
    ]
    malformed = Fault("coupon_codes[1]", "malformed", "is no code")
    unread = Unread(faults=(malformed,), fields=frozenset({"coupon_codes"}))
    assert found(replace(request, unread=unread), (PLAN, "EUR")) == [
        "coupon_codes[1] malformed",
        start,
    ]
