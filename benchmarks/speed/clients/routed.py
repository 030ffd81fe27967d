"""rxws with a subscriber a topic, by `route`: `routed URL COUNT TOPICS`."""

from __future__ import annotations

import sys

from benchmarks.speed.clients.kline import Kline
from benchmarks.speed.clients.meter import Meter, run
from benchmarks.speed.clients.rxws_stream import stream
from benchmarks.speed.frames import symbols
from rxws import operators as wsops


async def consume(url: str, meter: Meter) -> None:
    """Subscribe to each topic."""

    heard = 0

    def on_next(kline: Kline) -> None:
        nonlocal heard
        heard += 1  # of every topic, closed or not
        if kline.k.x:
            meter.take((kline,))

    routes = stream(url, decode=Kline).pipe(wsops.route(lambda kline: kline.s))
    subscriptions = [routes[symbol].subscribe(on_next, meter.fail) for symbol in symbols(int(sys.argv[3]))]
    await meter.done.wait()
    meter.received = heard
    for subscription in subscriptions:
        subscription.dispose()


run(consume)
