"""websockets: `async for websocket in connect(…)`, as the documentation of `connect` shows it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Generator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import backoff
from websockets.exceptions import ConnectionClosed

from benchmarks.compare.clients.report import ConsumerError, Report, cancelled, until_stopped, watched
from benchmarks.compare.settings import (
    BURST_PAUSE,
    CLOSE,
    FIRST_DELAY,
    IDLE,
    LARGEST_DELAY,
    PING,
    SLOW_PAUSE,
    SUBSCRIPTIONS,
)


def delays() -> Generator[float]:
    """Shorten the library's own delays, by its own function."""
    return backoff(initial_delay=FIRST_DELAY, min_delay=FIRST_DELAY, max_delay=LARGEST_DELAY, factor=2.0)


SETTINGS: dict[str, dict[str, Any]] = {
    "half-open": {"ping_interval": PING, "ping_timeout": PING},
    "slow": {"ping_interval": PING, "ping_timeout": PING},
}


async def consume(report: Report, row: str, url: str, variant: str) -> None:
    """Take messages, and dial again whenever a connection has ended."""
    settings = SETTINGS.get(row, {})
    if variant == "max_queue":
        settings = {**settings, "max_queue": None}  # documented: disables flow control entirely, "a bad idea"
    async for websocket in connect(url, reconnect_delays=delays, close_timeout=CLOSE, **settings):
        try:
            if row == "subscriptions":
                for each in SUBSCRIPTIONS:
                    await websocket.send(json.dumps(each))
            if variant == "timeout":
                await with_a_deadline(report, websocket)
            async for _ in websocket:
                await take(report, row)
        except (ConnectionClosed, TimeoutError):
            continue


async def take(report: Report, row: str) -> None:
    """Do with a message what this row's consumer does."""
    report.received += 1
    if row == "exception" and report.received == 3:
        raise ConsumerError
    if row == "burst":
        time.sleep(BURST_PAUSE)  # noqa: ASYNC251  # work that keeps the loop busy
        await asyncio.sleep(0)
    elif row == "slow":
        await asyncio.sleep(SLOW_PAUSE)


async def with_a_deadline(report: Report, websocket: ClientConnection) -> None:
    """Receive as the documentation of `recv` says: "enforce a timeout by wrapping recv() in timeout()"."""
    while True:
        async with asyncio.timeout(IDLE):
            await websocket.recv()
        report.received += 1


async def main(row: str, url: str, variant: str = "") -> None:
    """Play one row."""
    report = Report()
    task = asyncio.create_task(watched(report, consume(report, row, url, variant)))
    await until_stopped(report, lambda: cancelled(task))


asyncio.run(main(*sys.argv[1:]))
