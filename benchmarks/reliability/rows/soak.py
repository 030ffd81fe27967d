"""Long runs: what the later half takes in memory, tasks and file descriptors beyond the earlier one is nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.reliability.process import PIECE, ServerProcess
from benchmarks.reliability.row import Figure, Trial, counted, row
from benchmarks.reliability.watching import CHANCE, SETTINGS
from rxws import Backoff, Stats

STATM, DESCRIPTORS = Path("/proc/self/statm"), Path("/dev/fd")
BLOCKS = 2_000
"""Blocks of Python's allocator that come and go; one a reconnect would be more in the half of a long run."""
MEMORY = 2.0
"""MiB that a process may take for reasons of its own."""
SOCKETS = 2
"""Sockets, and tasks, that there may be more at one moment than at another: one closes while the next one opens."""


@dataclass(frozen=True)
class Held:
    """What this process holds at a moment."""

    blocks: int
    memory: float
    tasks: int
    descriptors: int

    @classmethod
    def now(cls) -> Held:
        """Look, after the collector has been by."""
        gc.collect()
        pages = int(STATM.read_text().split()[1]) if STATM.exists() else 0
        return cls(
            sys.getallocatedblocks(),
            pages * resource.getpagesize() / 2**20,
            len(asyncio.all_tasks()),
            len(os.listdir(DESCRIPTORS)),
        )

    def grown(self, before: Held) -> dict[str, object]:
        """Return the checks of what has been added since."""
        return {
            "flat_blocks": self.blocks - before.blocks < BLOCKS,
            "flat_memory": self.memory - before.memory < MEMORY,
            "flat_tasks": self.tasks - before.tasks <= SOCKETS,
            "flat_descriptors": self.descriptors - before.descriptors <= SOCKETS,
        }


class Counter:
    """A consumer that keeps nothing: it sees whether each number follows the last one.

    Args:
        looks: the numbers at which it looks what this process holds.
    """

    def __init__(self, *looks: int) -> None:
        self.last = 0
        self.wrong = 0
        self.held: list[Held] = []
        self.error: Exception | None = None
        self._looks = looks

    def on_next(self, value: dict[str, int]) -> None:
        """Take the next number."""
        self.wrong += value["n"] != self.last + 1
        self.last = value["n"]
        if self.last in self._looks:
            # When the read is over: what came with it, and has not been handed on, would count.
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self.held.append(Held.now())

    def on_error(self, error: Exception) -> None:
        """Note that it is over."""
        self.error = error


async def soaked(
    trial: Trial, server: ServerProcess, messages: int, **settings: Any
) -> tuple[Stats, str, dict[str, object]]:
    """Take so many messages; return the counters, and as text and as checks what the later half has added."""
    consumer, stats = Counter(messages // 2, messages), Stats()
    stream = trial.client(server.url, **{**SETTINGS, **CHANCE, "stats": stats, **settings})
    subscription = trial.leftovers.as_client(stream.subscribe, consumer.on_next, consumer.on_error)
    await trial.until(lambda: len(consumer.held) == 2 or consumer.error, 60 * trial.patience)
    subscription.dispose()
    await trial.after_a_while()
    half, whole = consumer.held
    text = (
        f"{whole.blocks - half.blocks:+,} blocks, {whole.memory - half.memory:+.1f} MiB, "
        f"{whole.tasks - half.tasks:+} tasks, {whole.descriptors - half.descriptors:+} descriptors"
    )
    right = consumer.wrong == 0 and consumer.last >= messages and consumer.error is None
    return stats, text, {"each_once_and_in_order": right, **whole.grown(half)}


@row(
    "soak-reconnects",
    "10,000 connections in a row, of 100 messages each, end by a close frame, a FIN or a reset",
    "All 1,000,000 messages, each once, in order; the later half adds nothing to memory, tasks or file descriptors",
    limit=600.0,
)
async def soak_reconnects(trial: Trial) -> Figure:
    ends = trial.size(300, 10_000)
    messages = (ends + 1) * PIECE  # the last connection stays
    async with ServerProcess("ending", ends) as server:
        at_once = Backoff.fixed(0.0)
        stats, text, checks = await soaked(trial, server, messages, retry=at_once, idle_timeout=None)
        return Figure.of(
            f"{counted(stats.reactive_disconnects, 'reconnect')}, {stats.messages_received:,} messages; "
            f"later half: {text}",
            reconnects=stats.reactive_disconnects == ends and stats.connects == ends + 1,
            messages=stats.messages_received == messages,
            **checks,
        )


@row(
    "soak-messages",
    "1,000,000 messages on one connection, as fast as they are taken",
    "Each once, in order, on that connection; the later half adds nothing to memory, tasks or file descriptors",
    limit=600.0,
)
async def soak_messages(trial: Trial) -> Figure:
    messages = trial.size(50_000, 1_000_000)
    async with ServerProcess("streaming", messages) as server:
        stats, text, checks = await soaked(trial, server, messages)
        return Figure.of(
            f"{stats.messages_received:,} messages, {counted(stats.connects, 'connection')}; later half: {text}",
            one_connection=stats.connects == 1 and stats.reactive_disconnects == 0,
            **checks,
        )
