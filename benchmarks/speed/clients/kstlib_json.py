"""kstlib: `async with WebSocketManager(…)` and its `stream()`; what its queue drops does not come here."""

from __future__ import annotations

import json

from kstlib.websocket import WebSocketManager  # in an environment of its own

from benchmarks.speed.clients.meter import SIZE, Meter, run


async def consume(url: str, meter: Meter) -> None:
    """Iterate over the messages, and count them."""
    closed = []
    meter.received = 0
    async with WebSocketManager(url) as manager:
        async for message in manager.stream():
            meter.received += 1
            kline = json.loads(message) if isinstance(message, str | bytes) else message
            if kline["k"]["x"]:
                closed.append(kline)
                if len(closed) == SIZE:
                    meter.take(closed)
                    closed = []


run(consume)
