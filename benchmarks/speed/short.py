"""The short form: are the ratios still what they were?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.markers import line
from benchmarks.speed import figures
from benchmarks.speed.figures import FIGURES, NEEDED
from benchmarks.speed.rows import DELIVERED, HERE, Row
from benchmarks.speed.running import Results, Server, rounds

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Form:
    """How short it is.

    Args:
        rows: the clients.
        messages: klines that each gets.
        rounds: how often each is run.
        again: how often those of a ratio that slid are run once more, and all are for what is recorded.
    """

    rows: Sequence[Row] = NEEDED
    messages: int = 100_000
    rounds: int = 3
    again: int = 7


SHORT = Form()


def check(say: Say, path: Path = figures.RECORDED, form: Form = SHORT) -> bool:
    """Measure all ratios, a second time those that slid, and return whether each is what it was, to a fifth."""
    before = figures.recorded(path)
    with Server() as server:
        results = _rounds(server, form.rows, form.messages, form.rounds, say)
        values = figures.ratios(results)
        found = figures.slid(values, before)
        # What a busy machine did to a few rounds, it will hardly do to more of them.
        suspects = [each for each in FIGURES if each.name in found and values[each.name] is not None]
        if suspects:
            say(f"once more, in {form.again} rounds: {', '.join(each.name for each in suspects)}")
            keys = {key for each in suspects for key in (each.over, each.under)}
            rows = [row for row in form.rows if row.key in keys]
            again = _rounds(server, rows, form.messages, form.again, say)
            values |= {each.name: figures.ratio(again, each.over, each.under) for each in suspects}
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


def record(say: Say, path: Path = figures.RECORDED, form: Form = SHORT) -> None:
    """Measure all ratios and record them."""
    with Server() as server:
        values = figures.ratios(_rounds(server, form.rows, form.messages, form.again, say))
    figures.record(values, path)
    say(table(values, figures.recorded(path)))


def _rounds(server: Server, rows: Sequence[Row], messages: int, count: int, say: Say) -> Results:
    return rounds(server, {HERE: sys.executable}, rows, messages, count, say)


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
