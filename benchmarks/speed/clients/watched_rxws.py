"""rxws: `ws_observable` and `subscribe`: `watched_rxws … TRANSPORT`."""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.speed.clients.rxws_stream import stream
from benchmarks.speed.clients.watch import Open, run


def receive(url: str, on_next: Callable[[int], object]) -> None:
    """Subscribe, and call with the time of each kline."""
    stream(url, transport=sys.argv[4]).subscribe(lambda kline: on_next(kline["E"]))


def open_one(url: str) -> Open:
    """Return what opens a socket."""
    return lambda number, on_next: receive(url, lambda _: on_next(number))


run(open_one, receive)
