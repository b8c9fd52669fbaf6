"""What lists say of a coupon and of a payment."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tallystick.domain.billing_entries import RedeemedCoupon, TransactionEntry
from tests.domain.samples import named, percent

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("limit", "count", "is_active"),
    [
        (None, 0, True),
        (None, 99, True),
        (2, 0, True),
        (2, 1, True),
        (2, 2, False),
        (1, 5, False),
    ],
)
def test_a_coupon_applies_as_often_as_it_may(
    limit: int | None, count: int, is_active: bool
) -> None:
    """To the next invoice, too, until it has been used up."""
    one = RedeemedCoupon(
        id=named("redemption"),
        terms=replace(percent("10"), recurring_value=limit),
        applied_count=count,
        applied_amount=0,
        last_applied_at=None,
        redeemed_at=NOON,
        description=None,
        disabled=False,
        expires_at=None,
        redemption_limit=None,
    )
    assert one.is_active is is_active


@pytest.mark.parametrize(
    ("refunded", "reversed_", "status"),
    [
        (0, 0, "SETTLED"),
        (1000, 0, "SETTLED"),
        (0, 1, "SETTLED"),
        (0, 999, "SETTLED"),
        (0, 1000, "REFUNDED"),
        (400, 600, "REFUNDED"),
        (400, 599, "SETTLED"),
        (999, 1, "REFUNDED"),
    ],
)
def test_a_payment_that_was_taken_back_is_gone(
    refunded: int, reversed_: int, status: str
) -> None:
    """Where its provider took back all that was left of 10.00; refunds alone say so apart."""
    one = TransactionEntry(
        id=named("payment"),
        payment_type="PAYMENT",
        status="SETTLED",
        reference="reference",
        amount=1000,
        currency="EUR",
        payment_method_id=None,
        method=None,
        failure=None,
        created_at=NOON,
        processed_at=NOON,
        refunded=refunded,
        reversed=reversed_,
    )
    assert one.shown_status == status
