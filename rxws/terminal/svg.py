"""Pictures of what a terminal shows, for documents: blocks, lines and dots are drawn, so that no font bends them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
    drawn = [each for at, row in enumerate(rows) for each in _row(row, MARGIN + at * HIGH, theme)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
            f'font-family="{FONT}" font-size="13">',
            f'<rect width="{wide}" height="{high}" rx="6" fill="{theme.background_color.hex}"/>',
            *drawn,
            "</svg>\n",
        ]
    )


def _row(row: Row, y: int, theme: TerminalTheme) -> Iterator[str]:
    x = MARGIN
    for text, style, _ in row:
        yield from _segment(text, style or Style.null(), x, y, theme)
        x += cell_len(text) * WIDE


def _segment(text: str, style: Style, x: int, y: int, theme: TerminalTheme) -> Iterator[str]:
    colour = theme.foreground_color if style.color is None else style.color.get_truecolor(theme)
    fill = colour.hex
    if style.reverse:
        yield f'<rect x="{x}" y="{y}" width="{cell_len(text) * WIDE}" height="{HIGH}" fill="{fill}"/>'
        fill = "#ffffff"
    for is_shape, group in groupby(text, _is_shape):
        run = "".join(group)
        if is_shape:
            for char, same in groupby(run):
                many = len(list(same))
                yield from _shape(char, many, x, y, fill)
                x += many * WIDE
            continue
        for word in WORDS.finditer(run):
            yield _text(word[0], x + cell_len(run[: word.start()]) * WIDE, y, fill, style)
        x += cell_len(run) * WIDE


def _text(text: str, x: int, y: int, fill: str, style: Style) -> str:
    weight = ' font-weight="bold"' if style.bold else ""
    length = f'textLength="{cell_len(text) * WIDE}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x}" y="{y + 12}" fill="{fill}" {length}{weight}>{escape(text)}</text>'


def _is_shape(char: str) -> bool:
    return char in SHAPES or char in SHADES or is_dotted(char)


def _shape(char: str, many: int, x: int, y: int, fill: str) -> Iterator[str]:
    """Draw the same character so many times."""
    if char in SHADES:
        yield _rect(x, y, many * WIDE, HIGH, fill, f' fill-opacity="{SHADES[char]}"')
    for left, top, right, bottom in SHAPES.get(char, ()):
        if (left, right) == (0, 1):
            yield _rect(x, y + top * HIGH, many * WIDE, (bottom - top) * HIGH, fill)
            continue
        for at in range(many):
            yield _rect(x + (at + left) * WIDE, y + top * HIGH, (right - left) * WIDE, (bottom - top) * HIGH, fill)
    if char == "●":
        yield f'<circle cx="{x + WIDE / 2:g}" cy="{y + HIGH / 2:g}" r="{WIDE / 2:g}" fill="{fill}"/>'
    if is_dotted(char):
        bits = ord(char) - BLANK
        dots = [(column, row) for column in (0, 1) for row in range(4) if bits & DOTS[column][row]]
        for at in range(many):
            for column, row in dots:
                yield _rect(x + at * WIDE + column * 4 + 0.75, y + row * 4 + 0.75, 2.5, 2.5, fill)


def _rect(x: float, y: float, wide: float, high: float, fill: str, more: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" fill="{fill}"{more}/>'
