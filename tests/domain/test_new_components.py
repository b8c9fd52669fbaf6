"""Slots that come along when one component takes the place of another."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tallystick.domain.charges import SlotChange
from tallystick.domain.errors import InvalidInput
from tallystick.domain.new_components import with_slots_of
from tallystick.domain.pricing import SlotPricing
from tests.domain.offers import priced, rate, seats
from tests.domain.samples import DAY

LATER = date(2024, 2, 1)
FIVE = seats("10", 5)


def test_only_slots_are_carried() -> None:
    """From what has some to what has some."""
    assert with_slots_of(FIVE, seats("20", 1), DAY) == seats("20", 5)
    fee = rate("9")
    assert with_slots_of(FIVE, fee, DAY) is fee
    one = seats("20", 1)
    assert with_slots_of(fee, one, DAY) is one


def test_what_is_to_be_given_up_is_given_up_by_the_new_one() -> None:
    """Of five two go in February; no fewer stay than the new price asks for."""
    old = replace(FIVE, slot_changes=(SlotChange(delta=-2, on=LATER),))
    new = with_slots_of(old, seats("20", 1), DAY)
    assert (new.slots, new.slot_changes) == (5, (SlotChange(delta=-2, on=DAY),))
    least = priced("Seats", SlotPricing(unit_rate=Decimal(20), min_slots=4), slots=4)
    assert with_slots_of(old, least, DAY).slot_changes == (SlotChange(delta=-1, on=DAY),)
    six = priced("Seats", SlotPricing(unit_rate=Decimal(20), min_slots=6), slots=6)
    raised = with_slots_of(old, six, DAY)
    assert (raised.slots, raised.slot_changes) == (6, ())


@pytest.mark.parametrize(("most", "fits"), [(4, False), (5, True), (None, True)])
def test_it_may_not_have_so_many(most: int | None, fits: bool) -> None:
    """Five of at most four."""
    pricing = SlotPricing(unit_rate=Decimal(20), min_slots=None, max_slots=most)
    new = priced("Seats", pricing, slots=0)
    if fits:
        assert with_slots_of(FIVE, new, DAY).slots == 5
        return
    with pytest.raises(InvalidInput, match="has 5 slots, and the new plan at most 4"):
        with_slots_of(FIVE, new, DAY)
