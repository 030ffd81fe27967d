"""The picture of a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from rxws.live import Table
from rxws.redaction import escaped
from rxws.terminal.colours import BOLD, DIM
from rxws.terminal.rows import Row, fitted, shortened

__all__ = ["table_rows"]

BETWEEN = "  "
WIDEST = 40
"""No column is wider while there are others."""


def table_rows(table: Table, width: int, height: int) -> list[Row]:
    """Return the picture of a table: a row of names, and its rows from the top.

    Args:
        table: what is drawn.
        width: columns, 1 or more; each row has so many.
        height: rows at most, 0 or more. Where there are more, the last one says how many.

    >>> from rxws.terminal.rows import text_of
    >>> table = Table(key="symbol")
    >>> for value in ({"symbol": "A", "price": "1.5"}, {"symbol": "B", "price": "12"}):
    ...     table.take(value, 0)
    >>> for row in table_rows(table, 13, 3):
    ...     print(text_of(row))
    symbol  price
    A         1.5
    B          12
    """
    if height < 1:
        return []
    rows = [texts for _, texts in table.rows()]
    room = height - 1
    more = len(rows) - room if len(rows) > room else 0
    shown = rows[: room - 1] if more and room > 1 else rows[:room]
    names = [escaped(name) for name in table.columns]
    lines = [[escaped(text) for text in texts] for texts in shown]
    widths = _widths([names, *lines], width)
    right = [name in table.numeric for name in table.columns]
    shown_columns = _fitting(widths, width)
    if shown_columns < len(names):
        widths, right = [*widths[:shown_columns], 1], [*right[:shown_columns], False]
        names, *lines = ([*texts[:shown_columns], "…"] for texts in (names, *lines))
    found = [fitted([(_line(names, widths, right), BOLD)], width)]
    found += [fitted([(_line(line, widths, right), None)], width) for line in lines]
    if more and room > 1:
        found.append(fitted([(f"… {len(rows) - len(shown):,} more rows", DIM)], width))
    return found


def _widths(lines: Sequence[Sequence[str]], width: int) -> list[int]:
    columns = len(lines[0])
    needed = [max((cell_len(line[at]) for line in lines if at < len(line)), default=0) for at in range(columns)]
    if sum(needed) + len(BETWEEN) * (columns - 1) <= width:
        return needed
    return [min(each, WIDEST) for each in needed]


def _fitting(widths: Sequence[int], width: int) -> int:
    """Return how many columns are shown: of a number that is cut off nobody sees that it is."""
    if sum(widths) + len(BETWEEN) * (len(widths) - 1) <= width:
        return len(widths)
    count, used = 0, 1  # the last one says that there are more
    while count < len(widths) and used + widths[count] + len(BETWEEN) <= width:
        used += widths[count] + len(BETWEEN)
        count += 1
    return count


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    return BETWEEN.join(map(_cell, texts, widths, right))


def _cell(text: str, width: int, right: bool) -> str:
    missing = width - cell_len(text)
    if missing < 0:
        return shortened(text, width)
    return " " * missing + text if right else text + " " * missing
