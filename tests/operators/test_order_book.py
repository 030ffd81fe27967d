"""Books from snapshots and changes, mended by a fetched snapshot, by a new subscription, or by the stream itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import reactivex as rx
from reactivex import Observable, Subject
from reactivex import operators as ops
from reactivex.testing import TestScheduler

from rxws.errors import ConfigError
from rxws.events import Closed, ConnectionState, DisconnectReason, Event, Gap, Mismatch, Opened, Overflow
from rxws.market import BookDelta, BookSnapshot, Trade
from rxws.operators import order_book
from rxws.orderbook import OrderBook

ONE = Decimal(1)
STAMP: dict[str, Any] = {"generation": 3, "origin": "wss://v", "time_ns": 0, "state": ConnectionState.CONNECTED}


def levels(*prices: int) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return levels of size 1."""
    return tuple((Decimal(price), ONE) for price in prices)


def snapshot(sequence: int | None, *bids: int, symbol: str = "BTC", checksum: int | None = None) -> BookSnapshot:
    """Return a book as a whole."""
    return BookSnapshot(
        venue="v", symbol=symbol, bids=levels(*bids), asks=levels(1_000), sequence=sequence, checksum=checksum
    )


def delta(sequence: int, bid: int, *, previous: int | None = None, symbol: str = "BTC", **rest: Any) -> BookDelta:
    """Return a change: one more bid, linked to the number before unless it is told otherwise."""
    link = {"previous": sequence - 1 if previous is None else previous} if "first" not in rest else {}
    return BookDelta(venue="v", symbol=symbol, bids=levels(bid), asks=(), sequence=sequence, **link, **rest)


class Seen:
    """What an operator emitted, as values: books as their bids, events by kind."""

    def __init__(self, operator: Callable[[Observable[object]], Observable[OrderBook | Event]]) -> None:
        self.virtual = TestScheduler()
        self.source: Subject[object] = Subject()
        self.values: list[object] = []
        self.ends: list[object] = []
        self.on_overflow: Callable[[Overflow], None] = lambda _: None
        self.subscription = self.source.pipe(operator).subscribe(
            self.take, self.ends.append, lambda: self.ends.append("completed"), scheduler=self.virtual
        )

    def take(self, value: OrderBook | Event) -> None:
        """Note what came."""
        if isinstance(value, OrderBook):
            self.values.append([int(price) for price, _ in value.bids])
        elif isinstance(value, Gap):
            self.values.append((value.topic, value.last, value.next))
        else:
            if isinstance(value, Overflow):
                self.on_overflow(value)
            self.values.append(type(value).__name__)

    def send(self, *events: object) -> None:
        """Let these come."""
        for event in events:
            self.source.on_next(event)

    def after(self, seconds: float) -> list[object]:
        """Return all that came by then."""
        self.virtual.advance_by(seconds)
        return self.values


def test_a_book_is_emitted_after_every_change_of_it() -> None:
    """From its first snapshot on, the same object each time."""
    books: list[object] = []
    source: Subject[object] = Subject()
    source.pipe(order_book()).subscribe(books.append, on_completed=lambda: books.append("completed"))

    source.on_next(snapshot(1, 10))
    source.on_next(delta(2, 11))
    source.on_completed()

    assert books[2:] == ["completed"]
    assert books[0] is books[1]
    assert isinstance(books[0], OrderBook)
    assert [price for price, _ in books[0].bids] == [11, 10]


def test_each_symbol_has_a_book_of_its_own_and_what_is_no_book_is_left_out() -> None:
    """Trades that travel in the same stream are nobody's business here; events pass."""
    seen = Seen(order_book())
    trade = Trade(venue="v", symbol="BTC", price=ONE, size=ONE, side=None, id="1", time_ns=0)

    seen.send(snapshot(1, 10), snapshot(7, 20, symbol="ETH"), trade, Opened(**STAMP, took=0.1), delta(2, 11))

    assert seen.values == [[10], [20], "Opened", [11, 10]]


def test_depth_is_what_a_book_shows() -> None:
    """And not what it keeps."""
    seen = Seen(order_book(1))

    seen.send(snapshot(1, 10, 9), delta(2, 11))

    assert seen.values == [[10], [11]]


def test_changes_before_a_snapshot_make_no_book() -> None:
    """Without a way to get one, it waits for the stream's."""
    seen = Seen(order_book())

    seen.send(delta(1, 10), delta(2, 11), snapshot(5, 9), delta(6, 12))

    assert seen.values == [[9], [12, 9]]


def test_a_gap_is_told_and_the_next_snapshot_begins_anew() -> None:
    """Nothing is emitted between them, and a further gap is told too."""
    seen = Seen(order_book())

    seen.send(snapshot(1, 10), delta(3, 12), delta(4, 13), delta(7, 14), snapshot(8, 20), delta(9, 21))

    assert seen.values == [[10], ("v:book:BTC", 1, 3), ("v:book:BTC", 4, 7), [20], [21, 20]]


def test_what_is_told_names_the_connection() -> None:
    """By the last event that passed; before any, the venue is all that is known."""
    gaps: list[Any] = []
    source: Subject[object] = Subject()
    source.pipe(order_book()).subscribe(lambda value: gaps.append(value) if isinstance(value, Gap) else None)

    for event in (snapshot(1, 10), delta(3, 12), Opened(**STAMP, took=0.1), snapshot(5, 10), delta(7, 12)):
        source.on_next(event)

    assert [(gap.generation, gap.origin) for gap in gaps] == [(0, "v"), (3, "wss://v")]


def test_an_older_change_is_no_news() -> None:
    """A duplicate changes nothing, and the book is not emitted for it."""
    seen = Seen(order_book())

    seen.send(snapshot(5, 10), delta(5, 99, first=3), delta(6, 11, first=6), delta(6, 11, first=6))

    assert seen.values == [[10], [11, 10]]


def test_a_wrong_checksum_is_told_and_breaks_the_book() -> None:
    """It is the venue's function that counts."""
    seen = Seen(order_book(checksum=lambda bids, asks: len(list(bids))))
    right = delta(2, 11, checksum=2)
    wrong = delta(3, 12, checksum=7)

    seen.send(snapshot(1, 10, checksum=1), right, wrong, delta(4, 13, checksum=4), snapshot(9, 20, checksum=1))

    assert seen.values == [[10], [11, 10], "Mismatch", [20]]


def test_a_wrong_checksum_says_what_was_expected() -> None:
    """And what came out."""
    told: list[Any] = []
    source: Subject[object] = Subject()
    source.pipe(order_book(checksum=lambda bids, asks: 5)).subscribe(told.append)

    source.on_next(snapshot(1, 10, checksum=4))

    assert isinstance(told[0], Mismatch)
    assert (told[0].topic, told[0].expected, told[0].computed) == ("v:book:BTC", 4, 5)


# Fetched


class Rest:
    """Answers fetches in virtual time: each with the next of `answers`, after `takes` seconds."""

    def __init__(self, seen: Seen | None, *answers: object, takes: float = 0.5) -> None:
        self.seen = seen
        self.answers = list(answers)
        self.takes = takes
        self.asked: list[tuple[float, str]] = []

    def __call__(self, symbol: str) -> Any:
        assert self.seen is not None
        self.asked.append((self.seen.virtual.clock, symbol))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return rx.timer(self.takes, scheduler=self.seen.virtual).pipe(ops.map(lambda _: answer))


def fetching(*answers: object, takes: float = 0.5, **options: Any) -> tuple[Seen, Rest]:
    """Return a stream of books whose snapshots are fetched, and who answers."""
    rest = Rest(None, *answers, takes=takes)
    seen = Seen(order_book(fetch=rest, **options))
    rest.seen = seen
    return seen, rest


def test_a_book_begins_with_a_fetched_snapshot_and_what_came_meanwhile() -> None:
    """What is older than the snapshot is dropped, what is newer is applied, and then the book is emitted once."""
    seen, rest = fetching(snapshot(6, 10))

    seen.send(delta(5, 1, first=4), delta(6, 2, first=6))
    seen.after(0.2)
    seen.send(delta(7, 11, first=7), delta(9, 12, first=8))

    assert seen.after(1.0) == [[12, 11, 10]]
    assert rest.asked == [(0.0, "BTC")]
    seen.send(delta(10, 13, first=10))
    assert seen.values[1:] == [[13, 12, 11, 10]]


def test_a_snapshot_older_than_what_is_held_is_fetched_again() -> None:
    """Two seconds later, and then four: what is held is kept, and no gap is invented."""
    seen, rest = fetching(snapshot(3, 9), snapshot(4, 9), snapshot(7, 10))

    seen.send(delta(7, 1, first=6), delta(8, 11, first=8))

    assert seen.after(10.0) == [[11, 10]]
    assert [at for at, _ in rest.asked] == [0.0, 2.5, 7.0]


def test_a_gap_is_mended_by_a_fetch() -> None:
    """It is told at once, and the book comes back whole."""
    seen, rest = fetching(snapshot(1, 10), snapshot(5, 20))
    seen.send(delta(1, 1, first=1))
    seen.after(5.0)

    seen.send(delta(4, 12, first=4), delta(5, 13, first=5), delta(6, 14, first=6))

    assert seen.values == [[10], ("v:book:BTC", 1, 4)]
    assert seen.after(5.0)[2:] == [[20, 14]]
    assert len(rest.asked) == 2


def test_a_gap_among_what_is_held_is_told_too() -> None:
    """And fetched for once more, where the snapshot does not cover it."""
    seen, rest = fetching(snapshot(1, 10), snapshot(9, 20))

    seen.send(delta(1, 1, first=1), delta(2, 11, first=2), delta(9, 12, first=8))

    assert seen.after(0.1) == [("v:book:BTC", 2, 8)]
    assert seen.after(10.0)[1:] == [[20]]
    assert len(rest.asked) == 2


def test_fetches_are_a_second_apart_and_more_where_they_fail() -> None:
    """A storm of gaps is no storm of fetches."""
    seen, rest = fetching(OSError("down"), OSError("down"), OSError("down"), snapshot(1, 10))

    seen.send(delta(1, 1, first=1))

    assert seen.after(60.0) == [[10]]
    assert [at for at, _ in rest.asked] == [0.0, 2.0, 6.0, 14.0]


def test_two_tries_are_a_minute_apart_at_most() -> None:
    """However many have failed before."""
    seen, rest = fetching(*[OSError("down")] * 12)

    seen.send(delta(1, 1, first=1))
    seen.after(250.0)

    times = [at for at, _ in rest.asked]
    assert [later - earlier for earlier, later in zip(times[-3:], times[-2:], strict=False)] == [60.0, 60.0]


def test_a_mended_book_that_breaks_again_waits_its_second() -> None:
    """The first try after a success that lies back is at once."""
    seen, rest = fetching(snapshot(1, 10), snapshot(4, 10), snapshot(8, 10), takes=0.0)
    seen.send(delta(1, 1, first=1))
    seen.after(0.1)
    seen.send(delta(4, 1, first=4))
    seen.after(1.0)
    seen.send(delta(8, 1, first=8))
    seen.after(5.0)

    assert [at for at, _ in rest.asked] == [0.0, 1.0, 2.0]


def test_a_fetch_that_takes_too_long_is_given_up() -> None:
    """Its late answer is not taken, and the next is made after a while."""
    seen, rest = fetching(snapshot(1, 66), snapshot(2, 10), takes=3.0, timeout=2.0)
    seen.send(delta(2, 1, first=2))
    seen.after(1.9)
    rest.takes = 0.5

    assert seen.after(10.0) == [[10]]
    assert [at for at, _ in rest.asked] == [0.0, 4.0]


def test_what_is_no_snapshot_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged by what it is, and asked for again; the log has it once a minute."""
    seen, _ = fetching({"bids": []}, {"bids": []}, snapshot(1, 10))

    with caplog.at_level(logging.WARNING, "rxws"):
        seen.send(delta(1, 1, first=1))
        seen.after(20.0)

    assert seen.values == [[10]]
    assert [record.message for record in caplog.records] == [
        "the book of BTC could not be mended, and is tried again: "
        "TypeError('fetch returned a dict, and no BookSnapshot')"
    ]


async def test_fetch_may_be_an_async_function_or_a_plain_one() -> None:
    """Whatever it returns is awaited where it can be."""

    async def slow(symbol: str) -> BookSnapshot:
        return snapshot(1, 10, symbol=symbol)

    def quick(symbol: str) -> BookSnapshot:
        return snapshot(1, 10, symbol=symbol)

    for fetch in (slow, quick):
        source, books = Subject[object](), asyncio.Queue[object]()
        subscription = source.pipe(order_book(fetch=fetch)).subscribe(books.put_nowait)
        source.on_next(delta(1, 1, first=1))
        async with asyncio.timeout(10):
            assert isinstance(await books.get(), OrderBook)
        subscription.dispose()


def test_more_than_may_be_held_is_dropped_and_found_missing() -> None:
    """The oldest go first, which is told; the splice notices, and another snapshot is fetched."""
    seen, rest = fetching(snapshot(1, 10), snapshot(5, 20), maxsize=2)
    told: list[Overflow] = []
    seen.on_overflow = told.append

    seen.send(*(delta(number, number, first=number) for number in range(1, 6)))

    assert seen.after(0.6) == ["Overflow"]
    assert seen.after(10.0) == ["Overflow", [20], "Overflow"]
    assert [(each.where, each.dropped) for each in told] == [("order_book", 1), ("order_book", 2)]
    assert len(rest.asked) == 2


@pytest.mark.parametrize("error", [None, RuntimeError("the source's")])
def test_what_was_dropped_last_is_told_before_the_end(error: Exception | None) -> None:
    """So that all of them add up."""
    seen, _ = fetching(maxsize=1)
    told: list[int] = []
    seen.on_overflow = lambda overflow: told.append(overflow.dropped)
    seen.send(*(delta(number, number, first=number) for number in range(1, 11)))
    seen.after(0.1)
    if error is None:
        seen.source.on_completed()
    else:
        seen.source.on_error(error)
    assert (sum(told), len(told)) == (9, 2)
    assert seen.ends == [error or "completed"]
    assert seen.values[-1] == "Overflow"


def test_who_raises_is_not_told_of_drops_any_more() -> None:
    """Neither then, when there is more to tell of, nor later."""
    seen, _ = fetching(maxsize=1)
    told: list[int] = []

    def raises(overflow: Overflow) -> None:
        told.append(overflow.dropped)
        raise RuntimeError("the subscriber's own")

    seen.on_overflow = raises
    seen.send(*(delta(number, number, first=number) for number in range(1, 11)))
    with pytest.raises(RuntimeError, match="own"):
        seen.after(60.0)
    assert told == [1]
    assert seen.source.observers == []


def test_who_leaves_is_not_told_of_drops_any_more() -> None:
    """Though there were more than have been told."""
    seen, _ = fetching(maxsize=1)
    seen.send(*(delta(number, number, first=number) for number in range(1, 11)))
    seen.subscription.dispose()
    assert seen.after(60.0) == ["Overflow"]


def test_a_snapshot_of_the_stream_ends_a_fetch() -> None:
    """What comes by itself is as good."""
    seen, _ = fetching(snapshot(1, 66), takes=5.0)

    seen.send(delta(1, 1, first=1), snapshot(4, 10), delta(5, 11, first=5))

    assert seen.after(20.0) == [[10], [11, 10]]


# Subscribed anew


def test_a_gap_is_mended_by_a_new_subscription() -> None:
    """`renew` is asked once, a turn later, and the snapshot comes by the stream."""
    renewed: list[tuple[float, str]] = []
    seen = Seen(order_book(renew=lambda symbol: renewed.append((seen.virtual.clock, symbol))))

    seen.send(snapshot(1, 10), delta(3, 12), delta(4, 13))
    assert renewed == []
    seen.after(1.0)
    seen.send(delta(5, 14), snapshot(9, 20), delta(10, 21))

    assert renewed == [(0.0, "BTC")]
    assert seen.values == [[10], ("v:book:BTC", 1, 3), [20], [21, 20]]
    assert seen.after(600.0) == seen.values
    assert len(renewed) == 1


def test_a_snapshot_that_does_not_come_is_asked_for_again() -> None:
    """After the timeout, and then the longer the more tries there were."""
    renewed: list[float] = []
    seen = Seen(order_book(renew=lambda _: renewed.append(seen.virtual.clock), timeout=10.0))

    seen.send(snapshot(1, 10), delta(3, 12))
    seen.after(140.0)

    assert renewed == [0.0, 12.0, 26.0, 44.0, 70.0, 112.0]


@pytest.mark.parametrize("every", [1.0, 300.0])
def test_a_book_is_tried_for_weeks_and_never_sooner_than_was_asked(every: float) -> None:
    """Once a minute where it may be oftener."""
    asked: list[float] = []

    def fetch(_: str) -> BookSnapshot:
        asked.append(seen.virtual.clock)
        raise ConnectionError

    seen = Seen(order_book(fetch=fetch, every=every))
    seen.send(delta(1, 1))
    seen.after(1_500 * max(60.0, every))

    assert len(asked) >= 1_500
    assert asked[-1] - asked[-2] == max(60.0, every)
    assert asked[1] - asked[0] == max(2.0, every)


def test_changes_without_a_snapshot_ask_for_one() -> None:
    """As for one who joins a topic that is live already."""
    renewed: list[str] = []
    seen = Seen(order_book(renew=renewed.append))

    seen.send(delta(7, 11))
    seen.after(0.1)

    assert renewed == ["BTC"]
    assert seen.values == []


def test_renew_that_raises_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """It is no error of the stream."""
    tries: list[str] = []

    def renew(symbol: str) -> None:
        tries.append(symbol)
        raise OSError("no way")

    seen = Seen(order_book(renew=renew))
    seen.send(delta(7, 11))
    seen.after(7.0)

    assert len(tries) == 3
    assert "OSError('no way')" in caplog.text
    assert seen.ends == []


# Ends


def test_it_ends_as_its_source_does() -> None:
    """Nothing is waited for."""
    completing, failing = Seen(order_book()), Seen(order_book())
    error = ValueError("x")

    completing.source.on_completed()
    failing.source.on_error(error)

    assert (completing.ends, failing.ends) == (["completed"], [error])


def test_dispose_ends_what_is_under_way() -> None:
    """No fetch is begun, and none that was is taken."""
    seen, _ = fetching(snapshot(1, 10))
    seen.send(delta(1, 1, first=1))
    seen.after(0.1)

    seen.subscription.dispose()

    assert seen.after(60.0) == []
    assert seen.source.observers == []


def test_a_subscriber_that_raises_in_a_turn_of_the_mending_is_disposed_and_reported() -> None:
    """Nobody below would catch it."""
    rest = Rest(None, snapshot(1, 10))
    virtual, source = TestScheduler(), Subject[object]()

    def fail(_: object) -> None:
        raise KeyError("mine")

    source.pipe(order_book(fetch=rest)).subscribe(fail, scheduler=virtual)
    rest.seen = type("Clock", (), {"virtual": virtual})()  # type: ignore[assignment]
    source.on_next(delta(1, 1, first=1))

    with pytest.raises(KeyError, match="mine"):
        virtual.advance_by(5.0)
    assert source.observers == []


def test_two_subscribers_have_books_of_their_own() -> None:
    """State is made by each subscription."""
    books: list[list[object]] = [[], []]
    source: Subject[object] = Subject()
    shown = source.pipe(order_book())
    for mine in books:
        shown.subscribe(mine.append)

    source.on_next(snapshot(1, 10))

    assert books[0][0] is not books[1][0]


def test_a_lost_connection_changes_no_book() -> None:
    """The snapshot of the next connection does."""
    seen = Seen(order_book())
    closed = Closed(**STAMP, reason=DisconnectReason.NETWORK_ERROR, error=None, uptime=1.0, opened=True)

    seen.send(snapshot(1, 10), closed, snapshot(9, 20))

    assert seen.values == [[10], "Closed", [20]]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"depth": 0}, "depth"),
        ({"checksum": 5}, "checksum"),
        ({"fetch": "url"}, "fetch"),
        ({"renew": "topic"}, "renew"),
        ({"fetch": print, "renew": print}, "renew"),
        ({"every": 0.0}, "every"),
        ({"timeout": -1.0}, "timeout"),
        ({"maxsize": 0}, "maxsize"),
    ],
)
def test_wrong_arguments_are_named(options: dict[str, Any], field: str) -> None:
    """When the operator is made, not when it is used."""
    with pytest.raises(ConfigError) as caught:
        order_book(**options)
    assert caught.value.field == field
