"""Pages that a command writes into: what stands between a marker's two comments, and tables of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["between", "line", "lines", "replaced"]


def between(text: str, marker: str) -> str | None:
    """Return what stands between the two comments of a marker; None where it has none."""
    found = re.search(rf"<!-- {marker} -->\n(.*?)<!-- /{marker} -->", text, re.DOTALL)
    return found and found[1]


def replaced(text: str, marker: str, content: str) -> str:
    """Put something else between the two comments of a marker.

    Raises:
        ValueError: the text does not have them.
    """
    old = between(text, marker)
    if old is None:
        raise ValueError(f"there is no <!-- {marker} --> … <!-- /{marker} --> to write between")
    return text.replace(f"<!-- {marker} -->\n{old}", f"<!-- {marker} -->\n{content}")


def line(cells: Iterable[str]) -> str:
    """Return one line of a Markdown table."""
    return f"| {' | '.join(cells)} |\n"


def lines(text: str) -> list[list[str]]:
    """Return the cells of a Markdown table, its heading first."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if "|" in line]
    return [row for row in rows if set("".join(row)) - set("-: ")]
