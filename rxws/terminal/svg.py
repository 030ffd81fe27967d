"""Pictures of what a terminal shows, for documents: blocks, lines and dots are drawn, so that no font bends them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import groupby

from rich.cells import cell_len
from rich.style import Style
from rich.terminal_theme import TerminalTheme

from rxws.terminal.braille import BLANK, DOTS, is_dotted
from rxws.terminal.rows import Row

__all__ = ["svg"]

WIDE, HIGH = 8, 16
"""Pixels of a cell."""
MARGIN = 12
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
# The first 16 are there for completeness: the pictures take theirs from the other 240.
BASIC = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 170, 0),
    (170, 140, 0),
    (0, 80, 220),
    (170, 0, 170),
    (0, 150, 150),
    (190, 190, 190),
]
DARK = TerminalTheme((17, 19, 24), (214, 218, 224), BASIC)
LIGHT = TerminalTheme((255, 255, 255), (31, 35, 40), BASIC)

# As fractions of a cell: left, top, right, bottom.
THIN, EDGE = (0.42, 0.58), (0.44, 0.56)
SHAPES: dict[str, Sequence[tuple[float, float, float, float]]] = {
    "█": [(0, 0, 1, 1)],
    "▀": [(0, 0, 1, 0.5)],
    "▄": [(0, 0.5, 1, 1)],
    "│": [(THIN[0], 0, THIN[1], 1)],
    "╵": [(THIN[0], 0, THIN[1], 0.5)],
    "╷": [(THIN[0], 0.5, THIN[1], 1)],
    "─": [(0, 0.47, 1, 0.53)],
    "━": [(0, 0.38, 1, 0.62)],
    "●": [],
    "┬": [(0, 0.47, 1, 0.53), (EDGE[0], 0.5, EDGE[1], 1)],
    "├": [(EDGE[0], 0, EDGE[1], 1), (0.5, 0.47, 1, 0.53)],
    "┤": [(EDGE[0], 0, EDGE[1], 1), (0, 0.47, 0.5, 0.53)],
    "┘": [(EDGE[0], 0, EDGE[1], 0.5), (0, 0.47, 0.5, 0.53)],
}
WORDS = re.compile(r"\S+(?: \S+)*")
"""What stands together; SVG takes two blanks for one."""
SHADES = {"░": 0.22, "▒": 0.5}


def svg(rows: Sequence[Row], width: int, *, dark: bool = True) -> str:
    """Return a picture of rows; it asks nobody for a font.

    Args:
        rows: from the top.
        width: columns.
        dark: light on black; else dark on white.
    """
    theme = DARK if dark else LIGHT
    wide, high = width * WIDE + 2 * MARGIN, len(rows) * HIGH + 2 * MARGIN
    drawing = Drawing(theme)
    for at, row in enumerate(rows):
        x = MARGIN
        for text, style, _ in row:
            drawing.segment(text, style or Style.null(), x, MARGIN + at * HIGH)
            x += cell_len(text) * WIDE
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
            f'font-family="{FONT}" font-size="13">',
            f'<rect width="{wide}" height="{high}" rx="6" fill="{theme.background_color.hex}"/>',
            *drawing.elements(),
            "</svg>\n",
        ]
    )


class Drawing:
    """What stands in a picture: one path for all that has one colour, and the texts.

    Args:
        theme: what colours mean.
    """

    def __init__(self, theme: TerminalTheme) -> None:
        self._theme = theme
        self._paths: dict[str, list[str]] = {}
        self._texts: list[str] = []

    def elements(self) -> list[str]:
        """Return the elements of the picture."""
        return [f'<path {paint} d="{"".join(parts)}"/>' for paint, parts in self._paths.items()] + self._texts

    def segment(self, text: str, style: Style, x: int, y: int) -> None:
        """Draw a text in one style."""
        colour = self._theme.foreground_color if style.color is None else style.color.get_truecolor(self._theme)
        paint = f'fill="{colour.hex}"'
        if style.reverse:
            self._rect(x, y, cell_len(text) * WIDE, HIGH, paint)
            paint = 'fill="#ffffff"'
        for is_shape, group in groupby(text, _is_shape):
            run = "".join(group)
            if not is_shape:
                for word in WORDS.finditer(run):
                    self._text(word[0], x + cell_len(run[: word.start()]) * WIDE, y, paint, style)
                x += cell_len(run) * WIDE
                continue
            for char, same in groupby(run):
                many = len(list(same))
                self._shape(char, many, x, y, paint)
                x += many * WIDE

    def _text(self, text: str, x: int, y: int, paint: str, style: Style) -> None:
        weight = ' font-weight="bold"' if style.bold else ""
        length = f'textLength="{cell_len(text) * WIDE}" lengthAdjust="spacingAndGlyphs"'
        self._texts.append(f'<text x="{x}" y="{y + 12}" {paint} {length}{weight}>{escape(text)}</text>')

    def _shape(self, char: str, many: int, x: int, y: int, paint: str) -> None:
        """Draw the same character so many times."""
        if char in SHADES:
            self._rect(x, y, many * WIDE, HIGH, f'{paint} fill-opacity="{SHADES[char]}"')
        elif char == "●":
            self._texts.append(f'<circle cx="{x + WIDE / 2:g}" cy="{y + HIGH / 2:g}" r="{WIDE / 2:g}" {paint}/>')
        elif is_dotted(char):
            bits = ord(char) - BLANK
            dots = [(column, row) for column in (0, 1) for row in range(4) if bits & DOTS[column][row]]
            for at in range(many):
                for column, row in dots:
                    self._rect(x + at * WIDE + column * 4 + 0.75, y + row * 4 + 0.75, 2.5, 2.5, paint)
        for left, top, right, bottom in SHAPES.get(char, ()):
            wide, high = (right - left) * WIDE, (bottom - top) * HIGH
            if wide == WIDE:
                self._rect(x, y + top * HIGH, many * WIDE, high, paint)
                continue
            for at in range(many):
                self._rect(x + (at + left) * WIDE, y + top * HIGH, wide, high, paint)

    def _rect(self, x: float, y: float, wide: float, high: float, paint: str) -> None:
        wide, high = round(wide, 2), round(high, 2)
        part = f"M{round(x, 2):g} {round(y, 2):g}h{wide:g}v{high:g}h{-wide:g}z"
        self._paths.setdefault(paint, []).append(part)


def _is_shape(char: str) -> bool:
    return char in SHAPES or char in SHADES or is_dotted(char)
