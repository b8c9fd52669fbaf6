"""Lines that were billed alike are given back as one; which coupons a draft goes on with."""

from dataclasses import replace

import pytest

from tallystick.domain.contract import RunningCoupon
from tallystick.domain.renewal import Recipe, UsedCoupon, still_applying
from tallystick.domain.rest_of_period import Billed
from tests.domain.samples import DAY, UNTAXED, named, percent, taxed_at

FIRST = Billed(decision=UNTAXED, quoted_amount=3000, quoted_discount=300, units=3)
LATER = Billed(decision=UNTAXED, quoted_amount=1000, quoted_discount=100, units=1, adds=True)


def test_the_same_tax_and_the_same_part_of_a_discount_are_one() -> None:
    """30.00 and 10.00, both a tenth off: 40.00 of which 4.00 were off, for four slots."""
    assert FIRST.with_alike(LATER) == Billed(
        decision=UNTAXED, quoted_amount=4000, quoted_discount=400, units=4, adds=False
    )
    both = replace(FIRST, adds=True).with_alike(LATER)
    assert both is not None
    assert both.adds
    first = LATER.with_alike(FIRST)
    assert first is not None
    assert not first.adds


def test_a_cent_is_something() -> None:
    """Lines of a cent are alike as others are."""
    cent = Billed(decision=UNTAXED, quoted_amount=1)
    both = cent.with_alike(cent)
    assert both is not None
    assert (both.quoted_amount, both.quoted_discount, both.units) == (2, 0, 2)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(LATER, decision=taxed_at("0.2")), id="another tax"),
        pytest.param(replace(LATER, quoted_discount=101), id="another discount"),
        pytest.param(replace(LATER, quoted_discount=0), id="no discount"),
        pytest.param(replace(LATER, credited=1), id="credited"),
        pytest.param(replace(LATER, quoted_amount=0, quoted_discount=0), id="nothing"),
    ],
)
def test_what_was_billed_otherwise_stays_apart(other: Billed) -> None:
    """Whichever of the two is asked."""
    assert FIRST.with_alike(other) is None
    assert other.with_alike(FIRST) is None


def test_two_that_were_credited_alike_stay_apart() -> None:
    """What is left of either is a part."""
    assert replace(FIRST, credited=5).with_alike(replace(FIRST, credited=5)) is None


def test_a_draft_keeps_the_coupons_that_can_still_apply() -> None:
    """One that others have used up goes; its own stays, and so does one without a limit."""

    def running(code: str, limit: int | None) -> RunningCoupon:
        terms = replace(percent("10", code), recurring_value=limit)
        return RunningCoupon(redemption_id=named(code), terms=terms, applied_count=0)

    coupons = tuple(
        running(code, limit)
        for code, limit in [("used up", 2), ("own", 2), ("left", 3), ("always", None)]
    )
    recipe = Recipe(
        day=DAY,
        currency="EUR",
        inclusive=False,
        charges=(),
        meters=(),
        metered=(),
        coupons=coupons,
        used=(UsedCoupon(redemption_id=named("own"), amount=5),),
    )
    uses = {one.redemption_id: 2 for one in coupons}

    kept = still_applying(recipe, uses)

    assert kept == replace(recipe, coupons=coupons[1:])
