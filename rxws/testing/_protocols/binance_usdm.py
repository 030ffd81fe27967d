"""Binance USD-M futures: what differs from spot.

Source: developers.binance.com, USDS-M Futures, "Websocket Market Streams", "How to manage a local order book
correctly" and "Important WebSocket Change Notice", read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import ClassVar

from rxws.testing import _binance
from rxws.testing._instrument import Instrument, Listing
from rxws.testing._protocols.binance import Binance
from rxws.testing._protocols.binance_streams import (
    AggregateTrades,
    Depth,
    MiniTicker,
    Quotes,
    Tickers,
    Top,
    Trades,
)
from rxws.testing._protocols.generated import magnitude, price_of
from rxws.testing._protocols.protocol import Session, Topic

__all__ = ["BinanceUsdm"]

_PUBLIC = ("bookTicker", "depth", "rpiDepth")


class LinkedDepth(Depth):
    """`depthUpdate` with `pu`, the last update number of the event before."""

    def event(self, now_ms: int, first: int, before: int, sides: str) -> str:
        """It as the futures tell it."""
        return f"{{{linked(self.instrument, now_ms, first, self.cursor.told_id, before)},{sides}}}"


class LinkedTop(Top):
    """`depth5`, `10` or `20` as a `depthUpdate`, its numbers in the same space."""

    def event(self, now_ms: int, first: int, before: int, bids: str, asks: str) -> str:
        """It as the futures tell it."""
        head = linked(self.instrument, now_ms, first, self.cursor.told_id, before)
        return f'{{{head},"b":[{bids}],"a":[{asks}]}}'


class TimedQuotes(Quotes):
    """`bookTicker` with a type and times."""

    def tell(self, now_ms: int) -> str:
        """The best of both sides, a change later."""
        self.instrument.book.step()
        return f'{{"e":"bookTicker",{self.quote()},"T":{now_ms},"E":{now_ms}}}'


class FuturesTrades(Trades):
    """`trade` as the futures tell it."""

    def event(self, now_ms: int, ms: int, told: str, maker: str) -> str:
        """Not `M`, but `X`."""
        head = f'{{"e":"trade","E":{now_ms},"T":{ms},"s":"{self.instrument.symbol}"'
        return f'{head},{told},"X":"MARKET","m":{maker}}}'


class FuturesAggregateTrades(AggregateTrades):
    """`aggTrade` as the futures tell it."""

    def event(self, now_ms: int, number: int, told: str) -> str:
        """Without `M`."""
        return f'{{"e":"aggTrade","E":{now_ms},"a":{number},"s":"{self.instrument.symbol}",{told}}}'


class FuturesTickers(Tickers):
    """`ticker` without a quote."""

    quoted = False


class BinanceUsdm(Binance):
    """Binance USD-M futures."""

    endpoints: Mapping[str, str] = {"public": "/public/ws", "market": "/market/ws"}
    jump = 40
    depth_path = "/fapi/v1/depth"
    speeds = (None, "0", "100", "250", "500")
    kinds: ClassVar[dict[str, Callable[[str, Instrument], Topic]]] = {
        "trade": FuturesTrades,
        "aggTrade": FuturesAggregateTrades,
        "bookTicker": TimedQuotes,
        "miniTicker": MiniTicker,
        "ticker": FuturesTickers,
    }
    depth = LinkedDepth
    top = LinkedTop

    def listing(self, symbol: str) -> Listing:
        """As many places as tick and step have."""
        price = price_of(symbol)
        power = magnitude(price)
        step = Decimal(1).scaleb(max(-8, min(0, 1 - power)))
        tick = Decimal(1).scaleb(power - 5)
        return Listing(symbol=symbol, price=price, tick=tick, step=step, size=60_000 / price, style="fixed")

    def opened_by(self, target: str) -> Session:
        """A connection to `/public` or `/market`; without either it is told what `/public` has."""
        asked = _binance.read(target, self.limits.streams)
        public = asked.route != "market"
        return self.session(asked, lambda stream: self.knows(stream) and is_public(stream) is public)

    def book_page(self, update_id: int, now_ms: int, bids: str, asks: str) -> str:
        """It as the futures tell it."""
        return f'{{"lastUpdateId":{update_id},"E":{now_ms},"T":{now_ms},"bids":[{bids}],"asks":[{asks}]}}'


def is_public(stream: str) -> bool:
    """Whether a stream is told under `/public`; all others are under `/market`."""
    return stream.partition("@")[2].startswith(_PUBLIC)


def linked(instrument: Instrument, now_ms: int, first: int, last: int, before: int) -> str:
    """How a `depthUpdate` of the futures begins."""
    symbol = instrument.symbol
    return (
        f'"e":"depthUpdate","E":{now_ms},"T":{now_ms},"s":"{symbol}","ps":"{symbol}",'
        f'"U":{first},"u":{last},"pu":{before},"st":1'
    )
