"""Usage billed at a threshold: the invoices of a window sum to what one would have billed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.domain.billed_ahead import Ahead, BilledAhead, never_below_zero
from tallystick.domain.charges import Charge, Item
from tallystick.domain.contract import Contract, RunningCoupon
from tallystick.domain.coupons import CouponTerms, Fixed
from tallystick.domain.invoice import InvoiceLine, InvoiceType
from tallystick.domain.life import Step, open_meters, step
from tallystick.domain.metered import usage_charges
from tallystick.domain.pricing import (
    CapacityPricing,
    Package,
    PerUnit,
    Tier,
    Tiered,
    UsageModel,
    UsagePricing,
    Volume,
)
from tallystick.domain.renewal import Draft, RenewalFacts, draft_of, threshold_draft
from tallystick.domain.tax import Buyer
from tallystick.domain.usage_pricing import Measured
from tests.domain.contracts import contract, stands
from tests.domain.offers import capacity, offer, priced, rate, usage
from tests.domain.purchases import CUSTOMER, ENTITY
from tests.domain.samples import charge_of, fixed, named, percent
from tests.domain.test_usage_pricing_properties import any_model, rates

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
BEGIN, MIDDLE = date(2024, 1, 1), date(2024, 1, 20)
FACTS = RenewalFacts(
    customer=CUSTOMER, entity=ENTITY, buyer=Buyer(country="FR"), product_taxes={}
)
TIERS = (Tier(first_unit=0, rate=Decimal("1.00")), Tier(first_unit=100, rate=Decimal("0.50")))


class Window:
    """A subscription's first month: usage is reported, looked at, and billed at the end."""

    def __init__(
        self, *items: Item, threshold: str = "50.00", coupons: Sequence[CouponTerms] = ()
    ) -> None:
        """Begin on the first of January."""
        running = tuple(
            RunningCoupon(redemption_id=named(one.code), terms=one, applied_count=0)
            for one in coupons
        )
        made = offer(*items, invoice_threshold=Decimal(threshold), created_on=BEGIN)
        begun = contract(replace(made, start_date=BEGIN), BEGIN, coupons=running)
        self.contract: Contract = stands(begun, BEGIN)
        self.used: dict[UUID, list[Measured]] = {}
        self.drafts: list[Draft] = []

    def use(self, item: Item, *usage: Measured) -> None:
        """What was used so far, all of it."""
        self.used[item.id] = list(usage)

    def look(self, day: date = MIDDLE) -> Draft | None:
        """Look whether the threshold is reached."""
        meters = open_meters(self.contract, day)
        made = threshold_draft(
            self.contract,
            self._metered(meters),
            FACTS,
            day=day,
            meters=meters,
            ahead=self.ahead,
            invoice_id=named(f"invoice {len(self.drafts)}"),
            now=NOW,
        )
        if made is not None:
            self.drafts.append(made)
        return made

    def end(self) -> Draft | None:
        """The renewal that ends the window."""
        return self.draft_of(step(self.contract), self.ahead)

    def alone(self) -> Draft | None:
        """The same, had nothing been billed before."""
        return self.draft_of(step(self.contract), BilledAhead())

    def draft_of(self, taken: Step, ahead: BilledAhead) -> Draft | None:
        """The draft of a step."""
        return draft_of(
            taken,
            self._metered(taken.meters),
            FACTS,
            invoice_id=named("renewal"),
            now=NOW,
            ahead=ahead,
        )

    @property
    def ahead(self) -> BilledAhead:
        """What the threshold invoices have billed, as it is read back from their lines."""
        known: dict[tuple[UUID, date, str | None], tuple[int, Decimal]] = {}
        for line in self.lines:
            assert line.explanation.usage is not None
            key = (line.item_id, line.start_date, line.explanation.usage.group)
            amount, quantity = known.get(key, (0, Decimal(0)))
            more = line.explanation.quoted_amount
            known[key] = amount + more, quantity + line.quantity
        coupons: dict[UUID, int] = {}
        for draft in self.drafts:
            for used in draft.used:
                before = coupons.get(used.redemption_id, 0)
                coupons[used.redemption_id] = before + used.amount
        return BilledAhead(
            usage=tuple(
                Ahead(item_id=item, start=start, group=group, amount=amount, quantity=quantity)
                for (item, start, group), (amount, quantity) in known.items()
            ),
            coupons=coupons,
        )

    @property
    def lines(self) -> list[InvoiceLine]:
        """The lines of every threshold invoice."""
        return [line for draft in self.drafts for line in draft.invoice.lines]

    def _metered(self, meters: Sequence[Any]) -> tuple[Charge, ...]:
        return tuple(
            charge
            for meter in meters
            for charge in usage_charges(meter, self.used.get(meter.item.id, []), "EUR")
        )


def of(units: str | Fraction, group: str | None = None) -> Measured:
    """So many units."""
    return Measured(quantity=Fraction(units), group=group)


def amounts(draft: Draft | None) -> list[int]:
    """The lines of a draft."""
    return [] if draft is None else [line.amount for line in draft.invoice.lines]


def test_below_the_threshold_nothing_is_issued() -> None:
    """EUR 49.90 of 50 is not enough, EUR 50.00 is."""
    calls = usage("0.10")
    window = Window(rate("20.00"), calls)

    window.use(calls, of("499"))
    assert window.look() is None
    window.use(calls, of("500"))
    made = window.look()

    assert amounts(made) == [5000]
    assert made is not None
    assert made.invoice.type is InvoiceType.USAGE_THRESHOLD
    assert (made.invoice.invoice_date, made.invoice.billing_period_end) == (MIDDLE, None)
    assert window.look() is None


def test_tiers_go_on() -> None:
    """150 units are 100 at EUR 1.00 and 50 at 0.50, the next 80 cost EUR 40; 30 are left."""
    calls = priced("Calls", UsagePricing(model=Tiered(tiers=TIERS)))
    window = Window(rate("20.00"), calls, threshold="40.00")

    window.use(calls, of("150"))
    assert amounts(window.look()) == [12500]
    window.use(calls, of("230"))
    assert amounts(window.look()) == [4000]
    window.use(calls, of("260"))

    ended = window.end()
    assert amounts(ended) == [2000, 1500]
    assert ended is not None
    left = ended.invoice.lines[1]
    assert (left.quantity, left.unit_price) == (Decimal(30), Decimal("0.5"))
    assert (left.start_date, left.end_date) == (BEGIN, date(2024, 2, 1))
    assert left.explanation.before is not None
    assert (left.explanation.before.amount, left.explanation.before.quantity) == (
        16500,
        Decimal(230),
    )


def test_what_gets_cheaper_is_taken_back() -> None:
    """99 units at EUR 1.00 were billed; 100 cost 0.50 each: EUR 49 are taken back."""
    calls = priced("Calls", UsagePricing(model=Volume(tiers=TIERS)))
    window = Window(rate("60.00"), calls)

    window.use(calls, of("99"))
    assert amounts(window.look()) == [9900]
    window.use(calls, of("100"))

    assert window.look() is None
    assert amounts(window.end()) == [6000, -4900]


def test_no_more_is_taken_back_than_is_billed_beside_it() -> None:
    """Beside a fee of EUR 20, EUR 20 of the 49 are taken back; nothing is due."""
    calls = priced("Calls", UsagePricing(model=Volume(tiers=TIERS)))
    window = Window(rate("20.00"), calls)
    window.use(calls, of("99"))
    window.look()
    window.use(calls, of("100"))

    ended = window.end()

    assert amounts(ended) == [2000, -2000]
    assert ended is not None
    assert ended.invoice.total == 0


def test_a_window_that_is_billed_already_has_no_line() -> None:
    """Nothing came after the threshold invoice: the fee stands alone, or no line at all."""
    calls = usage("0.10")
    window, bare = Window(rate("20.00"), calls), Window(calls)
    for one in (window, bare):
        one.use(calls, of("600"))
        assert amounts(one.look()) == [6000]

    assert amounts(window.end()) == [2000]
    assert amounts(bare.end()) == []


def test_a_group_that_is_gone_is_taken_back() -> None:
    """Corrections leave nothing of a group that was billed; the other one goes on."""
    calls = usage("1.00")
    window = Window(rate("90.00"), calls)
    window.use(calls, of("60", "eu"), of("10", "us"))
    assert amounts(window.look()) == [6000, 1000]

    window.use(calls, of("0", "eu"), of("25", "us"))

    assert amounts(window.end()) == [9000, 1500, -6000]


def test_overage_counts_beyond_the_allowance() -> None:
    """100 units are included: of 1200, 1100 are billed at EUR 0.05, then 40 more."""
    calls = capacity("10.00")
    window = Window(calls)
    window.use(calls, of("1200"))
    assert amounts(window.look()) == [5500]
    window.use(calls, of("1240"))

    assert amounts(window.end()) == [1000, 200]


def test_a_fixed_coupon_gives_its_amount_once_in_a_period() -> None:
    """EUR 60 off: 50 at the threshold, 10 at the end, however many invoices there are."""
    calls = usage("0.10")
    window = Window(rate("20.00"), calls, coupons=[fixed("60.00", "LESS")])
    window.use(calls, of("500"))
    first = window.look()
    window.use(calls, of("1100"))
    second = window.look()
    ended = window.end()

    assert first is not None
    assert second is not None
    assert ended is not None
    assert [one.invoice.discount for one in (first, second, ended)] == [5000, 1000, 0]
    assert [one.amount for one in ended.used] == [0]


def test_a_share_is_taken_off_each_invoice() -> None:
    """20 % off EUR 50 and off EUR 25: what one invoice of 75 would have given."""
    calls = usage("0.10")
    window = Window(rate("20.00"), calls, coupons=[percent("20", "FIFTH")])
    window.use(calls, of("500"))
    first = window.look()
    window.use(calls, of("550"))
    ended, alone = window.end(), window.alone()

    assert first is not None
    assert ended is not None
    assert alone is not None
    assert (first.invoice.discount, ended.invoice.discount) == (1000, 500)
    assert first.invoice.discount + ended.invoice.discount == alone.invoice.discount


def test_nothing_is_open_while_a_step_is_due() -> None:
    """On the day of the renewal the old window is its, and after it the new one is open."""
    window = Window(rate("20.00"), usage())
    end = date(2024, 2, 1)

    assert open_meters(window.contract, end) == ()
    renewed = step(window.contract).contract
    assert [one.window.start for one in open_meters(renewed, end)] == [end]


def test_what_has_ended_has_no_open_window() -> None:
    """Cancelled, it is billed no more usage."""
    window = Window(usage())
    ended = replace(window.contract, cancelled_on=MIDDLE)
    assert open_meters(step(ended).contract, MIDDLE) == ()


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


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ([100, -40], [100, -40]),
        ([100, -100], [100, -100]),
        ([100, -60, -70], [100, -60, -40]),
        ([30, -60, -70], [30, -30]),
        ([-5], []),
        ([], []),
    ],
)
def test_charges_never_sum_below_zero(given_: list[int], kept: list[int]) -> None:
    """What is taken back shrinks, the last first."""
    found = never_below_zero([charge_of(amount) for amount in given_])
    assert [one.amount for one in found] == kept


@given(st.lists(st.integers(-1000, 1000), max_size=8))
def test_held_charges_sum_to_what_they_did_or_to_nothing(given_: list[int]) -> None:
    """Nothing but what is below zero is changed."""
    found = never_below_zero([charge_of(amount) for amount in given_])
    assert sum(one.amount for one in found) == max(sum(given_), 0)


def test_a_coupon_has_what_it_has_not_given() -> None:
    """EUR 60 less 50.00 leaves 10; less all of it leaves no coupon."""
    terms = fixed("60.00", "LESS")
    running = RunningCoupon(redemption_id=named("LESS"), terms=terms, applied_count=0)

    left = replace(running, ahead=5000).left

    assert left is not None
    assert isinstance(left.discount, Fixed)
    assert left.discount.amount == 10
    assert replace(running, ahead=6000).left is None
    assert running.left == terms
