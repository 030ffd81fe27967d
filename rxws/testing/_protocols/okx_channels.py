"""OKX's channels, each as its frames are: everything is a string but `seqId` and `prevSeqId`."""

from __future__ import annotations

from zlib import crc32

from rxws.testing._book import ASKS, BIDS, Change, Levels
from rxws.testing._instrument import Candle, Instrument, Order
from rxws.testing._protocols.topics import CandleTopic, DeltaTopic, Plain, TradeTopic

__all__ = ["AllTrades", "Books", "Candles", "Numbering", "Tickers", "Top", "Trades", "checksum"]

_SUMMED = 25
"""How many levels a side a checksum is of."""


class Numbering:
    """The sequence of an instrument, which a maintenance may set back."""

    def __init__(self) -> None:
        self._offset = 0

    def of(self, update_id: int) -> int:
        """The `seqId` of an update of the book."""
        return update_id - self._offset

    def set_back(self, update_id: int) -> None:
        """The next one is about half of the last."""
        self._offset = update_id - self.of(update_id) // 2


class Books(DeltaTopic):
    """`books`: a snapshot, then updates, each with the number of the one before.

    Args:
        numbering: the numbers of its instrument.
        checksums: whether the real checksum is told, and not the 0 of today.
    """

    def __init__(self, name: str, instrument: Instrument, numbering: Numbering, checksums: bool) -> None:
        super().__init__(name, instrument)
        self._numbering = numbering
        self._checksums = checksums
        self._sequence = numbering.of(instrument.book.update_id)
        self.bad_checksums = 0

    def first(self, now_ms: int) -> str:
        """The snapshot."""
        bids, asks = self.instrument.book.levels(self.cursor)
        return self._told(now_ms, "snapshot", self._levels(bids), self._levels(asks), -1)

    def tell(self, now_ms: int) -> str:
        """The next update."""
        self.instrument.book.step()
        before = self._sequence
        bids, asks = self.instrument.book.told(self.cursor)
        self._sequence = self._numbering.of(self.instrument.book.update_id)
        return self._told(now_ms, "update", self._changes(bids), self._changes(asks), before)

    def keep_alive(self, now_ms: int) -> str:
        """What comes when nothing has happened for a minute."""
        return self._told(now_ms, "update", "", "", self._sequence)

    def _told(self, now_ms: int, action: str, bids: str, asks: str, before: int) -> str:
        head = named(self.name, f',"action":"{action}"')
        return (
            f'{head}[{{"asks":[{asks}],"bids":[{bids}],"ts":"{now_ms}","checksum":{self._checksum()},'
            f'"seqId":{self._sequence},"prevSeqId":{before}}}]}}'
        )

    def _checksum(self) -> int:
        if not self._checksums:
            return 0
        book = self.instrument.book
        if any(self.cursor.before):
            bids, asks = book.levels(self.cursor)
        else:  # what was told is what there is, so that nothing needs to be sorted
            bids, asks = book.top(BIDS, _SUMMED), book.top(ASKS, _SUMMED)
        right = checksum(self.instrument, bids, asks)
        if self.bad_checksums:
            self.bad_checksums -= 1
            return right ^ 1
        return right

    def _levels(self, levels: Levels) -> str:
        return levels_text(self.instrument, levels)

    def _changes(self, changes: list[Change]) -> str:
        return levels_text(self.instrument, [(price, now) for price, before, now in changes if now or before])


class Top(DeltaTopic):
    """`books5` and `bbo-tbt`: the best levels each time."""

    def __init__(self, name: str, instrument: Instrument, numbering: Numbering, levels: int) -> None:
        super().__init__(name, instrument)
        self._numbering = numbering
        self._count = levels

    def first(self, now_ms: int) -> str:
        """The best levels."""
        return self._told(now_ms)

    def tell(self, now_ms: int) -> str:
        """The best levels, a change later."""
        self.instrument.book.step()
        self.instrument.book.told(self.cursor)
        return self._told(now_ms)

    def _told(self, now_ms: int) -> str:
        book = self.instrument.book
        bids, asks = (levels_text(self.instrument, book.top(side, self._count)) for side in (BIDS, ASKS))
        symbol = f'"instId":"{self.instrument.symbol}",' if self._count > 1 else ""
        return (
            f'{named(self.name)}[{{"asks":[{asks}],"bids":[{bids}],{symbol}"ts":"{now_ms}",'
            f'"seqId":{self._numbering.of(book.update_id)}}}]}}'
        )


class Trades(TradeTopic):
    """`trades`: the fills of one taker together, with their `count` and the id of the last."""

    def __init__(self, name: str, instrument: Instrument, numbering: Numbering) -> None:
        super().__init__(name, instrument)
        self.numbering = numbering

    def tell(self, now_ms: int) -> str:
        """The next order."""
        order = self.instrument.next_order(self.fills, now_ms)
        sequence = self.numbering.of(self.instrument.book.update_id)
        more = f',"count":"{len(order.sizes)}","source":"0","seqId":{sequence}'
        return f"{named(self.name)}[{trade(self.instrument, order, order.last, order.size, more)}]}}"


class AllTrades(TradeTopic):
    """`trades-all`: each fill by itself."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        super().__init__(name, instrument)
        self._waiting: list[tuple[Order, int, int]] = []

    def tell(self, now_ms: int) -> str:
        """The next fill."""
        if not self._waiting:
            order = self.instrument.next_order(self.fills, now_ms)
            self._waiting = [(order, number, size) for number, size in enumerate(order.sizes, start=order.first)]
        told = trade(self.instrument, *self._waiting.pop(0), ',"source":"0"')
        return f"{named(self.name)}[{told}]}}"


class Tickers(Plain):
    """`tickers`: what the day has come to."""

    def first(self, now_ms: int) -> str:
        """As it is."""
        return self._told(now_ms)

    def tell(self, now_ms: int) -> str:
        """It, a trade later."""
        self.move(now_ms)
        return self._told(now_ms)

    def _told(self, now_ms: int) -> str:
        instrument, day = self.instrument, self.instrument.day
        price, size = instrument.prices.text, instrument.sizes.text
        (bid, bid_size), (ask, ask_size) = instrument.book.best(BIDS), instrument.book.best(ASKS)
        opened = price(day.open)
        return (
            f'{named(self.name)}[{{"instType":"SPOT","instId":"{instrument.symbol}","last":"{price(day.close)}",'
            f'"lastSz":"{size(instrument.last.size)}","askPx":"{price(ask)}","askSz":"{size(ask_size)}",'
            f'"bidPx":"{price(bid)}","bidSz":"{size(bid_size)}","open24h":"{opened}","high24h":"{price(day.high)}",'
            f'"low24h":"{price(day.low)}","volCcy24h":"{instrument.values.text(day.value)}",'
            f'"vol24h":"{size(day.volume)}","sodUtc0":"{opened}","sodUtc8":"{opened}","ts":"{now_ms}"}}]}}'
        )


class Candles(CandleTopic):
    """`candle1m` and its kin: a list, whose last element says whether it is closed."""

    def event(self, candle: Candle, now_ms: int, closed: bool) -> str:
        """A candle."""
        price, value = self.instrument.prices.text, self.instrument.values.text(candle.value)
        told = (
            f"{candle.start}",
            *(price(at) for at in (candle.open, candle.high, candle.low, candle.close)),
            self.instrument.sizes.text(candle.volume),
            value,
            value,
            "1" if closed else "0",
        )
        row = '","'.join(told)
        return f'{named(self.name)}[["{row}"]]}}'


def named(name: str, more: str = "") -> str:
    """How a frame of a channel begins, until its data."""
    channel, _, symbol = name.partition(":")
    return f'{{"arg":{{"channel":"{channel}","instId":"{symbol}"}}{more},"data":'


def trade(instrument: Instrument, order: Order, number: int, size: int, more: str) -> str:
    """One trade, or several."""
    return (
        f'{{"instId":"{instrument.symbol}","tradeId":"{number}","px":"{instrument.prices.text(order.price)}",'
        f'"sz":"{instrument.sizes.text(size)}","side":"{"buy" if order.buys else "sell"}","ts":"{order.ms}"{more}}}'
    )


def levels_text(instrument: Instrument, levels: Levels) -> str:
    """Levels as price, size, a 0 that means nothing, and how many orders there are."""
    price, size = instrument.prices.text, instrument.sizes.text
    return ",".join(
        [f'["{price(at)}","{size(amount)}","0","{amount % 13 + 1 if amount else 0}"]' for at, amount in levels]
    )


def checksum(instrument: Instrument, bids: Levels, asks: Levels) -> int:
    """The signed CRC32 of the best 25 levels, bid and ask in turn, as they are written."""
    price, size = instrument.prices.text, instrument.sizes.text
    words = []
    for at in range(_SUMMED):
        words += [f"{price(level[0])}:{size(level[1])}" for side in (bids, asks) for level in side[at : at + 1]]
    unsigned = crc32(":".join(words).encode())
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned
