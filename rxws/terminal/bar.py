"""The line above a view: what it shows, and how its streams are."""

from __future__ import annotations

from math import ceil

from rich.cells import cell_len

from rxws.live import Report
from rxws.live.streams import COUNTDOWN
from rxws.redaction import escaped
from rxws.terminal.colours import BOLD, DIM, STATES
from rxws.terminal.rows import Part, Row, fitted, shortened

__all__ = ["QUIET", "bar_row", "told"]

QUIET = 5.0
"""After so many seconds without a value it is said."""


def bar_row(title: str, report: Report, events: int | None, dropped: int, width: int) -> Row:
    """Return the line above a view.

    Args:
        title: what is shown.
        report: how its streams are.
        events: how many values have come; None: that is not told.
        dropped: how many of them could not be kept.
        width: columns. Where they are few, the counts go first, then what the title takes more than half of.

    >>> from rxws.terminal.rows import text_of
    >>> text_of(bar_row("BTCUSDT 1m", Report("live", "live", quiet=12.3), 1234, 0, 60))
    '● BTCUSDT 1m  live · no update for 12 s         1,234 events'
    """
    title, words = escaped(title), told(report)
    style = STATES.get(report.state, DIM)
    counts = (
        ""
        if events is None
        else f"{events:,} event{'' if events == 1 else 's'}" + (f" · {dropped:,} dropped" if dropped else "")
    )
    if 2 + cell_len(title) + 2 + cell_len(words) > width:
        title = shortened(title, width // 2)
    head = cell_len(title) + 2 if title else 0
    words = shortened(words, max(1, width - 2 - head))
    parts: list[Part] = [("● ", style), *([(title, BOLD), ("  ", None)] if title else []), (words, style)]
    left = 2 + head + cell_len(words)
    if counts and left + 2 + len(counts) <= width:
        parts.append((counts.rjust(width - left), DIM))
    return fitted(parts, width)


def told(report: Report) -> str:
    """Return what a report says, with its times.

    >>> told(Report("waiting", "reconnecting {in}: lost: server closed (1012)", seconds=2.3))
    'reconnecting in 3 s: lost: server closed (1012)'
    """
    text = report.text
    if report.seconds is not None:
        text = text.replace(COUNTDOWN, _in(report.seconds))
    if report.state == "live" and report.quiet is not None and report.quiet >= QUIET:
        text += f" · no update for {_span(int(report.quiet))}"
    return escaped(text)


def _in(seconds: float) -> str:
    return "now" if seconds <= 0 else f"in {_span(ceil(seconds))}"


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 100 else f"{seconds // 60} min" if seconds < 6_000 else f"{seconds // 3600} h"
