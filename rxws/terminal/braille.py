"""Lines on the cells of a panel: two dots wide and four high in each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.style import Style

from rxws.live import Point
from rxws.terminal.rows import Canvas
from rxws.terminal.scale import MOST, Scale
from rxws.terminal.time_axis import TimeAxis

__all__ = ["BLANK", "DOTS", "draw_line", "is_dotted", "known"]

BLANK = 0x2800
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bits of the dots of a cell: of its left and its right column, from the top."""
BODY = "█▀▄▒"


def known(points: Iterable[Point]) -> list[float]:
    """Return the values that can be drawn."""
    return [value for _, value in points if value is not None and -MOST < value < MOST]


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
    last = canvas.width * 2 - 1
    dots: dict[tuple[int, int], int] = {}
    before: tuple[int, int] | None = None
    for time_ns, value in points:
        if value is None or not -MOST < value < MOST:
            before = None
            continue
        here = int(axis.column(time_ns) * 2), scale.part(value, 4)
        if here == before:
            continue
        if 0 <= here[0] <= last:
            for x, y in _path(before, here):
                cell = x // 2, y // 4
                dots[cell] = dots.get(cell, 0) | DOTS[x % 2][y % 4]
        before = here
    for (x, y), bits in dots.items():
        there = canvas.char(x, y)
        if there not in BODY:
            canvas.put(x, y, chr(BLANK + (bits | (ord(there) - BLANK if is_dotted(there) else 0))), style)


def _path(begin: tuple[int, int] | None, end: tuple[int, int]) -> Iterable[tuple[int, int]]:
    """The dots from one point to the next, an unbroken line; `begin` may be left of all that is shown."""
    if begin is None:
        return (end,)
    (x0, y0), (x1, y1) = begin, end
    if x0 == x1:
        return ((x0, y) for y in range(min(y0, y1), max(y0, y1) + 1))
    if x0 < 0:
        x0, y0 = 0, round(y0 - x0 * (y1 - y0) / (x1 - x0))
    steps = max(abs(x1 - x0), abs(y1 - y0), 1)
    return ((x0 + round((x1 - x0) * at / steps), y0 + round((y1 - y0) * at / steps)) for at in range(steps + 1))
