"""Golden cases of what joins in the middle of a period."""

from dataclasses import replace
from datetime import date

import pytest

from tallystick.domain.periods import Cadence
from tests.cases.golden import case
from tests.domain.changing import amounts, changed, living, renamed
from tests.domain.offers import rate


@pytest.mark.parametrize("case_id", ["PRO-09"])
def test_a_yearly_fee_joins_a_monthly_period(case_id: str) -> None:
    """PRO-09: of 3650.00 a year, 300.00 for the 30 days of this period."""
    golden = case(case_id)
    start, end = (date.fromisoformat(one) for one in golden["input"]["period"])
    (added,) = golden["input"]["added"]
    kept = rate("100", name="Fee")
    lives = replace(living(kept, start=start), period_end=end, end_date=end)
    joins = rate(
        str(added["unit_price_minor"] // 100), Cadence(added["cadence"].upper()), "Support"
    )

    change = changed(
        lives,
        *renamed([kept, joins]),
        day=date.fromisoformat(golden["input"]["change_date"]),
    )

    support = [one.amount for one in change.step.charges if one.name.startswith("Support")]
    assert support == golden["expected"]["lines"]
    assert sum(amounts(change)) == sum(golden["expected"]["lines"])
