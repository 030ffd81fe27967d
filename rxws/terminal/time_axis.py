"""Time on the columns of a chart: a slot a candle, or evenly; and the labels beneath, in UTC."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from statistics import median_low
from typing import NamedTuple, Protocol

from rxws.live import Point

__all__ = ["EvenTime", "Label", "SlotTime", "Span", "TimeAxis", "labels"]

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
STEPS = (
    *(SECOND // by for by in (1_000, 500, 200, 100, 50, 20, 10, 5, 2)),
    *(SECOND * by for by in (1, 2, 5, 10, 15, 30)),
    *(60 * SECOND * by for by in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)),
    *(DAY * by for by in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)),
)
"""Between two labels."""
STRIDES = (4, 2, 1)
"""Columns from one candle to the next."""
LOOKED_AT = 50
"""So many of the newest candles tell how long one lasts."""
ONLY_ONE = 60 * SECOND
"""How long a candle lasts that is the only one."""
WIDEST_GAP = 8
"""A gap takes so many slots at most, and an eighth of what there is room for."""


class Span(NamedTuple):
    """The time from `start_ns` on, before `end_ns`, which begins at a column."""

    column: int
    start_ns: int
    end_ns: int


class Label(NamedTuple):
    """A text below the column of its tick; it begins at `left`, and may be moved to stay within the width."""

    column: int
    left: int
    text: str
    is_moved: bool


class TimeAxis(Protocol):
    """Where an instant stands."""

    columns: int
    begin_ns: int
    """From when on time is shown."""

    def dots(self, points: Sequence[Point]) -> list[int]:
        """Return where points stand, which are in time: in which half of a column; negative: before all."""

    def column(self, time_ns: int) -> float:
        """Return the column of an instant; negative: it is before all that is shown."""

    def spans(self) -> Iterator[Span]:
        """The time that is shown, from the left."""


class EvenTime:
    """Each column is as long as the others.

    Args:
        first_ns: where it begins.
        last_ns: where it ends.
        columns: how many, 1 or more.
    """

    def __init__(self, first_ns: int, last_ns: int, columns: int) -> None:
        self.columns = columns
        self.begin_ns = first_ns
        self._each_ns = max(1.0, (last_ns - first_ns) / (columns - 0.5))

    def column(self, time_ns: int) -> float:
        """Return the column of an instant."""
        return (time_ns - self.begin_ns) / self._each_ns

    def dots(self, points: Sequence[Point]) -> list[int]:
        """Return where points stand."""
        begin_ns, each_ns = self.begin_ns, self._each_ns / 2
        return [int((time_ns - begin_ns) // each_ns) for time_ns, _ in points]

    def spans(self) -> Iterator[Span]:
        """The time that is shown, a span a column."""
        bounds = [self.begin_ns + round(column * self._each_ns) for column in range(self.columns + 1)]
        return (Span(column, *both) for column, both in enumerate(pairwise(bounds)))


class SlotTime:
    """Each candle has a slot; where some are missing, slots stay empty, but not so many that nothing else is seen.

    Args:
        opens: when each candle begins, the oldest first, at least one.
        columns: how many, 1 or more.
        until_ns: an instant that shall be shown, where it is later than the newest candle.
    """

    def __init__(self, opens: Sequence[int], columns: int, until_ns: int) -> None:
        self.columns = columns
        self._opens = opens
        self._each = _duration(opens)
        most = min(WIDEST_GAP, columns // 8)
        self._most = max(2, most)
        self._end = min(most, max(0, (until_ns - opens[-1]) // self._each))
        self._slots = self._backwards(columns)
        self.first = len(opens) - len(self._slots)
        """The index of the oldest candle that may be shown."""
        needed = self._end + 1 - self._slots[0]
        # The blank after the last one may be missing.
        self.stride = next((each for each in STRIDES if needed * each - (each > 1) <= columns), 1)
        self._left = max(self._slots[0], self._end + 1 - columns)
        while self._slots[0] < self._left:
            del self._slots[0]
            self.first += 1
        self.begin_ns = opens[self.first]

    def column_of(self, index: int) -> int:
        """Return the column where a candle begins, by its index from `first` on."""
        return (self._slots[index - self.first] - self._left) * self.stride

    def column(self, time_ns: int) -> float:
        """Return the column of an instant."""
        index = bisect_right(self._opens, time_ns) - 1
        if index < self.first:
            return -1.0
        slot = self._slots[index - self.first]
        inside = min((time_ns - self._opens[index]) / self._each, self._room(index))
        return (slot - self._left + inside) * self.stride

    def dots(self, points: Sequence[Point]) -> list[int]:
        """Return where points stand."""
        # Most of them stand in the slot of the one before: a candle has many.
        found: list[int] = []
        until: float = self.begin_ns
        start = slot = 0
        room = 0.0
        for time_ns, _ in points:
            if time_ns < self.begin_ns:
                found.append(-1)
                continue
            if time_ns >= until:
                index = bisect_right(self._opens, time_ns) - 1
                start, slot, room = self._opens[index], self._slots[index - self.first] - self._left, self._room(index)
                until = self._opens[index + 1] if index + 1 < len(self._opens) else inf
            found.append(int((slot + min((time_ns - start) / self._each, room)) * 2 * self.stride))
        return found

    def spans(self) -> Iterator[Span]:
        """The time that is shown, a span a slot."""
        for at, slot in enumerate(self._slots):
            index = self.first + at
            is_newest = index == len(self._opens) - 1
            following = self._end + 1 if is_newest else self._slots[at + 1]
            start = self._opens[index]
            for more in range(following - slot):
                end = start + self._each
                if more == following - slot - 1 and not is_newest:
                    end = max(self._opens[index + 1], start + 1)
                yield Span((slot + more - self._left) * self.stride, start, end)
                start = end

    def _room(self, index: int) -> float:
        """How many slots there are from a candle to the next, less a little."""
        at = index - self.first
        following = self._slots[at + 1] if at + 1 < len(self._slots) else self._end + 1
        return following - self._slots[at] - 0.01

    def _backwards(self, columns: int) -> list[int]:
        """The slots of the newest candles, the newest in slot 0, as many as `columns` hold."""
        slots = [0]
        for later, sooner in pairwise(reversed(self._opens)):
            gap = min(self._most, max(1, round((later - sooner) / self._each)))
            if gap - slots[-1] >= columns:
                break
            slots.append(slots[-1] - gap)
        return slots[::-1]


def labels(axis: TimeAxis) -> list[Label]:
    """Return what stands beneath an axis: round times, with at least one blank between two of them.

    >>> day = EvenTime(0, 3_600 * SECOND, 41)
    >>> [label.text for label in labels(day)]
    ['00:00', '00:15', '00:30', '00:45', '01:00']
    """
    spans = list(axis.spans())
    if not spans:
        return []
    width = axis.columns / len(spans)
    column_ns = max(1.0, median_low(span.end_ns - span.start_ns for span in spans) / width)
    step = next((step for step in STEPS if step / column_ns >= len(_text(0, step)) + 2), STEPS[-1])
    found: list[Label] = []
    day: str | None = None
    for span in spans:
        at_ns = -(-span.start_ns // step) * step
        if at_ns < span.end_ns:
            text = _text(at_ns, step)
            if step < DAY:
                text, day = _with_day(text, at_ns, day)
            _place(found, span.column, text, axis.columns)
    if not found:
        _place(found, spans[0].column, _text(spans[0].start_ns, SECOND), axis.columns)
    return found


def _duration(opens: Sequence[int]) -> int:
    newest = opens[-LOOKED_AT:]
    return max(1, median_low(later - sooner for sooner, later in pairwise(newest))) if len(newest) > 1 else ONLY_ONE


def _place(found: list[Label], column: int, text: str, columns: int) -> None:
    middle = column - len(text) // 2
    left = max(0, min(middle, columns - len(text)))
    if not text or left + len(text) > columns:
        return
    if left == middle and found and found[-1].left + len(found[-1].text) >= left and found[-1].is_moved:
        del found[-1]  # at the left end it would take this one's place
    if not found or found[-1].left + len(found[-1].text) < left:
        found.append(Label(column, left, text, left != middle))


def _with_day(text: str, at_ns: int, day: str | None) -> tuple[str, str]:
    """A label at which another day begins names the day."""
    today = _text(at_ns, DAY)
    return (today if day is not None and day != today else text), today


def _text(at_ns: int, step: int) -> str:
    try:
        at = datetime.fromtimestamp(at_ns // SECOND, UTC)
    except (ValueError, OverflowError, OSError):  # after the year 9999
        return ""
    if step >= 10 * DAY:
        return f"{at:%Y-%m-%d}"
    if step >= DAY:
        return f"{at:%b} {at.day}"
    if step >= 60 * SECOND:
        return f"{at:%H:%M}"
    if step >= SECOND:
        return f"{at:%H:%M:%S}"
    return (
        f"{at:%H:%M:%S}.{at_ns % SECOND // 100_000_000}"
        if step >= SECOND // 10
        else f"{at:%H:%M:%S}.{at_ns % SECOND // 1_000_000:03}"
    )
