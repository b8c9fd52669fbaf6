"""Coupons through the SDK."""

from datetime import timedelta

import pytest
from meteroid import models as m
from meteroid.errors import ConflictError

from tests.http.catalog.shop import Shop
from tests.http.conftest import NOON

TWENTY = m.PercentageDiscount(percentage="20")


def test_a_percentage_coupon_is_created_and_found_again(shop: Shop) -> None:
    """Percentages are text in per cent; every term is returned."""
    plan = shop.plan()

    made = shop.sdk.coupons.create(
        code="LAUNCH20",
        discount=TWENTY,
        description="For the launch",
        expires_at=NOON + timedelta(days=30),
        plan_ids=[plan.id],
        recurring_value=3,
        redemption_limit=100,
        reusable=True,
    )

    assert made.id.startswith("cou_")
    assert (made.discount, made.plan_ids) == (TWENTY, [plan.id])
    assert (made.recurring_value, made.redemption_limit, made.reusable) == (3, 100, True)
    assert (made.expires_at, made.created_at) == (NOON + timedelta(days=30), NOON)
    assert (made.redemption_count, made.disabled, made.archived_at) == (0, False, None)
    assert shop.sdk.coupons.retrieve(made.id) == made


def test_a_fixed_coupon_keeps_its_amount_and_its_defaults(shop: Shop) -> None:
    """Amounts are text in major units; without more, a customer redeems it once, for ever."""
    made = shop.sdk.coupons.create(
        code="TEN", discount=m.FixedDiscount(amount="10.50", currency="EUR")
    )

    assert made.discount == m.FixedDiscount(amount="10.50", currency="EUR")
    assert (made.reusable, made.recurring_value, made.redemption_limit) == (False, None, None)
    assert made.plan_ids == []


def test_a_coupon_tells_its_event(shop: Shop) -> None:
    """`coupon.created` decodes as the SDK's event."""
    made = shop.sdk.coupons.create(code="LAUNCH20", discount=TWENTY)

    (body,) = shop.events("coupon.created")
    data = m.CouponEvent.from_dict(body).coupon_event_data
    assert (data.coupon_id, data.code, data.discount) == (made.id, "LAUNCH20", TWENTY)
    assert (data.description, data.disabled, data.reusable) == ("", False, False)


def test_a_code_names_one_coupon_and_case_matters(shop: Shop, other_shop: Shop) -> None:
    """A code is unique among a tenant's unarchived coupons, exactly as it is written."""
    shop.sdk.coupons.create(code="SAVE", discount=TWENTY)

    with pytest.raises(ConflictError):
        shop.sdk.coupons.create(code="SAVE", discount=TWENTY)

    shop.sdk.coupons.create(code="save", discount=TWENTY)
    other_shop.sdk.coupons.create(code="SAVE", discount=TWENTY)
    assert shop.counts()["coupons"] == 2


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        (
            {"discount": {"type": "PERCENTAGE", "percentage": "100.01"}},
            [("discount.percentage", "invalid")],
        ),
        (
            {"discount": {"type": "PERCENTAGE", "percentage": "0"}},
            [("discount.percentage", "out_of_range")],
        ),
        (
            {"discount": {"type": "FIXED", "amount": "1.005", "currency": "EUR"}},
            [("discount.amount", "invalid")],
        ),
        (
            {"discount": {"type": "FIXED", "amount": "10.5", "currency": "JPY"}},
            [("discount.amount", "invalid")],
        ),
        (
            {"discount": {"type": "FIXED", "amount": "-5", "currency": "XXX"}},
            [("discount.amount", "out_of_range"), ("discount.currency", "unknown_value")],
        ),
        ({"discount": {"type": "FREE"}}, [("discount.type", "unknown_value")]),
        ({"redemption_limit": 0}, [("redemption_limit", "out_of_range")]),
        ({"recurring_value": 0}, [("recurring_value", "out_of_range")]),
        ({"expires_at": "2026-01-01T00:00:00"}, [("expires_at", "malformed")]),
        (
            {"plan_ids": ["0198c4a5-7b3e-7c11-9f00-0123456789ab"]},
            [("plan_ids[0]", "unknown")],
        ),
        ({"code": "", "codes": "X"}, [("code", "too_short"), ("codes", "unknown_field")]),
    ],
)
def test_an_impossible_coupon_is_refused(
    shop: Shop, fields: dict[str, object], faults: list[tuple[str, str]]
) -> None:
    """Each fault is told with its path; nothing is created."""
    body = {"code": "X", "discount": {"type": "PERCENTAGE", "percentage": "20"}, **fields}

    status, found = shop.refused("POST", "/coupons", body)

    assert (status, sorted(found)) == (400, sorted(faults))
    assert shop.counts()["coupons"] == 0


def test_another_tenants_plan_is_not_known_to_a_coupon(shop: Shop, other_shop: Shop) -> None:
    """`plan_ids` names plans of this tenant."""
    foreign = other_shop.plan().id
    discount = {"type": "PERCENTAGE", "percentage": "20"}

    assert shop.refused(
        "POST", "/coupons", {"code": "X", "discount": discount, "plan_ids": [foreign]}
    ) == (400, [("plan_ids[0]", "unknown")])


def test_coupons_are_listed_by_what_they_can_still_do(shop: Shop) -> None:
    """ACTIVE can be redeemed, INACTIVE cannot any more; ALL lists both; none is archived."""
    live = shop.sdk.coupons.create(code="LIVE", discount=TWENTY).id
    over = shop.sdk.coupons.create(code="OVER", discount=TWENTY, expires_at=NOON).id

    def listed(which: m.CouponFilter) -> set[str]:
        return {one.id for one in shop.sdk.coupons.list(filter=which)}

    assert listed(m.CouponFilter.ACTIVE) == {live}
    assert listed(m.CouponFilter.INACTIVE) == {over}
    assert listed(m.CouponFilter.ALL) == {live, over}
    assert listed(m.CouponFilter.ARCHIVED) == set()
