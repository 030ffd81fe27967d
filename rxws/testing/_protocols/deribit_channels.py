"""Deribit's channels, each as its frames are."""

from __future__ import annotations

from math import inf

from rxws.testing._book import ASKS, BIDS, Change, Levels
from rxws.testing._instrument import Candle, Instrument, Order
from rxws.testing._protocols.topics import CandleTopic, DeltaTopic, Plain, TradeTopic

__all__ = ["Book", "Chart", "Quote", "Ticker", "Trades", "Window", "told"]

_TOGETHER = 20
"""How many orders one frame of trades tells at most."""


class Book(DeltaTopic):
    """`book.<i>.100ms` and its kin: a snapshot, then changes, each with the number of the one before."""

    def first(self, now_ms: int) -> str:
        """The snapshot."""
        bids, asks = self.instrument.book.levels(self.cursor)
        return self._told(now_ms, "snapshot", "", *(self._levels("new", levels) for levels in (bids, asks)))

    def tell(self, now_ms: int) -> str:
        """The next change."""
        self.instrument.book.step()
        link = f'"prev_change_id":{self.cursor.told_id},'
        bids, asks = self.instrument.book.told(self.cursor)
        return self._told(now_ms, "change", link, self._changes(bids), self._changes(asks))

    def _told(self, now_ms: int, kind: str, link: str, bids: str, asks: str) -> str:
        return told(
            self.name,
            f'{{"type":"{kind}","timestamp":{now_ms},{link}"instrument_name":"{self.instrument.symbol}",'
            f'"change_id":{self.cursor.told_id},"bids":[{bids}],"asks":[{asks}]}}',
        )

    def _levels(self, action: str, levels: Levels) -> str:
        price, size = self.instrument.prices.text, self.instrument.sizes.text
        return ",".join([f'["{action}",{price(at)},{size(amount)}]' for at, amount in levels])

    def _changes(self, changes: list[Change]) -> str:
        price, size = self.instrument.prices.text, self.instrument.sizes.text
        return ",".join(
            [
                f'["{"delete" if not now else "change" if before else "new"}",{price(at)},{size(now)}]'
                for at, before, now in changes
                if now or before
            ]
        )


class Window(DeltaTopic):
    """`book.<i>.none.10.100ms`: the whole window of the best levels each time."""

    def __init__(self, name: str, instrument: Instrument, levels: int) -> None:
        super().__init__(name, instrument)
        self._count = levels

    def tell(self, now_ms: int) -> str:
        """The best levels, a change later."""
        book, price, size = self.instrument.book, self.instrument.prices.text, self.instrument.sizes.text
        book.step()
        book.told(self.cursor)
        sides = (
            ",".join([f"[{price(at)},{size(amount)}]" for at, amount in book.top(side, self._count)])
            for side in (BIDS, ASKS)
        )
        return told(
            self.name,
            f'{{"timestamp":{now_ms},"instrument_name":"{self.instrument.symbol}","change_id":{self.cursor.told_id},'
            f'"bids":[{next(sides)}],"asks":[{next(sides)}]}}',
        )


class Trades(TradeTopic):
    """`trades.<i>.100ms`: lists of trades, their `trade_seq` consecutive."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        super().__init__(name, instrument)
        self._before = instrument.last.price
        self._rose = True

    def tell(self, now_ms: int) -> str:
        """What was traded since, one trade at least; raw: one order."""
        orders = [self.instrument.next_order(self.fills, now_ms)]
        while self.fills.orders and len(orders) < _TOGETHER and not self.name.endswith(".raw"):
            orders.append(self.fills.orders.popleft())
        return told(self.name, f"[{','.join([one for order in orders for one in self._trades(order)])}]")

    def _trades(self, order: Order) -> list[str]:
        price, size, symbol = self.instrument.prices.text, self.instrument.sizes.text, self.instrument.symbol
        trades = []
        for number, amount in enumerate(order.sizes, start=order.first):
            same = order.price == self._before
            self._rose = self._rose if same else order.price > self._before
            self._before = order.price
            trades.append(
                f'{{"trade_seq":{number},"trade_id":"{number}","timestamp":{order.ms},'
                f'"tick_direction":{(0 if self._rose else 2) + same},"price":{price(order.price)},'
                f'"mark_price":{price(order.price)},"instrument_name":"{symbol}","index_price":{price(order.price)},'
                f'"direction":"{"buy" if order.buys else "sell"}","amount":{size(amount)}}}'
            )
        return trades


class Quote(Plain):
    """`quote.<i>`: the best bid and ask."""

    def tell(self, now_ms: int) -> str:
        """It, a change later."""
        self.instrument.book.step()
        return told(
            self.name, f'{{"timestamp":{now_ms},"instrument_name":"{self.instrument.symbol}",{best(self.instrument)}}}'
        )


class Ticker(Plain):
    """`ticker.<i>.100ms`: what the day has come to."""

    def tell(self, now_ms: int) -> str:
        """It, a trade later."""
        self.move(now_ms)
        instrument, day = self.instrument, self.instrument.day
        price = instrument.prices.text
        last = price(day.close)
        return told(
            self.name,
            f'{{"timestamp":{now_ms},"state":"open","stats":{{"volume":{instrument.sizes.text(day.volume)},'
            f'"low":{price(day.low)},"high":{price(day.high)}}},"settlement_price":{price(day.open)},'
            f'"open_interest":2456789.0,"min_price":{price(day.low * 9 // 10)},'
            f'"max_price":{price(day.high * 11 // 10)},'
            f'"mark_price":{last},"last_price":{last},"instrument_name":"{instrument.symbol}","index_price":{last},'
            f'"funding_8h":0.00001,"current_funding":0.0,{best(instrument)}}}',
        )


class Chart(CandleTopic):
    """`chart.trades.<i>.<resolution>`: candles without a flag; one is closed when `tick` moves on."""

    @property
    def end(self) -> float:
        """Nothing says that one is over."""
        return inf

    def event(self, candle: Candle, now_ms: int, closed: bool) -> str:
        """A candle."""
        price, size = self.instrument.prices.text, self.instrument.sizes.text
        return told(
            self.name,
            f'{{"volume":{size(candle.volume)},"tick":{candle.start},"open":{price(candle.open)},'
            f'"low":{price(candle.low)},"high":{price(candle.high)},"cost":{size(candle.volume)},'
            f'"close":{price(candle.close)}}}',
        )


def told(channel: str, data: str) -> str:
    """A notification of a channel."""
    return f'{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}'


def best(instrument: Instrument) -> str:
    """The best bid and ask."""
    (bid, bid_size), (ask, ask_size) = instrument.book.best(BIDS), instrument.book.best(ASKS)
    price, size = instrument.prices.text, instrument.sizes.text
    return (
        f'"best_bid_price":{price(bid)},"best_bid_amount":{size(bid_size)},'
        f'"best_ask_price":{price(ask)},"best_ask_amount":{size(ask_size)}'
    )
