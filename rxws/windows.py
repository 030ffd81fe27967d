"""When something is open: values that answer for any instant, and have no clock of their own.

>>> from datetime import datetime, timezone
>>> trading = weekly("sun 18:00", "fri 17:00", tz="America/New_York")
>>> reconnecting = trading & ~candles("4h", connect_before=120, disconnect_after=30)
>>> reconnecting.is_open(datetime(2026, 7, 8, 12, 1, tzinfo=timezone.utc))
True
>>> reconnecting.next_change(datetime(2026, 7, 8, 12, 1, tzinfo=timezone.utc)).isoformat()
'2026-07-08T15:58:00+00:00'

**Days on which clocks change.** `daily` and `weekly` open and close at the first instant at which
the local clock has reached the given time. So a time that the clock shows twice means its first
occurrence, and a time that the clock leaps over means the instant of the leap. A window that lies
wholly in what is leapt over does not open on that day; likewise a pause that does is left out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, tzinfo
from typing import NoReturn

from rxws import _calendar
from rxws.errors import ConfigError

__all__ = ["Window", "always", "candles", "daily", "every", "never", "weekly"]

# How far `next_change` of a combination looks. The closes of a month's, a week's and a three-day
# candle meet at least once in seven years. To look at so many openings is half a second of work.
_HORIZON = 3_653 * _calendar.DAY
_STEPS = 20_000


class Window(ABC):
    """What is open at some instants and closed at all others: a frozen, hashable value.

    `daily`, `weekly`, `candles` and `every` make one; ``&``, ``|`` and ``~`` combine them. Equal
    ones are open at the same instants; the reverse need not hold.

    >>> london = daily("09:00", "17:00", tz="Europe/London")
    >>> london & ~candles("1d", connect_before=60, disconnect_after=0) | every(3600, open_for=60)
    (daily('09:00', '17:00', tz='Europe/London') & ~candles('1d', ...)) | every(3600, open_for=60)
    """

    __slots__ = ()

    def is_open(self, at: datetime) -> bool:
        """Say whether it is open: from the very instant of opening to just before that of closing.

        Args:
            at: the instant, aware, of the years 2 to 9899.

        Raises:
            ConfigError: `at` is naive or too far away.
        """
        return self._open(_calendar.instant(at))

    def next_change(self, at: datetime) -> datetime | None:
        """Return the first instant strictly after `at` at which it opens or closes, in UTC.

        None means never again. A combination is searched for ten years, or for 20,000 openings of
        its parts if these come sooner, and what changes only after that counts as never.

        Args:
            at: the instant, aware, of the years 2 to 9899.

        Raises:
            ConfigError: `at` is naive or too far away.
        """
        change = self._change(_calendar.instant(at))
        return None if change is None else _calendar.moment(change)

    def __and__(self, other: Window) -> Window:
        """Open where both are."""
        return _all((self, other)) if isinstance(other, Window) else NotImplemented

    def __or__(self, other: Window) -> Window:
        """Open where one or both are."""
        return ~_all((~self, ~other)) if isinstance(other, Window) else NotImplemented

    def __invert__(self) -> Window:
        """Open where this one is closed."""
        return _Not(self)

    def __bool__(self) -> NoReturn:
        """Refuse, as `a and b` would be b, and `not a` False, without a word."""
        raise TypeError("a Window has no truth value: combine with & | ~, and ask is_open(at)")

    @abstractmethod
    def _open(self, at: int) -> bool: ...

    @abstractmethod
    def _change(self, at: int) -> int | None: ...


@dataclass(frozen=True, slots=True, repr=False)
class _During(Window):
    """Open during stretches that recur; `name` is the call that makes it."""

    stretches: _calendar.Recurring | _calendar.Monthly
    name: str = field(compare=False)

    def __repr__(self) -> str:
        return self.name

    def _open(self, at: int) -> bool:
        return self.stretches.contains(at)

    def _change(self, at: int) -> int:
        return self.stretches.next_edge(at)


@dataclass(frozen=True, slots=True, repr=False)
class _Not(Window):
    """Open where `window` is closed; of an `_All` this is what `|` makes, and is shown so."""

    window: Window

    def __repr__(self) -> str:
        if isinstance(self.window, _All):
            return " | ".join(_grouped(~part) for part in self.window.parts) or "never()"
        return f"~{self.window!r}"

    def __invert__(self) -> Window:
        return self.window

    def _open(self, at: int) -> bool:
        return not self.window._open(at)

    def _change(self, at: int) -> int | None:
        return self.window._change(at)


@dataclass(frozen=True, slots=True, repr=False)
class _All(Window):
    """Open where all `parts` are; without any, always."""

    parts: tuple[Window, ...]

    def __repr__(self) -> str:
        return " & ".join(map(_grouped, self.parts)) or "always()"

    def _open(self, at: int) -> bool:
        return all(part._open(at) for part in self.parts)

    def _change(self, at: int) -> int | None:
        if self._open(at):
            changes = [part._change(at) for part in self.parts]
            return min((change for change in changes if change is not None), default=None)
        limit = at + _HORIZON
        for _ in range(_STEPS):
            # Nothing can open before a closed part does: so leap from one opening to the next.
            closed = next((part for part in self.parts if not part._open(at)), None)
            if closed is None:
                return at
            opening = closed._change(at)
            if opening is None or opening > limit:
                return None
            at = opening
        return None


def _all(windows: Iterable[Window]) -> Window:
    """Join by `&`: each part once, and never where the parts make up what one of them excludes."""
    parts = dict.fromkeys(part for window in windows for part in _parts(window))
    if any(all(other in parts for other in _parts(~part)) for part in parts):
        return never()
    return next(iter(parts)) if len(parts) == 1 else _All(tuple(parts))


def _parts(window: Window) -> tuple[Window, ...]:
    return window.parts if isinstance(window, _All) else (window,)


def _grouped(window: Window) -> str:
    bare = window.window if isinstance(window, _Not) else window
    return f"({window!r})" if isinstance(bare, _All) else repr(window)


def always() -> Window:
    """Return the window that is always open: what `&` can begin with.

    >>> always() & daily("09:00", "17:00")
    daily('09:00', '17:00')
    """
    return _All(())


def never() -> Window:
    """Return the window that is never open: what `|` can begin with.

    >>> never() | daily("09:00", "17:00")
    daily('09:00', '17:00')
    """
    return ~always()


def daily(start: str | time, end: str | time, tz: str | tzinfo = "UTC") -> Window:
    """Open from `start` to `end` of each local day; past midnight if `end` is the earlier time.

    Args:
        start: "HH:MM", "HH:MM:SS", or a `datetime.time` without a zone.
        end: written likewise, and another time than `start`.
        tz: whose clock is meant: a name of the IANA list, or a tzinfo.

    Raises:
        ConfigError: a time is not one, less than a second would be open or closed, or the zone is
            not known on this machine.

    >>> from datetime import datetime, timezone
    >>> night = daily("23:55", "00:05", tz="Asia/Tokyo")
    >>> night.next_change(datetime(2026, 7, 8, 12, tzinfo=timezone.utc)).isoformat()
    '2026-07-08T14:55:00+00:00'
    """
    times = _calendar.time_of_day("start", start), _calendar.time_of_day("end", end)
    return _by_clock("daily", *times, _calendar.DAY, tz)


def weekly(start: str, end: str, tz: str | tzinfo = "UTC") -> Window:
    """Open from `start` to `end` of each local week; past its end if `end` is the earlier time.

    Args:
        start: a weekday in English, whole or its first three letters, and a time: "sun 22:00".
        end: written likewise, and another time than `start`.
        tz: whose clock is meant: a name of the IANA list, or a tzinfo.

    Raises:
        ConfigError: a time is not one, less than a second would be open or closed, or the zone is
            not known on this machine.

    >>> from datetime import datetime, timezone
    >>> trading = weekly("sun 18:00", "fri 17:00", tz="America/New_York")
    >>> trading.next_change(datetime(2026, 7, 8, 12, tzinfo=timezone.utc)).isoformat()
    '2026-07-10T21:00:00+00:00'
    """
    times = _calendar.time_of_week("start", start), _calendar.time_of_week("end", end)
    return _by_clock("weekly", *times, _calendar.WEEK, tz)


def candles(interval: str, *, connect_before: float, disconnect_after: float) -> Window:
    """Open around each close of a candle: from some seconds before it until some seconds after.

    Candles are those of UTC: weeks begin on Monday, months on the first, three-day candles when
    those of Binance's spot and USD-M markets do.

    Args:
        interval: as Binance writes it: 1m (a minute) 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w
            1M (a month). 1s is refused: it leaves no second to be closed in.
        connect_before: seconds before the close, 0 or more.
        disconnect_after: seconds after the close, 0 or more; 0 closes at the close itself, when
            the candle's last message is still on its way.

    Raises:
        ConfigError: the interval is unknown, a number is negative, or less than a second would be
            open or closed.

    Source: Binance spot, web-socket-streams.md, "Kline/Candlestick Streams", 2026-07-21.

    >>> from datetime import datetime, timezone
    >>> around_close = candles("4h", connect_before=120, disconnect_after=30)
    >>> around_close.next_change(datetime(2026, 7, 8, 12, tzinfo=timezone.utc)).isoformat()
    '2026-07-08T12:00:30+00:00'
    """
    if not isinstance(interval, str) or interval not in _calendar.CANDLES:
        known = " ".join(_calendar.CANDLES).removeprefix("1s ")
        raise ConfigError("interval", f"{interval!r} is unknown; take one of {known}")
    period, close = _calendar.CANDLES[interval]
    before = _calendar.microseconds("connect_before", connect_before)
    after = _calendar.microseconds("disconnect_after", disconnect_after)
    for argument, value in (("connect_before", before), ("disconnect_after", after)):
        if value < 0:
            raise ConfigError(argument, f"{_calendar.in_seconds(value)} is negative; take 0 or more")
    _calendar.check("connect_before", "with disconnect_after it", before + after, period)
    name = (
        f"candles({interval!r}, connect_before={_calendar.in_seconds(before)}, "
        f"disconnect_after={_calendar.in_seconds(after)})"
    )
    if interval == "1M":
        return _During(_calendar.Monthly(before, after), name)
    return _During(_calendar.recurring(close - before, before + after, period), name)


def every(period: float, *, open_for: float, offset: float = 0.0) -> Window:
    """Open for some seconds at the beginning of each period, counted from the Unix epoch.

    Args:
        period: seconds, from 2 to 31,622,400 (366 days).
        open_for: seconds, from 1 to `period` - 1.
        offset: seconds by which each period begins later; a negative number: sooner.

    Raises:
        ConfigError: a number is out of its range.

    >>> from datetime import datetime, timezone
    >>> quarter_past = every(3600, open_for=60, offset=900)
    >>> quarter_past.next_change(datetime(2026, 7, 8, 12, tzinfo=timezone.utc)).isoformat()
    '2026-07-08T12:15:00+00:00'
    """
    whole = _calendar.microseconds("period", period)
    if whole < 2 * _calendar.SECOND:
        raise ConfigError("period", f"{period!r} is too short; take 2 seconds or more")
    length = _calendar.microseconds("open_for", open_for)
    _calendar.check("open_for", "it", length, whole)
    first = _calendar.microseconds("offset", offset) % whole
    shift = f", offset={_calendar.in_seconds(first)}" if first else ""
    name = f"every({_calendar.in_seconds(whole)}, open_for={_calendar.in_seconds(length)}{shift})"
    return _During(_calendar.recurring(first, length, whole), name)


def _by_clock(
    kind: str,
    start: tuple[str, int],
    end: tuple[str, int],
    period: int,
    tz: str | tzinfo,
) -> Window:
    if start == end:
        raise ConfigError("end", f"{end[0]!r} is the start too; take another time, or always()")
    length = (end[1] - start[1]) % period
    _calendar.check("end", f"from {start[0]!r} to {end[0]!r} it", length, period)
    zone = _calendar.zone(tz)
    ending = ")" if zone is UTC else f", tz={getattr(zone, 'key', None) or zone!r})"
    name = f"{kind}({start[0]!r}, {end[0]!r}{ending}"
    return _During(_calendar.recurring(start[1], length, period, zone), name)
