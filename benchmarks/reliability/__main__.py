"""Play the rows and write docs/reliability.md. All of them take some ten minutes."""

from __future__ import annotations

import argparse
import logging
import sys
import time

from benchmarks.reliability import page
from benchmarks.reliability.row import Figure
from benchmarks.reliability.rows import ROWS
from benchmarks.reliability.running import play


def say(text: str) -> None:
    """Write a line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Play, tell, and write the page where all rows were played in full; 1 where a row failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("--rows", help="only these, by their keys, with commas between; nothing is written")
    parser.add_argument("--short", action="store_true", help="in a reduced size; nothing is written")
    chosen = parser.parse_args()
    keys = chosen.rows.split(",") if chosen.rows else [each.key for each in ROWS]
    if unknown := set(keys) - {each.key for each in ROWS}:
        parser.error(f"no row is called {', '.join(sorted(unknown))}")
    logging.getLogger("rxws").addHandler(logging.NullHandler())  # losses are what is played: no news
    figures: dict[str, Figure] = {}
    # One after the other, so that none disturbs another.
    for row in ROWS:
        if row.key in keys:
            begun = time.monotonic()
            figures[row.key] = figure = play(row, short=chosen.short)
            took = time.monotonic() - begun
            say(f"{'holds' if figure.passed else 'FAILS'}  {row.key:20} {figure.text}   [{took:.1f} s]")
    failed = [key for key, figure in figures.items() if not figure.passed]
    say(f"{len(figures) - len(failed)} of {len(figures)} rows hold" + (f"; not: {', '.join(failed)}" if failed else ""))
    if not chosen.rows and not chosen.short:
        page.write(figures)
        say(f"written: {page.PAGE.name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
