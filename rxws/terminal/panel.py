"""A part of a chart with a price axis of its own: what is drawn in it, and the axis at its right."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, floor
from typing import NamedTuple

from rich.style import Style

from rxws.live import Bar, Mark, Point
from rxws.terminal.braille import draw_line
from rxws.terminal.candlesticks import draw_candles, is_drawable
from rxws.terminal.colours import DIM, FALLING, LOST, PLANNED, RISING
from rxws.terminal.rows import Canvas, Row, fitted
from rxws.terminal.scale import MOST, MOST_DECIMALS, Scale, decimals_of, labelled, ticks
from rxws.terminal.time_axis import SlotTime, TimeAxis

__all__ = ["Curve", "Panel", "Shade", "shade_of", "style_of"]

ROWS_A_TICK = 4
LOOKED_AT = 20
"""So many of the newest values tell how many decimals there are."""
MARKED = "░"
REVERSED = Style(reverse=True)


@dataclass(slots=True)
class Curve:
    """A line as it is drawn: its points in time, and its colour."""

    name: str
    points: Sequence[Point]
    style: Style
    last: float | None = field(init=False)
    """Its newest value; None: there is none."""
    _begin_ns: int | None = field(default=None, init=False)
    _seen: tuple[Sequence[Point], list[float]] = field(default=((), []), init=False)

    def __post_init__(self) -> None:
        self.last = next((value for _, value in reversed(self.points) if value is not None), None)

    def seen(self, begin_ns: int) -> tuple[Sequence[Point], list[float]]:
        """Return the points from an instant on and the one before them, and their values that can be drawn."""
        if begin_ns != self._begin_ns:
            first = max(0, bisect_left(self.points, (begin_ns,)) - 1)
            points = self.points[first:]
            values = [value for _, value in points if value is not None and -MOST < value < MOST]
            self._begin_ns, self._seen = begin_ns, (points, values)
        return self._seen


class Shade(NamedTuple):
    """The columns that a mark touches, and those that it takes from end to end."""

    touched: range
    whole: range
    mark: Mark


@dataclass
class Panel:
    """What stands on one price axis.

    Args:
        rows: how many there are.
        curves: the lines.
        bars: the candles, all that the chart has.
    """

    rows: int
    curves: Sequence[Curve] = ()
    bars: Sequence[Bar] = ()
    scale: Scale | None = field(default=None, init=False)
    decimals: int = field(default=0, init=False)
    """With how many its prices are written."""
    labels: dict[int, tuple[str, Style | None]] = field(default_factory=dict, init=False)
    """By row, what stands beside it."""

    def measure(self, axis: TimeAxis) -> int:
        """Find out what is to be seen along `axis`, and return how wide the labels are."""
        bars = self._shown(axis)
        values = [value for curve in self.curves for value in curve.seen(axis.begin_ns)[1]]
        ends = [end for bar in bars for end in (min(bar[1:5]), max(bar[1:5]))]
        self.labels = {}
        if not (values or ends):
            self.scale = None
            return 0
        low, high = min(values + ends), max(values + ends)
        self.scale = scale = Scale(low, high, self.rows)
        round_prices, decimals = ticks(scale, max(2, self.rows // ROWS_A_TICK) if self.rows > 2 else 0)
        newest = [bar.close for bar in bars[-LOOKED_AT:]] or values[-LOOKED_AT:]
        most = min(MOST_DECIMALS, decimals + 2) if round_prices else MOST_DECIMALS
        self.decimals = decimals = max(decimals, decimals_of(newest, most))
        for price in round_prices:
            self.labels[scale.part(price, 1)] = labelled(price, decimals), None
        for price, style in self._last_prices(bars):
            self.labels[scale.part(price, 1)] = labelled(price, decimals), style + REVERSED
        return max((len(text) for text, _ in self.labels.values()), default=0)

    def draw(self, axis: TimeAxis, width: int, shades: Sequence[Shade], coloured: bool) -> list[Row]:
        """Return its rows: `axis.columns` of them are the picture, the rest is the price axis."""
        canvas = Canvas(axis.columns, self.rows)
        if self.scale is not None:
            if isinstance(axis, SlotTime) and self.bars:
                draw_candles(canvas, self.bars, axis, self.scale, coloured)
            for curve in self.curves:
                draw_line(canvas, curve.seen(axis.begin_ns)[0], axis, self.scale, curve.style)
        for shade in shades:
            style = style_of(shade.mark)
            for x in shade.whole:
                for y in range(self.rows):
                    if canvas.char(x, y) == " ":
                        canvas.put(x, y, MARKED, style)
        return [self._with_axis(row, at, width) for at, row in enumerate(canvas.rows())]

    def _with_axis(self, row: Row, at: int, width: int) -> Row:
        text, style = self.labels.get(at, ("", None))
        if width == 0:
            return row
        return row + fitted([("├" if text else "│", DIM), (text.rjust(width - 1), style)], width)

    def _shown(self, axis: TimeAxis) -> list[Bar]:
        if not isinstance(axis, SlotTime):
            return []
        return [bar for bar in self.bars[axis.first :] if is_drawable(bar)]

    def _last_prices(self, bars: Sequence[Bar]) -> list[tuple[float, Style]]:
        last = [(curve.last, curve.style) for curve in self.curves]
        found = [(price, style) for price, style in last if price is not None and abs(price) < MOST]
        if bars:
            found.append((bars[-1].close, FALLING if bars[-1].close < bars[-1].open else RISING))
        return found


def shade_of(mark: Mark, axis: TimeAxis, now_ns: int) -> Shade | None:
    """Return where a mark stands; None: it is not in sight."""
    begin = max(0.0, axis.column(mark.from_ns))
    end = axis.column(now_ns if mark.to_ns is None else mark.to_ns)
    if end < 0 or begin >= axis.columns:
        return None
    last = min(int(max(begin, end)), axis.columns - 1)
    whole = range(ceil(begin - 0.01), min(floor(end + 0.01), axis.columns))
    return Shade(range(int(begin), last + 1), whole, mark)


def style_of(mark: Mark) -> Style:
    """Return the colour of a mark."""
    return LOST if mark.kind == "lost" else PLANNED
