"""One line of a chart: points in time, bounded, and never so reduced that a picture would show it."""

from __future__ import annotations

from itertools import takewhile
from typing import TypeAlias

__all__ = ["Line", "Point"]

Point: TypeAlias = tuple[int, float | None]
"""An instant in nanoseconds since the epoch, and the value there; None: the line is broken."""

FIRST_WIDTH_NS = 1_000_000
PER_BUCKET = 4
FOR_EVER = 1e12
"""Seconds; longer than any time that can be told."""


class Line:
    """The points of one line.

    Where there are more than `bound`, those of one stretch of time become four: the first, the lowest, the highest and
    the last. They draw the same line as all of them as long as the stretch is no wider than a pixel (Jugel et al., "M4:
    A Visualization-Oriented Time Series Data Aggregation", VLDB 2014). The stretches double when they are too many.

    Args:
        bound: the most points.
        window: seconds behind the newest point that are kept; None: all, ever coarser.
    """

    def __init__(self, bound: int, window: float | None = None) -> None:
        self.bound = bound
        self.late = 0
        """How many points came when their time was no longer kept."""
        self._buckets: dict[int, list[Point]] = {}
        self._window_ns = None if window is None else round(min(window, FOR_EVER) * 1e9)
        self._width_ns = FIRST_WIDTH_NS
        self._changed_from: int | None = None
        self._newest = 0
        self._count = 0

    def take(self, time_ns: int, value: float | None) -> None:
        """Add a point; None breaks the line there."""
        buckets, index = self._buckets, time_ns // self._width_ns
        if not buckets:
            self._newest = index
        if index in buckets:
            before = len(buckets[index])
            buckets[index] = _reduced([*buckets[index], (time_ns, value)])
            self._count += len(buckets[index]) - before
        elif self._window_ns is not None and buckets and index < next(iter(buckets)):
            self.late += 1
            return
        else:
            buckets[index] = [(time_ns, value)]
            self._count += 1
            if index < self._newest:
                self._buckets = dict(sorted(buckets.items()))
        self._newest = max(self._newest, index)
        self._changed_from = index if self._changed_from is None else min(self._changed_from, index)
        self._trim()

    def cut(self, time_ns: int) -> None:
        """Break the line behind its newest point, if there is one, and at `time_ns` at the latest."""
        if self._buckets:
            newest_ns, value = self._buckets[self._newest][-1]
            if value is not None:
                self.take(min(time_ns, newest_ns + 1), None)

    def points(self) -> list[Point]:
        """All points, in time."""
        return [point for bucket in self._buckets.values() for point in bucket]

    def last(self) -> float | None:
        """The newest value; None: there is none, or the line is broken there."""
        return self._buckets[self._newest][-1][1] if self._buckets else None

    def changed(self) -> tuple[int, list[Point]] | None:
        """What has changed since this was last called: from which instant on, and all points from there; or None."""
        if self._changed_from is None:
            return None
        since, self._changed_from = self._changed_from, None
        return since * self._width_ns, self._points_from(since)

    def _points_from(self, since: int) -> list[Point]:
        # From the end: what has changed is nearly always there.
        changed = list(takewhile(lambda item: item[0] >= since, reversed(self._buckets.items())))
        return [point for _, bucket in reversed(changed) for point in bucket]

    def _trim(self) -> None:
        if self._window_ns is not None:
            first_kept = self._newest - self._window_ns // self._width_ns
            while (oldest := next(iter(self._buckets))) < first_kept:
                self._count -= len(self._buckets.pop(oldest))
        while self._count > self.bound:
            self._double()

    def _double(self) -> None:
        merged: dict[int, list[Point]] = {}
        for index, bucket in self._buckets.items():
            merged.setdefault(index // 2, []).extend(bucket)
        self._buckets = {index: _reduced(bucket) for index, bucket in merged.items()}
        self._count = sum(map(len, self._buckets.values()))
        self._width_ns *= 2
        self._newest //= 2
        self._changed_from = next(iter(self._buckets))


def _reduced(points: list[Point]) -> list[Point]:
    """Return the points that draw the same: the first, the lowest, the highest, the last; a break where it is last.

    >>> _reduced([(1, 5.0), (2, 1.0), (3, 2.0), (4, 9.0), (5, 3.0), (6, 4.0)])
    [(1, 5.0), (2, 1.0), (4, 9.0), (6, 4.0)]
    """
    points.sort(key=_time)
    if len(points) <= PER_BUCKET:
        return points
    known = [point for point in points if point[1] is not None]
    if not known:
        return [points[-1]]
    low, high = min(known, key=_value), max(known, key=_value)
    # One that breaks the line within is narrower than a pixel; as the last it stands for what follows.
    last = points[-1]
    kept = {known[0], low, high, last} if last[1] is not None else {low, high, last}
    return sorted(kept, key=_time)


def _time(point: Point) -> int:
    return point[0]


def _value(point: Point) -> float:
    assert point[1] is not None
    return point[1]
