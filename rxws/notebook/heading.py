"""The bar above a picture: what it is called, how it is, and how many values have come."""

from __future__ import annotations

from textwrap import wrap

from rxws.live import Report
from rxws.notebook.canvas import DOWN, FAINT, STATES, TEXT, Canvas
from rxws.notebook.words import counted

__all__ = ["PAD", "draw_bar"]

PAD = 9.0
ROW = 15.0
FIRST = 16.0
MOST_ROWS = 5
"""Of an error, which is worth more of the picture than one line."""


def draw_bar(canvas: Canvas, title: str, report: Report, events: int, dropped: int) -> float:
    """Write the bar, and return where it ends.

    Args:
        canvas: on which.
        title: empty: none.
        report: how it is.
        events: how many values have come.
        dropped: how many could not be kept.
    """
    counts = counted(events, "event") + (f" · {dropped:,} dropped" if dropped else "")
    end = canvas.text(canvas.width - PAD, FIRST, counts, FAINT, anchor="rm")[0] - 12.0
    canvas.dot(PAD + 4.0, FIRST, 4.0, STATES.get(report.state, FAINT))
    x = PAD + 16.0
    if title:
        text = canvas.fitting(title, (end - x) * 0.75, 13.0)
        x = canvas.text(x, FIRST, text, TEXT, 13.0)[2] + 8.0
    words = report.text.replace(" {in}", "")
    colour = DOWN if report.state == "error" else FAINT
    if canvas.measure(words) <= end - x and "\n" not in words:
        canvas.text(x, FIRST, words, colour)
        return FIRST + 10.0
    return _paragraph(canvas, words, colour)


def _paragraph(canvas: Canvas, words: str, colour: tuple[int, int, int]) -> float:
    """Write below the bar what has no room in it."""
    width = canvas.width - 2 * PAD
    letters = int(width / canvas.measure("n" * 100) * 100)
    rows = [row for line in words.splitlines() for row in wrap(line, letters)]
    y = FIRST
    for index, row in enumerate(rows[:MOST_ROWS]):
        y += ROW
        more = "…" if index == MOST_ROWS - 1 and len(rows) > MOST_ROWS else ""
        canvas.text(PAD, y, canvas.fitting(row + more, width), colour)
    return y + 10.0
