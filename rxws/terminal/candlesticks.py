"""Candles on the cells of a panel: thin wicks, and bodies that are precise to half a row."""

from __future__ import annotations

from collections.abc import Sequence

from rxws.live import Bar
from rxws.terminal.colours import FALLING, RISING
from rxws.terminal.rows import Canvas
from rxws.terminal.scale import MOST, Scale
from rxws.terminal.time_axis import SlotTime

__all__ = ["draw_candles", "is_drawable"]

FULL, UPPER, LOWER = "█", "▀", "▄"
WICK, UPPER_WICK, LOWER_WICK = "│", "╵", "╷"
COLOURLESS = "▒"
"""A falling body where there are no colours."""
BODIES = {4: 3, 2: 1, 1: 1}
"""How wide a body is, by the columns from one candle to the next."""


def is_drawable(bar: Bar) -> bool:
    """Whether its prices are numbers that can be drawn."""
    return all(-MOST < price < MOST for price in bar[1:5])


def draw_candles(canvas: Canvas, bars: Sequence[Bar], axis: SlotTime, scale: Scale, coloured: bool = True) -> None:
    """Draw candles.

    Args:
        canvas: where.
        bars: all candles of the chart; those from `axis.first` on are drawn.
        axis: where each stands.
        scale: how high each stands.
        coloured: whether colours tell rising from falling; else the bodies do.
    """
    for index in range(axis.first, len(bars)):
        bar = bars[index]
        if not is_drawable(bar):
            continue
        left, wide = axis.column_of(index), BODIES[axis.stride]
        falls = bar.close < bar.open
        style = FALLING if falls else RISING
        high, top, bottom, low = (
            scale.part(price, 2)
            for price in (max(bar[1:5]), max(bar.open, bar.close), min(bar.open, bar.close), min(bar[1:5]))
        )
        for y in range(high // 2, low // 2 + 1):
            body = _half(y, top, bottom, (FULL, UPPER, LOWER))
            # No character is half a body and half a wick: the wick must not hang in the air.
            if (body == LOWER and high < 2 * y) or (body == UPPER and low > 2 * y + 1):
                body = FULL
            if body and falls and not coloured:
                body = COLOURLESS
            if body:
                canvas.write(left, y, body * wide, style)
            else:
                canvas.put(left + wide // 2, y, _half(y, high, low, (WICK, UPPER_WICK, LOWER_WICK)) or WICK, style)


def _half(row: int, first: int, last: int, glyphs: tuple[str, str, str]) -> str:
    """The glyph of a row whose halves from `first` to `last` are filled; empty where none is."""
    upper, lower = first <= 2 * row <= last, first <= 2 * row + 1 <= last
    return glyphs[0] if upper and lower else glyphs[1] if upper else glyphs[2] if lower else ""
