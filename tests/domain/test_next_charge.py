"""The next invoice of a running subscription is the one that comes."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tallystick.domain.cancellation import cancelled
from tallystick.domain.contract import Contract
from tallystick.domain.minimum_commitment import MinimumCommitment
from tallystick.domain.next_charge import NextCharge, next_charge
from tallystick.domain.periods import Cadence
from tallystick.domain.renewal import RenewalFacts
from tallystick.domain.tax import Buyer
from tests.domain.contracts import NOON, contract, stands
from tests.domain.offers import arrears, offer, rate, trial, usage
from tests.domain.purchases import CUSTOMER, ENTITY

JANUARY = date(2024, 1, 31)
TODAY = date(2024, 2, 10)
FACTS = RenewalFacts(
    customer=CUSTOMER, entity=ENTITY, buyer=Buyer(country="FR"), product_taxes={}
)


def lives(*items: object, **changes: object) -> Contract:
    """A contract that began on the last of January, as it stands on February 10."""
    made = offer(*items, created_on=JANUARY, start_date=JANUARY, **changes)  # type: ignore[arg-type]
    return stands(contract(made, JANUARY), TODAY)


def coming(one: Contract) -> NextCharge | None:
    """What it bills next."""
    return next_charge(one, FACTS, NOON)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((rate("49.00"),), (date(2024, 2, 29), 4900, False)),
        ((rate("49.00", Cadence.ANNUAL),), (date(2025, 1, 31), 4900, False)),
        ((arrears("10.00"),), (date(2024, 2, 29), 1000, False)),
        ((rate("49.00"), usage()), (date(2024, 2, 29), 4900, True)),
        ((usage(),), (date(2024, 2, 29), 0, True)),
        # The shorter rhythm has its own months in between.
        (
            (rate("120.00", Cadence.ANNUAL), rate("5.00", Cadence.MONTHLY, "Monthly")),
            (date(2024, 2, 29), 500, False),
        ),
    ],
)
def test_the_next_invoice(items: tuple[object, ...], expected: tuple[date, int, bool]) -> None:
    """Its day, its total, and whether usage is added."""
    found = coming(lives(*items))

    assert found is not None
    assert (found.on, found.total, found.has_usage) == expected


def test_nothing_comes_after_a_cancellation() -> None:
    """What is paid in advance ends; what is in arrears is billed once more."""
    paid = cancelled(lives(rate("49.00")), None, TODAY)
    owes = cancelled(lives(arrears("10.00")), None, TODAY)

    assert coming(paid) is None
    assert coming(owes) == NextCharge(on=date(2024, 2, 29), total=1000, has_usage=False)


def test_a_trial_is_followed_by_its_first_charge() -> None:
    """14 free days from January 31: the first month begins on February 14."""
    found = coming(replace(lives(rate("49.00"), trial=trial(14)), has_method=True))

    assert found == NextCharge(on=date(2024, 2, 14), total=4900, has_usage=False)


def test_a_minimum_is_what_is_missing_without_usage() -> None:
    """At least 60 a month: 49.00 are billed in advance, and 11.00 are missing."""
    made = replace(lives(rate("49.00")), minimum=MinimumCommitment(amount=Decimal(60)))
    found = coming(made)

    assert found is not None
    assert (found.on, found.total) == (date(2024, 2, 29), 4900 + 1100)
