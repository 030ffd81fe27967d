"""A market that never was: trades, quotes and candles of one symbol, whose price goes up and down by chance."""

from __future__ import annotations

from itertools import accumulate
from math import exp
from random import Random
from typing import Any

from rxws import arguments
from rxws.errors import ConfigError

__all__ = ["random_walk"]

Frame = dict[str, Any]
"""A combined frame: its data is JSON, whose values may be anything."""


def random_walk(
    symbol: str = "btcusdt", *, price: float = 64_000.0, step: float = 1e-4, trades: int = 2_000, seed: int = 1
) -> list[Frame]:
    """Return frames for a `SimulatedExchange`: a market whose price goes up and down by chance.

    Each trade tells three messages, as Binance's USD-M futures tell them: `<symbol>@aggTrade`, `<symbol>@bookTicker`
    and `<symbol>@kline_1m`. The last price is the first one again, so that nothing jumps where the exchange plays
    them anew.

    Args:
        symbol: in lower case.
        price: where it begins and ends, above 0.
        step: how far one trade moves it, as a fraction of it: a standard deviation, 0 to 0.1.
        trades: how many there are, 2 or more.
        seed: the same one makes the same market; at another `price` it is the same one, scaled.

    Raises:
        ConfigError: an argument is out of its range.

    >>> frames = random_walk("ethusdt", price=3_000.0, trades=3)
    >>> [frame["stream"] for frame in frames[:4]]
    ['ethusdt@aggTrade', 'ethusdt@bookTicker', 'ethusdt@kline_1m', 'ethusdt@aggTrade']
    >>> [frame["data"]["p"] for frame in frames[::3]]
    ['3000.00', '2999.98', '3000.00']
    """
    if not symbol or symbol != symbol.lower():
        raise ConfigError("symbol", f"{symbol!r} is no symbol in lower case; take 'btcusdt'")
    if not price > 0.0:
        raise ConfigError("price", f"{price!r} is no price; take more than 0")
    if not 0.0 <= step <= 0.1:
        raise ConfigError("step", f"{step!r} is out of range; take 0 to 0.1")
    arguments.whole("trades", trades)
    if trades < 2:
        raise ConfigError("trades", f"{trades} is too few; take 2 or more")
    market = _Market(symbol, Random(seed))
    chance = Random(seed)
    heights = list(accumulate((chance.gauss(0.0, step) for _ in range(trades - 1)), initial=0.0))
    # A slope takes it back to where it began: a bridge instead of a walk.
    back = heights[-1] / (trades - 1)
    return [frame for index, height in enumerate(heights) for frame in market.trade(price * exp(height - back * index))]


class _Market:
    """What is told of each trade, and what the minute has come to."""

    def __init__(self, symbol: str, chance: Random) -> None:
        self._symbol = symbol
        self._chance = chance
        self._trades = 0
        self._prices: dict[str, float] = {}
        self._sums = dict.fromkeys("vqVQ", 0.0)

    def trade(self, price: float) -> list[Frame]:
        """Return the frames of one more trade."""
        quantity = 0.001 + self._chance.expovariate(2.0)
        seller_began = self._chance.random() < 0.5
        self._trades += 1
        before = self._prices or dict.fromkeys("ohl", price)
        self._prices = {"o": before["o"], "c": price, "h": max(before["h"], price), "l": min(before["l"], price)}
        self._sums["v"] += quantity
        self._sums["q"] += quantity * price
        if not seller_began:
            self._sums["V"] += quantity
            self._sums["Q"] += quantity * price
        number = self._trades
        trade = {"e": "aggTrade", "a": number, "p": _price(price), "q": f"{quantity:.3f}", "f": number, "l": number}
        return [
            self._frame("aggTrade", {**trade, "T": 0, "m": seller_began}),
            self._frame("bookTicker", {**self._quote(price), "T": 0}),
            self._frame("kline_1m", {"e": "kline", "k": self._kline()}),
        ]

    def _quote(self, price: float) -> Frame:
        half = price * self._chance.uniform(1e-5, 4e-5)
        sizes = (f"{self._chance.expovariate(0.5):.3f}" for _ in range(2))
        bid, ask = _price(price - half), _price(price + half)
        return {"e": "bookTicker", "u": self._trades, "b": bid, "B": next(sizes), "a": ask, "A": next(sizes)}

    def _kline(self) -> Frame:
        return {
            "t": 0,
            "T": 59_999,
            "s": self._symbol.upper(),
            "i": "1m",
            "f": 1,
            "L": self._trades,
            **{key: _price(value) for key, value in self._prices.items()},
            "n": self._trades,
            "x": False,
            **{key: f"{value:.3f}" for key, value in self._sums.items()},
        }

    def _frame(self, kind: str, data: Frame) -> Frame:
        named = {"e": data.pop("e"), "E": 0, "s": self._symbol.upper()}
        return {"stream": f"{self._symbol}@{kind}", "data": {**named, **data}}


def _price(value: float) -> str:
    return f"{value:.2f}" if value >= 1.0 else f"{value:.8f}"
