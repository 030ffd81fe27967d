"""Runs clients in processes of their own, one after the other, in turns, against one server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from benchmarks.compare.columns import Absent
from benchmarks.compare.trial import ROOT
from benchmarks.speed.frames import CLOSED_EVERY
from benchmarks.speed.rows import Row

PATIENCE = 300.0  # seconds that any client may take
# A proxy of the user's would stand between the client and loopback.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

Interpreters = Mapping[str, str | Absent]
"""The Python of each environment; absent, it could not be made."""


class Failed(RuntimeError):
    """A client ended with an error."""


class Miscounted(RuntimeError):
    """A client has not counted what the server sent."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One client, once.

    Args:
        us: CPU time of a message, in microseconds; None where not all came.
        received: how many messages it received.
        sent: of how many.
    """

    us: float | None
    received: int
    sent: int


Results = dict[str, list[Sample] | Absent]
"""The samples of each row, a round each, by its key."""


class Server:
    """The process of the server."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.speed.server"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # the end of its stdin is its end

    def url(self, *path: object) -> str:
        """Return where it plays what a path says."""
        return "/".join(map(str, (f"ws://127.0.0.1:{self.port}", *path)))


def run(interpreter: str, module: str, *arguments: object) -> dict[str, Any] | Absent:
    """Run a client to its end, and return what it told; absent, something that it needs is not there.

    Raises:
        Failed: it ended with an error.
    """
    command = [interpreter, "-m", f"benchmarks.speed.clients.{module}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, timeout=PATIENCE)
    missing = re.search(r"^ModuleNotFoundError: No module named '(\w+)'", done.stderr, re.MULTILINE)
    if done.returncode and missing and missing[1] not in ("benchmarks", "rxws"):
        return Absent(module, f"{missing[1]} is not installed")
    if done.returncode:
        raise Failed(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}")
    told = json.loads(done.stdout)
    return told


def sample(row: Row, sent: int, told: Mapping[str, Any]) -> Sample:
    """Return what a client told, held against what the server sent.

    Raises:
        Miscounted: it is not the same.
    """
    if not row.lossy and told["closed"] != sent // CLOSED_EVERY:
        raise Miscounted(f"{row.key} counted {told['closed']} closed klines, and {sent // CLOSED_EVERY} were sent")
    if not row.lossy and told["received"] != sent:
        raise Miscounted(f"{row.key} counted {told['received']} klines, and {sent} were sent")
    return Sample(told["us"], told["received"], sent)


def measure(server: Server, interpreters: Interpreters, row: Row, messages: int) -> Sample | Absent:
    """Run the client of one row, once."""
    interpreter, sent = interpreters[row.environment], row.sent(messages)
    if isinstance(interpreter, Absent):
        return interpreter
    told = run(interpreter, row.module, server.url("feed", row.topics, sent), sent, *row.arguments)
    return told if isinstance(told, Absent) else sample(row, sent, told)


def rounds(
    server: Server,
    interpreters: Interpreters,
    rows: Sequence[Row],
    messages: int,
    count: int,
    progress: Callable[[str], object] = lambda text: None,
) -> Results:
    """Run all rows in turn, so many times, so that what else the machine does hits all alike."""
    results: Results = {row.key: [] for row in rows}
    for number in range(count):
        for row in rows:
            samples = results[row.key]
            if isinstance(samples, Absent) or (row.lossy and number):
                continue
            found = measure(server, interpreters, row, messages)
            if isinstance(found, Absent):
                results[row.key] = found
                progress(f"{row.key}: {found.reason}")
            else:
                samples.append(found)
                cost = "" if found.us is None else f"{found.us:.2f} µs, "
                progress(f"{row.key}: {cost}{found.received:,} of {found.sent:,} ({number + 1} of {count})")
    return results


def watch(
    server: Server, interpreter: str | Absent, module: str, kind: str, path: Sequence[object], *arguments: object
) -> dict[str, Any] | Absent:
    """Run a client of `clients/watch.py`."""
    if isinstance(interpreter, Absent):
        return interpreter
    return run(interpreter, module, kind, server.url(*path), *arguments)
