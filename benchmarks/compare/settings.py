"""What all clients are given alike, where they have a documented setting for it. Seconds."""

from __future__ import annotations

from typing import Any

FIRST_DELAY = 0.1  # before the second attempt
LARGEST_DELAY = 1.0
PING = 0.3  # between two pings, and for a pong
CLOSE = 1.0  # for the closing handshake
IDLE = 1.0  # without a message

BURST_PAUSE = 0.00005  # what the consumer of the burst takes a message
SLOW_PAUSE = 0.001  # what the slow consumer takes

SUBSCRIPTIONS: list[dict[str, Any]] = [
    {"method": "SUBSCRIBE", "params": ["btcusdt@kline_1m"], "id": 1},
    {"method": "SUBSCRIBE", "params": ["ethusdt@kline_1m"], "id": 2},
]
