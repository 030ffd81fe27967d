"""websockets and json, by hand."""

from __future__ import annotations

import json
from typing import Any

from websockets.asyncio.client import connect

from benchmarks.speed.clients.meter import SIZE, Meter, run


async def consume(url: str, meter: Meter) -> None:
    """Iterate over the messages."""
    closed: list[dict[str, Any]] = []
    async with connect(url, compression=None) as websocket:
        async for message in websocket:
            kline = json.loads(message)
            if kline["k"]["x"]:
                closed.append(kline)
                if len(closed) == SIZE:
                    meter.take(closed)
                    closed = []


run(consume)
