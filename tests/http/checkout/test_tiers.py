"""A price by tiers, told in one sentence."""

from decimal import Decimal

import pytest
from babel import Locale

from tallystick.domain.pricing import Tier, Tiered, Volume
from tallystick.http.checkout.tiers import tier_words
from tallystick.http.checkout.words import teller_for

ENGLISH = teller_for(Locale.parse("en_GB"))


def tier(first_unit: int, rate: str, flat_fee: str | None = None) -> Tier:
    """A tier."""
    fee = None if flat_fee is None else Decimal(flat_fee)
    return Tier(first_unit=first_unit, rate=Decimal(rate), flat_fee=fee)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            Tiered(tiers=(tier(0, "0"), tier(100, "0.09"))),
            "first 100 units free, then \u20ac0.09 per unit",
        ),
        (
            Tiered(tiers=(tier(0, "0.10"), tier(1000, "0.08"), tier(10_000, "0.05"))),
            "first 1,000 units \u20ac0.10 each, then from \u20ac0.05 per unit",
        ),
        (Tiered(tiers=(tier(0, "0.10"),)), "from \u20ac0.10 per unit"),
        (Tiered(tiers=(tier(0, "0"), tier(10, "0.5", "20"))), "from \u20ac0.50 per unit"),
        (
            Volume(tiers=(tier(0, "0"), tier(100, "0.09"), tier(1000, "0.08"))),
            "free below 100 units, else from \u20ac0.08 for each of them",
        ),
        (Volume(tiers=(tier(0, "0.1"), tier(9, "0.09"))), "from \u20ac0.09 per unit"),
        (Volume(tiers=(tier(0, "0", "20"),)), "priced by steps"),
    ],
)
def test_what_is_free_and_what_comes_after(model: Tiered | Volume, expected: str) -> None:
    """Free units are told as free, never as a price from zero."""
    told = tier_words(model, "EUR", ENGLISH)

    assert told == f"{expected}, billed at the end of each period"
