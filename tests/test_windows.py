"""Windows: what is open when, and exactly when that changes."""

from __future__ import annotations

import copy
import pickle
import sys
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from functools import reduce
from itertools import islice, pairwise
from operator import and_, or_
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rxws import windows
from rxws.errors import ConfigError
from rxws.windows import Window, always, candles, daily, every, never, weekly

MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NEW_YORK = "America/New_York"
LONDON = "Europe/London"
LORD_HOWE = "Australia/Lord_Howe"  # its clock is changed by half an hour
SYDNEY = "Australia/Sydney"
APIA = "Pacific/Apia"  # 2011-12-30 was left out
SHIFTED = [NEW_YORK, LONDON, LORD_HOWE, SYDNEY, APIA]


def utc(text: str) -> datetime:
    """Read "2026-03-08 07:00" as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def changes(window: Window, start: datetime, end: datetime) -> Iterator[tuple[str, str]]:
    """Yield each change from `start` to before `end`, as "opens" or "closes" and its UTC time."""
    at = window.next_change(start - MICROSECOND)
    while at is not None and at < end:
        yield (
            "opens" if window.is_open(at) else "closes",
            f"{at:%m-%d %H:%M:%S.%f}".removesuffix(".000000"),
        )
        at = window.next_change(at)


def on(window: Window, date: str, days: int = 1) -> list[tuple[str, str]]:
    """List the changes of some days in UTC."""
    return list(changes(window, utc(date), utc(date) + days * DAY))


# --- what hypothesis draws -------------------------------------------------------------------

# Instants on whole minutes, many of them near the days on which some clock was changed.
SHIFTS = [
    "2011-12-30 10:00",  # Apia leaps over a day
    "2025-10-26 01:00",  # London, back
    "2025-11-02 06:00",  # New York, back
    "2026-03-08 07:00",  # New York, forward
    "2026-03-29 01:00",  # London, forward
    "2026-04-04 15:00",  # Lord Howe, back half an hour
    "2026-04-04 16:00",  # Sydney, back
    "2026-10-03 15:30",  # Lord Howe, forward half an hour
    "2026-10-03 16:00",  # Sydney, forward
    "2028-02-29 00:00",  # and a leap day
    "2026-12-31 23:59",
    "1970-01-01 00:00",
]
INSTANTS = st.builds(
    lambda near, minutes: utc(near) + minutes * MINUTE,
    st.sampled_from(SHIFTS),
    st.integers(-3 * 24 * 60, 3 * 24 * 60),
)
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 10, 20, 30, 40, 50, 59]))
ZONES = st.sampled_from(["UTC", *SHIFTED])


@st.composite
def daily_windows(draw: st.DrawFn) -> Window:
    """Draw any daily window whose edges are on whole minutes."""
    start = draw(CLOCKS)
    return daily(start, draw(CLOCKS.filter(lambda end: end != start)), draw(ZONES))


@st.composite
def weekly_windows(draw: st.DrawFn) -> Window:
    """Draw any weekly window whose edges are on whole minutes."""
    times = st.builds("{} {}".format, st.sampled_from("mon tue wed thu fri sat sun".split()), CLOCKS)
    start = draw(times)
    return weekly(start, draw(times.filter(lambda end: end != start)), draw(ZONES))


@st.composite
def periodic_windows(draw: st.DrawFn) -> Window:
    """Draw any window of `every` whose edges are on whole minutes."""
    minutes = draw(st.sampled_from([2, 3, 7, 60, 100, 1440, 10_000]))
    return every(
        minutes * 60,
        open_for=60 * draw(st.integers(1, minutes - 1)),
        offset=60 * draw(st.integers(-10, 10)),
    )


@st.composite
def candle_windows(draw: st.DrawFn) -> Window:
    """Draw any window around candles whose edges are on whole minutes."""
    return candles(
        draw(st.sampled_from("5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M".split())),
        connect_before=60 * draw(st.integers(1, 2)),
        disconnect_after=60 * draw(st.integers(0, 2)),
    )


SIMPLE = daily_windows() | weekly_windows() | periodic_windows() | candle_windows()
WINDOWS = st.recursive(
    SIMPLE | st.sampled_from([always(), never()]),
    lambda parts: st.builds(and_, parts, parts) | st.builds(or_, parts, parts) | st.builds(lambda part: ~part, parts),
    max_leaves=4,
)


# --- daily and weekly ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (daily("09:00", "17:30"), [("opens", "07-08 09:00:00"), ("closes", "07-08 17:30:00")]),
        (daily("23:55", "00:05"), [("closes", "07-08 00:05:00"), ("opens", "07-08 23:55:00")]),
        (daily("00:00", "12:00"), [("opens", "07-08 00:00:00"), ("closes", "07-08 12:00:00")]),
        (daily("12:00", "00:00"), [("closes", "07-08 00:00:00"), ("opens", "07-08 12:00:00")]),
        (
            daily("09:00:15", "09:00:16.5"),
            [("opens", "07-08 09:00:15"), ("closes", "07-08 09:00:16.500000")],
        ),
        (
            daily(time(9), time(9, 0, 20)),
            [("opens", "07-08 09:00:00"), ("closes", "07-08 09:00:20")],
        ),
        (
            daily("09:00", "17:00", tz=NEW_YORK),
            [("opens", "07-08 13:00:00"), ("closes", "07-08 21:00:00")],
        ),
        (
            daily("09:00", "17:00", tz=ZoneInfo(LORD_HOWE)),
            [("closes", "07-08 06:30:00"), ("opens", "07-08 22:30:00")],
        ),
        (
            daily("00:00", "01:00", tz=timezone(timedelta(hours=5, minutes=45))),
            [("opens", "07-08 18:15:00"), ("closes", "07-08 19:15:00")],
        ),
    ],
    ids=str,
)
def test_daily_opens_and_closes_by_the_local_clock(window: Window, expected: list[tuple[str, str]]) -> None:
    """On an ordinary day a daily window has its two changes, in whichever order."""
    assert on(window, "2026-07-08") == expected


@pytest.mark.parametrize(
    ("window", "opens", "closes"),
    [
        (weekly("sun 22:00", "fri 22:00"), "07-12 22:00:00", "07-10 22:00:00"),
        (weekly("Friday 22:00", "SUNDAY 22:00:30"), "07-10 22:00:00", "07-12 22:00:30"),
        (weekly("sun 18:00", "fri 17:00", tz=NEW_YORK), "07-12 22:00:00", "07-10 21:00:00"),
        (
            weekly("mon 00:00", "mon 01:00", tz=timezone(timedelta(hours=-2))),
            "07-13 02:00:00",
            "07-13 03:00:00",
        ),
        (weekly("tue 01:00", "mon 00:00", tz=SYDNEY), "07-06 15:00:00", "07-12 14:00:00"),
    ],
    ids=str,
)
def test_weekly_opens_and_closes_by_the_local_weekday(window: Window, opens: str, closes: str) -> None:
    """In an ordinary week, here from the noon of Monday, 2026-07-06, there are two changes."""
    start = utc("2026-07-06 12:00")

    assert sorted(changes(window, start, start + 7 * DAY)) == [("closes", closes), ("opens", opens)]


@pytest.mark.parametrize(
    ("window", "date", "expected"),
    [
        # New York, 2026-03-08: 02:00 EST is 03:00 EDT, 07:00 UTC.
        (daily("02:30", "03:30", NEW_YORK), "2026-03-08", ["07:00", "07:30"]),
        (daily("01:30", "02:30", NEW_YORK), "2026-03-08", ["06:30", "07:00"]),
        (daily("02:00", "03:00", NEW_YORK), "2026-03-08", []),
        (daily("02:10", "02:50", NEW_YORK), "2026-03-08", []),
        (daily("03:00", "02:00", NEW_YORK), "2026-03-08", []),
        (daily("02:50", "02:10", NEW_YORK), "2026-03-08", []),
        (daily("02:50", "02:10", NEW_YORK), "2026-03-09", ["06:10", "06:50"]),
        (daily("01:00", "04:00", NEW_YORK), "2026-03-08", ["06:00", "08:00"]),
        # New York, 2026-11-01: 02:00 EDT is 01:00 EST, 06:00 UTC.
        (daily("01:30", "02:30", NEW_YORK), "2026-11-01", ["05:30", "07:30"]),
        (daily("00:30", "01:30", NEW_YORK), "2026-11-01", ["04:30", "05:30"]),
        (daily("01:10", "01:50", NEW_YORK), "2026-11-01", ["05:10", "05:50"]),
        (daily("01:50", "01:10", NEW_YORK), "2026-11-01", ["05:10", "05:50"]),
        (daily("01:00", "02:00", NEW_YORK), "2026-11-01", ["05:00", "07:00"]),
        # London, 2026-03-29: 01:00 GMT is 02:00 BST; 2026-10-25: 02:00 BST is 01:00 GMT.
        (daily("01:30", "02:15", LONDON), "2026-03-29", ["01:00", "01:15"]),
        (daily("01:30", "02:15", LONDON), "2026-10-25", ["00:30", "02:15"]),
        # Lord Howe, 2026-10-04: 02:00 +10:30 is 02:30 +11:00, 15:30 UTC on the day before.
        (daily("02:15", "02:45", LORD_HOWE), "2026-10-03", ["15:30", "15:45"]),
        (daily("02:05", "02:25", LORD_HOWE), "2026-10-03", []),
        # Lord Howe, 2026-04-05: 02:00 +11:00 is 01:30 +10:30, 15:00 UTC on the day before.
        (daily("01:45", "02:00", LORD_HOWE), "2026-04-04", ["14:45", "15:30"]),
        # Sydney, 2026-10-04: 02:00 is 03:00; 2026-04-05: 03:00 is 02:00; both at 16:00 UTC.
        (daily("02:30", "04:00", SYDNEY), "2026-10-03", ["16:00", "17:00"]),
        (daily("02:30", "04:00", SYDNEY), "2026-04-04", ["15:30", "18:00"]),
        # Apia had no 2011-12-30: after the 29th, at 10:00 UTC on the 30th, came the 31st.
        (daily("10:00", "12:00", APIA), "2011-12-30", ["20:00", "22:00"]),
        (daily("13:00", "12:00", APIA), "2011-12-30", ["22:00", "23:00"]),
        (weekly("fri 10:00", "fri 20:00", APIA), "2011-12-30", []),
        # A week's window on such Sundays; on its other days all is as ever.
        (weekly("sun 02:30", "sun 05:00", NEW_YORK), "2026-03-08", ["07:00", "09:00"]),
        (weekly("sun 01:30", "sun 05:00", NEW_YORK), "2026-11-01", ["05:30", "10:00"]),
        (weekly("sun 01:30", "sun 05:00", LONDON), "2026-03-29", ["01:00", "04:00"]),
        (weekly("sun 01:30", "sun 05:00", LONDON), "2026-10-25", ["00:30", "05:00"]),
        (weekly("sun 02:15", "sun 05:00", LORD_HOWE), "2026-10-03", ["15:30", "18:00"]),
        (weekly("sun 01:45", "sun 05:00", LORD_HOWE), "2026-04-04", ["14:45", "18:30"]),
        (weekly("sun 02:30", "sun 05:00", SYDNEY), "2026-10-03", ["16:00", "18:00"]),
        (weekly("sun 02:30", "sun 05:00", SYDNEY), "2026-04-04", ["15:30", "19:00"]),
    ],
)
def test_a_time_means_the_first_instant_at_which_the_clock_has_reached_it(
    window: Window, date: str, expected: list[str]
) -> None:
    """A repeated time is its first occurrence, a skipped one the leap; the empty is left out."""
    assert [when[6:11] for _, when in on(window, date)] == expected


@pytest.mark.parametrize(
    ("window", "start", "hours"),
    [
        (weekly("sat 12:00", "sun 12:00", NEW_YORK), "2026-03-07", 23),
        (weekly("sat 12:00", "sun 12:00", NEW_YORK), "2026-03-14", 24),
        (weekly("sat 12:00", "sun 12:00", NEW_YORK), "2026-10-31", 25),
        (weekly("sat 12:00", "sun 12:00", LONDON), "2026-10-24", 25),
        (weekly("sat 12:00", "sun 12:00", LORD_HOWE), "2026-10-03", 23.5),
        (weekly("sat 12:00", "sun 12:00", LORD_HOWE), "2026-04-04", 24.5),
        (weekly("sat 12:00", "sun 12:00", SYDNEY), "2026-04-04", 25),
        (daily("12:00", "11:00", SYDNEY), "2026-10-03 01:30", 22),
    ],
)
def test_a_stretch_over_a_changed_clock_is_an_hour_off(window: Window, start: str, hours: float) -> None:
    """The edges keep to the wall clock, so that the time between them does not keep to 24 hours."""
    opens = window.next_change(utc(start))
    assert opens is not None and window.is_open(opens)

    closes = window.next_change(opens)

    assert closes == opens + timedelta(hours=hours)


def latest_shown(at: datetime, tz: str) -> datetime:
    """Return, minute by minute, the latest time that a clock has shown within a day."""
    zone = ZoneInfo(tz)
    shown = ((at - minutes * MINUTE).astimezone(zone).replace(tzinfo=UTC) for minutes in range(25 * 60))
    return max(shown)


@given(at=INSTANTS, tz=st.sampled_from(SHIFTED), start=CLOCKS, end=CLOCKS)
@example(at=utc("2025-11-02 06:20"), tz=NEW_YORK, start="01:30", end="03:00")
@settings(max_examples=60)
def test_daily_is_open_by_the_latest_time_that_the_clock_has_shown(at: datetime, tz: str, start: str, end: str) -> None:
    """Whatever the clock did: open if what it has come to show lies between start and end."""
    shown = f"{latest_shown(at, tz):%H:%M}"
    if start == end:
        return
    inside = start <= shown < end if start < end else not end <= shown < start

    assert daily(start, end, tz).is_open(at) == inside


@given(at=INSTANTS, tz=st.sampled_from(SHIFTED), start=CLOCKS, end=CLOCKS)
def test_the_inverse_of_a_daily_window_has_start_and_end_swapped(at: datetime, tz: str, start: str, end: str) -> None:
    """No instant belongs to both or to neither, on the days of changed clocks either."""
    if start != end:
        forth, back = ~daily(start, end, tz), daily(end, start, tz)

        assert forth.is_open(at) == back.is_open(at)
        assert forth.next_change(at) == back.next_change(at)


# --- candles and every -----------------------------------------------------------------------

SECONDS = {
    **{f"{minutes}m": 60 * minutes for minutes in (1, 3, 5, 15, 30)},
    **{f"{hours}h": 3600 * hours for hours in (1, 2, 4, 6, 8, 12)},
    "1d": 86_400,
}


@pytest.mark.parametrize("interval", SECONDS)
def test_candles_close_at_whole_intervals_of_the_epoch(interval: str) -> None:
    """It opens so many seconds before each multiple of the interval, and closes so many after."""
    window = candles(interval, connect_before=20, disconnect_after=5.5)
    seconds = SECONDS[interval]
    at = datetime.fromtimestamp(1_783_512_000 // seconds * seconds, UTC) + timedelta(seconds=7)

    for _ in range(3):
        opens = window.next_change(at)
        assert opens is not None and window.is_open(opens)
        assert (opens.timestamp() + 20) % seconds == 0
        assert opens - at < timedelta(seconds=seconds)
        closes = window.next_change(opens)
        assert closes == opens + timedelta(seconds=25.5)
        at = closes


@pytest.mark.parametrize(
    ("interval", "closes"),
    [
        # Binance's own candles: one of three days began on 2017-08-17 and one on 2024-01-01.
        ("3d", ["2017-08-17", "2017-08-20", "2017-08-23"]),
        ("3d", ["2024-01-01", "2024-01-04", "2024-01-07"]),
        ("1w", ["2026-06-29", "2026-07-06", "2026-07-13"]),  # Mondays
        ("1w", ["1970-01-05", "1970-01-12"]),
        ("1M", ["2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"]),
        ("1M", ["2028-02-01", "2028-03-01", "2028-04-01"]),  # over a leap day
        ("1M", ["1970-01-01", "1970-02-01"]),
    ],
)
@pytest.mark.parametrize(("before", "after"), [(30, 60), (30, 0), (0, 60), (86_400, 3_600)])
def test_long_candles_close_when_the_venue_says(interval: str, closes: list[str], before: int, after: int) -> None:
    """Three-day candles, weeks and months each have a calendar of their own, in UTC."""
    window = candles(interval, connect_before=before, disconnect_after=after)
    at = utc(closes[0]) - timedelta(days=1, hours=12)

    for close in map(utc, closes):
        assert window.next_change(at) == close - timedelta(seconds=before)
        at = window.next_change(close - timedelta(seconds=before)) or at
        assert at == close + timedelta(seconds=after)


def test_a_month_is_open_up_to_all_but_a_second_of_the_shortest() -> None:
    """Around months the window may be so long that only a second of February is left closed."""
    window = candles("1M", connect_before=28 * 86_400 - 2, disconnect_after=1)

    assert on(window, "2026-02-01") == [("closes", "02-01 00:00:01"), ("opens", "02-01 00:00:02")]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (every(60, open_for=10), [("opens", "07-08 12:01:00"), ("closes", "07-08 12:01:10")]),
        (
            every(60, open_for=10, offset=30),
            [("opens", "07-08 12:00:30"), ("closes", "07-08 12:00:40")],
        ),
        (
            every(60, open_for=10, offset=-5),
            [("opens", "07-08 12:00:55"), ("closes", "07-08 12:01:05")],
        ),
        (
            every(60, open_for=10, offset=61),
            [("opens", "07-08 12:01:01"), ("closes", "07-08 12:01:11")],
        ),
        (
            every(3600, open_for=3599, offset=1800),
            [("closes", "07-08 12:29:59"), ("opens", "07-08 12:30:00")],
        ),
        (every(2, open_for=1), [("closes", "07-08 12:00:21"), ("opens", "07-08 12:00:22")]),
    ],
    ids=str,
)
def test_every_opens_at_multiples_of_the_period_since_the_epoch(
    window: Window, expected: list[tuple[str, str]]
) -> None:
    """The offset moves all periods, later or sooner; here are the first changes after 12:00:20."""
    after = utc("2026-07-08 12:00:20") + MICROSECOND

    assert list(islice(changes(window, after, after + DAY), 2)) == expected


@given(periods=st.integers(-60_000_000, 400_000_000))
def test_instants_do_not_drift(periods: int) -> None:
    """A period of 10/3 seconds is 3,333,333 microseconds, before the epoch and for ever after."""
    window = every(10 / 3, open_for=1)
    opens = EPOCH + periods * timedelta(microseconds=3_333_333)

    assert window.next_change(opens - MICROSECOND) == opens
    assert window.next_change(opens) == opens + timedelta(seconds=1)


# --- combining -------------------------------------------------------------------------------


@given(window=WINDOWS, at=INSTANTS)
@settings(max_examples=120)
def test_next_change_is_the_first_instant_that_brute_force_finds(window: Window, at: datetime) -> None:
    """All edges are on whole minutes here, so that looking at each minute of a day misses none."""
    now = window.is_open(at)
    minutes = (at + count * MINUTE for count in range(1, 24 * 60))

    found = next((minute for minute in minutes if window.is_open(minute) != now), None)

    change = window.next_change(at)
    assert change == found or (found is None and (change is None or change >= at + DAY))


@given(window=WINDOWS, at=INSTANTS, off=st.integers(0, 10**9))
def test_it_differs_on_the_two_sides_of_each_change(window: Window, at: datetime, off: int) -> None:
    """A change is exact to the microsecond: before it nothing has changed, at it all has."""
    at += off * MICROSECOND

    for _ in range(3):
        change = window.next_change(at)
        if change is None:
            return
        assert change > at
        assert change.tzinfo is UTC
        assert window.is_open(change - MICROSECOND) == window.is_open(at)
        assert window.is_open(change) != window.is_open(at)
        at = change


@given(a=WINDOWS, b=WINDOWS, at=INSTANTS)
def test_the_operators_mean_and_or_and_not(a: Window, b: Window, at: datetime) -> None:
    """At each instant `&`, `|` and `~` say what `and`, `or` and `not` say of the parts."""
    assert (a & b).is_open(at) == (a.is_open(at) and b.is_open(at))
    assert (a | b).is_open(at) == (a.is_open(at) or b.is_open(at))
    assert (~a).is_open(at) == (not a.is_open(at))
    assert (~a).next_change(at) == a.next_change(at)


@given(a=WINDOWS, b=WINDOWS, c=WINDOWS)
def test_the_laws_of_the_algebra_hold_as_equalities(a: Window, b: Window, c: Window) -> None:
    """De Morgan, double inversion, associativity, identities: the values themselves are equal."""
    assert ~(a & b) == ~a | ~b
    assert ~(a | b) == ~a & ~b
    assert ~~a == a
    assert (a & b) & c == a & (b & c)
    assert (a | b) | c == a | (b | c)
    assert a & a == a == a | a
    assert a & ~a == never() == a & never()
    assert a | ~a == always() == a | always()
    assert a & always() == a == a | never()


@given(a=WINDOWS, b=WINDOWS, at=INSTANTS)
def test_the_order_of_the_parts_does_not_matter(a: Window, b: Window, at: datetime) -> None:
    """`a & b` and `b & a` are open at the same instants and change at the same ones."""
    for one, other in ((a & b, b & a), (a | b, b | a)):
        assert one.is_open(at) == other.is_open(at)
        assert one.next_change(at) == other.next_change(at)


def test_a_change_of_a_part_that_changes_nothing_is_passed_over() -> None:
    """Windows that touch are one, and what opens while another part is closed is not seen."""
    touching = daily("08:00", "12:00") | daily("12:00", "16:00") | daily("15:00", "20:00")
    hidden = daily("08:00", "20:00") & ~daily("19:00", "21:00") & ~daily("07:00", "09:00")

    assert on(touching, "2026-07-08") == [("opens", "07-08 08:00:00"), ("closes", "07-08 20:00:00")]
    assert on(hidden, "2026-07-08") == [("opens", "07-08 09:00:00"), ("closes", "07-08 19:00:00")]


def test_what_is_always_or_never_open_never_changes() -> None:
    """The two ends of the algebra have no change."""
    at = utc("2026-07-08")

    assert always().is_open(at) and not never().is_open(at)
    assert always().next_change(at) is None
    assert never().next_change(at) is None


HALVES = every(60, open_for=30), every(60, open_for=30, offset=30)
MORNINGS = daily("09:00", "10:00", NEW_YORK), daily("11:00", "12:00", NEW_YORK)


@pytest.mark.parametrize(
    "window",
    [
        MORNINGS[0] & MORNINGS[1],
        HALVES[0] & HALVES[1],
        (HALVES[0] & HALVES[1]) | (MORNINGS[0] & MORNINGS[1]),
        (HALVES[0] | HALVES[1]) & (~MORNINGS[0] | ~MORNINGS[1]),
        ((HALVES[0] & HALVES[1]) | (MORNINGS[0] & MORNINGS[1])) & weekly("sat 00:00", "sun 00:00"),
    ],
    ids=str,
)
def test_parts_that_never_meet_do_not_make_the_search_endless(window: Window) -> None:
    """None is the answer, from an instant that is open and from one that is closed."""
    assert window.next_change(utc("2026-07-08 12:00")) is None


def test_a_rare_meeting_within_ten_years_is_found() -> None:
    """The closes of a month, a week and three days meet again after 2,435 days at the longest."""
    around = {"connect_before": 30, "disconnect_after": 30}
    window = reduce(and_, (candles(interval, **around) for interval in ("1M", "1w", "3d")))

    met = [utc("2026-07-08")]
    for _ in range(400):
        change = window.next_change(met[-1])
        assert change is not None
        met.append(change)

    assert max(later - sooner for sooner, later in pairwise(met)).days == 2_435


def test_what_changes_only_after_ten_years_counts_as_never() -> None:
    """Periods of 366 and of 365 days, open for a second each, meet after 366 years."""
    window = every(366 * 86_400, open_for=1) & every(365 * 86_400, open_for=1)
    meeting = EPOCH + 366 * 365 * DAY

    assert window.is_open(meeting)
    assert window.next_change(EPOCH + DAY) is None
    assert window.next_change(meeting - 9 * 365 * DAY) == meeting


# --- as values -------------------------------------------------------------------------------


@given(window=WINDOWS)
def test_a_window_is_its_own_description(window: Window) -> None:
    """What repr shows makes an equal window with an equal hash; so do copies."""
    again = eval(repr(window), dict(vars(windows)))

    for same in (again, copy.deepcopy(window), pickle.loads(pickle.dumps(window))):
        assert same == window
        assert hash(same) == hash(window)
        assert repr(same) == repr(window)


@pytest.mark.parametrize(
    ("window", "shown"),
    [
        (daily(time(9), "17:00:30"), "daily('09:00', '17:00:30')"),
        (daily("09:00", "17:00", "Asia/Tokyo"), "daily('09:00', '17:00', tz='Asia/Tokyo')"),
        (daily("09:00", "17:00", ZoneInfo("UTC")), "daily('09:00', '17:00')"),
        (
            daily("09:00", "17:00", timezone(timedelta(hours=8))),
            "daily('09:00', '17:00', tz=datetime.timezone(datetime.timedelta(seconds=28800)))",
        ),
        (weekly("SUNDAY 22:00", "fri 22:00"), "weekly('sun 22:00', 'fri 22:00')"),
        (
            candles("4h", connect_before=120.0, disconnect_after=0.5),
            "candles('4h', connect_before=120, disconnect_after=0.5)",
        ),
        (
            every(1234567.25, open_for=2, offset=-0.25),
            "every(1234567.25, open_for=2, offset=1234567)",
        ),
        (
            ~every(60, open_for=1) & every(3, open_for=1),
            "~every(60, open_for=1) & every(3, open_for=1)",
        ),
        (
            (every(2, open_for=1) | every(3, open_for=1)) & ~every(5, open_for=1),
            "(every(2, open_for=1) | every(3, open_for=1)) & ~every(5, open_for=1)",
        ),
        (
            every(2, open_for=1) & every(3, open_for=1) | never() | every(5, open_for=1),
            "(every(2, open_for=1) & every(3, open_for=1)) | every(5, open_for=1)",
        ),
        (every(60, open_for=1.001), "every(60, open_for=1.001)"),  # times 10**6 it falls short
        (always(), "always()"),
        (~always(), "never()"),
    ],
    ids=str,
)
def test_a_window_is_shown_as_the_call_that_makes_it(window: Window, shown: str) -> None:
    """What was given is shown in one spelling; what is a default is not shown."""
    assert repr(window) == shown


def test_windows_are_equal_by_meaning_and_can_be_keys() -> None:
    """However a time, a zone or a number was written, it is one key in a set."""
    spellings = [
        daily("09:00", "17:00"),
        daily("09:00:00", time(17)),
        daily("09:00", "17:00", tz=UTC),
        daily("12:00", "20:00", tz=timezone(timedelta(hours=3))),
        every(86_400, open_for=8 * 3600, offset=9 * 3600.0),
    ]
    others = [
        daily("09:00", "17:01"),
        daily("09:01", "17:00"),
        daily("09:00", "17:00", tz=LONDON),
        daily("17:00", "09:00"),
        weekly("mon 09:00", "mon 17:00"),
        candles("1M", connect_before=1, disconnect_after=1),
        candles("1M", connect_before=2, disconnect_after=1),
    ]

    assert len(set(spellings)) == 1
    assert len({*spellings, *others}) == 1 + len(others)
    assert len({~window for window in others}) == len(others)


class Unhashable(tzinfo):
    """A zone three hours east, equal to its like and, as dateutil's are, without a hash."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unhashable)

    def utcoffset(self, at: datetime | None) -> timedelta:
        """Three hours."""
        return timedelta(hours=3)

    def tzname(self, at: datetime | None) -> str:
        """Its name."""
        return "three hours east"

    def dst(self, at: datetime | None) -> timedelta:
        """None at all."""
        return timedelta(0)


def test_any_tzinfo_will_do() -> None:
    """Also one without a hash; the window has one."""
    window = daily("12:00", "20:00", tz=Unhashable())

    assert on(window, "2026-07-08") == [("opens", "07-08 09:00:00"), ("closes", "07-08 17:00:00")]
    assert len({window, daily("12:00", "20:00", tz=Unhashable())}) == 1


def test_a_window_cannot_be_changed() -> None:
    """Its fields are frozen, and it takes no others."""
    for window in (daily("09:00", "17:00"), ~daily("09:00", "17:00"), always()):
        for name in ("stretches", "window", "parts", "note"):
            with pytest.raises((AttributeError, TypeError)):
                setattr(window, name, None)


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize("at", [utc("2026-07-08").replace(tzinfo=None), "2026-07-08", 0.0, None])
def test_an_instant_without_a_zone_is_refused(at: Any) -> None:
    """Both questions name the argument and the way out."""
    for ask in (always().is_open, daily("09:00", "17:00").next_change):
        with pytest.raises(ConfigError, match=r"^at: .* is not an aware datetime; take"):
            ask(at)


@pytest.mark.parametrize("year", [1, 9_900, 9_999])
def test_an_instant_at_the_end_of_time_is_refused(year: int) -> None:
    """Where a search would leave what a datetime can hold there is a clear error instead."""
    at = datetime(year, 1, 1, tzinfo=UTC)

    with pytest.raises(ConfigError, match=r"^at: .* is too far away; take a year from 2 to 9899"):
        daily("09:00", "17:00").is_open(at)


@pytest.mark.parametrize("at", [datetime(2, 1, 1, tzinfo=UTC), datetime(9899, 12, 31, tzinfo=UTC)])
def test_the_first_and_the_last_years_work(at: datetime) -> None:
    """Within the years that are taken nothing overflows, whatever is asked."""
    mornings = daily("09:00", "10:00", NEW_YORK), daily("11:00", "12:00", SYDNEY)
    months = candles("1M", connect_before=5, disconnect_after=5)

    for window in (*mornings, mornings[0] & mornings[1], months, months & mornings[0]):
        window.is_open(at)
        window.next_change(at)


def test_an_instant_may_be_told_in_any_zone() -> None:
    """What counts is the instant: of an hour that a clock shows twice, the one that `fold` says."""
    window = every(7200, open_for=3600, offset=3600)  # open in the odd hours of UTC
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo(NEW_YORK))

    assert window.is_open(first)
    assert window.next_change(first) == utc("2026-11-01 06:00")
    assert not window.is_open(first.replace(fold=1))
    assert window.next_change(first.replace(fold=1)) == utc("2026-11-01 07:00")


@pytest.mark.parametrize("value", ["9:00", "24:00", "09:60", "0900", "09", "noon", "", "09:00Z", "09:00 ", 9, None])
def test_what_is_not_a_time_of_day_is_refused(value: Any) -> None:
    """The error names the argument, the value and a right one."""
    with pytest.raises(ConfigError, match=r'^start: .* is not a time of day; write "09:30"'):
        daily(value, "17:00")
    with pytest.raises(ConfigError, match=r'^end: .* is not a time of day; write "09:30"'):
        daily("17:00", value)


def test_a_time_with_a_zone_of_its_own_is_refused() -> None:
    """There is one place for the zone, and the error says which."""
    with pytest.raises(ConfigError, match="^start: .* and the time zone as tz"):
        daily(time(9, tzinfo=UTC), "17:00")


@pytest.mark.parametrize("value", ["22:00", "sunday", "sun", "su 22:00", "sun 9:00", "sun  22:00", "day 22:00", "", 7])
def test_what_is_not_a_time_of_the_week_is_refused(value: Any) -> None:
    """The error names the argument, the value and a right one."""
    with pytest.raises(ConfigError, match=r'^start: .* not a time of the week; write "fri 22:00"'):
        weekly(value, "fri 22:00")
    with pytest.raises(ConfigError, match=r'^end: .* not a time of the week; write "fri 22:00"'):
        weekly("fri 22:00", value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: daily("09:00", "09:00:00"), "end: '09:00' is the start too; take another time"),
        (lambda: weekly("fri 22:00", "friday 22:00"), "end: 'fri 22:00' is the start too"),
        (
            lambda: daily("09:00", "09:00:00.5"),
            "end: from '09:00' to '09:00:00.500000' it is 0.5 s of every 86400 s; open and closed "
            "must each last 1 s or more, or it would thrash, never open or never close: "
            "take 1 to 86399 seconds",
        ),
        (lambda: daily("00:00", "23:59:59.5"), "end: from '00:00' to '23:59:59.500000' it is"),
        (lambda: weekly("mon 00:00", "sun 23:59:59.1"), "end: from 'mon 00:00' to 'sun 23:59:59"),
    ],
)
def test_a_stretch_of_less_than_a_second_is_refused(make: Any, message: str) -> None:
    """Start and end must leave a second to be open in, and one to be closed in."""
    with pytest.raises(ConfigError) as refused:
        make()

    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("interval", "before", "after", "message"),
    [
        ("4H", 60, 30, "interval: '4H' is unknown; take one of 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h"),
        ("10m", 60, 30, "interval: '10m' is unknown; take one of 1m"),
        (240, 60, 30, "interval: 240 is unknown"),
        (["4h"], 60, 30, "interval: ['4h'] is unknown"),
        ("4h", -1, 30, "connect_before: -1 is negative; take 0 or more"),
        ("4h", 60, -0.5, "disconnect_after: -0.5 is negative; take 0 or more"),
        ("4h", "60", 30, "connect_before: '60' is not a number of seconds"),
        ("4h", 60, True, "disconnect_after: True is not a number of seconds"),
        ("4h", float("nan"), 30, "connect_before: nan is not a number of seconds"),
        ("4h", float("inf"), 30, "connect_before: inf is not a number of seconds"),
        ("4h", 10**400, 30, "connect_before: 1000"),
        ("4h", 0, 0, "connect_before: with disconnect_after it is 0 s of every 14400 s"),
        ("4h", 0.9, 0, "connect_before: with disconnect_after it is 0.9 s of every 14400 s"),
        ("1m", 40, 20, "connect_before: with disconnect_after it is 60 s of every 60 s"),
        ("1m", 40, 19.5, "connect_before: with disconnect_after it is 59.5 s of every 60 s"),
        ("1m", 100, 20, "connect_before: with disconnect_after it is 120 s of every 60 s"),
        ("1M", 27 * 86_400, 86_400, "connect_before: with disconnect_after it is 2419200 s of"),
    ],
)
def test_candles_that_would_thrash_or_never_close_are_refused(
    interval: Any, before: Any, after: Any, message: str
) -> None:
    """What is wrong is named, with its value and what would be right."""
    with pytest.raises(ConfigError) as refused:
        candles(interval, connect_before=before, disconnect_after=after)

    assert str(refused.value).startswith(message)


def test_one_second_candles_are_refused_with_the_way_out() -> None:
    """No window fits between their closes, so that staying connected is what is right."""
    with pytest.raises(ConfigError, match="of every 1 s; .* so stay connected instead"):
        candles("1s", connect_before=0.2, disconnect_after=0.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"period": 1.9, "open_for": 1}, "period: 1.9 is too short; take 2 seconds or more"),
        ({"period": -60, "open_for": 1}, "period: -60 is too short"),
        (
            {"period": 1e9, "open_for": 1},
            "period: 1000000000.0 is not a number of seconds, or more",
        ),
        ({"period": "60", "open_for": 1}, "period: '60' is not a number of seconds"),
        ({"period": 60, "open_for": 0}, "open_for: it is 0 s of every 60 s"),
        ({"period": 60, "open_for": -1}, "open_for: it is -1 s of every 60 s"),
        ({"period": 60, "open_for": 60}, "open_for: it is 60 s of every 60 s"),
        ({"period": 60, "open_for": 59.1}, "open_for: it is 59.1 s of every 60 s"),
        ({"period": 60, "open_for": None}, "open_for: None is not a number of seconds"),
        ({"period": 60, "open_for": 1, "offset": -1e9}, "offset: -1000000000.0 is not a number"),
    ],
)
def test_periods_that_would_thrash_or_never_close_are_refused(arguments: dict[str, Any], message: str) -> None:
    """What is wrong is named, with its value and what would be right."""
    with pytest.raises(ConfigError) as refused:
        every(**arguments)

    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("tz", ["Mars/Olympus", "", "../etc/passwd", "America", "a\0b", None, 5])
def test_a_zone_that_is_not_known_is_refused(tz: Any) -> None:
    """Whatever zoneinfo makes of the name, the error names tz and the way out."""
    for make in (lambda: daily("09:00", "17:00", tz), lambda: weekly("mon 09:00", "fri 17:00", tz)):
        with pytest.raises(ConfigError, match="^tz: there is no time zone .* as the IANA list"):
            make()


def test_without_a_zone_database_utc_works_and_the_error_names_tzdata(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bare machine has no zone files; the default needs none, the error says what to do."""
    for name in ("tzdata", "tzdata.zoneinfo", "tzdata.zoneinfo.Europe"):
        monkeypatch.setitem(sys.modules, name, None)
    zoneinfo.reset_tzpath(())
    try:
        assert daily("09:00", "17:00").is_open(utc("2026-07-08 12:00"))
        with pytest.raises(ConfigError, match="pip install tzdata"):
            daily("09:00", "17:00", tz="Europe/Sofia")  # in no other test, so in no cache
    finally:
        zoneinfo.reset_tzpath()


@pytest.mark.parametrize("other", [True, None, "daily", 1])
def test_a_window_combines_with_windows_only(other: Any) -> None:
    """Anything else is a TypeError, as for any operator of Python."""
    with pytest.raises(TypeError, match="unsupported operand"):
        daily("09:00", "17:00") & other
    with pytest.raises(TypeError, match="unsupported operand"):
        daily("09:00", "17:00") | other


def test_a_window_has_no_truth_value() -> None:
    """`and`, `or` and `not` would drop one of the windows without a word; the error names & | ~."""
    window = daily("09:00", "17:00")

    with pytest.raises(TypeError, match="combine with & | ~"):
        _ = window and window
    with pytest.raises(TypeError, match="combine with & | ~"):
        _ = not window
