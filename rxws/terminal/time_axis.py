"""Time on the columns of a chart: a slot a candle, or evenly."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf
from statistics import median_low
from typing import NamedTuple, Protocol

from rxws.live import Point

__all__ = ["EvenTime", "SlotTime", "Span", "TimeAxis"]

STRIDES = (4, 2, 1)
"""Columns from one candle to the next."""
LOOKED_AT = 50
"""So many of the newest candles tell how long one lasts."""
ONLY_ONE = 60 * 10**9
"""How long a candle lasts that is the only one."""
WIDEST_GAP = 8
"""A gap takes so many slots at most, and an eighth of what there is room for."""


class Span(NamedTuple):
    """The time from `start_ns` on, before `end_ns`, which begins at a column."""

    column: int
    start_ns: int
    end_ns: int


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


def _duration(opens: Sequence[int]) -> int:
    newest = opens[-LOOKED_AT:]
    return max(1, median_low(later - sooner for sooner, later in pairwise(newest))) if len(newest) > 1 else ONLY_ONE
