"""Coinbase Exchange's channels, each as its frames are."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from rxws.testing._book import ASKS, BIDS, Change, Levels
from rxws.testing._instrument import Instrument, Order
from rxws.testing._protocols.topics import DeltaTopic, TradeTopic

__all__ = ["Level2", "Matches", "Ticker", "sequence_of", "time_text"]


class Level2(DeltaTopic):
    """`level2_batch`: a snapshot, then updates without any number."""

    def first(self, now_ms: int) -> str:
        """The snapshot."""
        bids, asks = self.instrument.book.levels(self.cursor)
        symbol = self.instrument.symbol
        return (
            f'{{"type":"snapshot","product_id":"{symbol}","asks":[{self._levels(asks)}],"bids":[{self._levels(bids)}],'
            f'"time":"{time_text(now_ms)}"}}'
        )

    def tell(self, now_ms: int) -> str:
        """The next update."""
        self.instrument.book.step()
        bids, asks = self.instrument.book.told(self.cursor)
        changes = [*self._changes("buy", bids), *self._changes("sell", asks)]
        return (
            f'{{"type":"l2update","product_id":"{self.instrument.symbol}","changes":[{",".join(changes)}],'
            f'"time":"{time_text(now_ms)}"}}'
        )

    def _levels(self, levels: Levels) -> str:
        price, size = self.instrument.prices.text, self.instrument.sizes.text
        return ",".join([f'["{price(at)}","{size(amount)}"]' for at, amount in levels])

    def _changes(self, side: str, changes: list[Change]) -> list[str]:
        price, size = self.instrument.prices.text, self.instrument.sizes.text
        return [f'["{side}","{price(at)}","{size(now)}"]' for at, before, now in changes if now or before]


class Matches(TradeTopic):
    """`matches`: first the last match, then each."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        super().__init__(name, instrument)
        self._waiting: list[tuple[Order, int, int]] = []
        self._last = (instrument.last, instrument.last.last, instrument.last.sizes[-1])

    @property
    def last_id(self) -> int:
        """The id of the trade that was told last."""
        return self._last[1]

    def first(self, now_ms: int) -> str:
        """The match that was told last."""
        return self._told("last_match", now_ms)

    def tell(self, now_ms: int) -> str:
        """The next match."""
        if not self._waiting:
            order = self.instrument.next_order(self.fills, now_ms)
            self._waiting = [(order, number, size) for number, size in enumerate(order.sizes, start=order.first)]
        self._last = self._waiting.pop(0)
        return self._told("match", now_ms)

    def _told(self, kind: str, now_ms: int) -> str:
        order, number, size = self._last
        at = order.ms or now_ms  # the one before the first has no time
        maker, taker = (f"{number:08x}-0000-4000-8000-00000000000{end}" for end in "ab")
        # Its side is the maker's.
        return (
            f'{{"type":"{kind}","trade_id":{number},"maker_order_id":"{maker}","taker_order_id":"{taker}",'
            f'"side":"{"sell" if order.buys else "buy"}","size":"{self.instrument.sizes.text(size)}",'
            f'"price":"{self.instrument.prices.text(order.price)}","product_id":"{self.instrument.symbol}",'
            f'"sequence":{sequence_of(number)},"time":"{time_text(at)}"}}'
        )


class Ticker(TradeTopic):
    """`ticker`: one for each order, with the day and the quote."""

    def first(self, now_ms: int) -> str:
        """As it is."""
        return self._told(self.instrument.last)

    def tell(self, now_ms: int) -> str:
        """The next order."""
        return self._told(self.instrument.next_order(self.fills, now_ms))

    def _told(self, order: Order) -> str:
        instrument, day = self.instrument, self.instrument.day
        price, size = instrument.prices.text, instrument.sizes.text
        (bid, bid_size), (ask, ask_size) = instrument.book.best(BIDS), instrument.book.best(ASKS)
        return (
            f'{{"type":"ticker","sequence":{sequence_of(order.last)},"product_id":"{instrument.symbol}",'
            f'"price":"{price(order.price)}","open_24h":"{price(day.open)}","volume_24h":"{size(day.volume)}",'
            f'"low_24h":"{price(day.low)}","high_24h":"{price(day.high)}","volume_30d":"{size(day.volume * 30)}",'
            f'"best_bid":"{price(bid)}","best_bid_size":"{size(bid_size)}","best_ask":"{price(ask)}",'
            f'"best_ask_size":"{size(ask_size)}","side":"{"buy" if order.buys else "sell"}",'
            f'"time":"{time_text(order.ms)}","trade_id":{order.last},"last_size":"{size(order.sizes[-1])}"}}'
        )


def sequence_of(trade_id: int) -> int:
    """The number of a trade among all that happens to a product."""
    return trade_id * 3


def time_text(ms: int) -> str:
    """An instant as RFC 3339, to the microsecond."""
    seconds, rest = divmod(ms, 1_000)
    return f"{_second(seconds)}.{rest:03d}000Z"


@lru_cache(1_024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
