"""Measures many quiet sockets, and how late a value is."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence

import psutil

from benchmarks.speed.clients.meter import tell
from benchmarks.speed.frames import STAMP
from benchmarks.speed.resources import allow_sockets

OPENING = 60.0  # seconds in which all sockets must have had a message
SETTLING = 2.0  # seconds from then to the measurement
WINDOW = 10.0
WARM = 10  # one stamp in so many is of the time in which the client gets warm
SHARES = (0.5, 0.99, 0.999)


class Sockets:
    """Counts what has come, by socket."""

    def __init__(self, count: int) -> None:
        self.heard = [0] * count
        self.all = asyncio.Event()
        self.silent = count

    def on_next(self, number: int) -> None:
        """Count a message of one socket."""
        self.heard[number] += 1
        if self.heard[number] == 1:
            self.silent -= 1
            if self.silent == 0:
                self.all.set()


Open = Callable[[int, Callable[[int], object]], None]
"""Opens the socket of that number, and calls with it for each message."""


async def watch_sockets(open_one: Open, count: int) -> dict[str, object]:
    """Open so many sockets, and return what each holds in memory and what all cost in CPU time."""
    allow_sockets()
    process, sockets = psutil.Process(), Sockets(count)
    before = process.memory_info().rss
    for number in range(count):
        open_one(number, sockets.on_next)
    async with asyncio.timeout(OPENING):
        await sockets.all.wait()
    await asyncio.sleep(SETTLING)
    heard, cpu, begun = sum(sockets.heard), time.process_time(), time.perf_counter()
    await asyncio.sleep(WINDOW)
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - begun
    rss = process.memory_info().rss - before
    return {"rss": rss / count, "cpu": 100 * cpu / seconds, "received": sum(sockets.heard) - heard}


class Stamps:
    """Compares the stamps of values with the time at which they came."""

    def __init__(self, count: int) -> None:
        self.late: list[int] = []
        self.count = count
        self.done = asyncio.Event()

    def take(self, stamp: int) -> None:
        """Take the stamp of one value."""
        self.late.append(time.perf_counter_ns() - (stamp - STAMP))
        if len(self.late) == self.count:
            self.done.set()

    def report(self) -> dict[str, object]:
        """Return the quantiles in microseconds."""
        late = sorted(self.late[self.count // WARM :])
        return {"us": quantiles(late), "received": len(self.late)}


def quantiles(late: Sequence[int]) -> list[float]:
    """Return what so many of all are not later than, in microseconds, of sorted nanoseconds.

    >>> quantiles([1_000 * each for each in range(1, 1_001)])
    [500.0, 990.0, 999.0]
    """
    return [late[max(0, round(share * len(late)) - 1)] / 1_000 for share in SHARES]


Receive = Callable[[str, Callable[[int], object]], None]
"""Connects, and calls with the stamp of each value."""


async def watch_stamps(receive: Receive, url: str, count: int) -> dict[str, object]:
    """Receive so many stamped klines, and return how late they were."""
    stamps = Stamps(count)
    receive(url, stamps.take)
    async with asyncio.timeout(OPENING):
        await stamps.done.wait()
    return stamps.report()


def run(open_one: Callable[[str], Open], receive: Receive) -> None:
    """Be the program of a client: `sockets URL COUNT` or `stamps URL COUNT`."""
    kind, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

    async def main() -> None:
        if kind == "sockets":
            tell(await watch_sockets(open_one(url), count))
        else:
            tell(await watch_stamps(receive, url, count))

    asyncio.run(main())
