"""What generated markets have in common, whichever venue they speak for: instruments, and topics told one by one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from math import floor, inf, log10
from random import Random
from typing import ClassVar, Literal, TypeAlias, get_args
from zlib import crc32

from rxws.errors import ConfigError
from rxws.testing._instrument import Instrument, Listing
from rxws.testing._limits import Limits
from rxws.testing._protocols.protocol import Page, Session, Topic

__all__ = ["Generated", "Quirk", "Quirks", "magnitude", "price_of"]

Quirk: TypeAlias = Literal["bare_errors", "big_ids", "exponents", "unknown_fields"]
"""What is legal and seldom: see `SimulatedExchange`."""

Quirks = Collection[Quirk]

_PRICES = {"BTC": "61250", "XBT": "61250", "ETH": "3000", "SOL": "150", "XRP": "0.6", "DOGE": "0.15"}
_BIG = 2**53 + 1


def price_of(symbol: str) -> Decimal:
    """Where a symbol begins: a known coin at what it may cost, any other at a price of its own."""
    for coin, price in _PRICES.items():
        if symbol.upper().startswith(coin):
            return Decimal(price)
    return Decimal(100 + crc32(symbol.encode()) % 9_900) / 10


def magnitude(price: Decimal) -> int:
    """The power of ten of a price: 4 for 61250."""
    return floor(log10(price))


class Generated(ABC):
    """A venue whose market is made up: the same for the same `seed` and the same topics.

    Args:
        symbols: as the venue writes them; None: the venue's usual two.
        seed: what decides.
        limits: what is not put up with.
        candle: how long a candle lasts, in seconds, whatever its interval is called; None: as it is called.
        levels: how many levels a side of a book has, about.
        quirks: what is legal and seldom, and told here always.
    """

    idle_close: tuple[int, str] | None = None
    endpoints: Mapping[str, str]
    usual: ClassVar[tuple[str, ...]]
    jump: ClassVar[int] = 0
    unknown_levels: ClassVar[float] = 0.0

    def __init__(
        self,
        symbols: Sequence[str] | None,
        seed: int,
        limits: Limits,
        *,
        candle: float | None = None,
        levels: int = 100,
        quirks: Quirks = (),
    ) -> None:
        if unknown := set(quirks) - set(get_args(Quirk)):
            raise ConfigError("quirks", f"{sorted(unknown)} are unknown; take some of {list(get_args(Quirk))}")
        self.limits = limits
        self.quirks = frozenset(quirks)
        self.candle_ms = None if candle is None else max(1, round(candle * 1000))
        names = [self.spelt(symbol) for symbol in (self.usual if symbols is None else symbols)]
        first_id = _BIG if "big_ids" in self.quirks else 1_000_000
        self.instruments = {
            name: Instrument(
                self.listing(name),
                seed,
                levels=levels,
                first_id=first_id,
                jump=self.jump,
                unknown=self.unknown_levels,
            )
            for name in names
        }
        if not self.instruments:
            raise ConfigError("symbols", f"nothing would be traded; take some, such as {list(self.usual)}")
        self._random = Random(seed).random
        self._now_ms = 0
        self._open: dict[str, Topic] = {}
        self._among: Collection[str] | None = None
        self._chosen: list[tuple[str, Topic]] = []
        self._earliest_end = inf

    # What a venue has of its own

    @abstractmethod
    def opened_by(self, target: str) -> Session:
        """A connection to `target`, path and query of its URL."""

    @abstractmethod
    def topic(self, name: str, now_ms: int) -> Topic | None:
        """The topic of that name, open from now on; None: there is none."""

    @abstractmethod
    def listing(self, symbol: str) -> Listing:
        """What the venue says of a symbol."""

    @abstractmethod
    def names(self, symbol: str) -> tuple[str, ...]:
        """The usual topics of a symbol."""

    def spelt(self, symbol: str) -> str:
        """A symbol as the venue writes it."""
        return symbol

    def page(self, target: str, now_ms: int) -> Page | None:
        """Nothing is had over HTTP."""
        return None

    # The market

    @property
    def streams(self) -> tuple[str, ...]:
        """The usual topics."""
        return tuple(name for symbol in self.instruments for name in self.names(symbol))

    @abstractmethod
    def knows(self, stream: str) -> bool:
        """Whether there is such a topic."""

    def next(self, now_ms: int, among: Collection[str]) -> tuple[str, bytes]:
        """The topic and the text of what happens next; without any topic the market just moves on."""
        self._now_ms = now_ms = max(now_ms, self._now_ms)
        if among is not self._among:
            self._choose(among, now_ms)
        chosen = self._chosen
        if not chosen:
            self._wander(now_ms)
            return "", b""
        if now_ms > self._earliest_end and (closed := self._ended(now_ms)):
            return closed
        name, topic = chosen[int(self._random() * len(chosen))]
        return name, self._dressed(topic.tell(now_ms))

    def first(self, stream: str, now_ms: int) -> bytes | None:
        """What one gets who has just subscribed; the topic is open from now on."""
        topic = self._opened(stream, now_ms)
        text = None if topic is None else topic.first(now_ms)
        return None if text is None else self._dressed(text)

    def opened(self, name: str) -> Topic | None:
        """The topic of that name, if somebody listens to it."""
        return self._open.get(name)

    def forget(self, streams: Iterable[str]) -> None:
        """Nobody wants these topics any more."""
        for stream in streams:
            if topic := self._open.pop(stream, None):
                topic.close()
        self._among = None

    def _opened(self, name: str, now_ms: int) -> Topic | None:
        if name not in self._open and (topic := self.topic(name, now_ms)) is not None:
            self._open[name] = topic
            self._among = None
        return self._open.get(name)

    def _choose(self, among: Collection[str], now_ms: int) -> None:
        opened = {name: self._opened(name, now_ms) for name in sorted(among)} or self._open
        self._chosen = [(name, topic) for name, topic in sorted(opened.items()) if topic is not None]
        self._among = among
        self._look_ahead()

    def _look_ahead(self) -> None:
        self._earliest_end = min((topic.end for _, topic in self._chosen), default=inf)

    def _ended(self, now_ms: int) -> tuple[str, bytes] | None:
        for name, topic in self._chosen:
            if now_ms > topic.end and (text := topic.ended(now_ms)) is not None:
                self._look_ahead()
                return name, self._dressed(text)
        self._look_ahead()
        return None

    def _wander(self, now_ms: int) -> None:
        instruments = list(self.instruments.values())
        instrument = instruments[int(self._random() * len(instruments))]
        instrument.book.step()
        instrument.trade(now_ms)

    def _dressed(self, text: str) -> bytes:
        if "unknown_fields" in self.quirks:
            text = text.replace("{", '{"x_new":{"since":[2026]},', 1).replace('"data":{', '"data":{"x_new":null,', 1)
        return text.encode()
