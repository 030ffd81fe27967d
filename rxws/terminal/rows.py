"""Rows of coloured text, which are what a picture in a terminal is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

__all__ = ["Canvas", "Part", "Picture", "Row", "cells", "fitted", "shortened", "text_of"]

Row: TypeAlias = list[Segment]
Part: TypeAlias = tuple[str, Style | None]


class Picture:
    """What rich draws of rows.

    Args:
        rows: from the top.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Hand the rows to rich as they are."""
        for row in self.rows:
            yield from row
            yield Segment.line()


class Canvas:
    """Cells of one character and one style each, all blank.

    Args:
        width: columns.
        height: rows.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._chars = [[" "] * width for _ in range(height)]
        self._styles: list[list[Style | None]] = [[None] * width for _ in range(height)]

    def char(self, x: int, y: int) -> str:
        """What stands in a cell."""
        return self._chars[y][x]

    def is_blank(self, x: int, y: int) -> bool:
        """Whether nothing stands in a cell."""
        return self._chars[y][x] == " "

    def put(self, x: int, y: int, char: str, style: Style | None) -> None:
        """Write one cell, `x` from the left and `y` from the top."""
        self._chars[y][x] = char
        self._styles[y][x] = style

    def write(self, x: int, y: int, text: str, style: Style | None) -> None:
        """Write cells of a row from `x` on; what does not fit is left out."""
        for at, char in enumerate(text[: max(0, self.width - x)], x):
            self.put(at, y, char, style)

    def rows(self) -> list[Row]:
        """Return all as rows, cells of one style together."""
        return [_runs(chars, styles) for chars, styles in zip(self._chars, self._styles, strict=True)]


def fitted(parts: Iterable[Part], width: int) -> Row:
    """Return the row of some texts, cut off or filled up to a width.

    >>> text_of(fitted([("abc", None), ("def", None)], 5)), text_of(fitted([("abc", None)], 5))
    ('abcde', 'abc  ')
    """
    return Segment.adjust_line_length([Segment(text, style) for text, style in parts], width)


def shortened(text: str, width: int) -> str:
    """Return a text in a width at most; where it is cut, it says so.

    >>> shortened("reconnecting", 8), shortened("live", 8)
    ('reconne…', 'live')
    """
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def cells(row: Row) -> int:
    """Return how many columns a row takes."""
    return Segment.get_line_length(row)


def text_of(row: Row) -> str:
    """Return the text of a row, without its colours."""
    return "".join(segment.text for segment in row)


def _runs(chars: list[str], styles: list[Style | None]) -> Row:
    row, begun = [], 0
    for at in range(1, len(chars) + 1):
        if at == len(chars) or styles[at] is not styles[begun]:
            row.append(Segment("".join(chars[begun:at]), styles[begun]))
            begun = at
    return row
