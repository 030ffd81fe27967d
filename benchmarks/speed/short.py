"""The short form: are the ratios still what they were?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from benchmarks.markers import line
from benchmarks.speed import figures
from benchmarks.speed.figures import FIGURES, NEEDED
from benchmarks.speed.rows import DELIVERED, HERE, Row
from benchmarks.speed.running import Results, Server, rounds

MESSAGES, ROUNDS = 40_000, 3
AGAIN = 7
"""Rounds in which a ratio that slid is measured once more, and those that are recorded are."""

Say = Callable[[str], object]


def measured(server: Server, rows: Iterable[Row], count: int, say: Say) -> Results:
    """Measure rows in this environment."""
    return rounds(server, {HERE: sys.executable}, list(rows), MESSAGES, count, say)


def check(say: Say, path: Path = figures.RECORDED) -> bool:
    """Measure all ratios, a second time those that slid, and return whether each is what it was, to a fifth."""
    before = figures.recorded(path)
    with Server() as server:
        results = measured(server, NEEDED, ROUNDS, say)
        values = figures.ratios(results)
        suspects = [each for each in FIGURES if each.name in figures.slid(values, before)]
        if suspects:
            names = {key for figure in suspects for key in (figure.over, figure.under)}
            say(f"once more, in {AGAIN} rounds: {', '.join(figure.name for figure in suspects)}")
            again = measured(server, [row for row in NEEDED if row.key in names], AGAIN, say)
            values |= {figure.name: figures.ratio(again, figure.over, figure.under) for figure in suspects}
    say(table(values, before))
    return judged(values, before, figures.delivered(results), say)


def judged(values: Mapping[str, float | None], before: Mapping[str, float], delivered: float | None, say: Say) -> bool:
    """Say which ratios have slid, and whether messages of the burst were lost; return whether all is well."""
    slid = figures.slid(values, before)
    for name, what in slid.items():
        say(f"slid by more than a fifth: {name} {what}")
    if delivered != 1.0:
        say(
            f"delivered of a burst of {DELIVERED.messages:,}: {delivered:.1%}"
            if delivered
            else "no burst was delivered"
        )
    return not slid and delivered == 1.0


def table(values: Mapping[str, float | None], before: Mapping[str, float]) -> str:
    """Return the ratios, now and as recorded."""
    told = ([name, _two(value), _two(before.get(name))] for name, value in values.items())
    return "".join(map(line, [["Ratio", "now", "recorded"], ["---", "---:", "---:"], *told]))


def record(say: Say, path: Path = figures.RECORDED) -> None:
    """Measure all ratios and record them."""
    with Server() as server:
        values = figures.ratios(measured(server, NEEDED, AGAIN, say))
    figures.record(values, path)
    say(table(values, figures.recorded(path)))


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
