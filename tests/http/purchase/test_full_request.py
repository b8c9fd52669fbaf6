"""The whole request at once, from the merchant's call to the subscription and its invoice.

Today is 10 March 2026, the anchor is the 15th: five of the 28 days from 15 February are billed.

    Platform fee    129.00      x 5/28     23.04      - 4.97 =  18.07     + 20 %  3.61
    Seats           12 x 9.50   x 5/28     20.36      - 4.39 =  15.97             3.19
    API calls       80.00       in full    80.00     - 17.24 =  62.76            12.55
    Support         2 x 45.00   x 5/28     16.07      - 3.46 =  12.61             2.52
    Workspaces      5 x 4.00    x 5/28      3.57      - 0.77 =   2.80             0.56
    Onboarding      500.00      once      500.00    - 107.78 = 392.22            78.44
                                          643.04    - 138.61 = 504.43           100.87  = 605.30

LAUNCH20 takes 20 % of 643.04, which is 128.61; then TENOFF takes 10.00 of the rest. The
discount is spread over the lines by largest remainder.
"""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from meteroid import models as m

from tests.http.conftest import NOON, Served
from tests.http.purchase.market import Json, Market, open_market
from tests.http.purchase.stock import stock

CASE = Path(__file__).parents[2] / "cases" / "full_request.json"
TODAY = NOON.date()
LINES = [
    # name, from, to, quantity, net of the discount, tax
    ("Platform fee (negotiated)", TODAY, date(2026, 3, 15), 1, 1807, 361),
    ("Seats", TODAY, date(2026, 3, 15), 12, 1597, 319),
    ("API calls", TODAY, date(2026, 3, 15), 1, 6276, 1255),
    ("Priority support (launch price)", TODAY, date(2026, 3, 15), 2, 1261, 252),
    ("Workspaces", TODAY, date(2026, 3, 15), 5, 280, 56),
    ("Onboarding", TODAY, TODAY, 1, 39_222, 7844),
]


@pytest.fixture(scope="module")
def french(api: Served, shared_dsn: str) -> Iterator[Market]:
    """A French seller with the EU's VAT, and the French customer `globex`."""
    with open_market(api, shared_dsn) as market:
        stock(market)
        body = {"tax_engine": "EU_VAT", "address": {"country": "FR"}, "legal_name": "Acme SAS"}
        assert market.raw.patch(market.entity_path, json=body).status_code == 200
        market.customer(alias="globex")
        yield market


def full_request(market: Market) -> Json:
    """The request of the case, with the ids of the catalog."""
    request: Json = json.loads(CASE.read_text())
    request["plan_version_id"] = market.plans["Business"].version_id
    for entry, name in zip(request["add_ons"], ("Priority support", "Workspaces"), strict=True):
        entry["add_on_id"] = market.add_ons[name].id
    components = request["components"]
    for entry, name in zip(
        components["parameterized_components"], ("Seats", "API calls"), strict=True
    ):
        entry["component_id"] = market.component("Business", name)
    (override,) = components["overridden_components"]
    override["component_id"] = market.component("Business", "Platform")
    components["remove_components"] = [market.component("Business", "Insights")]
    request["coupon_ids"] = [market.coupons["TENOFF"].id]
    request["billing_start_date"] = TODAY.isoformat()
    request["end_date"] = TODAY.replace(year=2027).isoformat()
    return request


def test_the_whole_request(french: Market) -> None:
    """Every field of the case is honoured, and every amount is the one computed by hand."""
    request = full_request(french)
    before = french.stored()
    quote = french.raw.post("/checkout-sessions/preview", json=request).json()
    assert french.stored() == before
    _check_quote(quote)

    answer = french.raw.post("/checkout-sessions", json=request)
    assert answer.status_code == 200, answer.text
    session = answer.json()["session"]
    _check_session(session, request, quote)
    assert french.session(session["id"]) == session

    customer = french.sdk.customers.retrieve("globex")
    assert session["customer_id"] == customer.id
    decoded = french.sdk.checkout_sessions.retrieve(session["id"]).session
    bought = french.buy(decoded)

    assert french.charges() == [60_530]
    _check_subscription(bought.subscription, french)
    assert bought.wire["metadata"] == request["metadata"]
    assert Decimal(bought.wire["invoice_threshold"]) == 1000
    assert bought.wire["checkout_session_id"] == session["id"]
    _check_invoice(bought.invoice)
    assert bought.invoice.customer_id == customer.id


def test_the_official_client_sends_it(french: Market) -> None:
    """The client's own types make the same request: the same amounts and the same echo."""
    request = full_request(french)
    sent = m.CreateCheckoutSessionRequest.from_json(json.dumps(request))
    fields = {name: getattr(sent, name) for name in request}
    customer = french.customer("Initech")
    session = french.sdk.checkout_sessions.create(
        **{**fields, "customer_id": customer.id}
    ).session

    wire = french.session(session.id)
    assert (wire["amount_due"], wire["amount_total"]) == (60_530, 60_530)
    for name in ("add_ons", "components", "metadata", "coupon_ids", "payment_methods_config"):
        assert wire[name] == request[name], name


def _check_quote(quote: Json) -> None:
    assert quote["kind"] == "PAYMENT"
    assert (quote["amount_due"], quote["amount_total"]) == (60_530, 60_530)
    assert (quote["subtotal"], quote["discount"], quote["tax_amount"]) == (
        64_304,
        13_861,
        10_087,
    )
    assert quote["coupons"] == [
        {"code": "LAUNCH20", "amount": 12_861},
        {"code": "TENOFF", "amount": 1000},
    ]
    assert [
        (one["name"], one["amount"] - one["discount"], one["tax"], one["amount_total"])
        for one in quote["lines"]
    ] == [(name, net, tax, net + tax) for name, _, _, _, net, tax in LINES]
    # A full month: 129 + 114 + 80 + 90 + 20 = 433.00, less 86.60 and 10.00 = 336.40. Tax is
    # rounded line by line: 20.04 + 17.71 + 12.43 + 13.98 + 3.11 = 67.27.
    assert quote["upcoming"][0] == {
        "due_date": "2026-03-15",
        "reason": "RENEWAL",
        "amount_total": 40_367,
        "has_usage": True,
    }


def _check_session(session: Json, request: Json, quote: Json) -> None:
    same = set(request) - {"customer_id", "expires_in_hours", "invoice_threshold"}
    for name in sorted(same):
        assert session[name] == request[name], name
    assert Decimal(session["invoice_threshold"]) == 1000
    assert session["expires_at"] == "2026-03-11T12:00:00.000Z"
    assert (session["amount_due"], session["amount_total"]) == (60_530, 60_530)
    assert session["quote_id"] == quote["quote_id"]
    assert session["status"] == "CREATED"


def _check_subscription(found: m.SubscriptionDetails, market: Market) -> None:
    assert found.status == "ACTIVE"
    assert (found.start_date, found.billing_start_date) == (TODAY, TODAY)
    assert (found.current_period_start, found.current_period_end) == (TODAY, date(2026, 3, 15))
    assert (found.billing_day_anchor, found.end_date) == (15, date(2027, 3, 10))
    assert (found.net_terms, found.trial_duration) == (14, None)
    assert (found.auto_advance_invoices, found.charge_automatically) == (True, True)
    assert found.invoice_memo == "Thank you for choosing Acme Cloud."
    assert found.purchase_order == "PO-2026-118"
    # 129 + 114 + 80 + 90 + 20
    assert found.mrr_cents == 43_300
    assert [(one.name, one.fee) for one in found.components] == [
        ("Platform fee (negotiated)", m.RateFee(rate=Decimal("129.00"))),
        (
            "Seats",
            m.SlotFee(
                initial_slots=12,
                unit="seat",
                unit_rate=Decimal("9.50"),
                min_slots=2,
                max_slots=50,
            ),
        ),
        (
            "API calls",
            m.CapacityFee(
                included=100_000,
                metric_id=market.metric,
                overage_rate=Decimal("0.002"),
                rate=Decimal("80.00"),
            ),
        ),
        (
            "Storage",
            m.UsageFee(metric_id=market.metric, model=m.PerUnitPricing(rate=Decimal("0.10"))),
        ),
        ("Onboarding", m.OneTimeFee(quantity=1, rate=Decimal("500.00"))),
    ]
    assert [(one.name, one.quantity, one.fee) for one in found.add_ons] == [
        ("Priority support (launch price)", 2, m.RateFee(rate=Decimal("45.00"))),
        (
            "Workspaces",
            1,
            m.SlotFee(
                initial_slots=5,
                unit="workspace",
                unit_rate=Decimal("4.00"),
                min_slots=1,
                max_slots=20,
            ),
        ),
    ]
    assert {
        (one.coupon.code, one.applied_coupon.applied_amount) for one in found.applied_coupons
    } == {("LAUNCH20", Decimal("128.61")), ("TENOFF", Decimal("10.00"))}


def _check_invoice(invoice: m.Invoice) -> None:
    assert (invoice.status, invoice.payment_status) == ("FINALIZED", "PAID")
    assert invoice.invoice_type == "RECURRING"
    assert (invoice.invoice_date, invoice.due_date) == (TODAY, TODAY + timedelta(days=14))
    assert invoice.billing_period_start == TODAY
    assert (invoice.memo, invoice.purchase_order) == (
        "Thank you for choosing Acme Cloud.",
        "PO-2026-118",
    )
    assert (invoice.subtotal, invoice.tax_amount, invoice.total) == (64_304, 10_087, 60_530)
    assert (invoice.amount_due, invoice.applied_credits) == (0, 0)
    assert [
        (one.name, one.start_date, one.end_date, one.quantity, one.amount_total)
        for one in invoice.line_items
    ] == [
        (name, start, end, Decimal(quantity), net + tax)
        for name, start, end, quantity, net, tax in LINES
    ]
    assert {one.tax_rate for one in invoice.line_items} == {Decimal("0.20")}
    assert {(one.name, one.total) for one in invoice.coupons} == {
        ("LAUNCH20", 12_861),
        ("TENOFF", 1000),
    }
    (tax,) = invoice.tax_breakdown
    assert (tax.tax_rate, tax.taxable_amount, tax.tax_amount) == (
        Decimal("0.20"),
        50_443,
        10_087,
    )
    (payment,) = invoice.transactions
    assert (payment.amount, payment.status, payment.currency) == (60_530, "SETTLED", "EUR")
