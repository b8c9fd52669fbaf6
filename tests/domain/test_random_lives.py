"""Whatever happens in a life, in whatever order: each day is billed once, and all adds up."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from hypothesis import given, note, settings
from hypothesis import strategies as st

from tallystick.domain.charges import Item, billing_type
from tallystick.domain.contract import Contract, RunningCoupon
from tallystick.domain.credit_invoice import credit
from tallystick.domain.credit_note import Amount, CreditToBalance, Everything
from tallystick.domain.credited_line import BilledLine
from tallystick.domain.errors import InvalidInput
from tallystick.domain.invoice import Invoice
from tallystick.domain.life import is_over
from tallystick.domain.owed import owed
from tallystick.domain.periods import Cadence
from tallystick.domain.pricing import BillingType, CapacityPricing, UsagePricing
from tallystick.domain.renewal import RenewalFacts
from tallystick.domain.tax import Buyer, TaxRate
from tests.domain.contracts import contract
from tests.domain.crediting import after, invoice
from tests.domain.living import Life, covered, monthly, to_minor
from tests.domain.offers import arrears, capacity, offer, rate, recurring, seats, trial, usage
from tests.domain.purchases import CUSTOMER, ENTITY
from tests.domain.samples import fixed, named, percent
from tests.movements import value_of

FEW = settings(max_examples=settings().max_examples // 3)
"""A life is long: fewer of them, so that all rules of money are tried within seconds."""
PRICES = st.integers(400, 9000).map(str)
"""So large that no part of a day of it is nothing, in any currency."""
STARTS = st.dates(date(2023, 1, 1), date(2025, 12, 31)) | st.sampled_from(
    [date(2024, 1, 31), date(2024, 2, 29), date(2023, 12, 31), date(2024, 8, 30)]
)


CADENCES = st.sampled_from(Cadence)
PLANS = st.lists(
    st.one_of(
        st.builds(rate, PRICES, CADENCES),
        st.builds(recurring, PRICES, CADENCES),
        st.builds(arrears, PRICES, CADENCES, st.integers(1, 3)),
        st.builds(lambda price, one: capacity(price, "1", cadence=one), PRICES, CADENCES),
        st.builds(seats, PRICES, st.integers(1, 9)),
        st.just(usage("1")),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one.product_id,
)
"""One to five fees, each of its own product, of any cadence."""
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])
TRIAL_DAYS = st.sampled_from([0, 0, 14, 31])
DAYS_TO_THE_END = st.none() | st.integers(40, 800)
COUPONS = st.lists(st.sampled_from(["EIGHTH", "LESS"]), unique=True)
APPLIES_TO = st.sampled_from([None, 1, 3])
EITHER = st.booleans()
ANCHORS = st.none() | st.integers(1, 31) | st.sampled_from([29, 30, 31])
RATES = st.sampled_from([(), ("0.2",), ("0.055", "0.1")])


@st.composite
def begun(draw: st.DrawFn) -> Life:
    """A life on its first day: any currency, tax, anchor, trial, end, coupons and fees."""
    start, currency = draw(STARTS), draw(CURRENCIES)
    days = draw(TRIAL_DAYS)
    ends = draw(DAYS_TO_THE_END)
    terms = {"EIGHTH": percent("12.5", "EIGHTH"), "LESS": fixed("7", "LESS", currency)}
    coupons = tuple(
        RunningCoupon(
            redemption_id=named(code),
            terms=replace(terms[code], recurring_value=draw(APPLIES_TO)),
            applied_count=0,
        )
        for code in draw(COUPONS)
    )
    made = offer(
        *draw(PLANS),
        currency=currency,
        tax_inclusive=draw(EITHER),
        charge_automatically=False,
        created_on=start,
        start_date=start,
        anchor=draw(ANCHORS),
        trial=trial(days, is_free=draw(EITHER)) if days else None,
        end_date=None if ends is None else start + timedelta(days=days + ends),
    )
    rates = draw(RATES)
    facts = RenewalFacts(
        customer=CUSTOMER,
        entity=ENTITY,
        buyer=Buyer(
            country="FR",
            custom_rates=tuple(
                TaxRate(name=f"Tax {one}", rate=Decimal(one), code=one) for one in rates
            ),
        ),
        product_taxes={},
    )
    return Life(contract=contract(made, start, coupons=coupons), facts=facts, today=start)


HAPPENINGS = st.one_of(
    st.tuples(st.just("pass"), st.integers(0, 75)),
    st.tuples(st.just("pass"), st.integers(0, 75)),
    st.tuples(st.just("use"), st.integers(1, 200)),
    st.tuples(st.just("change"), PLANS),
    st.tuples(st.just("cancel"), st.none() | st.integers(0, 150)),
    st.tuples(st.just("reactivate"), st.none()),
)
MANY_HAPPENINGS = st.lists(HAPPENINGS, max_size=40)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A life in which up to forty things have happened."""
    life = draw(begun())
    lives = life.contract
    note(f"{told(list(lives.items))} anchor {lives.anchor}, ends {lives.end_date}")
    note(f"trial {lives.trial_end}, free {lives.trial_is_free}, {lives.currency}")
    life.catch_up()
    for what, how in draw(MANY_HAPPENINGS):
        note(f"{life.today} {what} {told(how)}")
        happen(life, what, how)
    return life


def told(how: object) -> object:
    """What a failing life tells of a happening."""
    if isinstance(how, list):
        return [f"{one.name} {one.cadence.value} {one.pricing}" for one in how]
    return how


def happen(life: Life, what: str, how: object) -> None:
    """One thing happens; a change to a shorter rhythm is refused, and changes nothing."""
    match what, how:
        case "pass", int(days):
            life.pass_days(days)
        case "use", int(units):
            life.use(units)
        case "change", list(items):
            try:
                life.change_plan(*items)
            except InvalidInput:
                assert min(one.cadence.months for one in items) < life.contract.cadence.months
        case "cancel", (None | int()) as ahead:
            life.cancel(ahead)
        case _:
            life.reactivate()


def fees_by_the_period(lived: Contract, billed: BillingType) -> list[Item]:
    """The items with a fixed fee that is billed in advance, or in arrears."""
    return [
        item
        for item in lived.recurring
        if not isinstance(item.pricing, UsagePricing) and billing_type(item) is billed
    ]


def is_billed_by_now(life: Life) -> bool:
    """Whether the first billed day has come before the end, or was the last one."""
    first = life.contract.billing_start
    return first < life.lived_until or (life.ended_at_once and first == life.contract.end)


@FEW
@given(lives())
def test_each_day_of_an_advance_fee_is_billed_exactly_once(life: Life) -> None:
    """Charges less credits: one for each day on which it was there, none once it had left."""
    charges = [*life.charges(changes=False), *life.charges(changes=True)]

    for item in fees_by_the_period(life.contract, BillingType.ADVANCE):
        days = covered(charges, item.id)
        begin = max(life.contract.billing_start, item.starts_on or date.min)
        end = min(life.lived_until, item.ends_on or date.max)
        lived = {begin + timedelta(days=n) for n in range((end - begin).days)}
        assert set(days.values()) <= {0, 1}
        billed = {day for day, times in days.items() if times}
        assert lived <= billed
        assert all(day >= end for day in billed - lived)
        # What a coupon had paid in full is given back as nothing, for which there is no line.
        if item.ends_on is not None and item.ends_on <= life.lived_until:
            assert billed == lived or life.contract.coupons


@FEW
@given(lives())
def test_a_clerk_with_a_calendar_bills_the_same(life: Life) -> None:
    """Every regular line in advance and in arrears: its days and its amount."""
    if not is_billed_by_now(life):
        assert life.charges(changes=False) == []
        return
    clerk = life.clerk
    billed: dict[UUID, list[tuple[date, date, int]]] = {}
    for one in life.charges(changes=False):
        billed.setdefault(one.item_id, []).append((one.start, one.end, one.amount))

    for item in fees_by_the_period(life.contract, BillingType.ADVANCE):
        assert billed.get(item.id, []) == clerk.advance(item)
    for item in fees_by_the_period(life.contract, BillingType.ARREARS):
        assert billed.get(item.id, []) == clerk.arrears(item)


@FEW
@given(lives())
def test_what_was_used_is_billed_once(life: Life) -> None:
    """By the unit and over what is included, in the windows that have closed, to the unit."""
    clerk = life.clerk
    billed: Counter[UUID] = Counter()
    for draft in life.drafts:
        for line in draft.invoice.lines:
            if line.explanation.usage is not None:
                billed[line.item_id] += line.explanation.quoted_amount

    expected: Counter[UUID] = Counter()
    for item in life.contract.recurring if is_billed_by_now(life) else ():
        included = item.pricing.included if isinstance(item.pricing, CapacityPricing) else 0
        if isinstance(item.pricing, UsagePricing | CapacityPricing):
            used = life.used.get(item.product_id, Counter())
            for begin, end, *_ in clerk.windows(item):
                units = sum(n for day, n in used.items() if begin <= day < end)
                over = max(units - included, 0)
                expected[item.id] += to_minor(Fraction(over), life.contract)
    assert +billed == +expected


@FEW
@given(lives())
def test_billing_again_bills_nothing(life: Life) -> None:
    """What is owed on every day of the current period was billed when the period began."""
    lived = life.contract
    life.catch_up()
    assert life.contract == lived
    if not lived.is_billed:
        return
    assert lived.period_end is not None
    for day in (life.today, lived.period_end - timedelta(days=1)):
        dates = lived.schedule_on(day)
        assert owed(lived, dates, until=day, after=lived.period_start) == ()


@FEW
@given(lives())
def test_movements_sum_to_the_monthly_value(life: Life) -> None:
    """The value is that of the items that are there, and movements lead to it."""
    assert value_of(life.movements) == life.contract.mrr
    if life.contract.is_billed:
        assert life.contract.mrr == monthly(life.contract.items, life.contract)
    if is_over(life.contract):
        assert life.contract.mrr == 0


@FEW
@given(lives(), st.integers(1, 99))
def test_an_invoice_credited_in_two_parts_nets_to_zero(life: Life, percentage: int) -> None:
    """Lines sum to every total; a part and then all that is left leave nothing of any line."""
    for draft in life.drafts:
        made = draft.invoice
        adds_up(made)
        if made.total <= 0:
            continue
        billed = invoice(*(as_billed(made, place) for place in range(len(made.lines))))
        assert billed.total == made.total
        part = made.total * percentage // 100
        if part and min(one.amount_total for one in made.lines) >= 0:
            billed = after(billed, credit(billed, CreditToBalance(), Amount(part)))
            assert billed.credited == part
        if billed.credited < billed.total:
            billed = after(billed, credit(billed, CreditToBalance(), Everything()))
        assert billed.credited == billed.total
        assert all(one.is_credited for one in billed.lines)


def adds_up(made: Invoice) -> None:
    """Amounts less discount plus tax are the total, by lines and by sums."""
    assert made.subtotal == sum(one.amount for one in made.lines)
    assert made.discount == sum(one.discount for one in made.lines)
    assert made.tax_amount == sum(one.tax for one in made.lines)
    assert made.total == sum(one.amount_total for one in made.lines)
    assert made.total == made.subtotal - made.discount + made.tax_amount
    assert made.tax_amount == sum(one.tax for one in made.breakdown)


def as_billed(made: Invoice, place: int) -> BilledLine:
    """A line of an invoice, as a credit note reads it."""
    line = made.lines[place]
    return BilledLine(
        id=UUID(int=place),
        name=line.name,
        product_id=line.product_id,
        start_date=line.start_date,
        end_date=line.end_date,
        quantity=line.quantity,
        amount=line.amount,
        discount=line.discount,
        taxes=line.taxes,
        tax_rate=line.tax_rate,
        decision=line.explanation.decision,
    )
