"""Books of a shared feed: one for all who read it, and whole for whoever comes later."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import reactivex as rx
from reactivex import operators as ops

import rxws
from rxws.errors import SubscriptionRejected
from rxws.events import Connecting, Event, Gap, Opened, Rotated, TopicChanged, TopicStatus
from rxws.feeds import binance
from rxws.market import BookDelta, BookSnapshot
from rxws.orderbook import OrderBook
from rxws.testing import ScriptedTransport
from tests.talking import until as until_lost
from tests.test_feeds import of, until, venue


class Reader:
    """Reads, and remembers."""

    def __init__(self, source: Any) -> None:
        self.seen: list[Any] = []
        self._running = source.subscribe(self.seen.append, scheduler=rxws.scheduler())

    def kinds(self) -> list[type]:
        """Return what came, apart from what is told of it."""
        return [type(each) for each in self.seen if not isinstance(each, Event)]

    def leave(self) -> None:
        """Read no more."""
        self._running.dispose()


@pytest.fixture
async def heard() -> list[BaseException]:
    """What the running loop's exception handler is told."""
    errors: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["exception"]))
    return errors


def raises(_: object) -> None:
    """Raise, as a reader with a bug does."""
    raise RuntimeError("the reader's own")


@pytest.mark.parametrize("name", ["deribit", "binance"])
async def test_all_who_read_a_book_read_the_same(name: str) -> None:
    """Whoever comes later begins with its next change, and costs neither a subscription nor a fetch."""
    async with venue(name, rate=None) as (exchange, feed, symbol):
        urls: list[str] = []
        answers = of(exchange, symbol)

        async def get(url: str) -> bytes:
            urls.append(url)
            return bytes(await answers(url))

        fetched = {"get": get} if name == "binance" else {}
        shared = feed.shared()
        early = Reader(shared.book(symbol, **fetched))
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        exchange.burst(5)
        await until(lambda: early.seen)
        said, asked = len(exchange.live[0].received), len(urls)
        late = Reader(shared.book(symbol, lifecycle=True, **fetched))
        before = len(early.seen)
        exchange.burst(5)
        await until(late.kinds)
        both = (early.seen[before:], [each for each in late.seen if not isinstance(each, Event)])
        said_then = len(exchange.live[0].received)
        early.leave()
        exchange.burst(1)
        await until(lambda: len(late.kinds()) > len(both[1]))
        late.leave()
        again = Reader(shared.book(symbol, **fetched))
        while not again.seen:
            exchange.burst(1)
            await asyncio.sleep(0.01)
        again.leave()

    assert both[0] == both[1]
    assert {type(each) for each in both[0]} == {OrderBook}
    assert len({id(each) for each in early.seen + both[1]}) == 1
    assert again.seen[-1] is not early.seen[0]
    assert said_then == said
    assert asked == (1 if name == "binance" else 0)
    assert exchange.handshakes_accepted == 1


async def test_a_method_is_the_same_each_time() -> None:
    """And what is not needed makes no difference."""

    class Client:
        def __init__(self, answers: Any) -> None:
            self.get_count = 0
            self._answers = answers

        async def get(self, url: str) -> bytes:
            self.get_count += 1
            return bytes(await self._answers(url))

    async with venue("binance", rate=None) as (exchange, feed, symbol):
        shared, client = feed.shared(), Client(of(exchange, symbol))
        readers = [Reader(shared.book(symbol, get=client.get)) for _ in range(2)]
        shown = [Reader(shared.book(symbol, 20, get=get)) for get in (None, client.get)]
        await exchange.until(lambda: exchange.live and len(exchange.live[0].streams) == 2)
        while not all(reader.seen for reader in readers + shown):
            exchange.burst(1)
            await asyncio.sleep(0.01)
        for reader in readers + shown:
            reader.leave()

    assert readers[0].seen[0] is readers[1].seen[0]
    assert shown[0].seen[0] is shown[1].seen[0]
    assert client.get_count == 1


async def test_a_reader_that_raises_leaves_alone_and_nothing_of_it_stays(heard: list[BaseException]) -> None:
    """Its topic goes with the last who reads it."""
    async with venue("deribit") as (exchange, feed, symbol):
        shared = feed.shared(linger=0.0)
        seen: list[Any] = []

        def raises_at_a_book(value: Any) -> None:
            seen.append(value)
            if isinstance(value, OrderBook):
                raises(value)

        shared.book(symbol, lifecycle=True).subscribe(raises_at_a_book, scheduler=rxws.scheduler())
        other = Reader(shared.book(symbol))
        await until(lambda: len(other.seen) > 5)
        still = shared.statuses
        other.leave()
        then = shared.statuses
        shared.book(symbol).subscribe(raises_at_a_book, scheduler=rxws.scheduler())
        await until(lambda: len(heard) == 2 and not shared.statuses)
        await exchange.until(lambda: not exchange.live)

    assert sum(isinstance(each, OrderBook) for each in seen) == 2
    assert [str(each) for each in heard] == ["the reader's own"] * 2
    assert (len(still), then) == (1, {})


async def test_who_comes_before_the_last_one_leaves_goes_on_with_its_book() -> None:
    """Also in one turn of the loop."""
    async with venue("deribit") as (exchange, feed, symbol):
        shared = feed.shared(linger=0.0)
        old = Reader(shared.book(symbol))
        await until(lambda: old.seen)
        new = Reader(shared.book(symbol))
        old.leave()
        third = Reader(shared.book(symbol))
        await until(lambda: new.seen and third.seen)
        new.leave()
        third.leave()

    assert old.seen[0] is new.seen[0] is third.seen[0]
    assert exchange.handshakes_accepted == 1


async def test_a_refusal_is_one_error_of_each_reader() -> None:
    """Whoever tries again asks again, and hears the next answer."""
    async with venue("okx") as (exchange, feed, _):
        shared = feed.shared(linger=0.0)
        tries, ends = [0], list[Exception]()

        def counted(_: Any) -> Any:
            tries[0] += 1
            return shared.book("NOTHING-HERE")

        rx.defer(counted).pipe(ops.retry(3)).subscribe(on_error=ends.append, scheduler=rxws.scheduler())
        shared.book("NOTHING-HERE").subscribe(on_error=ends.append, scheduler=rxws.scheduler())
        await until(lambda: len(ends) == 2)
        await exchange.until(lambda: not exchange.live)
        asked = exchange.received["subscribe"]

    assert tries == [3]
    assert asked == 3
    assert {type(each) for each in ends} == {SubscriptionRejected}


async def test_books_that_are_mended_in_other_ways_are_not_the_same() -> None:
    """Nobody is mended by a `get` that is not his."""
    async with venue("binance", rate=None) as (exchange, feed, symbol):
        shared = feed.shared()
        readers = [Reader(shared.book(symbol, get=of(exchange, symbol))) for _ in range(2)]
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        exchange.burst(5)
        await until(lambda: all(reader.seen for reader in readers))
        for reader in readers:
            reader.leave()

    assert readers[0].seen[0] is not readers[1].seen[0]
    assert exchange.handshakes_accepted == 1


async def test_what_is_wrong_with_a_shared_book_is_told_to_each_who_wants_to_hear_it_once() -> None:
    """Beside the events of its connection, in their place."""
    async with venue("deribit", rate=None) as (exchange, feed, symbol):
        shared = feed.shared()
        readers = [Reader(shared.book(symbol, every=0.001, lifecycle=is_told)) for is_told in (True, True, False)]
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        exchange.burst(2)
        exchange.drop_messages(1)
        exchange.burst(2)
        await until(lambda: all(reader.kinds()[-1:] == [OrderBook] for reader in readers) and _gaps(readers[0]))
        for reader in readers:
            reader.leave()

    assert [_gaps(reader) for reader in readers] == [1, 1, 0]
    assert [sum(isinstance(each, Opened) for each in reader.seen) for reader in readers] == [1, 1, 0]


def _gaps(reader: Reader) -> int:
    return sum(isinstance(each, Gap) for each in reader.seen)


@pytest.mark.parametrize("name", ["deribit", "okx", "coinbase_exchange"])
async def test_who_comes_later_gets_a_whole_book_before_its_changes(name: str) -> None:
    """However many come, and however busy the book is: what is on its way is left out, and few ask anew."""
    async with venue(name) as (exchange, feed, symbol):
        shared = feed.shared()
        early = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in early.kinds())
        late = [Reader(shared.book_events(symbol, lifecycle=lifecycle)) for lifecycle in (False, True, False)]
        await until(lambda: all(BookDelta in reader.kinds() for reader in late))
        first = [reader.kinds()[0] for reader in late]
        whole = early.kinds().count(BookSnapshot)
        for reader in [early, *late]:
            reader.leave()

    assert first == [BookSnapshot] * 3
    assert whole == 2
    assert exchange.handshakes_accepted == 1


async def test_what_is_on_its_way_is_no_beginning() -> None:
    """Between somebody's coming and the snapshot that is asked for him."""
    async with venue("deribit", rate=None) as (exchange, feed, symbol):
        shared = feed.shared()
        early = Reader(shared.book_events(symbol))
        await exchange.until(lambda: exchange.live and exchange.live[0].streams)
        exchange.burst(5)
        await until(lambda: BookDelta in early.kinds())
        exchange.burst(5)  # sent, and not read yet
        late = Reader(shared.book_events(symbol))
        seen = len(early.seen)
        await until(lambda: BookSnapshot in late.kinds())
        came = early.kinds()[seen:]
        early.leave()
        late.leave()

    assert came[:5] == [BookDelta] * 5
    assert late.kinds()[0] is BookSnapshot


async def test_who_leaves_before_his_snapshot_holds_nobody_up() -> None:
    """Whoever comes next asks for one himself."""
    async with venue("deribit") as (_, feed, symbol):
        shared = feed.shared()
        early = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in early.kinds())
        Reader(shared.book_events(symbol)).leave()
        late = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in late.kinds())
        early.leave()
        late.leave()

    assert late.kinds()[0] is BookSnapshot


async def test_who_leaves_by_raising_before_his_snapshot_holds_nobody_up_either(heard: list[BaseException]) -> None:
    """At an event that was told to him while he waited."""
    async with venue("deribit") as (_, feed, symbol):
        shared = feed.shared()
        early = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in early.kinds())

        shared.book_events(symbol, lifecycle=True).subscribe(raises, scheduler=rxws.scheduler())
        await until(lambda: heard)
        late = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in late.kinds())
        early.leave()
        late.leave()

    assert late.kinds()[0] is BookSnapshot
    assert len(heard) == 1


@pytest.mark.parametrize("name", ["deribit", "coinbase_exchange"])
async def test_who_comes_within_a_snapshot_that_is_not_his_gets_one_of_his_own(name: str) -> None:
    """It was on its way to others before he came."""
    async with venue(name) as (_, feed, symbol):
        shared = feed.shared()
        within: list[Reader] = []
        seen: list[type] = []

        def take(value: object) -> None:
            seen.append(type(value))
            if isinstance(value, BookSnapshot) and seen.count(BookSnapshot) == 2:
                within.append(Reader(shared.book_events(symbol)))

        running = shared.book_events(symbol).subscribe(take, scheduler=rxws.scheduler())
        await until(lambda: BookDelta in seen)
        late = Reader(shared.book_events(symbol))
        await until(lambda: within and BookDelta in within[0].kinds())
        running.dispose()
        late.leave()
        within[0].leave()

    assert [reader.kinds()[0] for reader in (late, within[0])] == [BookSnapshot] * 2


@pytest.mark.parametrize("name", ["deribit", "okx", "coinbase_exchange"])
async def test_who_comes_while_it_is_being_subscribed_anew_begins_with_its_snapshot(name: str) -> None:
    """Whoever wanted that: what crosses it is older."""
    async with venue(name) as (_, feed, symbol):
        shared = feed.shared()
        early = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in early.kinds())
        (topic,) = shared.statuses
        assert shared.multiplex.renew(topic)
        while shared.statuses[topic] is not TopicStatus.REQUESTED:
            await asyncio.sleep(0)
        late = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in late.kinds())
        whole = early.kinds().count(BookSnapshot)
        early.leave()
        late.leave()

    assert late.kinds()[0] is BookSnapshot
    assert whole == 2


@pytest.mark.parametrize("moment", [Connecting, Opened, TopicChanged, Rotated])
@pytest.mark.parametrize("name", ["deribit", "okx"])
async def test_who_comes_in_the_middle_of_a_rotation_gets_a_whole_book(name: str, moment: type[Event]) -> None:
    """Though the connection that he asks on is about to end; and so does whoever comes behind him."""
    async with venue(name) as (exchange, feed, symbol):
        late: list[Reader] = []

        def heard(event: Event) -> None:
            if isinstance(event, moment) and event.generation == 2 and not late:
                late.append(Reader(shared.book_events(symbol)))

        shared = feed.shared(events=heard)
        early = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in early.kinds())
        exchange.announce_shutdown(1.0)
        await until(lambda: late and exchange.handshakes_accepted == 2 and len(exchange.live) == 1)
        later = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in late[0].kinds() and BookDelta in later.kinds())
        for reader in (early, late[0], later):
            reader.leave()

    assert [reader.kinds()[0] for reader in (late[0], later)] == [BookSnapshot] * 2


@pytest.mark.parametrize("linger", [0.0, 5.0])
async def test_who_leaves_and_comes_back_in_one_turn_gets_a_whole_book(linger: float) -> None:
    """Where another topic keeps the connection, the venue never hears of it."""
    async with venue("deribit") as (exchange, feed, symbol):
        shared = feed.shared(linger=linger)
        other = Reader(shared.trades(symbol))
        early = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in early.kinds())
        early.leave()
        shared.end_lingering()
        back = Reader(shared.book_events(symbol))
        await until(lambda: BookDelta in back.kinds())
        back.leave()
        other.leave()

    assert back.kinds()[0] is BookSnapshot
    assert exchange.handshakes_accepted == 1


async def test_a_reader_of_what_two_topics_bring_leaves_both_by_raising(heard: list[BaseException]) -> None:
    """Coinbase's trades have heartbeats beside them, which prove that there were no more."""
    async with venue("coinbase_exchange") as (exchange, feed, symbol):
        shared = feed.shared(linger=0.0)

        shared.trades(symbol).subscribe(raises, scheduler=rxws.scheduler())
        await until(lambda: heard)
        left = shared.statuses
        await exchange.until(lambda: not exchange.live)

    assert left == {}
    assert len(heard) == 1


def test_what_an_operator_below_a_shared_book_raises_comes_out_of_run() -> None:
    """As of all that a feed has: else nobody would read it, and nothing end."""
    levels = '{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":7,"bids":[["1.0","1"]],"asks":[["2.0","1"]]}}'
    transport = ScriptedTransport(until_lost((0.01, levels)))
    shared = binance.shared(transport=transport, ping_interval=None, idle_timeout=None)

    def raising(source: rx.Observable[Any]) -> rx.Observable[Any]:
        def subscribe(observer: Any, scheduler: Any = None) -> Any:
            def take(_: object) -> None:
                raise RuntimeError("the operator's own")

            return source.subscribe(take, observer.on_error, observer.on_completed, scheduler=scheduler)

        return rx.Observable(subscribe)

    with pytest.raises(RuntimeError, match="the operator's own"):
        rxws.run(shared.book("BTCUSDT", 20).pipe(raising))


@pytest.mark.parametrize("scheduler", [None, rxws.scheduler], ids=["none", "the loop's"])
def test_a_loop_that_was_closed_takes_its_book_along(scheduler: Any) -> None:
    """Whoever reads it on the next one begins anew."""
    levels = '{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":7,"bids":[["1.0","1"]],"asks":[["2.0","1"]]}}'
    transport = ScriptedTransport(until_lost((0.01, levels)))
    shared = binance.shared(transport=transport, ping_interval=None, idle_timeout=None)

    async def read() -> OrderBook:
        books: asyncio.Queue[OrderBook] = asyncio.Queue()
        shared.book("BTCUSDT", 20).subscribe(books.put_nowait, scheduler=scheduler and scheduler())
        async with asyncio.timeout(10):
            return await books.get()

    books = []
    for _ in range(2):
        loop = asyncio.new_event_loop()
        books.append(loop.run_until_complete(read()))
        loop.close()

    topic = binance.venue.book("BTCUSDT", 20)
    assert (shared.multiplex.status(topic), shared.multiplex.renew(topic)) == (None, False)
    assert shared.multiplex.reconnect(topic) is False
    assert books[0] is not books[1]
    assert len(transport.dials) == 2
