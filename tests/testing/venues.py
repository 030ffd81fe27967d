"""One plain subscription for each of the five venues, for the tests of what they have in common."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection

__all__ = ["VENUES", "Venue"]


@dataclass(frozen=True)
class Venue:
    """How one subscribes to the book of a symbol.

    Args:
        name: of the venue.
        symbol: whose book it is.
        topic: as the exchange calls it.
        request: what is sent.
        snapshot: how many messages come at first.
    """

    name: str
    symbol: str
    topic: str
    request: dict[str, Any]
    snapshot: int

    def __str__(self) -> str:
        return self.name

    async def ask(self, client: ClientConnection) -> None:
        """Send the request, and wait for nothing."""
        await client.send(json.dumps(self.request))

    async def subscribe(self, client: ClientConnection) -> None:
        """Send the request, and wait for its answer and for the snapshot."""
        await self.ask(client)
        for _ in range(1 + self.snapshot):
            await client.recv()

    def is_ack(self, message: Any) -> bool:
        """Whether a message is the answer to the request."""
        return "result" in message or message.get("event") == "subscribe" or message.get("type") == "subscriptions"

    def is_change(self, message: Any) -> bool:
        """Whether a message changes the book."""
        kinds = (message.get("e"), message.get("action"), message.get("type"), message.get("method"))
        return bool({"depthUpdate", "update", "l2update", "subscription"} & set(kinds))


VENUES = [
    Venue(
        "binance",
        "BTCUSDT",
        "btcusdt@depth",
        {"method": "SUBSCRIBE", "params": ["btcusdt@depth"], "id": 1},
        0,
    ),
    Venue(
        "binance_usdm",
        "BTCUSDT",
        "btcusdt@depth",
        {"method": "SUBSCRIBE", "params": ["btcusdt@depth"], "id": 1},
        0,
    ),
    Venue(
        "deribit",
        "BTC-PERPETUAL",
        "book.BTC-PERPETUAL.100ms",
        {"jsonrpc": "2.0", "id": 1, "method": "public/subscribe", "params": {"channels": ["book.BTC-PERPETUAL.100ms"]}},
        1,
    ),
    Venue(
        "okx",
        "BTC-USDT",
        "books:BTC-USDT",
        {"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]},
        1,
    ),
    Venue(
        "coinbase_exchange",
        "BTC-USD",
        "level2_batch:BTC-USD",
        {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["level2_batch"]},
        1,
    ),
]
