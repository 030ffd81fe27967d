"""A chart as a picture: what a saved notebook shows, and one that runs without a browser. It looks as in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from rxws.live import Axis, Bar, Chart, Point, Report
from rxws.notebook.canvas import BACK, BANDS, DOWN, FAINT, GRID, LINES, LOST, PLANNED, TEXT, UP, Canvas, Colour, blend
from rxws.notebook.heading import PAD, draw_bar
from rxws.notebook.spans import height_ticks, heights, interval_of, number_text, pieces, shown_span
from rxws.notebook.time_axis import MINUTE, SECOND, day_of, time_of, time_ticks

__all__ = ["HEIGHT", "WIDTH", "chart_picture"]

WIDTH, HEIGHT = 700.0, 340.0
FOOT = 36.0
"""Pixels below the plot: two lines of the time axis."""
LABEL = 38.0
"""Half of the longest label of the time axis, in pixels, and a bit."""
SLOT = 0.72
WIDEST_CANDLE = 16.0
VOLUMES = 0.16
"""Of the height of the plot, for the largest volume."""
LINE = 16.0
"""From one line of text to the next, in pixels."""
LEGEND_ROWS = 4
NOTHING = "nothing to show yet"


def chart_picture(chart: Chart, report: Report, events: int) -> Canvas:
    """Draw a chart.

    Args:
        chart: what is drawn.
        report: what its bar says.
        events: how many values have come.
    """
    canvas = Canvas(WIDTH, HEIGHT)
    top = draw_bar(canvas, chart.title, report, events, chart.dropped)
    top = _legend(canvas, chart, top)
    _Plot(canvas, chart, top + 4.0, HEIGHT - FOOT).draw()
    return canvas


def _legend(canvas: Canvas, chart: Chart, top: float) -> float:
    """Write the newest values in a row, or in more where one has no room; return where they end."""
    x, y = PAD, top + LINE / 2
    for name, value, colour, line in _facts(chart):
        swatch = 14.0 if line else 0.0
        value = canvas.fitting(value, WIDTH - 2 * PAD)
        name = canvas.fitting(f"{name} ", WIDTH - 2 * PAD - swatch - canvas.measure(value)) if name else ""
        width = swatch + canvas.measure(name) + canvas.measure(value)
        if x > PAD and x + width > WIDTH - PAD:
            if y > top + LEGEND_ROWS * LINE - LINE:
                canvas.text(x, y, "…", FAINT)
                break
            x, y = PAD, y + LINE
        if line:
            canvas.box(x, y - 1.5, x + 10.0, y + 1.5, colour)
            x += swatch
        if name:
            canvas.text(x, y, name, FAINT)
            x += canvas.measure(name)
        canvas.text(x, y, value, TEXT if line else colour)
        x += canvas.measure(value) + 12.0
    return y + LINE / 2


def _facts(chart: Chart) -> Iterator[tuple[str, str, Colour, bool]]:
    """Yield name, value, colour, and whether it is a line: what is told of the newest."""
    bars = [] if chart.candles is None else chart.candles.bars()
    if bars:
        bar = bars[-1]
        at = bar.open_ns / 1e6
        precision = SECOND if interval_of(bars) < MINUTE * 1e6 else MINUTE
        yield "", f"{day_of(at)} {time_of(at, precision)} UTC", TEXT, False
        colour = _colour(bar)
        for name, value in zip("OHLC", (bar.open, bar.high, bar.low, bar.close), strict=True):
            yield name, number_text(value), colour, False
        if bar.volume:
            yield "V", number_text(bar.volume), TEXT, False
    for (name, line), colour in zip(chart.lines.items(), cycle(LINES), strict=False):
        yield name, number_text(line.last()), colour, True


class _Plot:
    """The plot and its axes: the candles' prices at the right, those of lines with an axis of their own at the left."""

    def __init__(self, canvas: Canvas, chart: Chart, top: float, bottom: float) -> None:
        self._canvas = canvas
        self._chart = chart
        self._bars = [] if chart.candles is None else chart.candles.bars()
        self._top, self._bottom = top, bottom
        self._left, self._right = PAD, WIDTH - PAD
        # How many candles there is room for, as if both axes were there: the axes depend on what is shown.
        self._span = shown_span(chart, WIDTH - 120.0)
        self._heights: dict[Axis, tuple[float, float]] = {}

    def draw(self) -> None:
        if self._span is None:
            middle = (self._top + self._bottom) / 2
            self._canvas.text(WIDTH / 2, middle, NOTHING, FAINT, size=13.0, anchor="mm")
            return
        axes: tuple[Axis, Axis] = ("price", "own")
        for axis in axes:
            found = heights(self._chart, axis, self._span)
            if found is not None:
                self._heights[axis] = found
        self._measure_axes()
        self._draw_marks()
        self._draw_time_axis()
        self._draw_height_axes()
        for bar in self._shown_bars():
            self._draw_candle(bar)
        for (name, line), colour in zip(self._chart.lines.items(), cycle(LINES), strict=False):
            self._draw_line(line.points(), self._chart.axes.get(name, "own"), colour)
        self._name_marks()

    def _x(self, at_ns: float) -> float:
        assert self._span is not None
        start, end = self._span
        return self._left + (at_ns - start) / (end - start) * (self._right - self._left)

    def _time(self, x: float) -> float:
        assert self._span is not None
        start, end = self._span
        return start + (x - self._left) / (self._right - self._left) * (end - start)

    def _y(self, value: float, axis: Axis) -> float:
        low, high = self._heights[axis]
        return self._bottom - (value - low) / (high - low) * (self._bottom - self._top)

    def _ticks(self, axis: Axis) -> list[tuple[float, str]]:
        return height_ticks(*self._heights[axis], self._bottom - self._top) if axis in self._heights else []

    def _measure_axes(self) -> None:
        self._right -= max((self._canvas.measure(label) + 8.0 for _, label in self._ticks("price")), default=0.0)
        self._left += max((self._canvas.measure(label) + 8.0 for _, label in self._ticks("own")), default=0.0)

    def _draw_height_axes(self) -> None:
        gridded = "price" if "price" in self._heights else "own"
        for value, label in self._ticks("price"):
            self._canvas.text(WIDTH - PAD, self._y(value, "price"), label, anchor="rm")
        for value, label in self._ticks("own"):
            self._canvas.text(PAD, self._y(value, "own"), label, anchor="lm")
        for axis in self._heights:
            for value, _ in self._ticks(axis) if axis == gridded else ():
                y = self._y(value, axis)
                self._canvas.box(self._left, y, self._right, y + 0.5, GRID)

    def _draw_time_axis(self) -> None:
        # A label at an end of the plot must not stand outside of the picture.
        left, right = max(self._left, LABEL), min(self._right, WIDTH - LABEL)
        start, end = (self._time(x) / 1e6 for x in (left, right))
        for at, label in time_ticks(start, end, right - left, self._canvas.measure):
            x = self._x(at * 1e6)
            self._canvas.box(x, self._top, x + 0.5, self._bottom, GRID)
            for row, text in enumerate(label.split("\n")):
                self._canvas.text(x, self._bottom + 10.0 + 13.0 * row, text, anchor="mm")

    def _shown_bars(self) -> list[Bar]:
        assert self._span is not None
        start, end = self._span
        interval = interval_of(self._bars)
        return [bar for bar in self._bars if start - interval < bar.open_ns <= end]

    def _draw_candle(self, bar: Bar) -> None:
        interval = interval_of(self._bars)
        slot = self._x(interval) - self._x(0)
        half = max(1.0, min(slot * SLOT, WIDEST_CANDLE)) / 2
        middle = self._x(bar.open_ns + interval / 2)
        left, right = max(self._left, middle - half), min(self._right, middle + half)
        if right <= left:
            return
        colour = _colour(bar)
        most = max(each.volume for each in self._shown_bars())
        if most > 0:
            height = bar.volume / most * (self._bottom - self._top) * VOLUMES
            self._canvas.box(left, self._bottom - height, right, self._bottom, blend(colour, 0.25))
        if self._left <= middle <= self._right:  # else the plot ends between the wick and the side of the body
            self._canvas.box(middle - 0.5, self._y(bar.high, "price"), middle + 0.5, self._y(bar.low, "price"), colour)
        upper, lower = self._y(max(bar.open, bar.close), "price"), self._y(min(bar.open, bar.close), "price")
        self._canvas.box(left, upper, right, max(lower, upper + 1.0), colour)

    def _draw_line(self, points: list[Point], axis: Axis, colour: Colour) -> None:
        for piece in pieces(points, self._span or (0.0, 0.0)):
            places = [(self._x(at), self._y(value, axis)) for at, value in piece]
            if len(places) == 1:
                self._canvas.dot(*places[0], 1.5, colour)
            else:
                self._canvas.polyline(places, colour)

    def _mark_ends(self) -> Iterator[tuple[float, float, bool, Colour, str]]:
        assert self._span is not None
        start, end = self._span
        for mark in self._chart.marks:
            to = end if mark.to_ns is None else min(end, mark.to_ns)
            if to >= start and mark.from_ns <= end:
                left, right = self._x(max(start, mark.from_ns)), self._x(to)
                yield left, right, mark.from_ns >= start, LOST if mark.kind == "lost" else PLANNED, mark.words

    def _draw_marks(self) -> None:
        for left, right, begins, colour, _ in self._mark_ends():
            self._canvas.box(left, self._top, max(right, left + 1.0), self._bottom, BANDS[colour])
            if begins:
                self._canvas.box(left, self._top, left + 1.0, self._bottom, blend(colour, 0.85))

    def _name_marks(self) -> None:
        """Write why, where there is room up to the next one: nobody can point at a picture to ask."""
        marks = sorted(self._mark_ends())
        for left, right, _, colour, _ in marks:
            # A foot on the time axis, that a short one is seen too.
            self._canvas.box(left, self._bottom - 3.0, max(right, left + 4.0), self._bottom, blend(colour, 0.85))
        ends = [*(left for left, *_ in marks[1:]), self._right]
        for (left, _, _, _, words), end in zip(marks, ends, strict=False):
            text = self._canvas.fitting(words, end - left - 8.0, 9.0)
            if len(text) > 6:
                width = self._canvas.measure(text, 9.0)
                self._canvas.box(left + 2.0, self._top + 1.0, left + 6.0 + width, self._top + 13.0, BACK)
                self._canvas.text(left + 4.0, self._top + 7.0, text, FAINT, 9.0)


def _colour(bar: Bar) -> Colour:
    return UP if bar.close >= bar.open else DOWN
