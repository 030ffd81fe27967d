"""Order books from snapshots and changes, which mend themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from rxws.arguments import function, seconds, whole
from rxws.errors import ConfigError
from rxws.events import Event
from rxws.market import BookSnapshot
from rxws.operators._books import Books, Mending
from rxws.operators._turns import leaving
from rxws.orderbook import Checksum, OrderBook
from rxws.scheduler import given

__all__ = ["FetchBook", "order_book"]

FetchBook: TypeAlias = Callable[[str], BookSnapshot | Awaitable[BookSnapshot] | Observable[BookSnapshot]]
"""Returns the book of a symbol as a whole, at once, or once it is there."""


def order_book(
    depth: int | None = None,
    *,
    checksum: Checksum | None = None,
    fetch: FetchBook | None = None,
    renew: Callable[[str], object] | None = None,
    every: float = 1.0,
    timeout: float | None = 10.0,
    maxsize: int = 65_536,
) -> Callable[[Observable[object]], Observable[OrderBook | Event]]:
    """Keep the order book of each symbol, and emit it after every change.

    ::

        source    ──snapshot──d1──d2──d4──d5────────snapshot──d7──
        renew                          └symbol
        result    ──book──────book─book─Gap(2,4)────book──────book

    It emits the `OrderBook` itself, one a symbol, as it is after that message: a reader that keeps it sees it change;
    `book.snapshot()` makes a value of it. Nothing is emitted of a book that is not whole: before its first snapshot,
    and from a gap on until the next. What is missing is told as `Gap`, a wrong checksum as `Mismatch`.

    Where a book is not whole, it is mended by the venue's way. With `fetch` the changes that come are held, a snapshot
    is fetched, and those that are newer are applied to it; one that is older than what is held is fetched again. With
    `renew` the topic is subscribed anew, and the snapshot comes by the stream. Without either, the next snapshot of the
    stream begins anew, as after a reconnect. A try that fails is repeated, at least `every` seconds after the one
    before, twice as long after each that failed, up to a minute.

    Args:
        depth: how many levels of a side `bids` and `asks` show, 1 or more; None: all. All are kept.
        checksum: the venue's own, such as `rxws.exchanges.okx.checksum`; None: checksums are not verified.
        fetch: called with a symbol; returns a snapshot, or an awaitable or an observable of one. `SNAPSHOTS` of a
            venue's module has the URL, and decodes the answer.
        renew: called with a symbol; such as what calls ``mux.renew(topic)``.
        every: seconds from one try to mend a book to the next at least; behind one that failed they count from its end,
            and are doubled with each in a row, up to a minute.
        timeout: seconds that a fetch, or the snapshot after `renew`, may take; None: as many as they take.
        maxsize: how many changes of a book may be held, 1 or more; of more, the oldest are dropped, which is told as
            `Overflow`, and it is mended once more.

    Raises:
        ConfigError: an argument is wrong.

    Lifecycle events pass; what is neither an event nor of a book is left out. What `fetch` or `renew` raise is logged,
    at most once a minute, and tried again. It completes and errors as the source does.

    >>> import reactivex as rx
    >>> from decimal import Decimal
    >>> from rxws.market import BookDelta
    >>> def level(price, size):
    ...     return Decimal(price), Decimal(size)
    >>> whole = BookSnapshot(venue="v", symbol="BTC", bids=(level("9.90", 1),), asks=(level("10.10", 2),), sequence=1)
    >>> better = BookDelta(venue="v", symbol="BTC", bids=(level("10.00", 3),), asks=(), sequence=2, previous=1)
    >>> _ = rx.of(whole, better).pipe(order_book()).subscribe(print)
    <OrderBook BTC: 9.90 / 10.10, 1 bids, 1 asks>
    <OrderBook BTC: 10.00 / 10.10, 2 bids, 1 asks>
    """
    OrderBook(depth, checksum)
    if fetch is not None:
        function("fetch", fetch, "a symbol")
    if renew is not None:
        function("renew", renew, "a symbol")
    if fetch is not None and renew is not None:
        raise ConfigError("renew", "fetch is given too, and a book is mended one way; leave one of them out")
    seconds("every", every, optional=False)
    seconds("timeout", timeout)
    whole("maxsize", maxsize)

    def operator(source: Observable[object]) -> Observable[OrderBook | Event]:
        def subscribe(
            observer: abc.ObserverBase[OrderBook | Event], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            everything = CompositeDisposable()
            mending = Mending(fetch, renew, every, timeout, maxsize)
            # Without a way to mend, no time is needed, and no loop.
            on = given(scheduler) if fetch is not None or renew is not None else scheduler
            books = Books(observer, lambda: OrderBook(depth, checksum), mending, everything, on)
            everything.add(
                source.subscribe(
                    leaving(books.on_next, everything), books.on_error, books.on_completed, scheduler=scheduler
                )
            )
            return everything

        return Observable(subscribe)

    return operator
