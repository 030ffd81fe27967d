"""What `rxws.windows` reckons with: instants, local clocks, what recurs on them, and its words.

An instant counts whole microseconds since the Unix epoch. A time that a local clock shows is
counted likewise, as if that clock stood in UTC. Integers do not drift, and floor division works
on both sides of the epoch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rxws.errors import ConfigError

SECOND = 1_000_000
DAY = 86_400 * SECOND
WEEK = 7 * DAY
MONDAY = 4 * DAY  # 1970-01-05, the first Monday after the epoch

# Binance's candles: how long they are (a month: at least), and an instant at which one closes.
# The three-day candles of spot and USD-M count from 1970-01-02, so that one began on 2017-08-17,
# the first day of BTCUSDT, and one on 2024-01-01.
CANDLES = {
    "1s": (SECOND, 0),
    **{f"{minutes}m": (minutes * 60 * SECOND, 0) for minutes in (1, 3, 5, 15, 30)},
    **{f"{hours}h": (hours * 3_600 * SECOND, 0) for hours in (1, 2, 4, 6, 8, 12)},
    "1d": (DAY, 0),
    "3d": (3 * DAY, DAY),
    "1w": (WEEK, MONDAY),
    "1M": (28 * DAY, 0),
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 366 * 86_400  # seconds
_YEARS = range(2, 9_900)  # leaves room on both sides of what a datetime can hold
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?")


@dataclass(frozen=True, slots=True)
class Recurring:
    """A stretch from `first` on and every `period` after, by the clock of `tz`.

    None as `tz` is exact time.
    """

    first: int
    length: int
    period: int
    tz: tzinfo | None = field(default=None, hash=False)  # not every tzinfo can be hashed

    def contains(self, at: int) -> bool:
        """Say whether an instant lies in a stretch: its beginning does, its end does not."""
        return (self._latest(at) - self.first) % self.period < self.length

    def next_edge(self, at: int) -> int:
        """Return the first instant after `at` at which `contains` changes."""
        inside, edge = self.contains(at), at
        while self.contains(edge) == inside:  # again where a clock leapt over two edges at once
            latest = self._latest(edge)
            since = (latest - self.first) % self.period
            coming = latest - since + (self.length if since < self.length else self.period)
            edge = coming if self.tz is None else reached(coming, self.tz)
        return edge

    def _latest(self, at: int) -> int:
        return at if self.tz is None else latest_shown(at, self.tz)


@dataclass(frozen=True, slots=True)
class Monthly:
    """A stretch around the beginning of each month in UTC, shorter than any month."""

    before: int
    after: int

    def contains(self, at: int) -> bool:
        """Say whether an instant lies in a stretch: its beginning does, its end does not."""
        begin, end = _month(at)
        return at < begin + self.after or at >= end - self.before

    def next_edge(self, at: int) -> int:
        """Return the first instant after `at` at which `contains` changes."""
        begin, end = _month(at)
        edges = (begin + self.after, end - self.before, end + self.after)
        return next(edge for edge in edges if edge > at)


def _month(at: int) -> tuple[int, int]:
    """Return when the UTC month of an instant begins and ends."""
    begin = moment(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (begin + timedelta(days=31)).replace(day=1)
    return (begin - _EPOCH) // _MICROSECOND, (end - _EPOCH) // _MICROSECOND


def instant(at: datetime) -> int:
    """Return an aware datetime as an instant."""
    if not isinstance(at, datetime) or at.utcoffset() is None:
        raise ConfigError("at", f"{at!r} is not an aware datetime; take one like datetime.now(timezone.utc)")
    if at.year not in _YEARS:
        raise ConfigError("at", f"{at!r} is too far away; take a year from 2 to 9899")
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """Return an instant as a datetime in UTC."""
    return _EPOCH + timedelta(microseconds=at)


def latest_shown(at: int, tz: tzinfo) -> int:
    """Return the latest time that the clock of `tz` has shown up to an instant.

    That is what it shows, but for the hour or so in which it repeats itself after it was set back.
    """
    offset = _offset(at, tz)
    if _offset(at - DAY, tz) <= offset:
        return at + offset
    set_back = _changed(at - DAY, at, tz)
    return max(at + offset, set_back - 1 + _offset(set_back - 1, tz))


def reached(time_shown: int, tz: tzinfo) -> int:
    """Return the first instant at which `latest_shown` is a time, or later.

    One rule for three kinds of day: an ordinary time has one instant, a time that the clock shows
    twice has the first of two, a time that the clock leaps over has the instant of the leap.
    """
    offsets = _offset(time_shown - DAY, tz), _offset(time_shown + DAY, tz)
    early, late = time_shown - max(offsets), time_shown - min(offsets)
    if early + _offset(early, tz) == time_shown:
        return early
    return _changed(early, late, tz)


def _offset(at: int, tz: tzinfo) -> int:
    return (moment(at).astimezone(tz).utcoffset() or timedelta(0)) // _MICROSECOND


def _changed(early: int, late: int, tz: tzinfo) -> int:
    """Return the first instant after `early` with another offset; `late` if none is before it."""
    before = _offset(early, tz)
    while late - early > 1:
        middle = (early + late) // 2
        if _offset(middle, tz) == before:
            early = middle
        else:
            late = middle
    return late


def zone(tz: str | tzinfo) -> tzinfo:
    """Return the time zone that is meant; UTC needs no zone database."""
    if str(tz) == "UTC":
        return UTC
    if isinstance(tz, tzinfo):
        return tz
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        raise ConfigError(
            "tz",
            f"there is no time zone {tz!r} here; write it as the IANA list does (Europe/London), "
            "and if this machine has no zone database: pip install tzdata",
        ) from error


def recurring(begin: int, length: int, period: int, tz: tzinfo = UTC) -> Recurring:
    """Return what recurs by the clock of `tz`, as exact time where that clock is never changed."""
    if isinstance(tz, timezone):
        return Recurring((begin - _offset(0, tz)) % period, length, period)
    return Recurring(begin, length, period, tz)


def microseconds(argument: str, seconds: float) -> int:
    """Return seconds as whole microseconds."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not (is_number and -_LONGEST <= seconds <= _LONGEST):
        raise ConfigError(argument, f"{seconds!r} is not a number of seconds, or more than {_LONGEST} (366 days)")
    return round(seconds * SECOND)


def in_seconds(duration: int) -> str:
    """Return microseconds as a person writes seconds: 90, or 1.5."""
    return repr(duration / SECOND).removesuffix(".0")


def time_of_day(argument: str, value: str | time) -> tuple[str, int]:
    """Return a time as short as it can be written, and in microseconds since midnight."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        value = time.fromisoformat(value)
    if not isinstance(value, time) or value.tzinfo is not None:
        raise ConfigError(
            argument,
            f'{value!r} is not a time of day; write "09:30" or "09:30:15" (midnight is "00:00"), '
            "and the time zone as tz",
        )
    minutes = value.hour * 60 + value.minute
    is_whole = value.second == value.microsecond == 0
    written = value.isoformat("minutes" if is_whole else "auto")
    return written, (minutes * 60 + value.second) * SECOND + value.microsecond


def time_of_week(argument: str, value: str) -> tuple[str, int]:
    """Return "friday 22:00" as "fri 22:00", and what a clock shows then in 1970."""
    day, _, clock = value.lower().partition(" ") if isinstance(value, str) else ("", "", "")
    numbers = [number for number, name in enumerate(_DAYS) if day in (name, name[:3])]
    if not (numbers and _TIME.fullmatch(clock)):
        raise ConfigError(argument, f'{value!r} is not a time of the week; write "fri 22:00" or "friday 22:00"')
    written, since_midnight = time_of_day(argument, clock)
    return f"{day[:3]} {written}", MONDAY + numbers[0] * DAY + since_midnight


def check(argument: str, what: str, length: int, period: int) -> None:
    """Refuse what would be open, or closed, for less than a second."""
    if SECOND <= length <= period - SECOND:
        return
    advice = f"take 1 to {in_seconds(period - SECOND)} seconds"
    if period < 2 * SECOND:
        advice = "so short a period has no room for both, so stay connected instead"
    raise ConfigError(
        argument,
        f"{what} is {in_seconds(length)} s of every {in_seconds(period)} s; open and closed must "
        f"each last 1 s or more, or it would thrash, never open or never close: {advice}",
    )
