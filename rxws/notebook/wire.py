"""What the browser is told: a chart or a table, and what has changed in it, as JSON. Pure.

Times are milliseconds since the epoch there. A snapshot replaces all that the browser knows; a frame changes it.
Making either takes what has changed out of the model, so that the next frame begins where this message ends.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import isfinite
from typing import Any, TypeAlias

from rxws.live import Bar, Chart, Mark, Point, Report, Table

__all__ = [
    "Message",
    "chart_frame",
    "chart_snapshot",
    "columns_of",
    "marks_of",
    "status_of",
    "table_frame",
    "table_snapshot",
]

Message: TypeAlias = dict[str, Any]  # Any: JSON

LARGEST = 2**53
"""Beyond, a number of JavaScript is no longer exact."""


def chart_snapshot(chart: Chart, *, height: int) -> Message:
    """Return all of a chart, without its number and its status."""
    candles = None
    if chart.candles is not None:
        chart.candles.changed()
        candles = [_candle(bar) for bar in chart.candles.bars()]
    lines = []
    for name, line in chart.lines.items():
        line.changed()
        lines.append({"name": name, "axis": chart.axes.get(name, "own"), "points": _points(line.points())})
    return {
        "type": "snapshot",
        "kind": "chart",
        "title": chart.title,
        "height": height,
        "window": chart.window,
        "max_candles": None if chart.candles is None else chart.candles.bound,
        "max_points": chart.max_points,
        "candles": candles,
        "lines": lines,
        "marks": marks_of(chart),
    }


def chart_frame(chart: Chart) -> Message:
    """Return what has changed in the candles and lines of a chart."""
    frame: Message = {"type": "frame"}
    changed = [] if chart.candles is None else chart.candles.changed()
    if changed:
        frame["candles"] = [_candle(bar) for bar in changed]
    lines = {}
    for name, line in chart.lines.items():
        change = line.changed()
        if change is not None:
            since_ns, points = change
            axis = chart.axes.get(name, "own")
            lines[name] = {"axis": axis, "from": _milliseconds(since_ns), "points": _points(points)}
    if lines:
        frame["lines"] = lines
    return frame


def marks_of(chart: Chart) -> list[Message]:
    """Return the stretches without a live connection."""
    return [_mark(mark) for mark in chart.marks]


def table_snapshot(table: Table) -> Message:
    """Return all of a table, without its number and its status."""
    table.changed()
    return {
        "type": "snapshot",
        "kind": "table",
        "title": table.title,
        "columns": columns_of(table),
        "rows": [[_key(key), cells] for key, cells in table.rows()],
        "max_rows": table.max_rows,
    }


def table_frame(table: Table) -> Message:
    """Return what has changed in the rows of a table."""
    frame: Message = {"type": "frame"}
    rows, removed = table.changed()
    if rows:
        frame["rows"] = [[_key(key), cells] for key, cells in rows]
        frame["top"] = table.newest_on_top
    if removed:
        frame["removed"] = [_key(key) for key in removed]
    return frame


def columns_of(table: Table) -> list[Message]:
    """Return the columns of a table."""
    return [{"name": name, "numeric": name in table.numeric} for name in table.columns]


def status_of(report: Report, events: int, dropped: int) -> Message:
    """Return what the bar says."""
    return {
        "state": report.state,
        "text": report.text,
        "in": None if report.seconds is None else round(report.seconds, 3),
        "quiet": None if report.quiet is None else round(report.quiet, 3),
        "events": events,
        "dropped": dropped,
    }


def _milliseconds(time_ns: int) -> float:
    """Return an instant as the browser has it: to the microsecond.

    >>> _milliseconds(1_764_145_200_123_456_789), _milliseconds(60_000_000_000)
    (1764145200123.457, 60000)
    """
    whole, rest = divmod(time_ns, 1_000_000)
    return round(whole + rest / 1e6, 3) if rest else whole


def _candle(bar: Bar) -> list[float]:
    return [_milliseconds(bar.open_ns), bar.open, bar.high, bar.low, bar.close, bar.volume]


def _points(points: list[Point]) -> list[tuple[float, float | None]]:
    return [(_milliseconds(time_ns), value) for time_ns, value in points]


def _mark(mark: Mark) -> Message:
    return {
        "stream": mark.stream,
        "kind": mark.kind,
        "from": _milliseconds(mark.from_ns),
        "to": None if mark.to_ns is None else _milliseconds(mark.to_ns),
        "words": mark.words,
    }


def _key(key: Hashable) -> str | int | float:
    """Return a row's key as the browser can tell it: a string or a number.

    >>> [_key(key) for key in ("BTC", 7, 7.0, True, ("a", 1), 2**60)]
    ['BTC', 7, 7.0, 1, "('a', 1)", '1152921504606846976']
    """
    if isinstance(key, str):
        return key
    if isinstance(key, int) and -LARGEST < key < LARGEST:
        return int(key)
    if isinstance(key, float) and isfinite(key):
        return key
    return repr(key)
