"""Faults of the reference that must not come back: at the API.

Each test is named by its fault, and shows that it is not there.
"""

from decimal import Decimal

import httpx
import pytest
from meteroid import BadRequestError, NotFoundError
from meteroid import models as m

from tallystick.domain.ids import Prefix, decode
from tests.http.purchase.market import Json, Market, id_of
from tests.http.purchase.requests import refused
from tests.http.purchase.terms import fixed, percent


def test_a_key_is_accepted_on_its_id_alone(market: Market) -> None:
    """A key that shares all but its end with a good, just used one is unknown."""
    key = market.tenant.api_key
    assert market.raw.get("/customers").status_code == 200
    for wrong in (key[:-1] + ("A" if key[-1] != "A" else "B"), key[: len(key) // 2], key + "x"):
        answer = httpx.get(
            f"{market.url}/api/v1/customers", headers={"Authorization": f"Bearer {wrong}"}
        )
        assert answer.status_code == 401


def test_anothers_customer_or_plan_is_accepted(market: Market, rival: Market) -> None:
    """Another tenant's customer, plan, component, add-on, product, price: none is accepted."""
    with pytest.raises(NotFoundError):
        market.offer(customer_id=rival.customer().id)
    with pytest.raises(NotFoundError):
        market.offer(plan_version_id=rival.plans["Starter"].version_id)
    for fields in (
        {"coupon_ids": [rival.coupons["LAUNCH20"].id]},
        {"add_ons": [{"add_on_id": rival.add_ons["Workspaces"].id}]},
        {"components": {"remove_components": [rival.component("Starter", "Fee")]}},
    ):
        assert [code for _, code in refused(market, {**market.body(), **fields})] == ["unknown"]


@pytest.mark.parametrize(
    "path",
    [
        f"/checkout-sessions/{id_of(Prefix.CHECKOUT_SESSION)}",
        f"/customers/{id_of(Prefix.CUSTOMER)}",
        f"/plans/{id_of(Prefix.PLAN)}",
        f"/subscriptions/{id_of(Prefix.SUBSCRIPTION)}",
        f"/invoices/{id_of(Prefix.INVOICE)}",
        f"/coupons/{id_of(Prefix.COUPON)}",
        f"/addons/{id_of(Prefix.ADD_ON)}",
        f"/products/{id_of(Prefix.PRODUCT)}",
        f"/metrics/{id_of(Prefix.METRIC)}",
    ],
)
def test_unknown_ids_are_answered_with_500(market: Market, path: str) -> None:
    """An unknown id, and one of another kind, is not found."""
    kind, _, name = path.rpartition("/")
    for asked in (
        path,
        f"{kind}/{name[:-1]}",
        f"{kind}/{'z' * 30}",
        f"{kind}/%00",
        f"{kind}/é",
    ):
        answer = market.raw.get(asked)
        assert (answer.status_code, answer.json()["code"]) in (
            (404, "NOT_FOUND"),
            (400, "BAD_REQUEST"),
        ), asked
    assert market.raw.get(path).status_code == 404


def test_a_paid_trial_without_an_anchor_fails_after_the_charge(market: Market) -> None:
    """A paid trial needs no anchor: the first billed day is one."""
    bought = market.bought("Paid trial")

    assert bought.subscription.billing_day_anchor == 10
    assert bought.invoice.payment_status == "PAID"


def test_a_coupon_of_other_plans_fails_after_the_charge(market: Market) -> None:
    """It is refused before a link exists."""
    coupon = market.coupon("OTHERS", percent("10"), plan_ids=[market.plans["Trial"].id])

    assert refused(market, market.body(coupon_ids=[coupon.id])) == [
        ("coupon_ids[0]", "wrong_plan")
    ]


def test_an_end_before_the_start_fails_after_the_charge(market: Market) -> None:
    """It is refused before a link exists, a trial and a start in the future counted."""
    for fields in (
        {"end_date": "2026-03-01"},
        {"end_date": "2026-03-20", "trial_duration_days": 14},
        {"end_date": "2026-04-01", "billing_start_date": "2026-04-02"},
    ):
        assert refused(market, {**market.body(), **fields}) == [("end_date", "too_early")]


def test_too_many_add_ons_fail_after_the_charge(market: Market) -> None:
    """They are refused before a link exists, all entries counted."""
    support = market.add_ons["Priority support"].id
    entries = [{"add_on_id": support, "quantity": 3}] * 2

    assert refused(market, market.body(add_ons=entries)) == [
        ("add_ons[1].quantity", "above_limit")
    ]


def test_a_price_in_another_currency_fails_after_the_charge(market: Market) -> None:
    """It is refused before a link exists."""
    market.coupon("INDOLLARS", fixed("5.00", "USD"))
    with pytest.raises(BadRequestError, match="USD, but the plan is sold in EUR"):
        market.offer(
            components=m.CreateSubscriptionComponents(
                overridden_components=[
                    m.ComponentOverride(
                        component_id=market.component("Starter", "Fee"),
                        name="Fee",
                        price_entry=m.PriceInput(
                            cadence=m.BillingPeriodEnum.MONTHLY,
                            currency="USD",
                            pricing=m.RatePricing(rate=Decimal(1)),
                        ),
                    )
                ]
            )
        )
    assert refused(market, market.body(coupon_code="INDOLLARS")) == [
        ("coupon_code", "wrong_currency")
    ]


def test_stacked_coupons_fail_after_the_charge(market: Market) -> None:
    """Stacked coupons are quoted, charged and recorded."""
    before = market.charges()
    bought = market.bought(coupon_code="TENOFF", coupon_ids=[market.coupons["LAUNCH20"].id])

    assert bought.invoice.total == 2920
    assert market.charges() == [*before, 2920]
    assert len(bought.subscription.applied_coupons) == 2


@pytest.mark.parametrize(("credit", "charged"), [(1000, 3900), (4900, None), (9900, None)])
def test_a_customer_with_a_credit_balance_fails_after_the_charge(
    market: Market, credit: int, charged: int | None
) -> None:
    """The balance pays first; what it leaves is charged, and the rest of it stays."""
    customer = market.customer()
    entry = {"currency": "EUR", "amount": credit}
    added = market.raw.post(f"/customers/{customer.id}/balance-entries", json=entry)
    assert added.status_code == 201, added.text
    before = market.charges()
    quote = market.preview(customer_id=customer.id)
    bought = market.bought(customer_id=customer.id)

    assert quote["amount_due"] == (charged or 0)
    assert bought.invoice.applied_credits == min(credit, 4900)
    assert (bought.invoice.total, bought.invoice.amount_due) == (4900, 0)
    assert bought.invoice.payment_status == "PAID"
    assert market.charges() == before + ([charged] if charged else [])
    left = market.value(
        "select balance from customer_balances where tenant_id = $1 and customer_id = $2",
        market.tenant.tenant_id,
        decode(Prefix.CUSTOMER, customer.id),
    )
    assert left == credit - bought.invoice.applied_credits


@pytest.mark.parametrize(
    "fields",
    [
        {"billing_day_anchor": 0},
        {"billing_day_anchor": 65_536 + 1},
        {"net_terms": -1},
        {"net_terms": 2**32},
        {"expires_in_hours": 2**31},
        {"expires_in_hours": 10**18},
        {"expires_in_hours": -1},
        {"trial_duration_days": 2**32 + 5},
        {"trial_duration_days": -5},
    ],
)
def test_numbers_wrap_or_crash(market: Market, fields: Json) -> None:
    """A number out of its bounds is refused by its field."""
    assert refused(market, {**market.body(), **fields}) == [
        (next(iter(fields)), "out_of_range")
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/api/v1/checkout-sessions", 405),
        ("PUT", "/api/v1/customers", 405),
        ("POST", "/api/v1/checkout-sessions", 415),
        ("GET", "/api/v1/checkout-sessions?page=x", 400),
        ("GET", "/api/v1/checkout-sessions/x", 404),
    ],
)
def test_errors_are_plain_text(market: Market, method: str, path: str, status: int) -> None:
    """Every refusal has the one shape, the framework's included."""
    answer = httpx.request(
        method,
        f"{market.url}{path}",
        headers={"Authorization": f"Bearer {market.tenant.api_key}"},
        content=b"x" if method == "POST" else None,
    )

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"code", "message", "errors", "request_id"}
    assert answer.json()["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize("path", ["/checkout-sessions", "/customers", "/plans", "/addons"])
def test_per_page_lies(market: Market, path: str) -> None:
    """What is said about the page is what is sent."""
    for _ in range(3):
        market.offer()
    answer = market.raw.get(path, params={"per_page": 2}).json()
    sent = answer["sessions" if "sessions" in answer else "data"]

    assert len(sent) == 2 == answer["pagination_meta"]["per_page"]
    assert market.raw.get(path, params={"per_page": 101}).status_code == 400


def test_null_cannot_clear(market: Market) -> None:
    """A field that is sent as null is cleared, one that is not sent stays."""
    customer = market.customer(alias="clearable", phone="+33 1", vat_number="FR40303265045")
    answer = market.raw.patch(f"/customers/{customer.id}", json={"phone": None, "alias": None})
    found = answer.json()

    assert (found["phone"], found["alias"]) == (None, None)
    assert found["vat_number"] == "FR40303265045"
    assert market.raw.get("/customers/clearable").status_code == 404
