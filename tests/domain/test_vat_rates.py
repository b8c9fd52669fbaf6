"""The Union's VAT rates, by the day."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from tallystick.domain import vat_rates
from tallystick.domain.vat_rates import (
    EU_COUNTRIES,
    RATES,
    VatRates,
    member_state,
    rates_on,
)

TODAY = date(2026, 4, 1)


def _standard(country: str, day: date) -> Decimal:
    rates = rates_on(country, day)
    assert rates is not None, f"{country} is no member state"
    return rates.standard


def test_the_union_has_27_members() -> None:
    """Every member state has rates; the United Kingdom is not one."""
    assert len(EU_COUNTRIES) == 27
    assert {"DE", "FR", "GR", "HR"} <= EU_COUNTRIES
    assert EU_COUNTRIES.isdisjoint({"GB", "XI", "EL", "CH", "NO", "MC"})


@pytest.mark.parametrize(
    ("country", "before", "since", "after"),
    [
        ("EE", "0.20", date(2024, 1, 1), "0.22"),
        ("EE", "0.22", date(2025, 7, 1), "0.24"),
        ("FI", "0.24", date(2024, 9, 1), "0.255"),
        ("SK", "0.20", date(2025, 1, 1), "0.23"),
        ("RO", "0.19", date(2025, 8, 1), "0.21"),
        ("LU", "0.16", date(2024, 1, 1), "0.17"),
        ("DE", "0.16", date(2021, 1, 1), "0.19"),
    ],
)
def test_a_rate_changes_on_its_day(country: str, before: str, since: date, after: str) -> None:
    """The old rate holds up to the day before, the new one from the day on."""
    assert _standard(country, since - timedelta(days=1)) == Decimal(before)
    assert _standard(country, since) == Decimal(after)


@pytest.mark.parametrize(
    ("country", "standard", "reduced", "reduced_alt"),
    [
        ("DE", "0.19", "0.07", None),
        ("FR", "0.20", "0.10", "0.055"),
        ("FI", "0.255", "0.135", "0.10"),
        ("LT", "0.21", "0.12", "0.05"),
        ("DK", "0.25", None, None),
        ("HU", "0.27", "0.18", "0.05"),
        ("RO", "0.21", "0.11", None),
    ],
)
def test_rates_in_force(
    country: str, standard: str, reduced: str | None, reduced_alt: str | None
) -> None:
    """Each state has a standard rate and up to two reduced ones."""
    rates = rates_on(country, TODAY)
    assert rates is not None
    assert rates.standard == Decimal(standard)
    assert rates.reduced == (None if reduced is None else Decimal(reduced))
    assert rates.reduced_alt == (None if reduced_alt is None else Decimal(reduced_alt))


def test_the_oldest_rates_reach_back() -> None:
    """A day before the data gets the oldest rates listed."""
    assert _standard("DE", date(1999, 1, 1)) == Decimal("0.19")


@pytest.mark.parametrize("country", ["GB", "US", "XI", "GP", "AX", "EL"])
def test_outside_the_union_there_is_no_rate(country: str) -> None:
    """Third countries and territories outside the VAT area have no rate here."""
    assert rates_on(country, TODAY) is None
    assert member_state(country) is None


def test_monaco_is_taxed_as_france() -> None:
    """Monaco belongs to the French VAT area."""
    assert member_state("MC") == "FR"
    assert rates_on("MC", TODAY) == rates_on("FR", TODAY)


@pytest.mark.parametrize("country", sorted(EU_COUNTRIES))
def test_the_data_is_in_order(country: str) -> None:
    """Rows rise by day, standard rates are between 15 % and 27 %, reduced ones below."""
    listed = RATES[country]
    assert listed[0].valid_from == date(2017, 1, 1)
    assert all(before.valid_from < after.valid_from for before, after in pairwise(listed))
    for rates in listed:
        assert Decimal("0.15") <= rates.standard <= Decimal("0.27")
        assert rates.reduced is None or Decimal("0.05") <= rates.reduced < rates.standard
        assert rates.reduced_alt is None or rates.reduced is not None
        if rates.reduced is not None and rates.reduced_alt is not None:
            assert Decimal("0.05") <= rates.reduced_alt < rates.reduced


def test_how_a_row_is_read() -> None:
    """Per cent are fractions, a dash is no such rate, and rows of a state keep their order."""
    read = vat_rates._read("""
        AA 2017-01-01 20 5.5 -
        BB 2018-02-01 7 - 1
        AA 2024-01-01 22 9 5
    """)
    old = VatRates(
        valid_from=date(2017, 1, 1),
        standard=Decimal("0.20"),
        reduced=Decimal("0.055"),
        reduced_alt=None,
    )
    new = VatRates(
        valid_from=date(2024, 1, 1),
        standard=Decimal("0.22"),
        reduced=Decimal("0.09"),
        reduced_alt=Decimal("0.05"),
    )
    other = VatRates(
        valid_from=date(2018, 2, 1),
        standard=Decimal("0.07"),
        reduced=None,
        reduced_alt=Decimal("0.01"),
    )
    assert read == {"AA": (old, new), "BB": (other,)}
