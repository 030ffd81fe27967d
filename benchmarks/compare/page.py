"""The page that shows the table: docs/comparison.md, and what is between its markers."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.compare.columns import Absent, Column
from benchmarks.compare.rows import ROWS
from benchmarks.compare.running import Table
from benchmarks.compare.trial import ROOT
from benchmarks.markers import line, replaced

PAGE = ROOT / "docs" / "comparison.md"
TABLE, MEASURED = "comparison", "measured"


def table(columns: Sequence[Column | Absent], cells: Table) -> str:
    """Return the table as Markdown."""
    heading = ["What happens", *(column.heading for column in columns)]
    rows = ([row.question, *(cells[row.key, column.name].text for column in columns)] for row in ROWS)
    return "".join(map(line, [heading, ["---"] * len(heading), *rows]))


def measured(columns: Sequence[Column | Absent], cells: Table) -> str:
    """Return where and when it was measured, what was done in each row, and this run's figures."""
    where = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    today = datetime.now(UTC).date().isoformat()
    versions = "; ".join(column.heading for column in columns if isinstance(column, Column))
    parts = [f"Measured on {today} by `make compare`: {where}; {versions}.\n"]
    for row in ROWS:
        figures = [f"{column.name} {cells[row.key, column.name].figures}" for column in columns if _ran(column)]
        parts.append(f"\n**{row.question}.** {row.done}\n*This run:* {' · '.join(figures)}.\n")
    return "".join(parts)


def write(columns: Sequence[Column | Absent], cells: Table, page: Path = PAGE) -> None:
    """Write table and figures into the page."""
    text = page.read_text(encoding="utf-8")
    text = replaced(text, TABLE, table(columns, cells))
    text = replaced(text, MEASURED, measured(columns, cells))
    page.write_text(text, encoding="utf-8")


def _ran(column: Column | Absent) -> bool:
    return isinstance(column, Column)
