"""Measure what a message of an order book costs rxws and cryptofeed, on the same recordings, and print the table.

It takes about a minute, and longer the first time: cryptofeed is installed under build/. Both must end with the same
books, or nothing is printed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.books import short
from benchmarks.books.recordings import BOOKS, Ends, book_frames
from benchmarks.compare.environments import virtual
from benchmarks.compare.trial import ROOT
from benchmarks.speed import page
from rxws.market import BookDelta, BookSnapshot

TABLE = "books"
CRYPTOFEED = "cryptofeed==2.4.1"
MESSAGES = 20_000
THEIRS = Path(__file__).with_name("theirs.py")
LABELS = {
    **short.LABELS,
    "book": "the book alone, never read",
    "read": "the book alone, its best bid and ask read after each message",
}

Costs = dict[str, float]


class Different(RuntimeError):
    """The two have not made the same books of the same messages."""


def progress(text: str) -> None:
    """Write a line for who waits; what is printed is only the table."""
    sys.stderr.write(f"{text}\n")


def cryptofeed() -> list[str] | str:
    """Return the Python that has it, or why there is none."""
    try:
        return [virtual(ROOT / "build" / "books", CRYPTOFEED)]
    except subprocess.CalledProcessError as error:
        return f"pip could not install it (status {error.returncode})"


def events(name: str) -> str:
    """Return what happens to the books of a recording, for who has no decoder for it."""
    venue = import_module(f"rxws.exchanges.{name}")
    told = [event for frame in book_frames(name) for event in venue.decode(frame)]
    return json.dumps([_plain(event) for event in told])


def _plain(event: BookSnapshot | BookDelta) -> list[object]:
    sides = ([[f"{price:f}", f"{size:f}"] for price, size in side] for side in (event.bids, event.asks))
    return [event.symbol, isinstance(event, BookSnapshot), *sides]


def measured(name: str, rounds: int, theirs: list[str] | str) -> tuple[Costs, Costs]:
    """Return the median costs of ours and of theirs; they take turns, so that the machine is as noisy for both.

    Raises:
        Different: their books are not the same at the end.
    """
    passes = max(1, MESSAGES // len(book_frames(name)))
    arguments = [name, str(passes)]
    runs: tuple[list[Costs], list[Costs]] = ([], [])
    for _ in range(rounds):
        ours = _run([sys.executable, "-m", "benchmarks.books.ours", *arguments], "")
        runs[0].append(ours["costs"])
        if not isinstance(theirs, str):
            found = _run([*theirs, str(THEIRS), *arguments], events(name))
            runs[1].append(found["costs"])
            check_ends(name, ours["ends"], found["ends"])
    return _medians(runs[0]), _medians(runs[1])


def check_ends(name: str, ours: Ends, theirs: Ends) -> None:
    """Refuse to compare costs of books that are not the same.

    Raises:
        Different: it names the symbols.
    """
    different = sorted(symbol for symbol in ours.keys() | theirs.keys() if ours.get(symbol) != theirs.get(symbol))
    if different:
        raise Different(f"{name}: the books of {', '.join(different)} are not the same at the end")


def _run(command: list[str], told: str) -> dict[str, Any]:
    done = subprocess.run(command, input=told, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _medians(runs: list[Costs]) -> Costs:
    return {key: median(run[key] for run in runs) for key in (runs[0] if runs else {})}


def rows(name: str, ours: Costs, theirs: Costs) -> list[list[str]]:
    """Return the lines of one recording."""
    return [
        [
            f"`{name}`: {LABELS[key]}",
            f"{cost:.2f}",
            f"{1e6 / cost:,.0f}",
            f"{theirs[key]:.2f}" if key in theirs else "–",
            f"{cost / theirs[key]:.2f}" if key in theirs else "–",
        ]
        for key, cost in ours.items()
    ]


def main(given: list[str] | None = None) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.books", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="also write docs/speed.md")
    parser.add_argument("--short", action="store_true", help="compare ratios with those recorded, without cryptofeed")
    parser.add_argument("--record", action="store_true", help="measure the ratios of --short and record them")
    arguments = parser.parse_args(given)
    if arguments.record:
        short.record()
        return 0
    if arguments.short:
        return 0 if short.check(lambda text: sys.stdout.write(f"{text}\n")) else 1
    progress("making the environment of cryptofeed under build")
    theirs = cryptofeed()
    found: list[list[str]] = []
    for name in BOOKS:
        progress(f"books of {name}")
        found += rows(name, *measured(name, arguments.rounds, theirs))
    heading = ["recorded messages of books", "rxws, µs", "a second", f"{CRYPTOFEED.replace('==', ' ')}, µs", "ratio"]
    section = page.table(heading, found)
    if isinstance(theirs, str):
        section += f"\ncryptofeed is not there: {theirs}.\n"
    sys.stdout.write(section)
    if arguments.write:
        page.write({TABLE: section})
    return 0


if __name__ == "__main__":
    sys.exit(main())
