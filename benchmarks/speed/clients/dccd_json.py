"""dccd: a subclass of `WebSocketBase`, as its adapters of venues are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from dccd.transport.ws import WebSocketBase  # in an environment of its own

from benchmarks.speed.clients.meter import SIZE, Meter, run


class Klines(WebSocketBase):
    """The stream of klines."""

    async def parse_message(self, raw: str | bytes) -> AsyncIterator[dict[str, Any]]:
        """Yield the kline if it is closed."""
        kline = json.loads(raw)
        if kline["k"]["x"]:
            yield kline


async def consume(url: str, meter: Meter) -> None:
    """Iterate over the parsed messages."""
    closed = []
    async for kline in Klines(url).stream():
        closed.append(kline)
        if len(closed) == SIZE:
            meter.take(closed)
            closed = []


run(consume)
