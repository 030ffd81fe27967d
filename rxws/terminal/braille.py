"""Lines on the cells of a panel: two dots wide and four high in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.style import Style

from rxws.live import Point
from rxws.terminal.rows import Canvas
from rxws.terminal.scale import MOST, Scale
from rxws.terminal.time_axis import TimeAxis

__all__ = ["BLANK", "DOTS", "draw_line", "is_dotted"]

BLANK = 0x2800
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bits of the dots of a cell: of its left and its right column, from the top."""
BODY = "█▀▄▒"


def is_dotted(char: str) -> bool:
    """Whether a line runs through a cell."""
    return BLANK <= ord(char) < BLANK + 256


def draw_line(canvas: Canvas, points: Sequence[Point], axis: TimeAxis, scale: Scale, style: Style) -> None:
    """Draw a line from point to point, broken where a value is None; bodies of candles stand before it.

    Args:
        canvas: where.
        points: in time; those before the axis begins may be among them.
        axis: where each stands.
        scale: how high each stands.
        style: its colour.
    """
    bits = [[0] * canvas.width for _ in range(canvas.height)]
    before: tuple[int, int] | None = None
    for x, values in _strokes(points, axis):
        if not values:
            before = None
            continue
        first = low = high = last = scale.part(values[0], 4)
        if values[1] != values[2]:
            low, high, last = (scale.part(value, 4) for value in values[1:])
        if 0 <= x < canvas.width * 2:
            if before is not None:
                _join(bits, before, (x, first))
            _upright(bits, x, high, low)
        before = x, last
    for y, row in enumerate(bits):
        for x, dots in enumerate(row):
            if dots and (there := canvas.char(x, y)) not in BODY:
                canvas.put(x, y, chr(BLANK + (dots | (ord(there) - BLANK if is_dotted(there) else 0))), style)


def _strokes(points: Sequence[Point], axis: TimeAxis) -> Iterator[tuple[int, tuple[float, ...]]]:
    """By columns of dots, the first, the lowest, the highest and the last value; none of them where the line breaks."""
    here: int | None = None
    first = low = high = last = 0.0
    for x, (_, value) in zip(axis.dots(points), points, strict=True):
        if value is None or not -MOST < value < MOST:
            if here is not None:
                yield here, (first, low, high, last)
            here = None
            yield x, ()
        elif x == here:
            last = value
            if value < low:
                low = value
            elif value > high:
                high = value
        else:
            if here is not None:
                yield here, (first, low, high, last)
            here = x
            first = low = high = last = value
    if here is not None:
        yield here, (first, low, high, last)


def _upright(bits: list[list[int]], x: int, high: int, low: int) -> None:
    """Set the dots of a column from one row to another, further down or the same."""
    column, at = DOTS[x & 1], x >> 1
    first, last = high >> 2, low >> 2
    for cell in range(first, last + 1):
        begin = high & 3 if cell == first else 0
        end = low & 3 if cell == last else 3
        for dot in column[begin : end + 1]:
            bits[cell][at] |= dot


def _join(bits: list[list[int]], begin: tuple[int, int], end: tuple[int, int]) -> None:
    """Set the dots from one point to a later one; `begin` may be left of all that is shown."""
    (x0, y0), (x1, y1) = begin, end
    slope = (y1 - y0) / (x1 - x0)
    down = 1 if y1 > y0 else -1
    here = y0
    for x in range(x0, x1 + 1):
        there = y1 if x == x1 else round(y0 + (x - x0 + 0.5) * slope)
        if x >= 0:
            _upright(bits, x, min(here, there), max(here, there))
        here = there if there == here or there == y1 else there + down
