"""Contracts, ready-made and random, and the lives that they live."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from tallystick.domain.charges import monthly_value
from tallystick.domain.contract import Contract, RunningCoupon, contract_of
from tallystick.domain.life import Step, next_day, step
from tallystick.domain.offer import ExternalPayment, Offer
from tallystick.domain.periods import Cadence
from tallystick.domain.purchase import Activation, Subscription, SubscriptionStatus
from tallystick.domain.schedule import schedule
from tests.domain.offers import arrears, capacity, offer, once, rate, recurring, seats, trial
from tests.domain.purchases import CUSTOMER
from tests.domain.samples import fixed, named, percent

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
STARTS = st.dates(date(2023, 1, 1), date(2025, 12, 31))
CADENCES = st.sampled_from(Cadence)
AMOUNTS = st.decimals("0.01", "2000", places=2).map(str)

# Made once: a strategy that is made for each example takes longer than what it draws.
FEES = st.lists(
    st.one_of(
        st.builds(rate, AMOUNTS, CADENCES),
        st.builds(arrears, AMOUNTS, CADENCES, st.integers(1, 3)),
        st.builds(recurring, AMOUNTS, CADENCES),
        st.builds(seats, AMOUNTS, st.integers(0, 9)),
        st.builds(lambda amount, cadence: capacity(amount, cadence=cadence), AMOUNTS, CADENCES),
        st.builds(once, AMOUNTS),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one.id,
)
"""One to five fees of any kind but metered ones, each of its own product."""
TRIAL_DAYS = st.sampled_from([0, 0, 7, 14, 31, 90])
IS_FREE = st.booleans()
DAYS_TO_THE_END = st.none() | st.integers(1, 800)
ANCHORS = st.none() | st.integers(1, 31)
CYCLES = st.none() | st.integers(1, 30)
COUPONS = st.lists(
    st.sampled_from([percent("12.5", "EIGHTH"), fixed("7.77", "LESS")]),
    unique_by=lambda one: one.id,
)


def contract(
    made: Offer,
    start: date,
    activation: Activation = Activation.ON_START,
    coupons: tuple[RunningCoupon, ...] = (),
) -> Contract:
    """The contract of an offer that begins on a day, before its first step."""
    return contract_of(
        Subscription(
            id=named("subscription"),
            customer_id=CUSTOMER.id,
            offer=made,
            dates=schedule(made, start, trial_used=False),
            status=SubscriptionStatus.PENDING_ACTIVATION,
            cadence=made.cadence,
            current_period_start=start,
            current_period_end=None,
            cycle_index=0,
            mrr=monthly_value(made.items, made.currency),
            payment_method_id=None,
            checkout_session_id=None,
            activated_at=None,
            created_at=NOON,
            activation=activation,
            awaits_activation=activation is Activation.MANUAL,
        ),
        coupons,
    )


def life_of(lives: Contract, until: date) -> list[Step]:
    """Every step of a contract that is due until a day."""
    steps: list[Step] = []
    while (day := next_day(lives)) is not None and day <= until:
        steps.append(step(lives))
        lives = steps[-1].contract
    return steps


def stands(lives: Contract, until: date) -> Contract:
    """The contract as it stands on a day, with every step taken that is due."""
    steps = life_of(lives, until)
    return steps[-1].contract if steps else lives


@st.composite
def contracts(draw: st.DrawFn, *, with_coupons: bool = False) -> Contract:
    """Any contract that begins by itself: any anchor, trial, and end by a day or by cycles."""
    start = draw(STARTS)
    days = draw(TRIAL_DAYS)
    is_free = draw(IS_FREE)
    first = start + timedelta(days=days if is_free else 0)
    more = draw(DAYS_TO_THE_END)
    ends = None if more is None else first + timedelta(days=more)
    made = offer(
        *draw(FEES),
        payment=ExternalPayment(),
        charge_automatically=False,
        created_on=start,
        start_date=start,
        anchor=draw(ANCHORS),
        trial=trial(days, is_free=is_free) if days else None,
        end_date=ends,
        billing_cycles=draw(CYCLES) if ends is None else None,
    )
    coupons: tuple[RunningCoupon, ...] = ()
    if with_coupons:
        coupons = tuple(
            RunningCoupon(
                redemption_id=named(f"redeemed {one.code}"), terms=one, applied_count=0
            )
            for one in draw(COUPONS)
        )
    return contract(made, start, coupons=coupons)
