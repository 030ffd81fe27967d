"""Binance's streams, each as spot's frames are; the futures change what differs."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from rxws.testing._book import ASKS, BIDS, Change, Levels
from rxws.testing._instrument import Candle, Instrument
from rxws.testing._protocols.topics import CandleTopic, DeltaTopic, Plain, TradeTopic

__all__ = [
    "INTERVALS",
    "AggregateTrades",
    "Depth",
    "Klines",
    "MiniTicker",
    "Quotes",
    "Tickers",
    "Top",
    "Trades",
    "levels_text",
]

INTERVALS = "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w".split()
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_FIRST_MONDAY_MS = 345_600_000


class Depth(DeltaTopic):
    """`<s>@depth`: what has changed, with the first and the last update number."""

    def tell(self, now_ms: int) -> str:
        """The next `depthUpdate`."""
        self.instrument.book.step()
        last, first = self.cursor.told_id, self.cursor.first_id
        bids, asks = self.instrument.book.told(self.cursor)
        return self.event(now_ms, first, last, self._sides(bids, asks))

    def event(self, now_ms: int, first: int, before: int, sides: str) -> str:
        """It as spot tells it; `before`: the last update number of the event before."""
        symbol, last = self.instrument.symbol, self.cursor.told_id
        return f'{{"e":"depthUpdate","E":{now_ms},"s":"{symbol}","U":{before + 1},"u":{last},{sides}}}'

    def _sides(self, bids: list[Change], asks: list[Change]) -> str:
        price, size = self.instrument.prices.text, self.instrument.sizes.text
        told = (",".join([f'["{price(at)}","{size(now)}"]' for at, _, now in side]) for side in (bids, asks))
        return f'"b":[{next(told)}],"a":[{next(told)}]'


class Top(DeltaTopic):
    """`<s>@depth5`, `10` or `20`: the best levels, without a name."""

    def __init__(self, name: str, instrument: Instrument, levels: int) -> None:
        super().__init__(name, instrument)
        self._levels = levels

    def tell(self, now_ms: int) -> str:
        """The best levels, a change later."""
        book = self.instrument.book
        book.step()
        before, first = self.cursor.told_id, self.cursor.first_id
        book.told(self.cursor)
        sides = (levels_text(self.instrument, book.top(side, self._levels)) for side in (BIDS, ASKS))
        return self.event(now_ms, first, before, next(sides), next(sides))

    def event(self, now_ms: int, first: int, before: int, bids: str, asks: str) -> str:
        """It as spot tells it."""
        return f'{{"lastUpdateId":{self.instrument.book.update_id},"bids":[{bids}],"asks":[{asks}]}}'


class Quotes(Plain):
    """`<s>@bookTicker`: the best bid and ask, of spot without a type and a time."""

    def tell(self, now_ms: int) -> str:
        """The best of both sides, a change later."""
        self.instrument.book.step()
        return f"{{{self.quote()}}}"

    def quote(self) -> str:
        """What is in it."""
        told = self.instrument
        (bid, bid_size), (ask, ask_size) = told.book.best(BIDS), told.book.best(ASKS)
        price, size = told.prices.text, told.sizes.text
        return (
            f'"u":{told.book.update_id},"s":"{told.symbol}","b":"{price(bid)}","B":"{size(bid_size)}",'
            f'"a":"{price(ask)}","A":"{size(ask_size)}"'
        )


class Trades(TradeTopic):
    """`<s>@trade`: every trade, with consecutive ids."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        super().__init__(name, instrument)
        self._waiting: list[tuple[int, int, int, bool, int]] = []

    def tell(self, now_ms: int) -> str:
        """The next trade."""
        if not self._waiting:
            order = self.instrument.next_order(self.fills, now_ms)
            each = enumerate(order.sizes, start=order.first)
            self._waiting = [(number, order.price, size, order.buys, order.ms) for number, size in each]
        number, price, size, buys, ms = self._waiting.pop(0)
        told = f'"t":{number},"p":"{self.instrument.prices.text(price)}","q":"{self.instrument.sizes.text(size)}"'
        return self.event(now_ms, ms, told, "false" if buys else "true")

    def event(self, now_ms: int, ms: int, told: str, maker: str) -> str:
        """It as spot tells it; `maker`: whether the buyer was there first."""
        head = f'{{"e":"trade","E":{now_ms},"s":"{self.instrument.symbol}"'
        return f'{head},{told},"T":{ms},"m":{maker},"M":true}}'


class AggregateTrades(TradeTopic):
    """`<s>@aggTrade`: the trades of one taker together."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        super().__init__(name, instrument)
        self._number = instrument.trade_id

    def tell(self, now_ms: int) -> str:
        """The next order's trades."""
        order = self.instrument.next_order(self.fills, now_ms)
        self._number += 1
        told = (
            f'"p":"{self.instrument.prices.text(order.price)}","q":"{self.instrument.sizes.text(order.size)}",'
            f'"f":{order.first},"l":{order.last},"T":{order.ms},"m":{"false" if order.buys else "true"}'
        )
        return self.event(now_ms, self._number, told)

    def event(self, now_ms: int, number: int, told: str) -> str:
        """It as spot tells it."""
        return f'{{"e":"aggTrade","E":{now_ms},"s":"{self.instrument.symbol}","a":{number},{told},"M":true}}'


class Klines(CandleTopic):
    """`<s>@kline_<interval>`: the open candle, and closed with `x`."""

    def __init__(self, name: str, instrument: Instrument, interval: str, candle_ms: int | None, now_ms: int) -> None:
        own = int(interval[:-1]) * _UNITS_MS[interval[-1]]
        origin = _FIRST_MONDAY_MS if interval[-1] == "w" and candle_ms is None else 0
        super().__init__(name, instrument, candle_ms or own, now_ms, origin)
        self._interval = interval

    def event(self, candle: Candle, now_ms: int, closed: bool) -> str:
        """A `kline`."""
        told = self.instrument
        price, size, value = told.prices.text, told.sizes.text, told.values.text
        return (
            f'{{"e":"kline","E":{now_ms},"s":"{told.symbol}","k":{{"t":{candle.start},"T":{candle.end},'
            f'"s":"{told.symbol}","i":"{self._interval}","f":{candle.first},"L":{candle.last},'
            f'"o":"{price(candle.open)}","c":"{price(candle.close)}","h":"{price(candle.high)}",'
            f'"l":"{price(candle.low)}","v":"{size(candle.volume)}","n":{candle.trades},'
            f'"x":{"true" if closed else "false"},"q":"{value(candle.value)}","V":"{size(candle.bought)}",'
            f'"Q":"{value(candle.bought_value)}","B":"0"}}}}'
        )


class MiniTicker(Plain):
    """`<s>@miniTicker`: what the day has come to."""

    def tell(self, now_ms: int) -> str:
        """The day, a trade later."""
        self.move(now_ms)
        told, day = self.instrument, self.instrument.day
        price = told.prices.text
        return (
            f'{{"e":"24hrMiniTicker","E":{now_ms},"s":"{told.symbol}","c":"{price(day.close)}","o":"{price(day.open)}",'
            f'"h":"{price(day.high)}","l":"{price(day.low)}","v":"{told.sizes.text(day.volume)}",'
            f'"q":"{told.values.text(day.value)}"}}'
        )


class Tickers(Plain):
    """`<s>@ticker`: what the day has come to, in full."""

    quoted: ClassVar[bool] = True

    def tell(self, now_ms: int) -> str:
        """The day, a trade later."""
        self.move(now_ms)
        told, day = self.instrument, self.instrument.day
        price, size = told.prices.text, told.sizes.text
        change = told.prices.decimal(day.close - day.open)
        percent = (100 * change / told.prices.decimal(day.open)).quantize(Decimal("0.001"))
        average = price(day.value // day.volume if day.volume else day.close)
        (bid, bid_size), (ask, ask_size) = told.book.best(BIDS), told.book.best(ASKS)
        quote = f'"b":"{price(bid)}","B":"{size(bid_size)}","a":"{price(ask)}","A":"{size(ask_size)}",'
        quote = quote if self.quoted else ""
        return (
            f'{{"e":"24hrTicker","E":{now_ms},"s":"{told.symbol}","p":"{change:f}","P":"{percent:f}","w":"{average}",'
            f'"c":"{price(day.close)}","Q":"{size(told.last.size)}",{quote}"o":"{price(day.open)}",'
            f'"h":"{price(day.high)}","l":"{price(day.low)}","v":"{size(day.volume)}",'
            f'"q":"{told.values.text(day.value)}","O":{now_ms - 86_400_000},"C":{now_ms},'
            f'"F":{day.first},"L":{day.last},"n":{day.trades}}}'
        )


def levels_text(instrument: Instrument, levels: Levels) -> str:
    """Levels as pairs of strings."""
    price, size = instrument.prices.text, instrument.sizes.text
    return ",".join([f'["{price(at)}","{size(amount)}"]' for at, amount in levels])
