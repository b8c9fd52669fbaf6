"""What a decided tax comes to: rounded per line and rate, added to a price or in it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.tax import TaxDecision, TaxRate, TaxWhy, compute
from tests.domain.samples import taxed_at

RATES = st.lists(
    st.decimals(0, Decimal("0.99"), places=4).map(
        lambda rate: TaxRate(name="T", rate=rate, code=str(rate))
    ),
    max_size=3,
).map(tuple)


@pytest.mark.parametrize(
    ("amount", "rates", "inclusive", "net", "taxes"),
    [
        (10000, ["0.20"], False, 10000, [2000]),
        (12000, ["0.20"], True, 10000, [2000]),
        (10000, ["0.05", "0.07"], False, 10000, [500, 700]),
        (11200, ["0.05", "0.07"], True, 10000, [500, 700]),
        (999, ["0.05", "0.0975"], False, 999, [50, 97]),
        (50, ["0.01"], False, 50, [1]),
        (-50, ["0.01"], False, -50, [-1]),
        (-12000, ["0.20"], True, -10000, [-2000]),
        (1000, [], False, 1000, []),
        (1000, [], True, 1000, []),
        (1000, ["0"], True, 1000, [0]),
    ],
)
def test_tax_of_a_line(
    amount: int, rates: list[str], inclusive: bool, net: int, taxes: list[int]
) -> None:
    """Each rate is rounded alone, halves away from zero, on the net or out of the gross."""
    split = compute(amount, taxed_at(*rates), inclusive=inclusive)
    assert split.net == net
    assert [part.amount for part in split.taxes] == taxes
    assert split.total == net + sum(taxes)


@given(st.integers(-(10**12), 10**12), RATES, st.booleans())
def test_net_and_tax_make_the_total(
    amount: int, rates: tuple[TaxRate, ...], inclusive: bool
) -> None:
    """Inclusive: the amount is paid, whatever the rate; exclusive: it is what is split."""
    decision = TaxDecision(rates=rates, exemption=None, reason=None, why=TaxWhy.CUSTOM)
    split = compute(amount, decision, inclusive=inclusive)
    assert split.net + split.tax == split.total
    assert amount == (split.total if inclusive else split.net)
    mirrored = compute(-amount, decision, inclusive=inclusive)
    assert (mirrored.net, mirrored.tax) == (-split.net, -split.tax)


@given(st.integers(0, 10**9), st.sampled_from(["0.07", "0.19", "0.20", "0.255"]))
def test_inclusive_undoes_exclusive(net: int, rate: str) -> None:
    """The price with tax, taken apart again, gives the net price and the tax it was made of."""
    decision = taxed_at(rate)
    exclusive = compute(net, decision, inclusive=False)
    assert compute(exclusive.total, decision, inclusive=True) == exclusive
