"""One symbol of a generated market: its true book, its trades, its candles, and what the day has come to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from rxws.testing._book import ASKS, BIDS, Book
from rxws.testing._digits import Digits, Style

__all__ = ["Candle", "Fills", "Instrument", "Listing", "Order"]

_CATCH_UP = 100
"""After a pause this many candles at most are made up for; nobody waits for a week of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a venue says of a symbol.

    Args:
        symbol: as the venue writes it.
        price: where it begins.
        tick: the smallest difference of two prices.
        step: the smallest difference of two sizes.
        size: how much a level has, on average.
        style: how numbers are written.
        places: with the style `fixed`, digits behind the point; None: as many as tick and step have.
    """

    symbol: str
    price: Decimal
    tick: Decimal
    step: Decimal
    size: Decimal
    style: Style = "short"
    places: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A taker's order, and the trades that it made, all at one price.

    Args:
        first: the id of its first trade; the others follow.
        price: in ticks.
        sizes: of each trade, in steps.
        buys: whether the taker bought.
        ms: when.
    """

    first: int
    price: int
    sizes: tuple[int, ...]
    buys: bool
    ms: int

    @property
    def last(self) -> int:
        return self.first + len(self.sizes) - 1

    @property
    def size(self) -> int:
        return sum(self.sizes)


class Fills:
    """The orders that one who is told of trades does not know yet."""

    def __init__(self) -> None:
        self.orders: deque[Order] = deque()


@dataclass(slots=True)
class Candle:
    """What was traded in one stretch of time: prices in ticks, sizes in steps, values in ticks times steps."""

    start: int
    length: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    value: int = 0
    bought: int = 0
    bought_value: int = 0
    trades: int = 0
    first: int = -1
    last: int = -1

    @property
    def end(self) -> int:
        return self.start + self.length - 1

    def take_in(self, order: Order) -> None:
        """An order was traded in it."""
        if self.trades == 0:
            self.open = self.high = self.low = order.price
            self.first = order.first
        self.high, self.low = max(self.high, order.price), min(self.low, order.price)
        self.close, self.last = order.price, order.last
        size = order.size
        self.volume += size
        self.value += size * order.price
        if order.buys:
            self.bought += size
            self.bought_value += size * order.price
        self.trades += len(order.sizes)

    def beside(self, ms: int) -> int:
        """When a candle of this kind begins in which `ms` is."""
        return ms - (ms - self.start) % self.length

    def following(self, start: int) -> Candle:
        """The next one, in which nothing has been traded yet."""
        return Candle(start, self.length, self.close, self.close, self.close, self.close)


class Instrument:
    """One symbol that goes on for ever.

    Args:
        listing: what it is.
        seed: what decides, together with the symbol's name.
        levels: how many levels a side of its book has, about.
        first_id: the number before the first update and the first trade.
        jump: by how much update numbers skip at most.
        unknown: the share of updates that delete a level which is not there.
    """

    def __init__(
        self, listing: Listing, seed: int, *, levels: int, first_id: int, jump: int = 0, unknown: float = 0.0
    ) -> None:
        chance = Random(f"{seed} {listing.symbol}")
        self._random = chance.random
        self.symbol = listing.symbol
        self.prices = Digits(listing.tick, listing.style, listing.places)
        self.sizes = Digits(listing.step, listing.style, listing.places)
        self.values = Digits(listing.tick * listing.step, listing.style, listing.places)
        ticks = int(listing.price / listing.tick)
        self.book = Book(
            chance,
            ticks,
            gap=max(1.0, ticks * 1e-5),
            levels=levels,
            size=float(listing.size / listing.step),
            first_id=first_id,
            jump=jump,
            unknown=unknown,
        )
        self.trade_id = first_id
        self.day = Candle(0, 86_400_000, ticks, ticks, ticks, ticks)
        self.last = Order(first_id, ticks, (1,), True, 0)
        self.fills: list[Fills] = []
        self._candles: dict[str, Candle] = {}

    def trade(self, now_ms: int) -> Order:
        """Somebody buys or sells the best that is offered, from one to three others."""
        random = self._random
        buys = random() < 0.5
        side = ASKS if buys else BIDS
        price, there = self.book.best(side)
        taken = self.book.take(side, max(1, int(there * random() * 1.3)))
        parts = min(taken, 1 if random() < 0.7 else 2 + int(random() * 2))
        sizes = (*(taken // parts,) * (parts - 1), taken - taken // parts * (parts - 1))
        order = Order(self.trade_id + 1, price, sizes, buys, max(now_ms, self.last.ms))
        self.trade_id = order.last
        self.last = order
        self.day.take_in(order)
        for fills in self.fills:
            fills.orders.append(order)
        for name, candle in self._candles.items():
            if order.ms > candle.end:
                candle = self._candles[name] = candle.following(candle.beside(order.ms))
            candle.take_in(order)
        return order

    def follow(self) -> Fills:
        """One more who is told of trades, from now on."""
        fills = Fills()
        self.fills.append(fills)
        return fills

    def next_order(self, fills: Fills, now_ms: int) -> Order:
        """The next order that this one is told of; it is made where there is none."""
        if not fills.orders:
            self.trade(now_ms)
        return fills.orders.popleft()

    def candle(self, name: str, length: int, now_ms: int, origin: int = 0) -> Candle:
        """The candle that is open under this name; of `length` milliseconds, where there is none yet.

        One starts at `origin`.
        """
        candle = self._candles.get(name)
        if candle is None:
            price = self.last.price
            start = now_ms - (now_ms - origin) % length
            candle = self._candles[name] = Candle(start, length, price, price, price, price)
        return candle

    def ended(self, name: str, now_ms: int) -> Candle | None:
        """The candle of that name if its time is over; then the next one is open."""
        candle = self._candles.get(name)
        if candle is None or now_ms <= candle.end:
            return None
        oldest = candle.beside(now_ms) - _CATCH_UP * candle.length
        self._candles[name] = candle.following(max(candle.start + candle.length, oldest))
        return candle

    def forget(self, name: str) -> None:
        """Nobody wants the candles of this name any more."""
        self._candles.pop(name, None)
