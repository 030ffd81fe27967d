"""reactivex: a `Subject` that a task feeds from websockets, and json in `map`."""

from __future__ import annotations

import json

from reactivex import operators as ops
from reactivex.subject import Subject
from websockets.asyncio.client import connect

from benchmarks.speed.clients.meter import SIZE, Meter, run


async def consume(url: str, meter: Meter) -> None:
    """Feed the subject."""
    messages: Subject[str | bytes] = Subject()
    messages.pipe(
        ops.map(json.loads),
        ops.filter(lambda kline: kline["k"]["x"]),
        ops.buffer_with_count(SIZE),
    ).subscribe(meter.take, meter.fail)
    async with connect(url, compression=None) as websocket:
        async for message in websocket:
            messages.on_next(message)


run(consume)
