"""aiohttp and json, by hand."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import ClientSession, WSMsgType

from benchmarks.speed.clients.meter import SIZE, Meter, run


async def consume(url: str, meter: Meter) -> None:
    """Iterate over the messages."""
    closed: list[dict[str, Any]] = []
    async with ClientSession() as session, session.ws_connect(url) as websocket:
        async for message in websocket:
            if message.type is WSMsgType.TEXT:
                kline = json.loads(message.data)
                if kline["k"]["x"]:
                    closed.append(kline)
                    if len(closed) == SIZE:
                        meter.take(closed)
                        closed = []


run(consume)
