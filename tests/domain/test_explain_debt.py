"""What became of a total that was paid: taken back, given back, and what is due of it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tallystick.domain.errors import Unexplained
from tallystick.domain.explain_invoice import explain_invoice
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import RatePricing
from tests.domain.explained import charged
from tests.domain.kept import kept_of, sentences_of
from tests.domain.samples import billed, full, item


def test_what_was_paid_and_taken_back() -> None:
    """EUR 90.00 paid by card, of which the bank took 30.00 back, are due again."""
    one = item(RatePricing(rate=Decimal(90)), Cadence.QUARTERLY)
    kept = kept_of(billed([charged(one, full(date(2026, 1, 1), date(2026, 4, 1)))]))
    reopened = replace(kept, settled=9000, reversed=3000, amount_due=3000)

    assert sentences_of(explain_invoice(reopened))[-1][-3:] == [
        "Paid: EUR 90.00",
        "Taken back by the payment provider: EUR 30.00",
        "To be paid: EUR 30.00",
    ]
    with pytest.raises(Unexplained, match="amount due comes to 3000, and 0"):
        explain_invoice(replace(reopened, amount_due=0))


def test_what_came_back_to_spare() -> None:
    """Of EUR 90.00 that the bank had taken and given back, 30.00 were forgiven meanwhile."""
    one = item(RatePricing(rate=Decimal(90)), Cadence.QUARTERLY)
    kept = kept_of(billed([charged(one, full(date(2026, 1, 1), date(2026, 4, 1)))]))
    won = replace(kept, cancelled=3000, settled=9000, reversed=3000, spare=3000, amount_due=0)

    spare = "Came back when nothing was due, to the account balance: EUR 30.00"
    assert sentences_of(explain_invoice(won))[-1][-4:] == [
        "Credit notes take EUR 30.00 off the debt",
        "Paid: EUR 90.00",
        spare,
        "To be paid: EUR 0.00",
    ]
    taken_again = replace(won, reversed=4000, amount_due=1000)
    assert sentences_of(explain_invoice(taken_again))[-1][-3:] == [
        "Taken back by the payment provider: EUR 10.00",
        spare,
        "To be paid: EUR 10.00",
    ]
