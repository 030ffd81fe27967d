"""Measure what a message costs each client, and print the tables. It takes some four minutes.

--short compares the ratios alone with those recorded, in some twenty seconds. 1: one has slid by more than a fifth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from benchmarks.speed import environments, page, short
from benchmarks.speed.rows import (
    CLIENTS,
    DELIVERED,
    HERE,
    LATENCY_SECONDS,
    RATES,
    SOCKETS,
    TOPICS,
    WATCHED,
)
from benchmarks.speed.running import Interpreters, Server, rounds, watch


def say(text: str) -> None:
    """Write a line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def progress(text: str) -> None:
    """Write a line for who waits; what is printed is only the tables."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def of_the_feed(server: Server, given: Interpreters, messages: int, count: int) -> dict[str, str]:
    """Return the tables that tell what a message costs."""
    results = rounds(server, given, [*CLIENTS, DELIVERED, *TOPICS], messages, count, progress)
    return {
        page.CLIENTS_TABLE: page.clients(results),
        page.FIGURES_TABLE: page.reached(results),
        page.TOPICS_TABLE: page.topics(results),
    }


def of_sockets(server: Server, given: Interpreters) -> dict[str, str]:
    """Return the table of many quiet sockets."""
    seen = {}
    for client in WATCHED:
        progress(f"{SOCKETS:,} sockets: {client.label}")
        path = ("ticks", 1)
        seen[client.label] = watch(server, given[HERE], client.module, "sockets", path, SOCKETS, *client.arguments)
    return {page.SOCKETS_TABLE: page.sockets(seen, SOCKETS)}


def of_latency(server: Server, given: Interpreters) -> dict[str, str]:
    """Return the table of how late a value is."""
    seen: dict[int, dict] = {}
    for rate in RATES:
        count = rate * LATENCY_SECONDS
        for client in WATCHED:
            progress(f"{rate:,} messages a second: {client.label}")
            path = ("stamped", rate, count)
            found = watch(server, given[HERE], client.module, "stamps", path, count, *client.arguments)
            seen.setdefault(rate, {})[client.label] = found
    return {page.LATENCY_TABLE: page.latency(seen)}


def measure(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the tables that were asked for, by their markers."""
    progress("making the environments of the clients under build")
    given, sections = environments.interpreters(), {}
    with Server() as server:
        if "feed" in arguments.tables:
            sections |= of_the_feed(server, given, arguments.messages, arguments.rounds)
            measured = page.measured(environments.versions(given[HERE]), arguments.messages, arguments.rounds)
            sections[page.CLIENTS_TABLE] += f"\n{measured}"
        if "sockets" in arguments.tables:
            sections |= of_sockets(server, given)
        if "latency" in arguments.tables:
            sections |= of_latency(server, given)
    return sections


def show(sections: Mapping[str, str], write: bool) -> None:
    """Print the tables, and write them if asked for."""
    for section in sections.values():
        say(section)
    if write:
        page.write(sections)
        say(f"written between the markers {', '.join(sections)}")


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000, help="klines a client and round")
    parser.add_argument("--rounds", type=int, default=5)
    tables = ("feed", "sockets", "latency")
    parser.add_argument("--tables", nargs="+", choices=tables, default=tables, help="only these")
    parser.add_argument("--write", action="store_true", help="also write README.md and docs/speed.md")
    parser.add_argument("--short", action="store_true", help="compare the ratios with those recorded")
    parser.add_argument("--record", action="store_true", help="measure the ratios of --short and record them")
    given = parser.parse_args(arguments)
    if given.messages < 10_000 or given.messages % 10_000:
        parser.error("--messages: whole tens of thousands, so that every client's last buffer is full")
    return given


def main(given: Sequence[str] | None = None) -> int:
    """Measure, and say whether what was asked for holds."""
    arguments = parsed(sys.argv[1:] if given is None else given)
    if arguments.record:
        short.record(say)
        return 0
    if arguments.short:
        return 0 if short.check(say) else 1
    show(measure(arguments), arguments.write)
    return 0


if __name__ == "__main__":
    sys.exit(main())
