"""The page that shows the table: docs/reliability.md, and what is between its markers."""

from __future__ import annotations

import os
import platform
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.markers import line, replaced
from benchmarks.reliability.row import Figure
from benchmarks.reliability.rows import ROWS

__all__ = ["MEASURED", "PAGE", "TABLE", "measured", "table", "write"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
TABLE, MEASURED = "reliability", "measured"


def table(figures: Mapping[str, Figure]) -> str:
    """Return the table as Markdown: all rows, each with its figure by its key."""
    cells = [["What happens", "What must hold", "Seen"], ["---"] * 3]
    for row in ROWS:
        figure = figures[row.key]
        cells.append([row.happens, row.must_hold, figure.text if figure.passed else f"**FAILS:** {figure.text}"])
    return "".join(line(each.replace("|", "\\|") for each in row) for row in cells)


def measured(figures: Mapping[str, Figure]) -> str:
    """Return where, when and with what it was measured, and how many rows hold."""
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    rxws = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    libraries = ", ".join(f"{name} {version(name)}" for name in ("websockets", "reactivex", "msgspec"))
    today = datetime.now(UTC).date().isoformat()
    held = sum(figure.passed for figure in figures.values())
    return (
        f"Measured on {today} by `make reliability`: {where}; rxws {rxws}, {libraries}. "
        f"{held} of {len(figures)} rows hold.\n"
    )


def write(figures: Mapping[str, Figure], page: Path = PAGE) -> None:
    """Write table and figures into the page."""
    text = page.read_text(encoding="utf-8")
    text = replaced(text, TABLE, table(figures))
    text = replaced(text, MEASURED, measured(figures))
    page.write_text(text, encoding="utf-8")
