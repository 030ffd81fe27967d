"""Binance spot: its streams, each as its frames are, and the book over HTTP.

Source: Binance, "WebSocket Streams for Binance" (web-socket-streams.md, 2026-07-21), and for the book "How to manage
a local order book correctly" there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from rxws.testing import _binance
from rxws.testing._book import ASKS, BIDS
from rxws.testing._instrument import Instrument, Listing
from rxws.testing._protocols.binance_streams import (
    INTERVALS,
    AggregateTrades,
    Depth,
    Klines,
    MiniTicker,
    Quotes,
    Tickers,
    Top,
    Trades,
    levels_text,
)
from rxws.testing._protocols.generated import Generated, magnitude, price_of
from rxws.testing._protocols.protocol import Page, Session, Topic

__all__ = ["Binance"]

_DEPTH = re.compile(r"depth(?P<levels>5|10|20)?(?:@(?P<speed>\d+)ms)?")


class Binance(Generated):
    """Binance spot."""

    endpoints: Mapping[str, str] = {"": "/ws"}
    usual = ("BTCUSDT", "ETHUSDT")
    unknown_levels = 0.02
    depth_path: ClassVar[str] = "/api/v3/depth"
    speeds: ClassVar[tuple[str | None, ...]] = (None, "100", "1000")
    kinds: ClassVar[dict[str, Callable[[str, Instrument], Topic]]] = {
        "trade": Trades,
        "aggTrade": AggregateTrades,
        "bookTicker": Quotes,
        "miniTicker": MiniTicker,
        "ticker": Tickers,
    }
    depth: ClassVar[type[Depth]] = Depth
    top: ClassVar[type[Top]] = Top

    def spelt(self, symbol: str) -> str:
        """Upper case in messages, lower case in the names of streams."""
        return symbol.upper()

    def listing(self, symbol: str) -> Listing:
        """Eight places everywhere."""
        price = price_of(symbol)
        power = magnitude(price)
        step = Decimal(1).scaleb(max(-8, min(0, -power - 1)))
        tick = Decimal(1).scaleb(power - 6)
        return Listing(symbol=symbol, price=price, tick=tick, step=step, size=30_000 / price, style="fixed", places=8)

    def names(self, symbol: str) -> tuple[str, ...]:
        """The streams that a `combined_url` without any asks for."""
        kinds = ("depth@100ms", "trade", "bookTicker", "kline_1m")
        return tuple(f"{symbol.lower()}@{kind}" for kind in kinds)

    def opened_by(self, target: str) -> Session:
        """A connection to `/ws` or `/stream`."""
        asked = _binance.read(target, self.limits.streams)
        return self.session(asked, self.knows)

    def session(self, asked: _binance.Target, serves: Callable[[str], bool]) -> Session:
        """A connection that gets what `serves` says."""
        bare = "bare_errors" in self.quirks
        return _binance.Subscriptions(
            asked.names, asked.combined, self.limits.streams, serves=serves, numbered=False, bare=bare
        )

    def knows(self, stream: str) -> bool:
        """Whether messages of a stream ever come."""
        symbol, _, kind = stream.partition("@")
        if symbol.upper() not in self.instruments or symbol != symbol.lower():
            return False
        depth = _DEPTH.fullmatch(kind)
        return (
            kind in self.kinds
            or kind.removeprefix("kline_") in INTERVALS
            or bool(depth and depth["speed"] in self.speeds)
        )

    def topic(self, name: str, now_ms: int) -> Topic | None:
        """The stream of that name."""
        if not self.knows(name):
            return None
        symbol, _, kind = name.partition("@")
        instrument = self.instruments[symbol.upper()]
        if kind in self.kinds:
            return self.kinds[kind](name, instrument)
        if depth := _DEPTH.fullmatch(kind):
            levels = depth["levels"]
            return self.top(name, instrument, int(levels)) if levels else self.depth(name, instrument)
        return Klines(name, instrument, kind.removeprefix("kline_"), self.candle_ms, now_ms)

    def page(self, target: str, now_ms: int) -> Page | None:
        """The book over HTTP."""
        parts = urlsplit(target)
        if parts.path != self.depth_path:
            return None
        query: dict[str, Any] = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        instrument = self.instruments.get(query.get("symbol", ""))
        if instrument is None:
            return Page(400, b'{"code":-1121,"msg":"Invalid symbol."}')
        limit = query.get("limit", "100")
        if not limit.isdecimal() or not 1 <= int(limit) <= 5_000:
            return Page(400, b'{"code":-1130,"msg":"Data sent for parameter \'limit\' is not valid."}')
        return Page(200, self.snapshot(instrument, int(limit), now_ms))

    def snapshot(self, instrument: Instrument, limit: int, now_ms: int) -> bytes:
        """The book, in the middle of what the next event will tell, as over HTTP it nearly always is."""
        instrument.book.peek()
        bids, asks = (levels_text(instrument, instrument.book.top(side, limit)) for side in (BIDS, ASKS))
        return self.book_page(instrument.book.update_id, now_ms, bids, asks).encode()

    def book_page(self, update_id: int, now_ms: int, bids: str, asks: str) -> str:
        """It as spot tells it."""
        return f'{{"lastUpdateId":{update_id},"bids":[{bids}],"asks":[{asks}]}}'
