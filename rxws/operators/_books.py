"""One subscription of `order_book`: the books, and how each is mended."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reactivex import Observable, abc
from reactivex import operators as ops
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable

from rxws import gaps
from rxws.errors import BrokenBook, ChecksumMismatch
from rxws.events import Event, Gap, Mismatch, Overflow
from rxws.gaps import State, Verdict
from rxws.market import BookDelta, BookSnapshot
from rxws.operators._drops import Drops
from rxws.operators._nuisances import Nuisances
from rxws.operators._stamps import Stamps
from rxws.operators._topics import market_topic, topic_text
from rxws.operators._turns import in_turn, leaving
from rxws.orderbook import OrderBook
from rxws.scheduler import clock, resolve

__all__ = ["Books", "Mending"]

LOG = logging.getLogger("rxws")

LONGEST = 60.0
"""Seconds between two tries, however many have failed; more only where `every` is."""
MOST_DOUBLED = 16


@dataclass(frozen=True, slots=True)
class Mending:
    """How a book is mended; the arguments of `order_book`."""

    fetch: Callable[[str], Any] | None  # Any: a snapshot, an awaitable or an observable of one
    renew: Callable[[str], object] | None
    every: float
    timeout: float | None
    maxsize: int

    @property
    def is_possible(self) -> bool:
        """Whether there is a way."""
        return self.fetch is not None or self.renew is not None


class Books:
    """The book of each symbol.

    Args:
        observer: gets the books, and what is told of them.
        make: makes an empty book.
        mending: how one that is not whole is mended.
        everything: is disposed where a subscriber raises, and ends what is under way.
        scheduler: whose time; None where nothing is mended.
    """

    def __init__(
        self,
        observer: abc.ObserverBase[OrderBook | Event],
        make: Callable[[], OrderBook],
        mending: Mending,
        everything: CompositeDisposable,
        scheduler: abc.SchedulerBase | None,
    ) -> None:
        self._observer = observer
        self._make = make
        self._mending = mending
        self._everything = everything
        self._scheduler = scheduler
        self._stamps = Stamps(scheduler)
        self._nuisances = Nuisances(scheduler)
        self._kept: dict[tuple[str, str], Kept] = {}
        self._drops = None if scheduler is None else Drops("order_book", None, self._tell_drops, scheduler)
        everything.add(Disposable(self._flush))

    def on_next(self, value: object) -> None:
        """Take what comes."""
        if isinstance(value, Event):
            self._stamps.last = value
            if self._drops is not None:
                self._drops.passes(value)
            self._observer.on_next(value)
        elif isinstance(value, BookDelta | BookSnapshot):
            whose = (value.venue, value.symbol)
            kept = self._kept.get(whose)
            if kept is None:
                kept = self._kept[whose] = Kept(self._make(), self._mender(value.symbol))
            self._take(kept, value)

    def on_error(self, error: Exception) -> None:
        """Pass the end, behind what has not been told yet."""
        self._flush()
        self._observer.on_error(error)

    def on_completed(self) -> None:
        """Pass the end, behind what has not been told yet."""
        self._flush()
        self._observer.on_completed()

    def _flush(self) -> None:
        if self._drops is not None:
            self._drops.dispose()

    def _tell_drops(self, overflow: Overflow) -> None:
        if not self._everything.is_disposed:
            leaving(self._observer.on_next, self._everything)(overflow)

    def _mender(self, symbol: str) -> Mender | None:
        if self._scheduler is None or not self._mending.is_possible:
            return None
        mender = Mender(symbol, self._mending, self._spliced, self._nuisances, self._everything, self._scheduler)
        self._everything.add(mender.running)
        return mender

    def _take(self, kept: Kept, event: BookDelta | BookSnapshot) -> None:
        self._watch(kept, event)
        mender = kept.mender
        if isinstance(event, BookSnapshot):
            if mender is not None:
                mender.done()
            kept.held.clear()
        elif mender is not None and mender.fetches:
            self._hold(kept, event)
            return
        verdict = self._apply(kept, event)
        if verdict is None or not kept.book.is_whole:
            if mender is not None and not mender.is_busy:
                if mender.may_fetch and isinstance(event, BookDelta):
                    kept.held.append(event)
                mender.begin()
        elif verdict is not Verdict.DUPLICATE:
            self._observer.on_next(kept.book)

    def _watch(self, kept: Kept, event: BookDelta | BookSnapshot) -> None:
        """Tell of what is missing in what comes, whatever becomes of the book."""
        known = kept.seen
        verdict, kept.seen, following = gaps.links(known, event)
        if verdict is Verdict.GAP and known is not None:
            stamp = self._stamps.now(event.venue)
            self._observer.on_next(Gap(**stamp, topic=topic_text(market_topic(event)), last=known.last, next=following))

    def _apply(self, kept: Kept, event: BookDelta | BookSnapshot) -> Verdict | None:
        """Change the book; None: it is broken."""
        try:
            return kept.book.apply(event)
        except ChecksumMismatch as error:
            stamp = self._stamps.now(event.venue)
            told = Mismatch(
                **stamp, topic=topic_text(market_topic(event)), expected=error.expected, computed=error.computed
            )
            self._observer.on_next(told)
        except BrokenBook:
            pass
        return None

    def _hold(self, kept: Kept, event: BookDelta) -> None:
        kept.held.append(event)
        if len(kept.held) > self._mending.maxsize:
            kept.held.popleft()  # the splice will find it missing, and begin once more
            assert self._drops is not None
            self._drops.dropped()

    def _spliced(self, mender: Mender, snapshot: BookSnapshot) -> None:
        """A snapshot was fetched: what is held goes on from there."""
        kept = next(each for each in self._kept.values() if each.mender is mender)
        held, kept.held = kept.held, deque()
        whole = self._apply(kept, snapshot) is not None
        while held and whole:
            event = held.popleft()
            if self._apply(kept, event) is None:
                held.appendleft(event)
                whole = False
        if whole:
            mender.done()
            self._observer.on_next(kept.book)
        else:
            kept.held = held
            mender.again()


class Kept:
    """A book, what of its numbers has been seen, and the changes that wait for a snapshot."""

    __slots__ = ("book", "held", "mender", "seen")

    def __init__(self, book: OrderBook, mender: Mender | None) -> None:
        self.book = book
        self.mender = mender
        self.seen: State | None = None
        self.held: deque[BookDelta] = deque()


class Mender:
    """Tries to get a snapshot of one book, one try at a time, with room between them."""

    def __init__(
        self,
        symbol: str,
        mending: Mending,
        fetched: Callable[[Mender, BookSnapshot], None],
        nuisances: Nuisances,
        everything: abc.DisposableBase,
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.is_busy = False
        self.running = SerialDisposable()
        self._symbol = symbol
        self._mending = mending
        self._fetched = fetched
        self._nuisances = nuisances
        self._everything = everything
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._last: float | None = None
        self._failures = 0

    @property
    def may_fetch(self) -> bool:
        """Whether what comes is to be held until a snapshot is here."""
        return self._mending.fetch is not None

    @property
    def fetches(self) -> bool:
        """Whether a snapshot is being fetched, or waits for its turn."""
        return self.is_busy and self.may_fetch

    def begin(self) -> None:
        """Get a snapshot, as soon as one may be asked for."""
        self.is_busy = True
        every = self._mending.every
        wait = max(every, min(every * 2.0 ** min(self._failures, MOST_DOUBLED), LONGEST))
        left = 0.0 if self._last is None else self._last + wait - self._now()
        # A turn later in any case: whoever is asked may answer from within.
        self.running.disposable = self._scheduler.schedule_relative(max(0.0, left), self._turn(self._try))

    def again(self) -> None:
        """The last try did not help; that it took its time, or waited for its turn, brings the next no nearer."""
        self._last = self._now()
        self._failures += 1
        self.begin()

    def done(self) -> None:
        """The book is whole."""
        self.is_busy = False
        self._failures = 0
        self.running.disposable = Disposable()

    def _turn(self, act: Callable[[], None]) -> Callable[..., None]:
        turn = in_turn(act, self._everything, self._scheduler)
        return lambda *_: turn()

    def _try(self) -> None:
        self._last = self._now()
        timer, asking = SerialDisposable(), SerialDisposable()
        self.running.disposable = CompositeDisposable(timer, asking)
        if self._mending.timeout is not None:
            timer.disposable = self._scheduler.schedule_relative(self._mending.timeout, self._turn(self._too_late))
        try:
            answer = self._ask()
        except Exception as error:
            self._failed(error)
            return
        if not self.may_fetch or self.running.is_disposed:
            return
        answered = in_turn(self._answered, self._everything, self._scheduler)
        failed = in_turn(self._failed, self._everything, self._scheduler)
        if isinstance(answer, Observable):
            asking.disposable = answer.pipe(ops.first()).subscribe(answered, failed, scheduler=self._scheduler)
        else:
            asking.disposable = resolve(answer, answered, failed)

    def _ask(self) -> Any:  # Any: what `fetch` returns
        if self._mending.fetch is not None:
            return self._mending.fetch(self._symbol)
        assert self._mending.renew is not None
        return self._mending.renew(self._symbol)

    def _answered(self, snapshot: BookSnapshot) -> None:
        self.running.disposable = Disposable()
        if isinstance(snapshot, BookSnapshot):
            self._fetched(self, snapshot)
        else:
            self._failed(TypeError(f"fetch returned a {type(snapshot).__name__}, and no BookSnapshot"))

    def _too_late(self) -> None:
        self._failed(TimeoutError(f"no snapshot within {self._mending.timeout:g} s"))

    def _failed(self, error: Exception) -> None:
        if self._nuisances.is_due():
            LOG.warning("the book of %s could not be mended, and is tried again: %r", self._symbol, error)
        self.again()
