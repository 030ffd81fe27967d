"""rxws as it comes: JSON from the default transport."""

from __future__ import annotations

from typing import Any

from reactivex import operators as ops

from benchmarks.speed.clients.meter import SIZE, Meter, run
from benchmarks.speed.clients.rxws_stream import stream
from rxws import Stats


def closed(kline: dict[str, Any]) -> bool:
    """Whether a kline is final."""
    return kline["k"]["x"]


async def consume(url: str, meter: Meter) -> None:
    """Subscribe."""
    stats = Stats()
    with stream(url, stats).pipe(ops.filter(closed), ops.buffer_with_count(SIZE)).subscribe(meter.take, meter.fail):
        await meter.done.wait()
    meter.received = stats.messages_received


run(consume)
