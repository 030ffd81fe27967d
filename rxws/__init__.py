"""rxws: a WebSocket as an observable that you can trust for weeks.

>>> from rxws import ws_observable
>>> from rxws.operators import filter_kline
>>> klines = ws_observable("wss://stream.binance.com:9443/ws/btcusdt@kline_1m").pipe(filter_kline)
"""

from __future__ import annotations

from rxws.backoff import Backoff
from rxws.client import WebSocketClient
from rxws.connection import connect
from rxws.connections import connections
from rxws.desired import Topics
from rxws.governor import Governor
from rxws.limits import SendLimit
from rxws.multiplex import multiplex
from rxws.rotation import Rotation
from rxws.running import aiter, run
from rxws.scheduler import scheduler
from rxws.stats import Stats
from rxws.stream import ws_observable
from rxws.unsent import Hold
from rxws.venue_observable import venue_observable

__all__ = [
    "Backoff",
    "Governor",
    "Hold",
    "Rotation",
    "SendLimit",
    "Stats",
    "Topics",
    "WebSocketClient",
    "aiter",
    "connect",
    "connections",
    "multiplex",
    "run",
    "scheduler",
    "venue_observable",
    "ws_observable",
]
