"""What the Python clients tell of themselves, and when they stop."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

TICK = 0.1  # seconds between two counts told


class ConsumerError(Exception):
    """What the consumer of the messages raises in the row "exception"."""

    def __init__(self) -> None:
        super().__init__("the consumer's own error")


class Report:
    """Says what became of the stream, and how many messages the consumer has had."""

    def __init__(self) -> None:
        self.received = 0

    def tell(self, **facts: object) -> None:
        """Write these facts as one line."""
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()

    def completed(self) -> None:
        """The stream has ended, and said so."""
        self.tell(completed=True)

    def error(self, error: BaseException) -> None:
        """An error has come to where the user's code could see it."""
        if isinstance(error, ConsumerError):
            self.tell(raised=True)
        else:
            self.tell(error=f"{type(error).__name__}: {error}")

    async def count(self) -> None:
        """Tell the count whenever it has grown."""
        told = 0
        while True:
            await asyncio.sleep(TICK)
            if self.received != told:
                told = self.received
                self.tell(received=told)


async def watched(report: Report, consume: Awaitable[None]) -> None:
    """Await a loop over messages as a user's program would, and tell how it ended."""
    try:
        await consume
    except Exception as error:
        report.error(error)
    else:
        report.completed()


async def until_stopped(report: Report, stop: Callable[[], Awaitable[object]]) -> None:
    """Let the stream run until the driver says stop, stop it, and stay so that what comes back is seen."""
    counting = asyncio.create_task(report.count())
    await asyncio.to_thread(sys.stdin.readline)
    await stop()
    report.tell(stopped=True)
    await asyncio.to_thread(sys.stdin.readline)
    counting.cancel()


async def cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end: how asyncio's documentation stops one."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
