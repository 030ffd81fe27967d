"""Play all rows to all clients and write docs/comparison.md. It takes about three minutes."""

from __future__ import annotations

import asyncio
import sys

from benchmarks.compare import columns, environments, page, running
from benchmarks.compare.trial import ROOT


def say(text: str) -> None:
    """Write a line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Make the environments, run, write."""
    say("making the environments of kstlib and RxJS under build/compare")
    clients = [*columns.of_this_environment(), environments.kstlib(), environments.rxjs()]
    # One at a time, so that none disturbs another.
    cells = asyncio.run(running.table(clients, progress=say))
    page.write(clients, cells)
    say(f"written: {page.PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
