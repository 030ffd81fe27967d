"""A topic that is asked for anew, or given up, while one connection takes over from another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import rxws
from rxws import feeds, venue_observable
from rxws.desired import Topics
from rxws.errors import RxwsError
from rxws.events import Event, Gap, Rotated
from rxws.exchanges import deribit, okx
from rxws.market import BookSnapshot, MarketEvent
from rxws.orderbook import OrderBook
from rxws.testing import Limits, SimulatedExchange
from rxws.testing._connection import VenueConnection
from tests.leaping import leaping

VENUES = pytest.mark.parametrize(
    ("venue", "symbol"), [(deribit, "BTC-PERPETUAL"), (okx, "BTC-USDT")], ids=["deribit", "okx"]
)


def exchange_of(venue: Any, symbol: str) -> SimulatedExchange:
    """The simulated venue, master of every message."""
    return SimulatedExchange(venue.NAME, symbols=[symbol], rate=None, limits=Limits.off())


async def until(condition: Callable[[], object]) -> None:
    """Wait until that is so, a minute of the loop's time at most."""
    async with asyncio.timeout(60.0):
        while not condition():
            await asyncio.sleep(0.1)


class Reader:
    """Keeps a book of its own from what a shared feed tells of it; a broken link raises."""

    def __init__(self, source: Any) -> None:
        self.book = OrderBook()
        self.snapshots = 0
        self.errors: list[Exception] = []
        self.subscription = source.subscribe(self._take, self.errors.append, scheduler=rxws.scheduler())

    def _take(self, event: Any) -> None:
        self.snapshots += isinstance(event, BookSnapshot)
        try:
            self.book.apply(event)
        except RxwsError as error:
            self.errors.append(error)


@pytest.fixture
def late_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let each request be heard 0.1 s behind the one before it, and all on the first connection so much later."""
    hear = VenueConnection._hear

    def slow(seconds: float) -> None:
        due: dict[VenueConnection, float] = {}

        def heard(self: VenueConnection, request: bytes) -> None:
            loop = asyncio.get_running_loop()
            lag = seconds if self.record.serial == 1 else 0.0
            at = max(loop.time() + lag, due.get(self, 0.0))
            due[self] = at + 0.1
            loop.call_at(at, hear, self, request)

        monkeypatch.setattr(VenueConnection, "_hear", heard)

    return slow


@pytest.mark.parametrize("lag", [0.0, 0.05, 0.3])
@VENUES
@leaping
async def test_a_renewal_in_an_overlap_breaks_no_book(
    venue: Any, symbol: str, lag: float, late_by: Callable[[float], None]
) -> None:
    """Both connections renew it, one before the other; the venue tells nothing of what happens in between."""
    book, trades = venue.book(symbol), venue.trades(symbol)
    async with exchange_of(venue, symbol) as exchange:
        late_by(lag)
        told: list[Event] = []
        shared = getattr(feeds, venue.NAME).configured(base=exchange.url).shared(events=told.append)
        quiet = shared.trades(symbol).subscribe(lambda _: None, scheduler=rxws.scheduler())
        early = Reader(shared.book_events(symbol))
        await asyncio.sleep(2.0)
        for topic in (trades, book):
            exchange._venue.produce(3, among=(topic,))
        await asyncio.sleep(0.5)
        exchange.announce_shutdown(30.0)
        await asyncio.sleep(1.0)  # the trades are quiet: the overlap lasts
        late = Reader(shared.book_events(symbol))
        for _ in range(700):
            exchange._venue.produce(1, among=(book,))
            await asyncio.sleep(0.02)
        assert sum(isinstance(event, Rotated) for event in told) == 1
        assert not any(isinstance(event, Gap) for event in told)
        truth = exchange.book(symbol, book)
        for reader in (early, late):
            assert reader.errors == []
            assert (tuple(reader.book.bids), tuple(reader.book.asks)) == (truth.bids, truth.asks)
            reader.subscription.dispose()
        quiet.dispose()


@pytest.mark.parametrize("is_busy", [True, False], ids=["busy", "quiet"])
@VENUES
@leaping
async def test_who_comes_just_behind_a_rotation_has_its_snapshot_at_once(
    venue: Any, symbol: str, is_busy: bool
) -> None:
    """Though another connection had told its number; the early reader's book is whole too."""
    book = venue.book(symbol)
    async with exchange_of(venue, symbol) as exchange:
        told: list[Event] = []
        shared = getattr(feeds, venue.NAME).configured(base=exchange.url).shared(events=told.append)
        early = Reader(shared.book_events(symbol))
        await asyncio.sleep(1.0)
        exchange._venue.produce(5, among=(book,))
        await asyncio.sleep(0.5)
        exchange.announce_shutdown(30.0)
        await until(lambda: any(isinstance(event, Rotated) for event in told))
        if is_busy:
            exchange._venue.produce(5, among=(book,))
        await asyncio.sleep(1.0)
        late = Reader(shared.book_events(symbol))
        await asyncio.sleep(0.5)
        assert (early.snapshots, late.snapshots) == (2, 1)
        exchange._venue.produce(5, among=(book,))
        await asyncio.sleep(0.5)
        truth = exchange.book(symbol, book)
        for reader in (early, late):
            assert reader.errors == []
            assert (tuple(reader.book.bids), tuple(reader.book.asks)) == (truth.bids, truth.asks)
            reader.subscription.dispose()


@leaping
async def test_what_is_given_up_in_an_overlap_is_not_handed_on_at_its_end() -> None:
    """Though the next connection had it before, and the old one never brought it."""
    trades, quotes = okx.trades("BTC-USDT"), okx.quotes("BTC-USDT")
    async with exchange_of(okx, "BTC-USDT") as exchange:
        told: list[Event] = []
        brought: list[MarketEvent] = []
        wanted = Topics([trades])
        stream = venue_observable(okx, wanted, base=exchange.url, events=told.append)
        reader = stream.subscribe(brought.append)
        await asyncio.sleep(1.0)
        exchange._venue.produce(2, among=(trades,))
        await asyncio.sleep(0.5)
        exchange.announce_shutdown(30.0)
        await asyncio.sleep(1.0)
        wanted.add(quotes)
        await asyncio.sleep(0.5)
        old, _ = sorted(exchange._venue.live, key=lambda connection: connection.record.serial)
        old.muted = True
        exchange._venue.produce(2, among=(quotes,))
        old.muted = False
        await asyncio.sleep(0.1)
        wanted.discard(quotes)
        before = len(brought)
        await until(lambda: any(isinstance(event, Rotated) for event in told))
        assert brought[before:] == []
        reader.dispose()
