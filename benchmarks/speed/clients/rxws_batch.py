"""rxws with lists of values, each of which is looked at: `rxws_batch URL COUNT TRANSPORT [keep]`."""

from __future__ import annotations

import sys

from benchmarks.speed.clients.kline import Kline, is_closed_frame
from benchmarks.speed.clients.meter import SIZE, Meter, run
from benchmarks.speed.clients.rxws_stream import stream
from rxws import Stats


class Closed:
    """Buffers the closed klines of the lists."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.closed: list[Kline] = []

    def look_at(self, klines: list[Kline]) -> None:
        """Keep the closed ones of a list."""
        for kline in klines:
            if kline.k.x:
                self.closed.append(kline)
                if len(self.closed) == SIZE:
                    self.meter.take(self.closed)
                    self.closed = []


async def consume(url: str, meter: Meter) -> None:
    """Subscribe."""
    stats = Stats()
    keep = is_closed_frame if "keep" in sys.argv else None
    lists = stream(url, stats, decode=Kline, batch=True, keep=keep, transport=sys.argv[3])
    with lists.subscribe(Closed(meter).look_at, meter.fail):
        await meter.done.wait()
    meter.received = stats.messages_received


run(consume)
