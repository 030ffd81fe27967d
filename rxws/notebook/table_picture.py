"""A table as a picture: its first rows, as in a browser."""

from __future__ import annotations

from rxws.live import Report, Table
from rxws.notebook.canvas import FAINT, GRID, TEXT, Canvas
from rxws.notebook.heading import PAD, draw_bar
from rxws.notebook.picture import WIDTH

__all__ = ["table_picture"]

ROW = 21.0
MOST_ROWS = 14
WIDEST = 240.0
"""Pixels of a column."""
GAP = 16.0
"""Pixels between two columns."""
LEAST = 40.0
"""Pixels below which a column is not worth its place."""


def table_picture(table: Table, report: Report, events: int) -> Canvas:
    """Draw a table.

    Args:
        table: what is drawn.
        report: what its bar says.
        events: how many values have come.
    """
    rows = [texts for _, texts in table.rows()]
    shown, more = rows[:MOST_ROWS], len(rows) - MOST_ROWS
    # How high the bar is, nobody knows before it is drawn.
    top = draw_bar(Canvas(WIDTH, 10.0), table.title, report, events, table.dropped)
    canvas = Canvas(WIDTH, top + ROW * (len(shown) + 1 + (more > 0)) + 8.0)
    draw_bar(canvas, table.title, report, events, table.dropped)
    right = _columns(canvas, table, shown, top)
    for line in range(1, len(shown) + 2):
        y = top + ROW * line
        canvas.box(PAD, y, right, y + 0.5, GRID)
    if more > 0:
        canvas.text(PAD + 4.0, top + ROW * (len(shown) + 1.5), f"and {more:,} more", FAINT)
    return canvas


def _columns(canvas: Canvas, table: Table, rows: list[list[str]], top: float) -> float:
    """Draw the columns for which there is room; return where they end."""
    left = PAD + 4.0
    for index, name in enumerate(table.columns):
        texts = [name, *(row[index] for row in rows)]
        room = WIDTH - PAD - 4.0 - left
        width = min(WIDEST, max(map(canvas.measure, texts)))
        if width > room and room < LEAST:
            canvas.text(left, top + ROW / 2, "…", FAINT)
            return WIDTH - PAD
        width = min(width, room)
        x, anchor = (left + width, "rm") if name in table.numeric else (left, "lm")
        for line, text in enumerate(texts):
            canvas.text(
                x, top + ROW * (line + 0.5), canvas.fitting(text, width), TEXT if line else FAINT, anchor=anchor
            )
        left += width + GAP
    return max(left - GAP + 4.0, WIDTH / 2)
