"""kstlib: `async with WebSocketManager(…)` and its `stream()`, as the documentation of the class shows it."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from kstlib.websocket import (  # type: ignore[import-not-found]  # it lives in an environment of its own
    WebSocketManager,
    WebSocketTimeoutError,
)

from benchmarks.compare.clients.report import ConsumerError, Report, until_stopped, watched
from benchmarks.compare.settings import BURST_PAUSE, FIRST_DELAY, IDLE, LARGEST_DELAY, PING, SLOW_PAUSE, SUBSCRIPTIONS

SETTINGS: dict[str, dict[str, Any]] = {
    "half-open": {"ping_interval": PING, "ping_timeout": PING},
    "slow": {"ping_interval": PING, "ping_timeout": PING},
}


class Program:
    """A user's program around one manager."""

    def __init__(self, row: str, url: str, variant: str) -> None:
        self.report = Report()
        self.row = row
        self.variant = variant
        settings: dict[str, Any] = SETTINGS.get(row, {})
        if variant == "on_connect":
            settings = {"on_connect": self.on_connect}
        elif variant == "queue_size":
            settings = {"queue_size": 0}  # documented: "0 = unlimited"
        elif variant == "on_message":
            settings = {"on_message": self.on_message}
        self.ws = WebSocketManager(url, reconnect_delay=FIRST_DELAY, max_reconnect_delay=LARGEST_DELAY, **settings)

    async def on_connect(self) -> None:
        """Subscribe as the venue wants it, by the callback that follows each connect."""
        for each in SUBSCRIPTIONS:
            await self.ws.send(each)

    def on_message(self, message: object) -> None:
        """Consume in the callback."""
        self.report.received += 1
        if self.report.received % 3 == 0:
            raise ConsumerError

    async def consume(self) -> None:
        """Take messages until the stream ends."""
        async with self.ws as ws:
            if self.row == "subscriptions" and not self.variant:
                await ws.subscribe(*(each["params"][0] for each in SUBSCRIPTIONS))
            if self.variant == "receive":
                await self.with_a_deadline()
            async for _ in ws.stream():
                if not self.variant or self.variant == "queue_size":
                    await self.take()

    async def take(self) -> None:
        """Do with a message what this row's consumer does."""
        self.report.received += 1
        if self.row == "exception" and self.report.received == 3:
            raise ConsumerError
        if self.row == "burst":
            time.sleep(BURST_PAUSE)  # noqa: ASYNC251  # work that keeps the loop busy
            await asyncio.sleep(0)
        elif self.row == "slow":
            await asyncio.sleep(SLOW_PAUSE)

    async def with_a_deadline(self) -> None:
        """Ask for a new connection when `receive` runs into its timeout."""
        while True:
            try:
                await self.ws.receive(timeout=IDLE)
            except WebSocketTimeoutError:
                await self.ws.request_disconnect(reconnect_after=FIRST_DELAY)
            else:
                self.report.received += 1


async def main(row: str, url: str, variant: str = "") -> None:
    """Play one row."""
    program = Program(row, url, variant)
    running = asyncio.create_task(watched(program.report, program.consume()))
    await until_stopped(program.report, program.ws.shutdown)
    running.cancel()


asyncio.run(main(*sys.argv[1:]))
