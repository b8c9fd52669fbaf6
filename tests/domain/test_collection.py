"""When a payment is tried again, and from which method."""

from datetime import UTC, datetime, timedelta

import pytest

from tallystick.domain.attempt import AttemptState
from tallystick.domain.collection import (
    Collection,
    SavedMethod,
    has_expired,
    method_to_charge,
    next_try,
)
from tallystick.domain.payment import Method, MethodKind
from tests.domain.samples import named

NOW = datetime(2026, 3, 31, 23, tzinfo=UTC)


def saved(name: str, days_ago: int, expiry: str | None, *, is_own: bool = False) -> SavedMethod:
    """A card on file."""
    card = Method(provider="sandbox", token=name, kind=MethodKind.CARD, card_expiry=expiry)
    return SavedMethod(
        id=named(name), method=card, is_own=is_own, created_at=NOW - timedelta(days=days_ago)
    )


@pytest.mark.parametrize(("failures", "days"), [(1, 3), (2, 5), (3, 7)])
def test_it_is_tried_again_after_so_many_days(failures: int, days: int) -> None:
    """Three days after the first failure, five after the second, seven after the third."""
    assert next_try(NOW, failures, (3, 5, 7)) == NOW + timedelta(days=days)


def test_no_try_is_left_after_the_last() -> None:
    """The fourth failure of three days is the last one; without days, so is the first."""
    assert next_try(NOW, 4, (3, 5, 7)) is None
    assert next_try(NOW, 1, ()) is None


def test_its_own_method_comes_first_then_the_newest() -> None:
    """Its own one, though older; of the others the newest."""
    old, new = saved("old", 9, "12/2040"), saved("new", 1, "12/2040")
    own = saved("own", 30, "12/2040", is_own=True)

    assert method_to_charge([new, own, old], NOW) == own
    assert method_to_charge([old, new], NOW) == new
    assert method_to_charge([], NOW) is None


def test_a_card_can_be_charged_until_its_last_month_is_over() -> None:
    """On March 31 one of 03/2026 still can be, one of February or of last December cannot.

    Where nothing else is there its own one is tried, which tells the customer why it fails.
    """
    march, forever = saved("march", 5, "03/2026"), saved("account", 9, None)
    gone = [saved("february", 1, "02/2026"), saved("december", 1, "12/2025", is_own=True)]

    assert method_to_charge([*gone, march], NOW) == march
    assert method_to_charge([*gone, forever], NOW) == forever
    assert method_to_charge(gone, NOW) == gone[1]
    assert has_expired(gone[1].method, NOW)
    assert not has_expired(march.method, NOW)


@pytest.mark.parametrize("kind", MethodKind)
def test_only_a_debit_completes_on_a_promise(kind: MethodKind) -> None:
    """A card that is not charged yet has promised nothing."""
    one = Collection(
        id=named("try"),
        invoice_id=named("invoice"),
        customer_id=named("customer"),
        payment_method_id=named("method"),
        transaction_id=named("transaction"),
        provider="sandbox",
        reference=None,
        method=Method(provider="sandbox", token="token", kind=kind),
        amount=100,
        currency="EUR",
        state=AttemptState.LIVE,
        failure=None,
        claimed_at=NOW,
    )
    assert one.completes_when_accepted is (kind is MethodKind.DIRECT_DEBIT)
