"""What holds of usage billed at a threshold, whatever the prices, whenever looked at."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.domain.pricing import (
    CapacityPricing,
    Package,
    PerUnit,
    UsageModel,
    UsagePricing,
)
from tests.domain.offers import priced, rate
from tests.domain.test_usage_pricing_properties import any_model, rates
from tests.domain.windows import Window, of

prices: st.SearchStrategy[UsagePricing | CapacityPricing] = st.one_of(
    st.builds(UsagePricing, model=any_model),
    st.builds(CapacityPricing, rate=rates, included=st.integers(0, 500), overage_rate=rates),
)
growing: st.SearchStrategy[UsageModel] = st.one_of(
    st.builds(PerUnit, rate=rates),
    st.builds(Package, block_size=st.integers(1, 500), rate=rates),
)
reports = st.lists(
    st.lists(st.fractions(0, 900, max_denominator=8), min_size=2, max_size=2),
    min_size=1,
    max_size=6,
)


# A whole month each: fewer of them, so that all rules of money are tried within seconds.
@settings(max_examples=40)
@given(
    st.lists(prices, min_size=1, max_size=3),
    st.lists(reports, min_size=3, max_size=3),
    st.decimals("0.01", "500", places=2),
)
def test_a_window_sums_to_what_one_invoice_bills(
    pricings: list[UsagePricing | CapacityPricing],
    used: list[list[list[Fraction]]],
    threshold: Decimal,
) -> None:
    """Whatever is used when, to the cent; a large fee bears what gets cheaper."""
    items = [priced(f"Meter {n}", pricing) for n, pricing in enumerate(pricings)]
    window = Window(rate("90000000.00"), *items, threshold=str(threshold))
    totals = {item.id: [Fraction(0), Fraction(0)] for item in items}
    for moment in range(max(len(one) for one in used)):
        for item, report in zip(items, used, strict=False):
            more = report[moment] if moment < len(report) else [Fraction(0), Fraction(0)]
            before = totals[item.id]
            totals[item.id] = [a + b for a, b in zip(before, more, strict=True)]
            eu, us = totals[item.id]
            groups = [of(eu + us)] if isinstance(item.pricing, CapacityPricing) else []
            window.use(item, *(groups or [of(eu, "eu"), of(us, "us")]))
        made = window.look()
        if made is not None:
            assert made.invoice.subtotal >= threshold * 100
        assert window.look() is None

    ended, alone = window.end(), window.alone()
    assert ended is not None
    assert alone is not None
    quoted = [one.explanation.quoted_amount for one in (*window.lines, *ended.invoice.lines)]
    assert sum(quoted) == alone.invoice.subtotal


@settings(max_examples=40)
@given(st.lists(st.builds(UsagePricing, model=growing), min_size=1, max_size=2), reports)
def test_what_only_grows_is_never_taken_back(
    pricings: list[UsagePricing], used: list[list[Fraction]]
) -> None:
    """Every line bills something, and the window sums without any fee beside it."""
    items = [priced(f"Meter {n}", pricing) for n, pricing in enumerate(pricings)]
    window = Window(*items, threshold="1.00")
    total = Fraction(0)
    for report in used:
        total += sum(report)
        for item in items:
            window.use(item, of(total))
        window.look()

    ended, alone = window.end(), window.alone()
    lines = [*window.lines, *(ended.invoice.lines if ended else ())]
    assert all(one.amount >= 0 for one in lines)
    assert sum(one.amount for one in lines) == (alone.invoice.subtotal if alone else 0)
