"""Order books of four venues through dropped messages and reconnects: every gap is found, and every book is mended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest

import rxws
from rxws import Backoff
from rxws.events import BadFrame, Event, Gap, Mismatch, Opened
from rxws.exchanges import binance, binance_usdm, coinbase_exchange, deribit, okx
from rxws.feed import Feed
from rxws.market import Trade
from rxws.orderbook import OrderBook
from rxws.testing import Limits, SimulatedExchange
from rxws.venue import Rate

MESSAGES = 200_000
RECONNECTS = 20
BURST = 100
MISSED = 5
"""Messages that happen while a connection is away."""
VENUES = {
    "binance": (binance, "BTCUSDT"),
    "binance_usdm": (binance_usdm, "BTCUSDT"),
    "deribit": (deribit, "BTC-PERPETUAL"),
    "okx": (okx, "BTC-USDT"),
}


@dataclass
class Reader:
    """What came of one book."""

    exchange: SimulatedExchange
    symbol: str
    gaps: list[Gap] = field(default_factory=list)
    odd: list[Event] = field(default_factory=list)
    opened: int = 0
    book: OrderBook | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, value: OrderBook | Event) -> None:
        """Take a book, or what is told of it."""
        if isinstance(value, OrderBook):
            self.book = value
        elif isinstance(value, Gap):
            self.gaps.append(value)
        elif isinstance(value, Opened):
            self.opened += 1
        elif isinstance(value, BadFrame | Mismatch):
            self.odd.append(value)
        self.news.set()

    @property
    def is_level(self) -> bool:
        """Whether the book is whole, and the exchange's own to the last digit."""
        if self.book is None or not self.book.is_whole:
            return False
        truth = self.exchange.book(self.symbol)
        return (tuple(self.book.bids), tuple(self.book.asks)) == (truth.bids, truth.asks)

    async def until_level(self) -> None:
        """Wait until it is; what was dropped last can only be missed by what follows."""
        while not self.is_level:
            dropped = self.exchange.dropped
            if dropped and dropped[-1].number == self.exchange.produced:
                self.exchange.burst(1)
            await self.until_news()

    async def until_news(self) -> None:
        """Wait for whatever comes next."""
        self.news.clear()
        await self.news.wait()


def holes(exchange: SimulatedExchange, across: bool) -> int:
    """Return how often the messages that were told skip numbers: within connections, and perhaps across them."""
    told = [list(record.numbers) for record in exchange.connections]
    runs = [[number for numbers in told for number in numbers]] if across else told
    return sum(later - earlier > 1 for run in runs for earlier, later in pairwise(run))


@pytest.mark.parametrize("name", VENUES)
async def test_every_gap_is_found_and_none_invented_and_every_book_is_mended(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message in a thousand is dropped, and the connection reset 20 times, over 200,000 messages."""
    venue: Any
    venue, symbol = VENUES[name]
    topic = venue.book(symbol)
    exchange = SimulatedExchange(
        name, rate=None, symbols=[symbol], limits=Limits.off(), drop_rate=0.001, history=MESSAGES
    )
    reader = Reader(exchange, symbol)

    async def get(url: str) -> bytes:
        return exchange.snapshot(symbol)

    async with asyncio.timeout(300), exchange:
        # What keeps a connection from asking again too soon is tested elsewhere; here it would only take time.
        feed = Feed(venue, base=exchange.url, retry=Backoff.immediate(), send_limit=None)
        is_fetched = name.startswith("binance")
        if is_fetched:
            monkeypatch.setattr(venue, "SNAPSHOTS", replace(venue.SNAPSHOTS, rate=Rate(MESSAGES, 1.0)))
        fetched = {"get": get} if is_fetched else {}
        books = feed.book(symbol, every=0.001, lifecycle=True, **fetched)
        subscription = books.subscribe(reader.take, scheduler=rxws.scheduler())
        await exchange.until(lambda: topic in exchange.live[-1].streams if exchange.live else False)
        for _ in range(RECONNECTS):
            for _ in range(MESSAGES // BURST // RECONNECTS):
                exchange.burst(BURST)
                await reader.until_level()
            opened = reader.opened
            exchange.reset()
            exchange.burst(MISSED)
            while reader.opened == opened:
                await reader.until_news()
            await exchange.until(lambda: topic in exchange.live[-1].streams if exchange.live else False)
        exchange.burst(BURST)
        await reader.until_level()
        subscription.dispose()

    assert exchange.produced >= MESSAGES
    assert reader.opened == RECONNECTS + 1
    assert exchange.dropped_count > MESSAGES / 2_000
    assert reader.odd == []
    # Where the book begins with a snapshot of the stream, a reconnect begins anew, and what was missed is no gap.
    assert len(reader.gaps) == holes(exchange, across=is_fetched)
    assert all(gap.last < gap.next for gap in reader.gaps)


async def test_every_trade_that_is_missing_at_coinbase_is_found_by_its_id() -> None:
    """Its books cannot be checked; its trades are, through dropped messages and reconnects alike."""
    symbol, messages, reconnects = "BTC-USD", 20_000, 10
    exchange = SimulatedExchange(
        "coinbase_exchange", rate=None, symbols=[symbol], limits=Limits.off(), drop_rate=0.001, history=messages
    )
    seen: list[Any] = []
    news = asyncio.Event()

    def take(value: Any) -> None:
        seen.append(value)
        news.set()

    def is_listening() -> bool:
        return bool(exchange.live) and f"matches:{symbol}" in exchange.live[-1].streams

    async with asyncio.timeout(120), exchange:
        feed = Feed(coinbase_exchange, base=exchange.url, retry=Backoff.immediate(), send_limit=None)
        subscription = feed.trades(symbol, lifecycle=True).subscribe(take, scheduler=rxws.scheduler())
        for number in range(reconnects + 1):
            await exchange.until(lambda number=number: exchange.handshakes_accepted == number + 1 and is_listening())
            exchange.burst(messages // (reconnects + 1))
            while exchange.dropped and exchange.dropped[-1].number == exchange.produced:
                exchange.burst(1)  # what was dropped last can only be missed by what follows
            while sum(isinstance(each, Trade) for each in seen) < sum(each.messages for each in exchange.connections):
                news.clear()
                await news.wait()
            if number < reconnects:
                exchange.reset()
                exchange.burst(MISSED)
        subscription.dispose()

    gaps = [each for each in seen if isinstance(each, Gap)]
    ids = [each.sequence for each in seen if isinstance(each, Trade)]
    missing = [(earlier, later) for earlier, later in pairwise(ids) if later != earlier + 1]
    assert [(gap.last, gap.next) for gap in gaps] == missing
    assert len(ids) == len(set(ids))
    assert exchange.dropped_count > messages / 2_000
    # The last one that each connection has missed comes all the same: a subscription begins with it.
    lost = exchange.dropped_count + exchange.missed() - reconnects
    assert sum(later - earlier - 1 for earlier, later in missing) == lost
