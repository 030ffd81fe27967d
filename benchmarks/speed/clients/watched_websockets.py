"""websockets: its own loop over the messages, one task a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from websockets.asyncio.client import connect

from benchmarks.speed.clients.watch import Open, run

tasks: set[asyncio.Task[None]] = set()


async def iterate(url: str, on_next: Callable[[int], object]) -> None:
    """Call with the time of each kline."""
    async with connect(url, compression=None) as websocket:
        async for message in websocket:
            on_next(json.loads(message)["E"])


def receive(url: str, on_next: Callable[[int], object]) -> None:
    """Begin to iterate."""
    tasks.add(asyncio.create_task(iterate(url, on_next)))


def open_one(url: str) -> Open:
    """Return what opens a socket."""
    return lambda number, on_next: receive(url, lambda _: on_next(number))


run(open_one, receive)
