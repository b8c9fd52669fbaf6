"""Whatever is wrong with a request is told in one answer, of whatever kind it is."""

from datetime import UTC, datetime

from tallystick.domain.ids import Prefix
from tests.http.purchase.market import Market, id_of
from tests.http.purchase.requests import priced, refused
from tests.http.purchase.terms import percent


def test_shape_and_meaning(market: Market) -> None:
    """A value of a wrong type, an unknown coupon and a date out of bounds are told at once."""
    body = {
        **market.body(coupon_ids=[id_of(Prefix.COUPON)], coupon_code="NOPE"),
        "net_terms": "30",
        "billing_start_date": "2019-01-01",
    }

    assert refused(market, body) == [
        ("net_terms", "wrong_type"),
        ("coupon_code", "unknown"),
        ("coupon_ids[0]", "unknown"),
        ("billing_start_date", "out_of_bounds"),
    ]


def test_unknown_names_and_meaning(market: Market) -> None:
    """A misspelt name does not hide that the coupon is unknown and the plan is a draft."""
    body = {**market.body("Draft", coupon_code="NOPE"), "trial_duration_day": 3}

    assert refused(market, body) == [
        ("trial_duration_day", "unknown_field"),
        ("plan_version_id", "draft"),
        ("coupon_code", "unknown"),
    ]


def test_prices_and_meaning(market: Market) -> None:
    """A price that cannot be read, one that cannot be, and an archived customer are told."""
    customer = market.customer()
    market.archive("customers", Prefix.CUSTOMER, customer.id)
    tiers = [{"first_unit": 1, "rate": "1"}, {"first_unit": 1, "rate": "2"}]
    model = {"type": "TIERED", "tiers": tiers}
    metered = {"type": "USAGE", "metric_id": market.metric, "model": "TIERED"}
    body = market.body(
        customer_id=customer.id,
        components=priced({"type": "USAGE", "model": model}, metered),
    )
    entry = "components.extra_components[0].price_entry.pricing.model"

    assert refused(market, {**body, "end_date": "soon"}) == [
        ("customer_id", "archived"),
        ("end_date", "malformed"),
        (f"{entry}.tiers[0].first_unit", "invalid"),
        (f"{entry}.tiers[1].first_unit", "invalid"),
    ]


def test_what_was_set_aside_is_not_blamed(market: Market) -> None:
    """Nothing is said of what could not be read but that, nor of what depends on it."""
    seats = market.component("Business", "Seats")
    components = {
        "parameterized_components": [
            {"component_id": seats, "parameters": {"initial_slot_count": 1.5}}
        ]
    }
    body = market.body("Business", components=components, end_date="2026-03-20")

    assert refused(market, {**body, "trial_duration_days": "0", "coupon_code": "NOPE"}) == [
        ("components.parameterized_components[0].parameters.initial_slot_count", "wrong_type"),
        ("trial_duration_days", "wrong_type"),
        ("coupon_code", "unknown"),
    ]


def test_an_unknown_customer_and_the_rest(market: Market) -> None:
    """Of a request for nobody coupons and dates are looked at, too; it stays 404 unless a
    part of it cannot be read.
    """
    body = {
        **market.body(customer_id="nobody", coupon_code="NOPE"),
        "billing_start_date": "2019-01-01",
    }

    assert refused(market, body, 404) == [
        ("customer_id", "unknown"),
        ("coupon_code", "unknown"),
        ("billing_start_date", "out_of_bounds"),
    ]
    assert refused(market, {**body, "net_terms": -1}) == [
        ("customer_id", "unknown"),
        ("net_terms", "out_of_range"),
        ("coupon_code", "unknown"),
        ("billing_start_date", "out_of_bounds"),
    ]


def test_an_unknown_plan_version_and_the_rest(market: Market) -> None:
    """Of a request for no plan, an expired coupon is told, and one for a plan is not blamed."""
    market.coupon("OLD", percent("20"), expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    body = {
        **market.body(coupon_code="OLD"),
        "plan_version_id": id_of(Prefix.PLAN_VERSION),
    }

    assert refused(market, body, 404) == [
        ("plan_version_id", "unknown"),
        ("coupon_code", "expired"),
    ]
