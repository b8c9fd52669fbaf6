"""The windows in which usage counts against an allowance."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.periods import Period
from tallystick.domain.reset_period import (
    INTERVAL_MAX,
    BillingCycle,
    Calendar,
    CalendarUnit,
    FixedWindow,
    Never,
    ResetPeriod,
    SlidingWindow,
)
from tallystick.domain.usage_window import Anchors, Window, first_moment, window_of

HOUR, DAY, WEEK, MONTH, YEAR = CalendarUnit
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        # Its clocks once went back at one minute past midnight, into the day before.
        "America/Goose_Bay",
        # Half an hour, a day that never was, and quarters of an hour.
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Kathmandu",
        # Midnight is skipped in spring.
        "America/Havana",
    )
]
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


def window(
    reset: ResetPeriod,
    now: str,
    activated: str = "2026-01-31T14:30:00",
    zone: ZoneInfo = BERLIN,
) -> Window:
    """The window at a moment of the zone, whose clocks also tell when it was activated."""
    anchors = Anchors(activated=moment(activated, zone), period=MARCH)
    return window_of(reset, anchors, moment(now, zone), zone)


def moment(shown: str, zone: ZoneInfo = BERLIN) -> datetime:
    """A moment by what the clocks show."""
    return datetime.fromisoformat(shown).replace(tzinfo=zone).astimezone(UTC)


def shown(when: datetime | None, zone: ZoneInfo = BERLIN) -> str:
    """What the clocks show, down to the minute."""
    assert when is not None
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("reset", "now", "begins", "ends"),
    [
        (Calendar(unit=HOUR, interval=6), "2026-03-10T13:00", "03-10 12:00", "03-10 18:00"),
        (Calendar(unit=DAY, interval=1), "2026-03-10T00:00", "03-10 00:00", "03-11 00:00"),
        # The day on which the clocks skip an hour is short, and still one day.
        (Calendar(unit=DAY, interval=1), "2026-03-29T23:59", "03-29 00:00", "03-30 00:00"),
        (Calendar(unit=WEEK, interval=1), "2026-03-10T12:00", "03-09 00:00", "03-16 00:00"),
        (Calendar(unit=MONTH, interval=1), "2026-02-28T23:59", "02-01 00:00", "03-01 00:00"),
        (Calendar(unit=MONTH, interval=3), "2026-03-10T12:00", "01-01 00:00", "04-01 00:00"),
        # Anchored on the 31st of January: the last of February, and the 31st again.
        (FixedWindow(unit=MONTH, interval=1), "2026-02-28T14:29", "01-31 14:30", "02-28 14:30"),
        (FixedWindow(unit=MONTH, interval=1), "2026-03-10T12:00", "02-28 14:30", "03-31 14:30"),
        (FixedWindow(unit=WEEK, interval=1), "2026-03-10T12:00", "03-07 14:30", "03-14 14:30"),
        # The same time of the day on both sides of the change to summer time.
        (FixedWindow(unit=DAY, interval=1), "2026-03-29T12:00", "03-28 14:30", "03-29 14:30"),
        # 48 hours are 48 hours: the clocks show one more.
        (FixedWindow(unit=HOUR, interval=48), "2026-03-29T12:00", "03-28 14:30", "03-30 15:30"),
        (BillingCycle(), "2026-03-10T12:00", "03-01 00:00", "04-01 00:00"),
    ],
)
def test_a_window_begins_and_ends(reset: ResetPeriod, now: str, begins: str, ends: str) -> None:
    """As the tenant's clocks show it; the next window begins where it ends."""
    found = window(reset, now)

    assert (shown(found.begins), shown(found.ends)) == (f"2026-{begins}", f"2026-{ends}")
    assert found.resets_at == found.ends


def test_a_leap_day() -> None:
    """A year from the 29th of February is over on the 28th, and on the 29th four years on."""
    yearly = FixedWindow(unit=YEAR, interval=1)
    found = [
        shown(window(yearly, f"{year}-03-01T00:00", "2024-02-29T08:00").begins)
        for year in (2024, 2025, 2028)
    ]

    assert found == ["2024-02-29 08:00", "2025-02-28 08:00", "2028-02-29 08:00"]


def test_never_counts_since_the_activation() -> None:
    """Without an end, and without a reset."""
    found = window(Never(), "2026-03-10T12:00")

    assert found == Window(begins=moment("2026-01-31T14:30"), ends=None, resets_at=None)


@pytest.mark.parametrize(
    ("unit", "interval", "now", "begins"),
    [
        (DAY, 30, "2026-03-10T12:00", "2026-02-08 12:00"),
        # 24 hours ago, the clocks showed an hour less.
        (HOUR, 24, "2026-03-29T12:00", "2026-03-28 11:00"),
        (MONTH, 1, "2026-03-10T12:00", "2026-02-10 12:00"),
        # February has no 31st: the whole of it is more than a month ago.
        (MONTH, 1, "2026-03-31T12:00", "2026-03-01 00:00"),
        (YEAR, 1, "2028-02-29T12:00", "2027-03-01 00:00"),
    ],
)
def test_a_sliding_window(unit: CalendarUnit, interval: int, now: str, begins: str) -> None:
    """It ends now, this very moment included, and what is one interval old is out."""
    found = window(SlidingWindow(unit=unit, interval=interval), now)
    instant = timedelta(microseconds=1)

    assert shown(found.begins - instant) == begins
    assert (found.ends, found.resets_at) == (moment(now) + instant, None)


def test_the_first_moment() -> None:
    """Where clocks skip a time, the moment of the jump; where they show it twice, the first."""
    jump, turn = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
    skipped = [datetime(2026, 3, 29, 2, minute) for minute in (0, 1, 59)]  # noqa: DTZ001

    assert {first_moment(one, BERLIN) for one in skipped} == {jump}
    assert first_moment(datetime(2026, 10, 25, 2), BERLIN) == turn  # noqa: DTZ001


zones = st.sampled_from(ZONES)
moments = st.one_of(
    st.datetimes(datetime(1975, 1, 1), datetime(2190, 1, 1)),  # noqa: DTZ001
    # Around the changes of clocks.
    st.builds(
        lambda year, month, hours, minute: (
            datetime(year, month, 1) + timedelta(hours=hours, minutes=minute)  # noqa: DTZ001
        ),
        st.integers(1987, 2027),
        st.sampled_from([3, 4, 10, 11, 12]),
        st.integers(0, 31 * 24),
        st.sampled_from([0, 1, 29, 30, 59]),
    ),
).map(lambda naive: naive.replace(tzinfo=UTC))
intervals = st.one_of(st.integers(1, 7), st.integers(1, INTERVAL_MAX))
kinds = st.sampled_from([Calendar, FixedWindow])


@given(
    now=moments,
    zone=zones,
    kind=kinds,
    unit=st.sampled_from(CalendarUnit),
    interval=intervals,
    age=st.timedeltas(timedelta(0), timedelta(days=4000)),
)
def test_windows_follow_each_other(
    now: datetime,
    zone: ZoneInfo,
    kind: type[Calendar | FixedWindow],
    unit: CalendarUnit,
    interval: int,
    age: timedelta,
) -> None:
    """A window contains its moments, and the next one begins where it ends."""
    reset, anchors = (
        kind(unit=unit, interval=interval),
        Anchors(activated=now - age, period=MARCH),
    )
    found = window_of(reset, anchors, now, zone)

    assert found.ends is not None
    assert found.begins <= now < found.ends
    assert window_of(reset, anchors, found.ends - timedelta(microseconds=1), zone) == found
    assert window_of(reset, anchors, found.ends, zone).begins == found.ends


@given(
    now=moments,
    zone=zones,
    unit=st.sampled_from(CalendarUnit),
    interval=intervals,
    steps=st.lists(st.integers(0, 100_000), min_size=2, max_size=6),
)
def test_a_sliding_window_never_goes_back(
    now: datetime, zone: ZoneInfo, unit: CalendarUnit, interval: int, steps: list[int]
) -> None:
    """What has dropped out does not come back, whatever clocks and months do."""
    anchors = Anchors(activated=now, period=MARCH)
    reset = SlidingWindow(unit=unit, interval=interval)
    begins = [
        window_of(reset, anchors, now + timedelta(seconds=step), zone).begins
        for step in sorted(steps)
    ]

    assert all(earlier <= later for earlier, later in pairwise(begins))
    assert begins[0] < now + timedelta(seconds=min(steps))
