"""The picture of a chart: its panels one above the other, and the time axis below."""

from __future__ import annotations

from itertools import cycle

from rich.cells import cell_len

from rxws.live import Chart
from rxws.redaction import escaped
from rxws.terminal.colours import BOLD, DIM, FALLING, LINES, RISING
from rxws.terminal.panel import Curve, Panel, Shade, shade_of, style_of
from rxws.terminal.rows import Canvas, Part, Row, fitted
from rxws.terminal.scale import labelled
from rxws.terminal.time_axis import EvenTime, SlotTime, TimeAxis
from rxws.terminal.time_labels import labels

__all__ = ["chart_rows"]

SECOND_NS = 1_000_000_000
LEAST_COLUMNS = 8
"""Beside a price axis, so many columns there are of the picture; else there is no axis."""
LOWEST_PANEL = 4
PASSES = 3
UTC = " UTC"
PRICES = ("open", "high", "low", "close")


def chart_rows(chart: Chart, width: int, height: int, *, now_ns: int = 0, coloured: bool = True) -> list[Row]:
    """Return the picture of a chart.

    Args:
        chart: what is drawn.
        width: columns, 1 or more; each row has so many.
        height: rows, 0 or more. Where they are few, the legend goes first, then the time axis.
        now_ns: up to when a stretch without a connection goes that has not ended, in nanoseconds since the epoch.
        coloured: whether there are colours.

    >>> from rxws.terminal.rows import text_of
    >>> chart = Chart(max_candles=9, candle=lambda value: value)
    >>> for at, prices in enumerate([(1, 4, 1, 3), (3, 3, 1, 2)]):
    ...     chart.take_candle((60_000 * at, *prices), 0)
    >>> for row in chart_rows(chart, 14, 6):
    ...     print(text_of(row).rstrip())
     │         ├ 4
    ███ ███    │
    ███ ███    ├ 2
    ███  │     │
    ┬──────────┘
    00:00
    """
    if height < 1:
        return []
    coloured_lines = zip(chart.lines.items(), cycle(LINES), strict=False)
    curves = [Curve(name, line.points(), colour) for (name, line), colour in coloured_lines]
    feet = 2 if height >= 6 else 1 if height >= 3 else 0
    has_legend = height >= 8
    panels = _panels(chart, curves, height - feet - has_legend)
    axis, label_width = _measured(chart, panels, width, now_ns)
    shades = [shade for mark in chart.marks if (shade := shade_of(mark, axis, now_ns)) is not None]
    rows = [_legend(chart, curves, panels[0].decimals, width)] if has_legend else []
    for at, panel in enumerate(panels):
        if at:
            rows.append(fitted([("─" * axis.columns + "┤", DIM)], width))
        rows += panel.draw(axis, label_width, shades, coloured)
    return rows + _feet(axis, shades, feet, width)


def _panels(chart: Chart, curves: list[Curve], rows: int) -> list[Panel]:
    bars = [] if chart.candles is None else chart.candles.bars()
    if chart.candles is None:
        return [Panel(rows, curves)]
    on_price = [curve for curve in curves if chart.axes.get(curve.name) == "price"]
    own = [curve for curve in curves if chart.axes.get(curve.name) == "own"]
    most = min(len(own), (rows - LOWEST_PANEL) // (2 * LOWEST_PANEL + 1))
    if most < 1:
        return [Panel(rows, on_price, bars)]
    # Where there is no room for a panel each, the last one takes the rest.
    groups = [[curve] for curve in own[: most - 1]] + [own[most - 1 :]]
    each = max(LOWEST_PANEL, rows // (3 + most) - 1)
    below = [Panel(each, group) for group in groups]
    return [Panel(rows - most * (each + 1), on_price, bars), *below]


def _measured(chart: Chart, panels: list[Panel], width: int, now_ns: int) -> tuple[TimeAxis, int]:
    """The time axis, and how wide the price axis is: each depends on the other."""
    label_width = 0
    for _ in range(PASSES):
        axis = _time_axis(chart, panels, width - label_width, now_ns)
        widest = max(panel.measure(axis) for panel in panels)
        needed = widest + 2 if widest and widest + 2 + LEAST_COLUMNS <= width else 0
        if needed == label_width:
            break
        label_width = max(needed, label_width)
    return axis, label_width


def _time_axis(chart: Chart, panels: list[Panel], columns: int, now_ns: int) -> TimeAxis:
    """Where nothing has come yet, it ends as 1970 begins."""
    until_ns = now_ns if chart.marks and chart.marks[-1].to_ns is None else 0
    bars = panels[0].bars
    if bars:
        return SlotTime([bar.open_ns for bar in bars], columns, until_ns)
    points = [curve.points for panel in panels for curve in panel.curves if curve.points]
    last_ns = max((*(each[-1][0] for each in points), until_ns))
    first_ns = min((each[0][0] for each in points), default=last_ns)
    if chart.window is not None:
        first_ns = max(first_ns, last_ns - round(chart.window * SECOND_NS))
    return EvenTime(min(first_ns, last_ns - SECOND_NS), last_ns, columns)


def _feet(axis: TimeAxis, shades: list[Shade], rows: int, width: int) -> list[Row]:
    if rows == 0:
        return []
    rule, below = Canvas(axis.columns, 1), Canvas(axis.columns, 1)
    rule.write(0, 0, "─" * axis.columns, DIM)
    for label in labels(axis) if axis.begin_ns >= 0 else ():
        rule.put(label.column, 0, "┬", DIM)
        below.write(label.left, 0, label.text, None)
    for shade in shades:
        for x in shade.touched:
            rule.put(x, 0, "━", style_of(shade.mark))
    corner = width - axis.columns
    feet = [rule.rows()[0] + fitted([("┘", DIM)] if corner else [], corner)] if rows > 1 else []
    return [*feet, below.rows()[0] + fitted([(UTC if corner >= len(UTC) else "", DIM)], corner)]


def _legend(chart: Chart, curves: list[Curve], decimals: int, width: int) -> Row:
    facts: list[list[Part]] = []
    newest = None if chart.candles is None else chart.candles.newest()
    if newest is not None:
        style = FALLING if newest.close < newest.open else RISING
        prices = [labelled(price, decimals) for price in newest[1:5]]
        # The words take 21 columns, and so do the blanks and what a line at least says of itself.
        names = PRICES if sum(map(len, prices)) + 42 <= width else [name[0].upper() for name in PRICES]
        facts += [[(f"{name} ", DIM), (f"{price}  ", style)] for name, price in zip(names, prices, strict=True)]
    for curve in curves:
        value = "–" if curve.last is None else f"{curve.last:,.8g}"
        facts.append([("━ ", curve.style), (f"{escaped(curve.name)} ", BOLD), (f"{value}  ", curve.style)])
    return fitted(_whole(facts, width), width)


def _whole(facts: list[list[Part]], width: int) -> list[Part]:
    """Return the parts of as many facts as there is room for: half a number would be a wrong one."""
    parts: list[Part] = []
    for fact in facts:
        # Of the first line without room its name may still stand there: it says whose its colour is.
        for some in [fact, fact[:-1]] if len(fact) > 2 else [fact]:
            if _length(parts + some) <= width:
                parts += some
                break
        if parts[-1:] != fact[-1:]:
            break
    return parts


def _length(parts: list[Part]) -> int:
    return cell_len("".join(text for text, _ in parts).rstrip())
