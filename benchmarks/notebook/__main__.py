"""Show a chart in JupyterLab under two loads, and print what it costs: some three minutes. 1: a figure is missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.notebook.trial import Measured, measure
from tests.notebook.browser.lab import CHROMIUM, Lab, browser

LOADS = (100.0, 1_000.0)
"""Events a second."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Args:
        name: what it is.
        text: says it of a measurement.
        limit: what must hold, in words; empty: nothing must.
        holds: whether it does, by the events a second that are asked for.
    """

    name: str
    text: Callable[[Measured], str]
    limit: str = ""
    holds: Callable[[Measured, float], bool] = lambda _, __: True


FIGURES = (
    Figure("events a second", lambda m: f"{m.events:.0f}", "as many as told", lambda m, n: m.events > 0.95 * n),
    Figure(
        "kernel CPU, %",
        lambda m: f"{m.cpu:.1f}",
        "≤ 6 at 100, ≤ 10 at 1,000",
        lambda m, n: m.cpu <= (6 if n == LOADS[0] else 10),
    ),
    Figure(
        "kernel memory, MB",
        lambda m: f"{m.rss[0]:.1f} → {m.rss[1]:.1f}",
        "flat: + 2 at most",
        lambda m, _: m.rss[1] - m.rss[0] <= 2.0,
    ),
    Figure(
        "messages to the browser a second", lambda m: f"{m.messages:.1f}", "≤ 20.5", lambda m, _: m.messages <= 20.5
    ),
    Figure("browser, frames a second", lambda m: f"{m.fps:.1f}", "60: ≥ 59", lambda m, _: m.fps >= 59.0),
    Figure(
        "newest value, arrival to drawn, ms: p50, p95",
        lambda m: f"{m.latency[0]:.0f}, {m.latency[1]:.0f}",
        "p50 ≤ 30",
        lambda m, _: m.latency[0] <= 30.0,
    ),
    Figure("every value, the same", lambda m: f"{m.latency_of_every[0]:.0f}, {m.latency_of_every[1]:.0f}"),
    Figure(
        "page memory, MB",
        lambda m: f"{m.heap[0]:.1f} → {m.heap[1]:.1f}",
        "flat: + 2 at most",
        lambda m, _: m.heap[1] - m.heap[0] <= 2.0,
    ),
    Figure("page's thread at work, %", lambda m: f"{m.main_thread:.0f}"),
)


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notebook", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each load is watched; 60")
    seconds = parser.parse_args().seconds
    if CHROMIUM is None:
        parser.error("there is no Chromium: as root on Debian, sh .ci/browser installs it")
    measured: dict[float, Measured] = {}
    with TemporaryDirectory() as home, Lab(Path(home) / "lab") as lab, browser() as chromium:
        for events in LOADS:
            measured[events] = measure(lab, chromium, events, seconds)
    table = Table(title=f"A live chart in JupyterLab, watched for {seconds:g} s")
    table.add_column("")
    for events in LOADS:
        table.add_column(f"{events:,.0f} events/s", justify="right")
    table.add_column("must be")
    missed = False
    for figure in FIGURES:
        held = [figure.holds(measured[events], events) for events in LOADS]
        missed |= not all(held)
        cells = [
            figure.text(measured[events]) if holds else f"[bold red]{figure.text(measured[events])} MISSED[/]"
            for events, holds in zip(LOADS, held, strict=True)
        ]
        table.add_row(figure.name, *cells, figure.limit)
    Console(width=110).print(table)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
