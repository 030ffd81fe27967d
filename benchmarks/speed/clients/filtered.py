"""rxws with a subscriber a topic, by `share` and a `filter` each: `filtered URL COUNT TOPICS`."""

from __future__ import annotations

import sys
from collections.abc import Callable

from reactivex import operators as ops

from benchmarks.speed.clients.kline import Kline
from benchmarks.speed.clients.meter import Meter, run
from benchmarks.speed.clients.rxws_stream import stream
from benchmarks.speed.frames import symbols


def of(symbol: str) -> Callable[[Kline], bool]:
    """Return whether a kline is of this symbol."""
    return lambda kline: kline.s == symbol


async def consume(url: str, meter: Meter) -> None:
    """Subscribe to each topic."""

    heard = 0

    def on_next(kline: Kline) -> None:
        nonlocal heard
        heard += 1  # of every topic, closed or not
        if kline.k.x:
            meter.take((kline,))

    shared = stream(url, decode=Kline).pipe(ops.share())
    topics = [shared.pipe(ops.filter(of(symbol))) for symbol in symbols(int(sys.argv[3]))]
    subscriptions = [topic.subscribe(on_next, meter.fail) for topic in topics]
    await meter.done.wait()
    meter.received = heard
    for subscription in subscriptions:
        subscription.dispose()


run(consume)
