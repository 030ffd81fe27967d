"""What venues share: trades, quotes, tickers, candles and books, whatever venue they come from.

Prices and sizes are exact: `Decimal`, with the digits that the venue wrote. Instants are integer nanoseconds since the
epoch, UTC. Symbols are written as the venue writes them; `venue` is the name of its module in `rxws.exchanges`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "BookDelta",
    "BookSnapshot",
    "Candle",
    "LastTrade",
    "Level",
    "MarketEvent",
    "Quote",
    "Side",
    "Ticker",
    "Trade",
]

Level: TypeAlias = tuple[Decimal, Decimal]
"""A price, and the size that is offered at it."""

Side: TypeAlias = Literal["buy", "sell"]


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One trade, or several fills of one order where the venue tells them together.

    Args:
        side: what the taker did: it bought or sold; None where the venue does not say.
        id: the venue's own.
        sequence: a number that grows by one from trade to trade of this symbol; None where the venue has none.
        time_ns: the venue's time of the trade.
        arrival_ns: when it was read here; None where nobody noted it.
    """

    venue: str
    symbol: str
    price: Decimal
    size: Decimal
    side: Side | None
    id: str
    time_ns: int
    arrival_ns: int | None = None
    sequence: int | None = None


class LastTrade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which trade of a symbol was the last one, as a venue's heartbeat says: proof of a trade that did not come.

    Args:
        sequence: its `Trade.sequence`.
        arrival_ns: when it was read here; None where nobody noted it.
    """

    venue: str
    symbol: str
    sequence: int
    time_ns: int | None
    arrival_ns: int | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The best bid and the best ask; a side is None where nobody offers anything.

    Args:
        time_ns: the venue's time; None where it sends none.
        arrival_ns: when it was read here; None where nobody noted it.
        sequence: the venue's number of the state of its book; None where it has none.
    """

    venue: str
    symbol: str
    bid: Decimal | None
    bid_size: Decimal | None
    ask: Decimal | None
    ask_size: Decimal | None
    time_ns: int | None
    arrival_ns: int | None = None
    sequence: int | None = None


class Ticker(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What happened in the last 24 hours, and where the market is now; None is what the venue does not say.

    Args:
        open: the price 24 hours ago.
        volume: of 24 hours, in the base currency or in contracts, as the venue counts.
        time_ns: the venue's time; None where it sends none.
        arrival_ns: when it was read here; None where nobody noted it.
    """

    venue: str
    symbol: str
    last: Decimal | None
    bid: Decimal | None
    bid_size: Decimal | None
    ask: Decimal | None
    ask_size: Decimal | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    volume: Decimal | None
    time_ns: int | None
    arrival_ns: int | None = None


class Candle(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One candle (kline) of a market, as far as it has come.

    Args:
        interval: as the venue writes it ("1m").
        open_ns: its first instant.
        close_ns: the first instant after it.
        closed: None where the venue does not say; `operators.close_candles` does.
        time_ns: the venue's time of the message; its own begin where the message has none.
        arrival_ns: when it was read here; None where nobody noted it.
    """

    venue: str
    symbol: str
    interval: str
    open_ns: int
    close_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    closed: bool | None
    time_ns: int
    arrival_ns: int | None = None


class BookSnapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order book as a whole, or its best levels; best first on both sides.

    Args:
        sequence: the venue's number of this state; None where it has none.
        checksum: the venue's, of the book after this message; None where it sends none, or one that means nothing.
        time_ns: the venue's time; None where it sends none.
        arrival_ns: when it was read here; None where nobody noted it.
    """

    venue: str
    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    sequence: int | None = None
    checksum: int | None = None
    time_ns: int | None = None
    arrival_ns: int | None = None


class BookDelta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What changed in an order book: sizes are absolute, and 0 removes the level.

    A link that a venue does not have, or that a message lacks, is None, and is not checked.

    Args:
        sequence: the venue's number of the state after this message.
        previous: the `sequence` of the message before this one.
        first: the number of the first change in here, the last one being `sequence`.
        checksum: the venue's, of the book after this message.
        time_ns: the venue's time; None where it sends none.
        arrival_ns: when it was read here; None where nobody noted it.
    """

    venue: str
    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    sequence: int | None = None
    previous: int | None = None
    first: int | None = None
    checksum: int | None = None
    time_ns: int | None = None
    arrival_ns: int | None = None


MarketEvent: TypeAlias = Trade | LastTrade | Quote | Ticker | Candle | BookSnapshot | BookDelta
