"""Every bill can be explained, and a stored figure that is a cent off is an error."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.bill import Bill
from tallystick.domain.errors import Unexplained
from tallystick.domain.explain_invoice import KeptInvoice, explain_invoice
from tallystick.domain.kept_line import KeptLine
from tallystick.domain.pricing import (
    CapacityPricing,
    ExtraRecurringPricing,
    Package,
    PerUnit,
    Pricing,
    RatePricing,
    SlotPricing,
    Tiered,
    UsagePricing,
    Volume,
)
from tallystick.domain.tax import TaxAmount
from tallystick.domain.usage_pricing import Measured
from tests.domain.explained import (
    BY_REGION,
    JANUARY,
    STUB,
    THREE_TIERS,
    charged,
    measured,
    used,
)
from tests.domain.kept import kept_of, told
from tests.domain.samples import (
    REVERSED,
    UNTAXED,
    billed,
    charges_of,
    fixed,
    item,
    percent,
    taxed_at,
)

PRICINGS: list[Pricing] = [
    RatePricing(rate=Decimal("33.33")),
    SlotPricing(unit_rate=Decimal("9.999")),
    CapacityPricing(rate=Decimal("10.005"), included=10, overage_rate=Decimal("0.0333")),
    ExtraRecurringPricing(unit_price=Decimal("0.115"), quantity=7),
]
METERED: list[UsagePricing | CapacityPricing] = [
    UsagePricing(model=PerUnit(rate=Decimal("0.0333"))),
    UsagePricing(model=Tiered(tiers=THREE_TIERS)),
    UsagePricing(model=Volume(tiers=THREE_TIERS)),
    UsagePricing(model=Package(block_size=7, rate=Decimal("0.333"))),
    UsagePricing(model=BY_REGION),
    CapacityPricing(rate=Decimal(10), included=10, overage_rate=Decimal("0.0333")),
]


@given(
    fees=st.lists(st.tuples(st.sampled_from(PRICINGS), st.booleans()), max_size=4),
    metered=st.lists(
        st.tuples(
            st.sampled_from(METERED),
            st.fractions(min_value=-10, max_value=20_000, max_denominator=9),
        ),
        max_size=3,
    ),
    coupons=st.sampled_from(
        [[], [percent("33.3", "A")], [percent("10", "A"), fixed("5", "B")]]
    ),
    decision=st.sampled_from(
        [UNTAXED, REVERSED, taxed_at("0.19"), taxed_at("0.05", "0.09975")]
    ),
    inclusive=st.booleans(),
)
def test_every_bill_can_be_explained(
    fees: list[tuple[Pricing, bool]],
    metered: list[tuple[UsagePricing | CapacityPricing, Fraction]],
    coupons: list[Any],
    decision: Any,  # noqa: ANN401 - of the samples
    inclusive: bool,
) -> None:
    """Whatever is billed, its explanation arrives at its figures, and each step is told."""
    charges = [
        charged(item(pricing, slots=3, instances=2), STUB if is_stub else JANUARY)
        for pricing, is_stub in fees
    ]
    for pricing, quantity in metered:
        charges += used(pricing, Measured(quantity=quantity))
    made = billed(charges, decision, coupons, inclusive=inclusive)

    assert all(all(one) for one in told(made, coupons))


def _with_line(kept: KeptInvoice, **changes: object) -> KeptInvoice:
    line: KeptLine = replace(kept.lines[0], **changes)  # type: ignore[arg-type]
    return replace(kept, lines=(line, *kept.lines[1:]))


COUPONS = [percent("10", "TEN")]


def _made() -> Bill:
    return billed(charges_of(4900, 1000), taxed_at("0.20"), COUPONS)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("subtotal", "the subtotal comes to 5900, and 5901 is stored"),
        ("discount", "the discount comes to 590, and 591 is stored"),
        ("tax_amount", "the tax comes to 1062, and 1063 is stored"),
        ("total", "the total comes to 6372, and 6373 is stored"),
        ("amount_due", "the amount due comes to 6372, and 6373 is stored"),
    ],
)
def test_a_sum_that_is_a_cent_off_is_an_error(field: str, words: str) -> None:
    """The figure is named, with what it comes to and what is stored."""
    kept = kept_of(_made(), COUPONS)
    wrong = replace(kept, **{field: getattr(kept, field) + 1})

    with pytest.raises(Unexplained, match=words):
        explain_invoice(wrong)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("amount", "Line: the amount comes to 4900, and 4901 is stored"),
        ("discount", "Line: the discount comes to 490, and 491 is stored"),
        ("tax", "Line: the tax comes to 882, and 883 is stored"),
        ("amount_total", "Line: the total comes to 5292, and 5293 is stored"),
    ],
)
def test_a_line_that_is_a_cent_off_is_an_error(field: str, words: str) -> None:
    """The line and the figure are named."""
    kept = kept_of(_made(), COUPONS)
    wrong = _with_line(kept, **{field: getattr(kept.lines[0], field) + 1})

    with pytest.raises(Unexplained, match=words):
        explain_invoice(wrong)


def test_what_a_line_keeps_must_lead_to_it() -> None:
    """Another price, another share, another tax, another coupon: none is believed."""
    kept = kept_of(_made(), COUPONS)
    how = kept.lines[0].explanation
    dearer = replace(how.computation, unit_price=Decimal(50))
    taxes = tuple(TaxAmount(rate=one.rate, amount=881) for one in kept.lines[0].taxes)
    wrongs = {
        "the amount as quoted comes to 5000": _with_line(
            kept, explanation=replace(how, computation=dearer)
        ),
        "the share of the discount comes to 490": _with_line(
            kept, explanation=replace(how, quoted_discount=480)
        ),
        "the tax Tax 0 comes to 882, and 881": _with_line(kept, taxes=taxes),
        "the taxes are others": _with_line(kept, taxes=()),
        "The tax by rate": replace(kept, breakdown=()),
        "coupon TEN comes to 590, and 589": replace(
            kept,
            coupons=(
                replace(kept.coupons[0], applied=replace(kept.coupons[0].applied, amount=589)),
            ),
        ),
        "terms of the coupon TEN are not known": replace(
            kept, coupons=(replace(kept.coupons[0], terms=None),)
        ),
    }
    for words, wrong in wrongs.items():
        with pytest.raises(Unexplained, match=words):
            explain_invoice(wrong)


@pytest.mark.parametrize("pricing", METERED)
def test_usage_that_does_not_lead_to_the_line(pricing: UsagePricing | CapacityPricing) -> None:
    """Other usage, another part, another amount than was priced: each is found."""
    usual = measured("12345", region="eu") if pricing == METERED[4] else measured("12345")
    kept = kept_of(billed(used(pricing, usual)))
    how = kept.lines[0].explanation
    usage = how.usage
    assert usage is not None
    explain_invoice(kept)
    part = usage.parts[0]
    wrongs = {
        "does not follow from the usage": replace(usage, usage=usage.usage + 10_000),
        "its usage comes to": replace(usage, amount=usage.amount + 1),
        "parts of its usage": replace(
            usage, parts=(replace(part, amount=part.amount + 1), *usage.parts[1:])
        ),
    }
    for words, wrong in wrongs.items():
        with pytest.raises(Unexplained, match=words):
            explain_invoice(_with_line(kept, explanation=replace(how, usage=wrong)))
