"""Books that are fetched: each in its turn among all of its venue, and no longer than one may take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from reactivex import abc
from reactivex.testing import TestScheduler

from rxws.book_fetch import TIMEOUT, book_fetch
from rxws.market import BookSnapshot
from rxws.operators import order_book
from rxws.venue import Rate, Snapshots
from tests.operators.test_order_book import Seen, delta, snapshot

RATE = Rate(2, 60.0)


def decoded(body: bytes, symbol: str) -> BookSnapshot:
    """Return a book whose number and whose one price are its body."""
    return snapshot(int(body), int(body), symbol=symbol)


SNAPSHOTS = Snapshots(lambda symbol: f"https://venue.example/{symbol}", decoded, RATE)


class Asked:
    """Answers at once, and remembers what was asked, and when."""

    def __init__(self, virtual: TestScheduler) -> None:
        self.virtual = virtual
        self.urls: list[tuple[float, str]] = []

    async def __call__(self, url: str) -> bytes:
        """Note it, and answer."""
        self.urls.append((self.virtual.clock, url))
        return b"7"


def test_no_more_are_fetched_than_the_venue_lets_an_address_ask_for() -> None:
    """Whoever asks, by whichever feed: who comes later waits, and who leaves gives the place to the next who comes."""
    virtual = TestScheduler()
    asked = Asked(virtual)
    books: list[tuple[float, str]] = []

    def ask(symbol: str) -> abc.DisposableBase:
        answer = book_fetch("v", SNAPSHOTS, asked)(symbol)
        return answer.subscribe(lambda book: books.append((virtual.clock, book.symbol)), scheduler=virtual)

    asking = [ask(symbol) for symbol in "abcde"]
    asking[2].dispose()
    ask("f")
    virtual.advance_by(200.0)

    assert books == [(0.0, "a"), (0.0, "b"), (60.0, "d"), (60.0, "f"), (120.0, "e")]
    assert asked.urls == [(at, f"https://venue.example/{symbol}") for at, symbol in books]


def test_venues_count_each_for_itself() -> None:
    """And each scheduler, as each loop."""
    virtual = TestScheduler()
    asked = Asked(virtual)
    for venue in ("v", "w"):
        for symbol in "ab":
            book_fetch(venue, SNAPSHOTS, asked)(symbol).subscribe(scheduler=virtual)
    virtual.advance_by(1.0)
    assert len(asked.urls) == 4


async def test_what_takes_too_long_is_an_error_and_the_wait_for_the_turn_does_not_count() -> None:
    """The time runs from the request on."""
    virtual = TestScheduler()
    ends: list[tuple[float, str]] = []

    def get(url: str) -> Awaitable[bytes]:
        return asyncio.get_running_loop().create_future()

    for _ in range(3):
        book_fetch("v", SNAPSHOTS, get)("a").subscribe(
            on_error=lambda error: ends.append((virtual.clock, str(error))), scheduler=virtual
        )
    virtual.advance_by(300.0)
    late = "no snapshot within 10 s"
    assert ends == [(TIMEOUT, late), (TIMEOUT, late), (60.0 + TIMEOUT, late)]


def test_many_books_begin_one_after_another() -> None:
    """Each waits for its turn with what has come meanwhile, however long that is."""
    seen = Seen(lambda source: source)
    asked = Asked(seen.virtual)
    fetch = book_fetch("v", SNAPSHOTS, asked)
    seen.subscription.dispose()
    seen.subscription = seen.source.pipe(order_book(fetch=fetch, timeout=None)).subscribe(
        seen.take, scheduler=seen.virtual
    )
    symbols = [f"S{number}" for number in range(6)]
    for symbol in symbols:
        seen.send(delta(8, 9, first=8, symbol=symbol))
    seen.after(130.0)
    assert seen.values == [[9, 7]] * 6
    assert [at // 60 for at, _ in asked.urls] == [0, 0, 1, 1, 2, 2]
    assert [url.rsplit("/", 1)[1] for _, url in asked.urls] == symbols


@pytest.mark.parametrize("answer", [b"no number", OSError("down")])
def test_what_cannot_be_had_or_read_is_an_error(answer: Any) -> None:
    """Which whoever mends a book logs, and tries again."""
    virtual = TestScheduler()
    ends: list[Exception] = []

    async def get(url: str) -> bytes:
        if isinstance(answer, Exception):
            raise answer
        return bytes(answer)

    book_fetch("v", SNAPSHOTS, get)("a").subscribe(on_error=ends.append, scheduler=virtual)
    virtual.advance_by(1.0)
    assert [type(each) for each in ends] == [OSError if isinstance(answer, Exception) else ValueError]


def test_an_answer_that_cannot_be_awaited_is_an_error_that_says_what_to_do() -> None:
    """A function that blocks would hold up every stream of its loop."""
    virtual = TestScheduler()
    ends: list[Exception] = []

    def blocking(url: str) -> Any:
        return b"7"

    book_fetch("v", SNAPSHOTS, blocking)("a").subscribe(on_error=ends.append, scheduler=virtual)
    virtual.advance_by(1.0)

    assert "get returned bytes, and nothing to await; take an async function" in str(ends[0])


def test_a_try_that_waited_for_its_turn_and_failed_brings_the_next_no_nearer() -> None:
    """Others have used up what the venue takes in a minute."""
    seen = Seen(lambda source: source)
    asked: list[float] = []

    async def get(url: str) -> bytes:
        if url.endswith("MINE"):
            asked.append(seen.virtual.clock)
            raise OSError("503")
        return b"7"

    fetch = book_fetch("v", SNAPSHOTS, get)
    for symbol in "ab":
        fetch(symbol).subscribe(scheduler=seen.virtual)
    seen.subscription.dispose()
    seen.source.pipe(order_book(fetch=fetch, every=20.0, timeout=None)).subscribe(seen.take, scheduler=seen.virtual)
    seen.send(delta(8, 9, first=8, symbol="MINE"))
    seen.virtual.advance_to(170.0)

    assert asked == [60.0, 100.0, 160.0]
