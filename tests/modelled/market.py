"""Five venues, their topics, and a market that remembers what it told."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from msgspec import structs

from rxws.exchanges import binance, binance_usdm, coinbase_exchange, deribit, okx
from rxws.market import BookDelta, BookSnapshot, Candle, LastTrade, MarketEvent, Quote, Ticker, Trade
from rxws.testing import SimulatedExchange
from rxws.testing.exchange import VenueName

__all__ = ["PLACES", "Market", "Place", "by_message", "exchange_of", "is_subsequence", "wire"]

BEGAN = 1_780_000_000_000_000_000
"""The venue's wall clock at 0 of the loop's."""


@dataclass(frozen=True)
class Place:
    """A venue, what is traded there, and what is not.

    Args:
        module: of `rxws.exchanges`.
        symbols: what is traded.
        unknown: what is not.
        refuses: whether it says so.
        announces: whether it announces its end.
        numbers: whether its answers say what they answer; else one that is lost leaves it unclear what the next is for.
        closes: whether it closes who has no topic, also where it has refused them.
        books: whether a subscription of a book begins with a snapshot.
    """

    module: ModuleType
    symbols: tuple[str, ...]
    unknown: str
    refuses: bool = True
    announces: bool = True
    numbers: bool = True
    closes: bool = False
    books: bool = True

    def topics(self, symbol: str) -> dict[type[MarketEvent], str]:
        """The topics of a symbol, by what they bring."""
        module = self.module
        made: dict[type[MarketEvent], str] = {Trade: module.trades(symbol), Ticker: module.ticker(symbol)}
        made[BookDelta] = made[BookSnapshot] = module.book(symbol)
        if module is not coinbase_exchange:
            made[Quote] = module.quotes(symbol)
            made[Candle] = module.candles(symbol, "1" if module is deribit else "1m")
        return made

    def topic_of(self, event: MarketEvent) -> str:
        """Of which topic something is."""
        return self.topics(event.symbol)[type(event)]

    def exists(self, topic: str) -> bool:
        """Whether it ever brings something."""
        return not self._is_of(topic, self.unknown)

    def is_refused(self, topic: str) -> bool:
        """Whether the venue says that there is no such topic."""
        return self.refuses and not self.exists(topic)

    def pool(self, endpoint: str | None = None) -> list[str]:
        """All topics, those of one endpoint, and with them some that the venue does not have."""
        found = [
            topic for symbol in (*self.symbols, self.unknown) for topic in dict.fromkeys(self.topics(symbol).values())
        ]
        return [topic for topic in found if endpoint in (None, self.module.endpoint(topic))]

    def _is_of(self, topic: str, symbol: str) -> bool:
        return symbol.lower() in topic.lower()


PLACES: dict[VenueName, Place] = {
    "binance": Place(binance, ("BTCUSDT", "ETHUSDT"), "NOSUCHUSDT", refuses=False, books=False),
    "binance_usdm": Place(binance_usdm, ("BTCUSDT", "ETHUSDT"), "NOSUCHUSDT", refuses=False, books=False),
    "deribit": Place(deribit, ("BTC-PERPETUAL", "ETH-PERPETUAL"), "NOSUCH-PERPETUAL"),
    "okx": Place(okx, ("BTC-USDT", "ETH-USDT"), "NOSUCH-USDT"),
    "coinbase_exchange": Place(
        coinbase_exchange, ("BTC-USD", "ETH-USD"), "NOSUCH-USD", announces=False, numbers=False, closes=True
    ),
}


def exchange_of(name: VenueName) -> SimulatedExchange:
    """A venue on which nothing happens by itself, in the loop's time, with the limits that it has."""
    place, loop = PLACES[name], asyncio.get_running_loop()

    def now_ns() -> int:
        return BEGAN + int(loop.time() * 1e9)

    return SimulatedExchange(name, symbols=place.symbols, rate=None, history=10, now_ns=now_ns)


def wire(exchange: SimulatedExchange) -> list[str]:
    """What the open connections are subscribed to, as often as it is; also what Binance takes and never tells."""
    found = []
    for connection in exchange._venue.live:
        session: Any = connection.session
        found += getattr(session, "streams", session.served)
        found += [f"heartbeat:{product}" for product in getattr(session, "_products", {}).get("heartbeat", ())]
    return sorted(found)


class Market:
    """A venue's market, which happens by hand, and remembers what happened by topic."""

    def __init__(self, exchange: SimulatedExchange, place: Place) -> None:
        self.told: dict[str, list[MarketEvent]] = defaultdict(list)
        self._venue = exchange._venue
        self._decode = place.module.decode
        self._first = self._venue.protocol.first
        # What a subscription begins with is told by the simulator of its own accord, and it tells nobody of that.
        self._venue.protocol.first = self._begin  # type: ignore[method-assign]

    def happen(self, topics: Iterable[str], times: int = 1) -> list[MarketEvent]:
        """Let so many messages of each topic happen, one topic after the other, and return what they say."""
        happened: list[MarketEvent] = []
        for topic in sorted(topic for topic in topics if self._venue.protocol.knows(topic)) * times:
            stream, text = self._venue.protocol.next(self._venue.now_ms(), (topic,))
            happened += self._note(stream, text)
            self._venue.tell([(stream, text)])
        return happened

    def _begin(self, stream: str, now_ms: int) -> bytes | None:
        text = self._first(stream, now_ms)
        if text is not None:
            self._note(stream, text)
        return text

    def _note(self, stream: str, text: bytes) -> list[MarketEvent]:
        events: list[MarketEvent] = self._decode(text)
        self.told[stream] += events
        return events


def is_subsequence(seen: Iterable[object], told: Iterable[object]) -> bool:
    """Whether all that was seen was told, in that order, and each only once."""
    left: Iterator[object] = iter(told)
    return all(any(each == other for other in left) for each in seen)


def by_message(event: MarketEvent) -> MarketEvent:
    """An event as the message has it, whenever it came."""
    return event if isinstance(event, LastTrade) else structs.replace(event, arrival_ns=None)
