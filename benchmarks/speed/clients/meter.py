"""Measures the CPU time of the process that it is in."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.speed.frames import CLOSED_EVERY

SIZE = 100
"""Closed klines in a buffer."""
STALLED = 3.0  # seconds without any kline after which no more is expected
GRACE = 0.05  # seconds in which a client that counts too many would show it


class Meter:
    """Takes the buffers of closed klines; the first begins the measurement, so that its messages are not in it."""

    def __init__(self, sent: int) -> None:
        self.sent = sent
        self.closed = 0
        self.received: int | None = None
        """Set by a client that counts all messages, not the closed ones alone."""
        self.begun = self.ended = 0.0
        self.before = 0
        """Closed klines that had come when the measurement began."""
        self.done = asyncio.Event()
        self.error: BaseException | None = None

    def take(self, klines: Sequence[object]) -> None:
        """Take a buffer."""
        self.closed += len(klines)
        if self.before == 0:
            self.begun, self.before = time.process_time(), self.closed
        elif not self.ended and self.closed * CLOSED_EVERY >= self.sent:
            self.ended = time.process_time()
            self.done.set()

    def fail(self, error: BaseException) -> None:
        """Take the error of a stream."""
        self.error = error
        self.done.set()

    def report(self) -> dict[str, object]:
        """Return what was seen; no cost where not all has come."""
        messages = (self.sent // CLOSED_EVERY - self.before) * CLOSED_EVERY
        cpu = self.ended - self.begun if self.ended else None
        received = self.closed * CLOSED_EVERY if self.received is None else self.received
        return {
            "cpu": cpu,
            "messages": messages,
            "us": None if cpu is None else cpu / messages * 1e6,
            "closed": self.closed,
            "received": received,
        }


Consume = Callable[[str, Meter], Awaitable[object]]


async def over(meter: Meter, consuming: asyncio.Future[object]) -> None:
    """Wait for all klines, or until no more come.

    Raises:
        Exception: what the client failed with.
    """
    seen = None
    while not meter.done.is_set() and seen != (meter.closed, meter.received):
        seen = meter.closed, meter.received
        waiting = asyncio.ensure_future(meter.done.wait())
        await asyncio.wait({waiting, consuming}, timeout=STALLED, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if consuming.done():
            consuming.result()
    if meter.error is not None:
        raise meter.error
    await asyncio.sleep(GRACE)


async def measured(consume: Consume, url: str, sent: int) -> dict[str, object]:
    """Run a client and return what was seen of it."""
    meter = Meter(sent)
    consuming = asyncio.ensure_future(consume(url, meter))
    try:
        await over(meter, consuming)
    finally:
        consuming.cancel()
        await asyncio.gather(consuming, return_exceptions=True)
    return meter.report()


def tell(facts: dict[str, object]) -> None:
    """Print as one line of JSON."""
    sys.stdout.write(json.dumps(facts) + "\n")


def run(consume: Consume) -> None:
    """Be the program of a client."""
    url, count = sys.argv[1:3]
    tell(asyncio.run(measured(consume, url, int(count))))
