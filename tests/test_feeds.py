"""Each venue as observables of market events, by a simulated exchange that speaks its language."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import reactivex as rx
from msgspec import structs
from reactivex import Observable, Subject
from reactivex import operators as ops

import rxws
from rxws import exchanges, feeds
from rxws import operators as wsops
from rxws.errors import ConfigError, SubscriptionRejected
from rxws.events import Event, Gap, Opened, TopicChanged, TopicStatus
from rxws.feed import Feed, SharedFeed
from rxws.feeds import binance, binance_usdm, coinbase_exchange, deribit, okx
from rxws.market import BookDelta, BookSnapshot, Candle, Quote, Ticker, Trade
from rxws.operators.fresh import Leg
from rxws.orderbook import OrderBook
from rxws.testing import Leftovers, Limits, SimulatedExchange

SYMBOLS = {
    "binance": "BTCUSDT",
    "binance_usdm": "BTCUSDT",
    "deribit": "BTC-PERPETUAL",
    "okx": "BTC-USDT",
    "coinbase_exchange": "BTC-USD",
}
FEEDS = {
    "binance": binance,
    "binance_usdm": binance_usdm,
    "deribit": deribit,
    "okx": okx,
    "coinbase_exchange": coinbase_exchange,
}
INTERVALS = {"binance": "1m", "binance_usdm": "1m", "deribit": "1", "okx": "1m"}
EACH = pytest.mark.parametrize("name", FEEDS)


@asynccontextmanager
async def venue(name: str, **options: Any) -> AsyncIterator[tuple[SimulatedExchange, Feed, str]]:
    """Run a venue, and yield it with its feed and the symbol that it trades."""
    options = {"rate": 400.0, "limits": Limits.off(), **options}
    async with asyncio.timeout(60), SimulatedExchange(name, symbols=[SYMBOLS[name]], **options) as exchange:
        yield exchange, FEEDS[name].configured(base=exchange.url), SYMBOLS[name]


async def first(stream: Observable[Any], count: int) -> list[Any]:
    """Return the first `count` values."""
    async with rxws.aiter(stream) as values:
        return [value async for _, value in _numbered(values, count)]


async def _numbered(values: Any, count: int) -> AsyncIterator[tuple[int, Any]]:
    number = 0
    async for value in values:
        number += 1
        yield number, value
        if number == count:
            return


def of(exchange: SimulatedExchange, symbol: str) -> Any:
    """Return what answers a URL of a book with the exchange's own."""

    async def get(url: str) -> bytes:
        assert f"symbol={symbol}&" in url
        return exchange.snapshot(symbol)

    return get


@EACH
async def test_trades_are_of_the_symbol_and_each_comes_once(name: str) -> None:
    """With the venue's own ids, and the time at which they arrived."""
    async with venue(name) as (_, feed, symbol):
        trades = await first(feed.trades(symbol), 30)

    assert {type(trade) for trade in trades} == {Trade}
    assert {(trade.venue, trade.symbol) for trade in trades} == {(name, symbol)}
    assert len({trade.id for trade in trades}) == 30
    assert all(isinstance(trade.price, Decimal) and trade.side in ("buy", "sell") for trade in trades)
    assert all(trade.arrival_ns is not None for trade in trades)


@EACH
async def test_quotes_are_the_best_of_both_sides(name: str) -> None:
    """Also where the venue tells them with its tickers only."""
    async with venue(name) as (_, feed, symbol):
        quotes = await first(feed.quotes(symbol), 20)

    assert {(type(quote), quote.venue, quote.symbol) for quote in quotes} == {(Quote, name, symbol)}
    assert all(quote.bid < quote.ask for quote in quotes)


@EACH
async def test_tickers_say_where_the_market_is(name: str) -> None:
    """What the venue does not say is None."""
    async with venue(name) as (_, feed, symbol):
        (ticker,) = await first(feed.ticker(symbol), 1)

    assert isinstance(ticker, Ticker)
    assert (ticker.venue, ticker.symbol) == (name, symbol)
    assert ticker.last is not None
    assert ticker.low <= ticker.high


@pytest.mark.parametrize("name", INTERVALS)
async def test_candles_say_when_they_are_closed(name: str) -> None:
    """Where the venue has no flag, too; and a candle is closed once."""
    async with venue(name, candle=0.2) as (_, feed, symbol):
        shown = feed.candles(symbol, INTERVALS[name], grace=0.0)
        candles = await first(shown.pipe(ops.take_while(_not_third_closed())), 10_000)

    assert {type(candle) for candle in candles} == {Candle}
    assert {candle.closed for candle in candles} == {True, False}
    closed = [candle.open_ns for candle in candles if candle.closed]
    assert len(closed) == len(set(closed)) == 2


def _not_third_closed() -> Any:
    closed: list[int] = []

    def goes_on(candle: Candle) -> bool:
        closed.extend([candle.open_ns] if candle.closed else [])
        return len(closed) < 3

    return goes_on


def test_a_venue_without_candles_says_so_at_once() -> None:
    """And not to whoever subscribes."""
    with pytest.raises(ConfigError, match="trades"):
        coinbase_exchange.candles("BTC-USD", "1m")


@EACH
async def test_the_book_is_the_exchanges_own(name: str) -> None:
    """After whatever came first: a snapshot of the stream, or one that was fetched."""
    async with venue(name, rate=None) as (exchange, feed, symbol):
        fetched = {"get": of(exchange, symbol)} if name.startswith("binance") else {}
        books: list[OrderBook] = []
        news = asyncio.Event()

        def take(book: OrderBook) -> None:
            books.append(book)
            news.set()

        subscription = feed.book(symbol, **fetched).subscribe(take, scheduler=rxws.scheduler())
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        exchange.burst(50)
        # One that is fetched is as of later than the last message: the truth is asked for each time.
        while not books or (tuple(books[-1].bids), tuple(books[-1].asks)) != exchange.book(symbol):
            news.clear()
            await news.wait()
        subscription.dispose()

    assert len({id(book) for book in books}) == 1
    assert books[-1].is_whole


async def test_okxs_book_can_be_fetched_too() -> None:
    """For a stream that begins without a snapshot: here the changes begin where the fetched one ends."""
    source: Subject[Any] = Subject()
    urls: list[str] = []

    async def get(url: str) -> bytes:
        urls.append(url)
        return b'{"code":"0","data":[{"asks":[["11","1","0","1"]],"bids":[["9","2","0","1"]],"ts":"5","seqId":7}]}'

    class Scripted(Feed):
        def _topics(self, topics: Any, pipeline: Any) -> Observable[Any]:
            return pipeline(source, lambda topic: None)

    books: asyncio.Queue[OrderBook] = asyncio.Queue()
    Scripted(okx.venue).book("BTC-USDT", get=get).subscribe(books.put_nowait, scheduler=rxws.scheduler())
    change = BookDelta(
        venue="okx", symbol="BTC-USDT", bids=((Decimal(10), Decimal(1)),), asks=(), sequence=8, previous=7
    )
    source.on_next(change)
    async with asyncio.timeout(30):
        book = await books.get()

    assert [int(price) for price, _ in book.bids] == [10, 9]
    assert urls == ["https://www.okx.com/api/v5/market/books?instId=BTC-USDT&sz=400&source=0"]


@pytest.mark.parametrize(("name", "depth"), [("binance", 5), ("binance_usdm", 5), ("okx", 5)])
async def test_best_levels_need_nothing_fetched(name: str, depth: int) -> None:
    """Each message is the whole of what is shown."""
    async with venue(name) as (_, feed, symbol):
        book = (await first(feed.book(symbol, depth), 3))[-1]
        events = await first(feed.book_events(symbol, depth), 3)

    assert (len(book.bids), len(book.asks)) == (depth, depth)
    assert {type(event) for event in events} == {BookSnapshot}


@EACH
async def test_what_a_book_is_made_of_comes_as_the_venue_tells_it(name: str) -> None:
    """One event a message, in order."""
    async with venue(name) as (_, feed, symbol):
        events = await first(feed.book_events(symbol), 20)

    begins_whole = not name.startswith("binance")
    assert isinstance(events[0], BookSnapshot if begins_whole else BookDelta)
    assert {type(event) for event in events[1:]} == {BookDelta}


@pytest.mark.parametrize("name", ["binance", "binance_usdm"])
def test_a_book_that_has_to_be_fetched_says_so_at_once(name: str) -> None:
    """And what to take instead."""
    with pytest.raises(ConfigError, match="depth") as caught:
        FEEDS[name].book("BTCUSDT")
    assert caught.value.field == "get"


async def test_with_lifecycle_the_stream_tells_of_its_connection_its_topic_and_what_is_missing() -> None:
    """In their place between the data."""
    seen: list[Any] = []
    async with venue("deribit", rate=None) as (exchange, feed, symbol):
        trades = feed.trades(symbol, lifecycle=True)
        subscription = trades.subscribe(seen.append, scheduler=rxws.scheduler())
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        exchange.burst(1)
        exchange.drop_messages(1)
        exchange.burst(2)
        while not (isinstance(seen[-1], Trade) and any(isinstance(each, Gap) for each in seen)):
            await asyncio.sleep(0.001)
        subscription.dispose()

    kinds = [type(each) for each in seen if not isinstance(each, TopicChanged)]
    assert kinds[-3:] == [Trade, Gap, Trade]
    # What operators find is told by venue, kind and symbol, and what the venue says by the name on its wire.
    assert {each.topic for each in seen if isinstance(each, Gap)} == {f"deribit:trade:{symbol}"}
    assert {each.topic for each in seen if isinstance(each, TopicChanged)} == {feed.venue.trades(symbol)}
    statuses = [each.status for each in seen if isinstance(each, TopicChanged)]
    assert statuses == [TopicStatus.REQUESTED, TopicStatus.ACKNOWLEDGED, TopicStatus.LIVE]
    assert any(isinstance(each, Opened) for each in seen)


@pytest.mark.parametrize("is_shared", [False, True])
async def test_what_is_missing_of_a_feeds_trades_is_filled_in_in_its_place(is_shared: bool) -> None:
    """By `fill_gaps` as it stands, behind the feed: values and gaps have the same name for their topic."""
    numbers: list[int | None] = []

    async def fetch(gap: Gap) -> list[Trade]:
        await asyncio.sleep(0.01)
        return [structs.replace(sample[0], sequence=number) for number in range(gap.last + 1, gap.next)]

    sample: list[Trade] = []
    async with venue("binance", rate=None) as (exchange, feed, symbol):
        trades = (feed.shared() if is_shared else feed).trades(symbol, lifecycle=True)
        trades = trades.pipe(ops.do_action(lambda each: sample.append(each) if isinstance(each, Trade) else None))
        filled = trades.pipe(wsops.fill_gaps(fetch, lambda trade: trade.sequence), wsops.data_only())
        subscription = filled.subscribe(lambda each: numbers.append(each.sequence), scheduler=rxws.scheduler())
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        exchange.burst(3)
        exchange.drop_messages(2)
        exchange.burst(4)
        await until(lambda: len(numbers) == 7)
        exchange.burst(1)
        await until(lambda: len(numbers) == 8)
        subscription.dispose()

    assert numbers == list(range(sample[0].sequence or 0, (sample[0].sequence or 0) + 8))


def test_wrong_options_of_a_feed_are_refused_at_once() -> None:
    """And what each method has is none."""
    for options, field in (({"bse": 1}, "bse"), ({"lifecycle": True}, "lifecycle"), ({"base": "x"}, "base")):
        with pytest.raises(ConfigError) as told:
            binance.configured(**options)
        assert told.value.field == field


@pytest.mark.parametrize("get", ["https://api.binance.com", 7])
def test_what_gets_books_is_a_function(get: Any) -> None:
    """Else it would be tried for ever."""
    with pytest.raises(ConfigError, match="not callable"):
        binance.book("BTCUSDT", get=get)


@pytest.mark.parametrize("is_shared", [False, True])
async def test_a_heartbeat_proves_that_the_last_trade_is_missing(is_shared: bool) -> None:
    """Coinbase says which one it was: no later trade is needed, and the heartbeat itself is no trade."""
    seen: list[Any] = []
    limits = replace(Limits.off(), heartbeat=0.02)
    async with venue("coinbase_exchange", rate=None, limits=limits) as (exchange, feed, symbol):
        trades = (feed.shared() if is_shared else feed).trades(symbol, lifecycle=True)
        subscription = trades.subscribe(seen.append, scheduler=rxws.scheduler())
        await exchange.until(lambda: exchange.live and f"matches:{symbol}" in exchange.live[0].streams)
        exchange.burst(8)
        exchange.drop_messages(1_000, f"matches:{symbol}")
        exchange.burst(8)
        await until(lambda: any(isinstance(each, Gap) for each in seen))
        subscription.dispose()

    gap = next(each for each in seen if isinstance(each, Gap))
    trades_before = [each for each in seen[: seen.index(gap)] if isinstance(each, Trade)]
    assert gap.last == trades_before[-1].sequence
    assert {type(each) for each in seen if not isinstance(each, Event)} == {Trade}
    assert not any(isinstance(each, Trade) for each in seen[seen.index(gap) :])


async def test_without_it_there_is_data_only() -> None:
    """Nothing else is in the stream, whatever happens to the connection."""
    async with venue("okx") as (exchange, feed, symbol):
        values: list[Any] = []
        subscription = (
            feed.configured(retry=rxws.Backoff.immediate())
            .trades(symbol)
            .subscribe(values.append, scheduler=rxws.scheduler())
        )
        await exchange.until(lambda: exchange.handshakes_accepted == 1)
        exchange.reset()
        await exchange.until(lambda: exchange.handshakes_accepted == 2)
        before = len(values)
        while len(values) < before + 10:
            await asyncio.sleep(0.001)
        subscription.dispose()

    assert {type(value) for value in values} == {Trade}


async def test_each_subscription_has_a_connection_of_its_own_and_shared_ones_have_one() -> None:
    """Cold is cold, unless one says otherwise."""
    async with venue("binance") as (exchange, feed, symbol):
        both = rx.merge(feed.trades(symbol), feed.trades(symbol))
        await first(both, 10)
        apart = exchange.handshakes_accepted
        shared = feed.shared(linger=0.0)
        await first(rx.merge(shared.trades(symbol), shared.quotes(symbol), shared.trades(symbol)), 50)

    assert isinstance(shared, SharedFeed)
    assert (apart, exchange.handshakes_accepted) == (2, 3)
    assert repr(shared) == "<SharedFeed of binance: 0 topics>"


async def test_shared_topics_have_a_status() -> None:
    """By the multiplex that they share."""
    async with venue("okx") as (_, feed, symbol):
        shared = feed.shared()
        topic = shared.venue.trades(symbol)
        trades: asyncio.Queue[Trade] = asyncio.Queue()
        subscription = shared.trades(symbol).subscribe(trades.put_nowait, scheduler=rxws.scheduler())
        await trades.get()
        live = shared.multiplex.status(topic)
        subscription.dispose()

    assert live is TopicStatus.LIVE


@pytest.mark.parametrize("name", ["deribit", "okx"])
async def test_a_shared_book_is_mended_by_subscribing_its_topic_anew(name: str) -> None:
    """The others of the connection do not notice."""
    async with venue(name, rate=None) as (exchange, feed, symbol):
        seen: list[Any] = []
        subscription = (
            feed.shared().book(symbol, every=0.001, lifecycle=True).subscribe(seen.append, scheduler=rxws.scheduler())
        )
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        exchange.burst(2)
        exchange.drop_messages(1)
        exchange.burst(2)
        truth = exchange.book(symbol)
        while not any(isinstance(each, Gap) for each in seen) or tuple(books_of(seen)[-1].bids) != truth.bids:
            await asyncio.sleep(0.001)
        subscription.dispose()

    assert exchange.handshakes_accepted == 1
    assert books_of(seen)[-1].is_whole


def books_of(seen: list[Any]) -> list[OrderBook]:
    """Return the books among what was seen."""
    return [each for each in seen if isinstance(each, OrderBook)]


async def test_a_rejected_topic_is_an_error() -> None:
    """Never silence."""
    async with venue("okx") as (_, feed, _symbol):
        with pytest.raises(SubscriptionRejected, match="FAKE-USDT"):
            await first(feed.trades("FAKE-USDT"), 1)


async def test_a_spread_is_not_computed_from_a_dead_leg() -> None:
    """`fresh` says which one it is, and that it is back."""
    async with venue("binance") as (spot, here, one), venue("deribit") as (perpetual, there, other):
        legs = [
            feed.configured(retry=rxws.Backoff.fixed(0.05)).quotes(symbol, lifecycle=True).pipe(wsops.fresh(30.0))
            for feed, symbol in ((here, one), (there, other))
        ]
        seen: list[tuple[Leg[Quote], Leg[Quote]]] = []
        subscription = rx.combine_latest(*legs).subscribe(seen.append, scheduler=rxws.scheduler())
        await until(lambda: seen and seen[-1][0].is_fresh and seen[-1][1].is_fresh)
        perpetual.reset()
        await until(lambda: not seen[-1][1].is_fresh)
        dead = seen[-1]
        await until(lambda: seen[-1][1].is_fresh)
        subscription.dispose()

    assert [leg.is_fresh for leg in dead] == [True, False]
    assert dead[1].why == "closed"
    assert dead[1].origin == perpetual.url + "/ws/api/v2"
    assert dead[0].value is not None
    assert dead[0].value.venue == "binance"
    assert spot.handshakes_accepted == 1


async def until(condition: Any) -> None:
    """Wait, turn by turn, until it holds."""
    while not condition():
        await asyncio.sleep(0.001)


async def test_venues_merge_into_one_stream() -> None:
    """Each value says where it comes from."""
    async with venue("binance") as (_, here, one), venue("coinbase_exchange") as (_, there, other):
        merged = rx.merge(here.trades(one), there.trades(other))
        trades = await first(merged.pipe(ops.take_while(_both_seen())), 10_000)

    assert {trade.venue for trade in trades} == {"binance", "coinbase_exchange"}


def _both_seen() -> Any:
    venues: set[str] = set()

    def goes_on(trade: Trade) -> bool:
        goes = len(venues) < 2
        venues.add(trade.venue)
        return goes

    return goes_on


async def test_nothing_is_left_behind() -> None:
    """No task, no timer, no socket, whichever way a feed was had."""
    with Leftovers() as leftovers:
        async with venue("okx") as (exchange, feed, symbol):
            for source in (feed.book(symbol), feed.shared(linger=0.0).book(symbol)):
                count = exchange.handshakes_accepted
                subscription = leftovers.as_client(source.subscribe)
                await exchange.until(lambda count=count: exchange.handshakes_accepted > count)
                leftovers.as_client(subscription.dispose)
            await asyncio.sleep(0)
            left = await leftovers.after_a_while()

    assert left == []


# Found by name


def test_every_venue_has_a_feed_of_its_name() -> None:
    """And it is the same one each time."""
    names = {path.stem for path in Path(exchanges.__path__[0]).glob("[a-z]*.py")}

    assert names == set(FEEDS)
    assert set(dir(feeds)) == names | set(feeds.__all__)
    for name in names:
        assert getattr(feeds, name) is FEEDS[name]
        assert repr(FEEDS[name]) == f"<Feed of {name}>"


def test_what_is_no_venue_is_no_feed() -> None:
    """Private modules are none either."""
    for name in ("nowhere", "_binance"):
        with pytest.raises(AttributeError, match=name):
            getattr(feeds, name)


@pytest.fixture
def another_okx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A venue that is nothing but one more file, and its feed."""
    source = Path(sys.modules["rxws.exchanges.okx"].__file__ or "").read_text(encoding="utf-8")
    (tmp_path / "okx_eea.py").write_text(source.replace('NAME = "okx"', 'NAME = "okx_eea"'), encoding="utf-8")
    monkeypatch.setattr(exchanges, "__path__", [*exchanges.__path__, str(tmp_path)])
    yield feeds.okx_eea
    sys.modules.pop("rxws.exchanges.okx_eea", None)


async def test_adding_a_venue_is_adding_a_file(another_okx: Any) -> None:
    """A module in `rxws.exchanges` is all that a feed needs."""
    async with venue("okx") as (exchange, _, symbol):
        (trade,) = await first(another_okx.configured(base=exchange.url).trades(symbol), 1)

    assert trade.venue == "okx_eea"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"decode": None}, "decode"),
        ({"subscriptions": ["x"]}, "subscriptions"),
        ({"on_rejected": "ignore"}, "on_rejected"),
        ({"ack_timeout": 0.0}, "ack_timeout"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_wrong_options_are_named_where_the_observable_is_made(options: dict[str, Any], field: str) -> None:
    """And not when it is subscribed."""
    with pytest.raises(ConfigError) as caught:
        okx.configured(**options).trades("BTC-USDT")
    assert caught.value.field == field
