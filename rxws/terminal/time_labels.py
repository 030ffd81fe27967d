"""The labels beneath a time axis, in UTC; two of them never overlap."""

from __future__ import annotations

from datetime import UTC, datetime
from statistics import median_low
from typing import NamedTuple

from rxws.terminal.time_axis import TimeAxis

__all__ = ["Label", "labels"]

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
STEPS = (
    *(SECOND // by for by in (1_000, 500, 200, 100, 50, 20, 10, 5, 2)),
    *(SECOND * by for by in (1, 2, 5, 10, 15, 30)),
    *(60 * SECOND * by for by in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)),
    *(DAY * by for by in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)),
)
"""Between two labels."""


class Label(NamedTuple):
    """A text below the column of its tick; it begins at `left`, and may be moved to stay within the width."""

    column: int
    left: int
    text: str
    is_moved: bool


def labels(axis: TimeAxis) -> list[Label]:
    """Return what stands beneath an axis: round times, with at least one blank between two of them.

    >>> from rxws.terminal.time_axis import EvenTime
    >>> day = EvenTime(0, 3_600 * SECOND, 41)
    >>> [label.text for label in labels(day)]
    ['00:00', '00:15', '00:30', '00:45', '01:00']
    """
    spans = list(axis.spans())
    if not spans:
        return []
    width = spans[1].column - spans[0].column if len(spans) > 1 else axis.columns
    column_ns = max(1.0, median_low(span.end_ns - span.start_ns for span in spans) / width)
    step = next((step for step in STEPS if step / column_ns >= len(_text(0, step)) + 2), STEPS[-1])
    found: list[Label] = []
    day: str | None = None
    for span in spans:
        at_ns = -(-span.start_ns // step) * step
        if at_ns < span.end_ns:
            today = _text(at_ns, DAY)
            is_other_day = step < DAY and day is not None and day != today
            if _place(found, span.column, today if is_other_day else _text(at_ns, step), axis.columns):
                day = today
    if not found:
        _place(found, spans[0].column, _text(spans[0].start_ns, SECOND), axis.columns)
    return found


def _place(found: list[Label], column: int, text: str, columns: int) -> bool:
    """Put in a label where there is room for it; tell whether there was."""
    middle = column - len(text) // 2
    left = max(0, min(middle, columns - len(text)))
    if not text or left + len(text) > columns:
        return False
    if left == middle and found and found[-1].left + len(found[-1].text) >= left and found[-1].is_moved:
        del found[-1]  # at the left end it would take this one's place
    if found and found[-1].left + len(found[-1].text) >= left:
        return False
    found.append(Label(column, left, text, left != middle))
    return True


def _text(at_ns: int, step: int) -> str:
    try:
        at = datetime.fromtimestamp(at_ns // SECOND, UTC)
    except (ValueError, OverflowError, OSError):  # after the year 9999
        return ""
    if step >= 10 * DAY:
        return f"{at:%Y-%m-%d}"
    if step >= DAY:
        return f"{at:%b} {at.day}"
    if step >= 60 * SECOND:
        return f"{at:%H:%M}"
    if step >= SECOND:
        return f"{at:%H:%M:%S}"
    _, rest = divmod(at_ns, SECOND)
    part = rest // 1_000_000
    return f"{at:%H:%M:%S}.{part // 100}" if step >= SECOND // 10 else f"{at:%H:%M:%S}.{part:03}"
