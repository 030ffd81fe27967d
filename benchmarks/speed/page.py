"""The tables, and the documents that show them."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.compare.columns import Absent
from benchmarks.compare.trial import ROOT
from benchmarks.markers import between, line, replaced
from benchmarks.speed import figures
from benchmarks.speed.rows import CLIENTS, DELIVERED, FLOOR, ROUTED, TOPICS, Row
from benchmarks.speed.running import Results

README = ROOT / "README.md"
PAGES = (README, ROOT / "docs" / "speed.md")
CLIENTS_TABLE, FIGURES_TABLE = "speed", "speed-figures"
TOPICS_TABLE, SOCKETS_TABLE, LATENCY_TABLE = "speed-topics", "speed-sockets", "speed-latency"

Watches = Mapping[str, dict[str, Any] | Absent]
"""What was seen of each client that was watched, by its label."""


def table(heading: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table whose first column is text and whose others are numbers."""
    columns = len(heading)
    filled = (row + [""] * (columns - len(row)) for row in rows)
    return "".join(map(line, [heading, ["---", *["---:"] * (columns - 1)], *filled]))


def cost(results: Results, row: Row) -> str:
    """Return the median cost of a message, or why there is none."""
    samples = results[row.key]
    if isinstance(samples, Absent):
        return f"not there: {samples.reason}"
    costs = [each.us for each in samples if each.us is not None]
    return f"{median(costs):.2f}" if costs else "–"


def times(results: Results, row: Row, under: str) -> str:
    """Return the cost of a row in that of another."""
    value = figures.ratio(results, row.key, under)
    return "–" if row.lossy or value is None else f"{value:.2f}"


def came(results: Results, row: Row) -> str:
    """Return how many messages came of how many."""
    samples = results[row.key]
    if isinstance(samples, Absent):
        return "–"
    least = min(samples, key=lambda each: each.received / each.sent)
    return "all" if least.received == least.sent else f"{least.received:,} of {least.sent:,}"


def clients(results: Results) -> str:
    """Return the table of the clients."""
    heading = ["client", "µs of CPU a message", "× floor", "delivered"]
    return table(
        heading,
        ([row.label, cost(results, row), times(results, row, FLOOR), came(results, row)] for row in CLIENTS),
    )


def reached(results: Results) -> str:
    """Return the table of the figures."""
    values = figures.ratios(results)
    rows = [
        [
            each.name,
            _two(values[each.name]),
            f"≤ {each.must}",
            f"≤ {each.aim}",
            figures.verdict(each, values[each.name]),
        ]
        for each in figures.FIGURES
    ]
    share = figures.delivered(results)
    told = "not there" if share is None else "all" if share == 1.0 else f"{share:.1%}"
    holds = "not there" if share is None else "reached" if share == 1.0 else "not reached"
    rows.append([f"delivered of a burst of {DELIVERED.messages:,}", told, "all", "all", holds])
    return table(["figure", "seen", "must", "aim", ""], rows)


def topics(results: Results) -> str:
    """Return the table of many topics on one connection."""
    heading = ["one connection, a subscriber a topic", "µs of CPU a message", "× `route`, 1 topic"]
    one = ROUTED[0].key
    return table(heading, ([row.label, cost(results, row), times(results, row, one)] for row in TOPICS))


def sockets(seen: Watches, count: int) -> str:
    """Return the table of many quiet sockets."""
    heading = [f"{count:,} sockets, a message a second each", "memory a socket, KB", "CPU, %"]
    rows = ([name, *_told(one, lambda o: [f"{o['rss'] / 1000:.0f}", f"{o['cpu']:.1f}"])] for name, one in seen.items())
    return table(heading, rows)


def latency(seen: Mapping[int, Watches]) -> str:
    """Return the table of how late a value is, from before the server's write to the client's `on_next`."""
    rows = (
        [name, f"{rate:,}", *_told(one, lambda o: [f"{us:.0f}" for us in o["us"]])]
        for rate, watches in seen.items()
        for name, one in watches.items()
    )
    return table(["from the server's write to `on_next`, µs", "messages a second", "p50", "p99", "p99.9"], rows)


def measured(versions: str, messages: int, rounds: int) -> str:
    """Return where, when and of what it was measured."""
    today = datetime.now(UTC).date().isoformat()
    where = f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    return (
        f"Measured on {today} by `make bench`: {where}; Python {platform.python_version()}, {versions}. "
        f"{messages:,} klines of 300 bytes a client, median of {rounds}.\n"
    )


def write(sections: Mapping[str, str], pages: Sequence[Path] = PAGES) -> None:
    """Write each section into the document that has its markers.

    Raises:
        ValueError: none has them.
    """
    for marker, section in sections.items():
        texts = {page: page.read_text(encoding="utf-8") for page in pages}
        page = next((page for page, text in texts.items() if between(text, marker) is not None), pages[0])
        page.write_text(replaced(texts[page], marker, section), encoding="utf-8")


def _told(seen: dict[str, Any] | Absent, cells: Callable[[dict[str, Any]], list[str]]) -> list[str]:
    return [f"not there: {seen.reason}"] if isinstance(seen, Absent) else cells(seen)


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*: (.*)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return found[1] if found else platform.processor() or platform.machine()
