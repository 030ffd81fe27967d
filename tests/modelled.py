"""What a random test against a model needs of a venue: its topics, its market with a memory, and its faults."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random
from types import ModuleType
from typing import Any

from msgspec import structs

from rxws.exchanges import binance, binance_usdm, coinbase_exchange, deribit, okx
from rxws.market import BookDelta, BookSnapshot, Candle, LastTrade, MarketEvent, Quote, Ticker, Trade
from rxws.testing import Limits, SimulatedExchange
from rxws.testing.exchange import Ack, VenueName

__all__ = ["PLACES", "Faults", "Market", "Operation", "Place", "by_message", "exchange_of", "is_subsequence", "wire"]

Operation = Callable[[], str | None]
"""Does something at random, and says what; None: it could not be done now."""

CLOSES = (1000, 1001, 1011, 1012, 1013, 4000, None)
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
        books: whether a subscription of a book begins with a snapshot.
        pools: the limits of requests that it counts by address.
    """

    module: ModuleType
    symbols: tuple[str, ...]
    unknown: str
    refuses: bool = True
    announces: bool = True
    books: bool = True
    pools: tuple[str, ...] = ()

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
    "deribit": Place(
        deribit, ("BTC-PERPETUAL", "ETH-PERPETUAL"), "NOSUCH-PERPETUAL", pools=("subscribe_credits", "credits")
    ),
    "okx": Place(okx, ("BTC-USDT", "ETH-USDT"), "NOSUCH-USDT"),
    "coinbase_exchange": Place(
        coinbase_exchange, ("BTC-USD", "ETH-USD"), "NOSUCH-USD", announces=False, pools=("requests", "burst")
    ),
}


def exchange_of(name: VenueName, are_counted: bool) -> SimulatedExchange:
    """A venue on which nothing happens by itself, in the loop's time.

    Args:
        name: which one.
        are_counted: whether it counts the requests of an address.
    """
    place, loop = PLACES[name], asyncio.get_running_loop()
    uncounted: dict[str, Any] = {} if are_counted else dict.fromkeys(place.pools)
    limits = replace(Limits.of(name), **uncounted)

    def now_ns() -> int:
        return BEGAN + int(loop.time() * 1e9)

    return SimulatedExchange(name, symbols=place.symbols, rate=None, history=10, limits=limits, now_ns=now_ns)


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
        self.first: dict[str, list[MarketEvent]] = defaultdict(list)
        self._venue = exchange._venue
        self._decode = place.module.decode
        self._first = self._venue.protocol.first
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
            self.first[stream] += self._note(stream, text)
        return text

    def _note(self, stream: str, text: bytes) -> list[MarketEvent]:
        events: list[MarketEvent] = self._decode(text)
        self.told[stream] += events
        return events


class Faults:
    """What goes wrong at the venue, at random, until it is over.

    Args:
        exchange: the venue.
        place: which one it is.
        random: chance.
        announces: whether it announces its end, if it ever does.
        goes_on: whether connections go on that were silent for a while; what happened meanwhile is not told.
    """

    def __init__(
        self, exchange: SimulatedExchange, place: Place, random: Random, *, announces: bool, goes_on: bool
    ) -> None:
        self.cost_answers = False
        """Whether an answer may have been lost."""
        self._goes_on = goes_on
        self._exchange = exchange
        self._random = random
        self._timers: list[asyncio.TimerHandle] = []
        self._loop = asyncio.get_running_loop()
        self.operations: list[Operation] = [
            self._end,
            self._end,
            self._stall,
            self._answers,
            self._doors,
            self._stray,
        ]
        if announces and place.announces:
            self.operations += [self._announce] * 5

    async def over(self) -> None:
        """Everything is well again."""
        for timer in self._timers:
            timer.cancel()
        await self._exchange.accept()
        tampering = self._exchange._venue.tampering
        tampering._acks.clear()
        tampering._orders.clear()
        self._go_on()
        self._exchange.release_acks()

    @property
    def _is_nobody_there(self) -> bool:
        return not self._exchange.live

    def _end(self) -> str | None:
        if self._is_nobody_there:
            return None
        code = self._random.choice(CLOSES)
        how = self._random.choice(("reset", "drop", "close"))
        many = self._exchange.close(code) if how == "close" else getattr(self._exchange, how)()
        return f"{how} {code if how == 'close' else ''} of {many}"

    def _stall(self) -> str | None:
        if self._is_nobody_there:
            return None
        pongs, seconds = self._random.random() < 0.5, self._random.uniform(0.0, 40.0)
        many = self._exchange.stall(pongs=pongs)
        self._later(seconds, self._go_on)
        return f"stall {many} for {seconds:.1f} s, {pongs=}"

    def _go_on(self) -> None:
        for connection in tuple(self._exchange._venue.connections):
            # What was sent slowly would be counted as sent at once.
            is_late = connection._deaf or len(connection._unheard) > 1
            if connection.muted and connection in self._exchange._venue.live and (is_late or not self._goes_on):
                connection.cut("reset", reset=True)
        self._exchange.resume()

    def _answers(self) -> str:
        answers: tuple[Ack, ...] = ("held", "held", "silent", "after_data")
        what, times = self._random.choice(answers), self._random.randint(1, 3)
        seconds = self._random.uniform(0.0, 20.0)
        self._exchange.acks(what, times)
        self.cost_answers = True  # what is held is lost where it is released in a silence
        self._later(seconds, self._exchange.release_acks)
        return f"acks {what} {times} times, released in {seconds:.1f} s"

    def _doors(self) -> str:
        exchange, random = self._exchange, self._random
        orders: dict[str, Callable[[], None]] = {
            "reject 503": lambda: exchange.reject(503),
            "reject 429": lambda: exchange.reject(429, retry_after=5),
            "drop": lambda: exchange.drop_handshakes(1),
            "hang": lambda: exchange.hang_handshakes(1),
            "flap": lambda: exchange.flap(1, code=1012),
        }
        name = random.choice(list(orders))
        orders[name]()
        return f"the next handshake: {name}"

    def _stray(self) -> str:
        self._exchange.unknown_event()
        return "an unknown event"

    def _announce(self) -> str | None:
        if self._is_nobody_there:
            return None
        lead = self._random.choice((0.0, 1.0, 12.0, 30.0))
        return f"announce_shutdown({lead}) of {self._exchange.announce_shutdown(lead)}"

    def _later(self, seconds: float, then: Callable[[], object]) -> None:
        self._timers.append(self._loop.call_later(seconds, then))


def is_subsequence(seen: Iterable[object], told: Iterable[object]) -> bool:
    """Whether all that was seen was told, in that order, and each only once."""
    left: Iterator[object] = iter(told)
    return all(any(each == other for other in left) for each in seen)


def by_message(event: MarketEvent) -> MarketEvent:
    """An event as the message has it, whenever it came."""
    return event if isinstance(event, LastTrade) else structs.replace(event, arrival_ns=None)
