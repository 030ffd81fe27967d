"""The short form: does a book still cost what it did, measured in `json.loads` of the same messages?

cryptofeed is not needed for it. A machine that is twice as slow is so for both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import process_time

from benchmarks.books import ours
from benchmarks.books.recordings import BOOKS, book_frames
from benchmarks.speed import figures

RECORDED = Path(__file__).with_name("ratios.json")
MESSAGES, ROUNDS, AGAIN = 4_000, 5, 15
LABELS = {"all": "decoded, checked by its links, and in the book", "checked": "the same with each checksum verified"}

Say = Callable[[str], object]


def ratios(names: Sequence[str], rounds: int) -> dict[str, float]:
    """Return the median ratios of recordings, by what they are of."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name in names:
            passes = max(1, MESSAGES // len(book_frames(name)))
            costs, under = ours.measured(name, passes), _loads(name, passes)
            for key, label in LABELS.items():
                if key in costs:
                    found.setdefault(f"{name}: {label} ÷ json.loads", []).append(costs[key] / under)
    return {figure: median(seen) for figure, seen in found.items()}


def check(say: Say, path: Path = RECORDED, rounds: int = ROUNDS, again: int = AGAIN) -> bool:
    """Measure all ratios, a second time where one slid, and return whether each is what it was, to a fifth."""
    before = figures.recorded(path)
    values: dict[str, float | None] = {**ratios(list(BOOKS), rounds)}
    if suspects := figures.slid(values, before):
        names = [name for name in BOOKS if any(each.startswith(f"{name}:") for each in suspects)]
        values.update(ratios(names, again))
    found = figures.slid(values, before)
    for name, what in found.items():
        say(f"slid by more than a fifth: {name} {what}")
    return not found


def record(path: Path = RECORDED) -> None:
    """Measure all ratios and record them."""
    figures.record(ratios(list(BOOKS), AGAIN), path)


def _loads(name: str, passes: int) -> float:
    frames = [frame.encode() for frame in book_frames(name)]
    began = process_time()
    for _ in range(passes):
        for frame in frames:
            json.loads(frame)
    return (process_time() - began) / (passes * len(frames)) * 1e6
