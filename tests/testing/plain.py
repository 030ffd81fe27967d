"""A plain client's side of the tests of the five venues: it knows JSON and a dict, and nothing of rxws.exchanges."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from websockets.asyncio.client import ClientConnection

from rxws.testing.exchange import TrueBook

__all__ = ["NaiveBook", "ask", "deltas", "parsed", "take"]


def parsed(text: str | bytes) -> Any:
    """Parse JSON, every number with a point as it is written."""
    return json.loads(text, parse_float=Decimal)


async def take(client: ClientConnection, count: int) -> list[Any]:
    """Return the next messages."""
    return [parsed(await client.recv()) for _ in range(count)]


async def ask(client: ClientConnection, request: Any) -> Any:
    """Send one request, and return what comes next."""
    await client.send(request if isinstance(request, str) else json.dumps(request))
    return parsed(await client.recv())


def deltas(changes: list[Any]) -> list[tuple[Decimal, Decimal]]:
    """Return levels as numbers, of which the first two are price and size."""
    return [(Decimal(str(price)), Decimal(str(size))) for price, size, *_ in changes]


class NaiveBook:
    """A book as the first page of every tutorial has it."""

    def __init__(self) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}
        self.unknown_deletions = 0

    def apply(self, bids: list[tuple[Decimal, Decimal]], asks: list[tuple[Decimal, Decimal]]) -> None:
        """Set these levels; a size of 0 removes one."""
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            for price, size in levels:
                if size:
                    side[price] = size
                elif side.pop(price, None) is None:
                    self.unknown_deletions += 1

    def told(self) -> TrueBook:
        """Return it as the exchange tells its own."""
        return TrueBook(tuple(sorted(self.bids.items(), reverse=True)), tuple(sorted(self.asks.items())))
