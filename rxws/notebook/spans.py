"""Which stretch of time a picture shows, and how high. Pure; instants in nanoseconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from math import floor, isfinite, log10
from statistics import median_low

from rxws.live import Axis, Bar, Chart, Point

__all__ = ["height_ticks", "heights", "interval_of", "number_text", "pieces", "shown_span"]

Span = tuple[float, float]

CANDLE_WIDTH = 7.0
"""Pixels that a candle has."""
FEWEST = 40
"""Candles for which there is room, though fewer have come."""
LEAST_NS = 5_000_000_000
MINUTE_NS = 60_000_000_000
SMALLEST = 1e-300
"""Between two labels of a height, at least: floats can tell no less."""
ROOM = 0.08
"""Of the height, above and below."""
TICK_HEIGHT = 36.0
"""Pixels between two labels of a height, at least."""


def interval_of(bars: list[Bar]) -> int:
    """Return how long a candle lasts: the median distance between two neighbours of the newest."""
    distances = [after.open_ns - before.open_ns for before, after in pairwise(bars[-50:])]
    return median_low(distances) if distances else MINUTE_NS


def shown_span(chart: Chart, width: float) -> Span | None:
    """Return the stretch of time that a picture shows; None: there is nothing to show.

    Args:
        chart: what is shown.
        width: of the picture, in pixels.
    """
    extent = _extent(chart)
    if extent is None:
        return None
    first, last = extent
    bars = [] if chart.candles is None else chart.candles.bars()
    if bars:
        interval = interval_of(bars)
        count = max(FEWEST, min(int(width / CANDLE_WIDTH), len(bars) + 3))
        newest = bars[-1].open_ns
        # A line goes on while no candle comes; candles of another time than its own stay in sight all the same.
        end = max(newest + 2 * interval, min(last, newest + count // 2 * interval))
        return end - count * interval, end
    start = first if chart.window is None else max(first, last - chart.window * 1e9)
    return min(start, last - LEAST_NS), last


def heights(chart: Chart, axis: Axis, span: Span) -> Span | None:
    """Return the lowest and the highest value that is seen on one axis, and some room; None: nothing is.

    Args:
        chart: what is shown.
        axis: the candles', or the lines' own.
        span: the stretch of time that is shown.
    """
    start, end = span
    lines = [line for name, line in chart.lines.items() if chart.axes.get(name, "own") == axis]
    seen = [value for line in lines for piece in pieces(line.points(), span) for _, value in piece]
    bars = [] if chart.candles is None or axis == "own" else chart.candles.bars()
    interval = interval_of(bars)
    for bar in bars:
        if start - interval <= bar.open_ns <= end:
            seen += bar.low, bar.high
    if not seen:
        return None
    low, high = min(seen), max(seen)
    room = ((high - low) or abs(high) * 0.001 or 1.0) * ROOM
    return low - room, high + room


def height_ticks(low: float, high: float, height: float) -> list[tuple[float, str]]:
    """Return the labels of an axis that is drawn `height` pixels high.

    >>> height_ticks(0.9, 5.2, 100.0)
    [(2.0, '2'), (4.0, '4')]
    """
    least = (high - low) * TICK_HEIGHT / height if height > 0.0 else 0.0
    if least < SMALLEST:
        return []
    magnitude = 10.0 ** floor(log10(least))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= least * 0.999)
    digits = max(0, -floor(log10(step * 1.001)))
    first, last = -int(-low // step), int(high // step)
    return [(n * step, f"{n * step:.{digits}f}") for n in range(first, last + 1)]


def pieces(points: list[Point], span: Span) -> Iterator[list[tuple[float, float]]]:
    """Yield the pieces of a line between its gaps, as far as they are seen in a span: cut off at its ends.

    >>> list(pieces([(0, 1.0), (10, 3.0), (20, None), (30, 5.0)], (5, 40)))
    [[(5, 2.0), (10.0, 3.0)], [(30.0, 5.0)]]
    """
    start, end = span
    for known, group in groupby(points, key=lambda point: point[1] is not None):
        whole = [(float(at), value) for at, value in group if value is not None]
        piece = [point for point in whole if start <= point[0] <= end]
        for (at, value), (next_at, next_value) in pairwise(whole):
            for edge, index in ((start, 0), (end, len(piece) + 1)):
                if at < edge < next_at:
                    piece.insert(index, (edge, value + (next_value - value) * (edge - at) / (next_at - at)))
        if known and piece:
            yield piece


def number_text(value: float | None) -> str:
    """Return a number in about seven digits.

    >>> [number_text(value) for value in (0.3520, 65_123.456, 0.0, None)]
    ['0.352', '65123.46', '0', '-']
    """
    if value is None or not isfinite(value):
        return "-"  # a dash of another length is not in the letters that Pillow brings
    digits = 2 if value == 0 else min(8, max(0, 6 - floor(log10(abs(value)))))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _extent(chart: Chart) -> Span | None:
    instants: list[int] = []
    bars = [] if chart.candles is None else chart.candles.bars()
    if bars:
        instants += bars[0].open_ns, bars[-1].open_ns + interval_of(bars)
    for line in chart.lines.values():
        if points := line.points():
            instants += points[0][0], points[-1][0]
    return (min(instants), max(instants)) if instants else None
