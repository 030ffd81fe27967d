"""Candles that go on for ever, made from the klines of a recording that lasts half a minute.

A recorded kline says what its own minute had come to. Played again and again at another time it
would contradict
itself: a candle that opens with a volume, a low above the close. So only what *changed* between two
recorded klines is taken over, and added to the candle that is open now.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rxws.errors import ConfigError

__all__ = ["Candles"]

Data = dict[str, Any]
"""A JSON object: its values may be anything."""

_SUMS = ("v", "q", "V", "Q")
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_FIRST_MONDAY_MS = 345_600_000
_CATCH_UP = 100
"""After a pause this many candles at most are made up for; nobody waits for a week of them."""


@dataclass(slots=True)
class _Candle:
    symbol: str
    interval: str
    start: int
    length: int
    open: str
    close: str
    high: str
    low: str
    sums: dict[str, Decimal]
    trades: int = 0
    first: int = -1
    last: int = -1
    ignored: Data = field(default_factory=dict)

    @property
    def end(self) -> int:
        return self.start + self.length - 1

    def trade(self, price: str, sums: dict[str, Decimal], trades: int, last: int) -> None:
        """Take in what was traded since the last update, the newest at `price`."""
        if self.trades == 0:
            self.open = self.high = self.low = price
            self.first = last - trades + 1
        self.close, self.last = price, last
        self.high = max(self.high, price, key=Decimal)
        self.low = min(self.low, price, key=Decimal)
        self.trades += trades
        for key, amount in sums.items():
            self.sums[key] += amount

    def following(self, start: int) -> _Candle:
        """The next candle, in which nothing has been traded yet."""
        sums = {key: amount - amount for key, amount in self.sums.items()}
        prices = (self.close,) * 4
        return _Candle(self.symbol, self.interval, start, self.length, *prices, sums, ignored=self.ignored)

    def event(self, now_ms: int, closed: bool) -> Data:
        sums = {key: format(amount, "f") for key, amount in self.sums.items()}
        kline = {
            "t": self.start,
            "T": self.end,
            "s": self.symbol,
            "i": self.interval,
            "f": self.first,
            "L": self.last,
            "o": self.open,
            "c": self.close,
            "h": self.high,
            "l": self.low,
            "v": sums["v"],
            "n": self.trades,
            "x": closed,
            "q": sums["q"],
            "V": sums["V"],
            "Q": sums["Q"],
            **self.ignored,
        }
        return {"e": "kline", "E": now_ms, "s": self.symbol, "k": kline}


class Candles:
    """The open candle of each kline stream, and its end when its time has come.

    Args:
        length_ms: how long a candle lasts, whatever its interval is called; None: as long as it
            says.
    """

    def __init__(self, length_ms: int | None = None) -> None:
        self._length_ms = length_ms
        self._open: dict[str, _Candle] = {}
        self._seen: dict[str, Data] = {}
        self._earliest_end = 0

    def update(self, stream: str, kline: Data, id_offset: int, now_ms: int) -> Data:
        """The event that a recorded `kline` becomes at `now_ms`."""
        candle = self._open.get(stream)
        if candle is None:
            candle = self._first(kline, now_ms)
            self._hold(stream, candle)
        sums, trades = _change(self._seen.get(stream), kline)
        self._seen[stream] = kline
        if trades:
            candle.trade(kline["c"], sums, trades, kline["L"] + id_offset)
        return candle.event(now_ms, closed=False)

    def ended(self, now_ms: int, among: Collection[str]) -> tuple[str, Data] | None:
        """One candle of the streams `among` whose time is over, closed; None when there is none."""
        if now_ms <= self._earliest_end:
            return None
        for stream, candle in self._open.items():
            if candle.end < now_ms and stream in among:
                oldest = _floor(now_ms, candle.length, candle.start) - _CATCH_UP * candle.length
                self._hold(stream, candle.following(max(candle.end + 1, oldest)))
                return stream, candle.event(now_ms, closed=True)
        return None

    def _hold(self, stream: str, candle: _Candle) -> None:
        self._open[stream] = candle
        self._earliest_end = min(candle.end for candle in self._open.values())

    def _first(self, kline: Data, now_ms: int) -> _Candle:
        length, origin = _length_ms(kline["i"])
        if self._length_ms is not None:
            length, origin = self._length_ms, 0
        sums = {key: Decimal(kline[key]) - Decimal(kline[key]) for key in _SUMS}
        ignored = {"B": kline["B"]} if "B" in kline else {}
        start = _floor(now_ms, length, origin)
        prices = (kline["c"],) * 4
        return _Candle(kline["s"], kline["i"], start, length, *prices, sums, ignored=ignored)


def _floor(now_ms: int, length: int, origin: int) -> int:
    return now_ms - (now_ms - origin) % length


def _length_ms(interval: str) -> tuple[int, int]:
    """The length of a candle, and an instant at which one starts. Weeks start on Mondays."""
    count, unit = interval[:-1], interval[-1:]
    if not count.isdecimal() or unit not in _UNITS_MS:
        raise ConfigError("frames", f"the interval {interval!r} cannot be played; take s, m, h, d or w")
    return int(count) * _UNITS_MS[unit], _FIRST_MONDAY_MS if unit == "w" else 0


def _change(before: Data | None, kline: Data) -> tuple[dict[str, Decimal], int]:
    """What was traded between two recorded klines: the sums, and how many trades."""
    trades: int = kline["n"]
    sums = {key: Decimal(kline[key]) for key in _SUMS}
    if before is not None and before["t"] == kline["t"] and before["n"] <= trades:
        return {key: sums[key] - Decimal(before[key]) for key in _SUMS}, trades - before["n"]
    if trades == 0:
        return sums, 0
    # The recording starts anew or in a new candle: what came before is unknown, so take one trade
    # of its average.
    return {key: (sums[key] / trades).quantize(sums[key]) for key in _SUMS}, 1
