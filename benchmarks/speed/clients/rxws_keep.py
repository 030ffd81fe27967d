"""rxws that looks at the bytes before it decodes them: `rxws_keep URL COUNT TRANSPORT`."""

from __future__ import annotations

import sys

from reactivex import operators as ops

from benchmarks.speed.clients.kline import Kline, is_closed_frame
from benchmarks.speed.clients.meter import SIZE, Meter, run
from benchmarks.speed.clients.rxws_stream import stream
from rxws import Stats


async def consume(url: str, meter: Meter) -> None:
    """Subscribe."""
    stats = Stats()
    klines = stream(url, stats, keep=is_closed_frame, decode=Kline, transport=sys.argv[3])
    with klines.pipe(ops.buffer_with_count(SIZE)).subscribe(meter.take, meter.fail):
        await meter.done.wait()
    meter.received = stats.messages_received


run(consume)
