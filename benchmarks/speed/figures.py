"""The ratios that must be reached, and those that were recorded; never a time, which is another on every machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.compare.columns import Absent
from benchmarks.speed.rows import CLIENTS, DELIVERED, FLOOR, ROUTED, Row
from benchmarks.speed.running import Results

RECORDED = Path(__file__).parent / "ratios.json"
SLIDE = 1.2
"""A ratio may be so many times the recorded one: a fifth more."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one row may cost, measured in another.

    Args:
        name: what it is.
        over, under: the rows whose costs a message are divided.
        must: the most that it may be.
        aim: what is better.
    """

    name: str
    over: str
    under: str
    must: float
    aim: float


FIGURES = (
    Figure("picows, typed ÷ the floor", "picows-typed", FLOOR, 1.65, 1.45),
    Figure("picows, batch ÷ the floor", "picows-batch", FLOOR, 1.2, 1.1),
    Figure("picows, batch and keep ÷ the floor", "picows-keep", FLOOR, 0.8, 0.6),
    Figure("picows, keep without batch ÷ the floor", "picows-keep-singly", FLOOR, 0.8, 0.6),
    Figure("default, typed ÷ websockets + json by hand", "rxws-typed", "websockets-json", 0.65, 0.55),
    Figure("route, 10,000 topics ÷ 1 topic", "route-10000", "route-1", 1.2, 1.05),
)
NEEDED: tuple[Row, ...] = tuple(
    row
    for row in (*CLIENTS, *ROUTED, DELIVERED)
    if row is DELIVERED or any(row.key in (figure.over, figure.under) for figure in FIGURES)
)
"""The rows without which a figure cannot be told."""


def ratio(results: Results, over: str, under: str) -> float | None:
    """Return the median of the ratios of each round; None where one of the two is absent.

    A round's two were measured soon after one another, so that a machine that gets slower meanwhile does not count.
    """
    above, below = results.get(over), results.get(under)
    if above is None or below is None or isinstance(above, Absent) or isinstance(below, Absent):
        return None
    pairs = [(a.us, b.us) for a, b in zip(above, below, strict=False) if a.us is not None and b.us is not None]
    return median(a / b for a, b in pairs) if pairs else None


def delivered(results: Results) -> float | None:
    """Return the share of the burst that came; None where it was not sent."""
    samples = results.get(DELIVERED.key)
    if not samples or isinstance(samples, Absent):
        return None
    return min(each.received / each.sent for each in samples)


def ratios(results: Results) -> dict[str, float | None]:
    """Return all figures by name."""
    return {figure.name: ratio(results, figure.over, figure.under) for figure in FIGURES}


def verdict(figure: Figure, value: float | None) -> str:
    """Say whether a figure is reached."""
    if value is None:
        return "not there"
    if value <= figure.aim:
        return "reached, the aim too"
    return "reached" if value <= figure.must else "not reached"


def recorded(path: Path = RECORDED) -> dict[str, float]:
    """Return the recorded ratios by name."""
    return dict(json.loads(path.read_text(encoding="utf-8")))


def record(values: Mapping[str, float | None], path: Path = RECORDED) -> None:
    """Record the ratios that could be told."""
    told = {name: round(value, 3) for name, value in values.items() if value is not None}
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def slid(values: Mapping[str, float | None], before: Mapping[str, float]) -> dict[str, str]:
    """Return the names of the ratios that have slid from what they were, each with what happened.

    One that was recorded and cannot be told any more has slid as well; one that was not recorded cannot.
    """
    found = {}
    for name, old in before.items():
        value = values.get(name)
        if value is None:
            found[name] = f"was {old:.2f} and cannot be measured"
        elif value > old * SLIDE:
            found[name] = f"was {old:.2f} and is {value:.2f}"
    return found
