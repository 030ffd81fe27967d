"""websockets and a typed decoder, by hand."""

from __future__ import annotations

import msgspec
from websockets.asyncio.client import connect

from benchmarks.speed.clients.kline import Kline
from benchmarks.speed.clients.meter import SIZE, Meter, run


async def consume(url: str, meter: Meter) -> None:
    """Iterate over the messages."""
    decode = msgspec.json.Decoder(Kline).decode
    closed: list[Kline] = []
    async with connect(url, compression=None) as websocket:
        async for message in websocket:
            kline = decode(message)
            if kline.k.x:
                closed.append(kline)
                if len(closed) == SIZE:
                    meter.take(closed)
                    closed = []


run(consume)
