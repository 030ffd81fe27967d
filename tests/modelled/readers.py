"""Who reads one topic, and remembers."""

from __future__ import annotations

from typing import Any

from reactivex import Observable, abc

from rxws.errors import RxwsError
from rxws.events import Event
from rxws.market import BookDelta, BookSnapshot, MarketEvent
from rxws.orderbook import OrderBook
from tests.modelled.market import by_message
from tests.modelled.trial import Trial

__all__ = ["BookReader", "Bug", "Reader"]


class Bug(Exception):
    """What a reader raises."""


class Reader:
    """Reads one topic, until it leaves, or raises at a certain event, or is told an error."""

    def __init__(self, source: Observable[Any], topic: str, trial: Trial, *, raises_at: int | None = None) -> None:
        self.topic = topic
        self.seen: list[MarketEvent] = []
        self.errors: list[Exception] = []
        self.is_here = True
        self._trial = trial
        self._raises_at = raises_at
        self._running: abc.DisposableBase | None = None
        running = trial.as_client(source.subscribe, self.take, self.fail, self.complete)
        self._running = running

    def take(self, value: Any) -> None:
        """Take what comes."""
        if not self.is_here:
            self._trial.problems.append(f"{self.topic}: something came to who had left")
        if isinstance(value, Event):
            return
        self.got(value)
        if len(self.seen) == self._raises_at:
            self.is_here = False
            raise Bug

    def got(self, value: Any) -> None:
        """Take an event."""
        self.seen.append(by_message(value))

    def fail(self, error: Exception) -> None:
        """It ends by an error."""
        self.is_here = False
        self.errors.append(error)

    def complete(self) -> None:
        """It ends, which it never should."""
        self._trial.problems.append(f"{self.topic}: completed")

    def leave(self) -> None:
        """Read no more."""
        self.is_here = False
        if self._running is not None:
            self._trial.as_client(self._running.dispose)

    def whole(self) -> str:
        """What is wrong with what it holds; nothing, if nothing is."""
        return ""


class BookReader(Reader):
    """Keeps a book, or is handed one."""

    def __init__(self, source: Observable[Any], topic: str, trial: Trial, symbol: str) -> None:
        self.symbol = symbol
        self.book = OrderBook()
        self.count = 0
        super().__init__(source, topic, trial)

    def got(self, value: OrderBook | BookSnapshot | BookDelta) -> None:
        """Take the book, or what changes it."""
        self.count += 1
        if isinstance(value, OrderBook):
            self.book = value
        else:
            super().got(value)
            try:
                self.book.apply(value)
            except RxwsError as error:
                self._trial.problems.append(f"{self.topic}: {error!r} at change {self.count}")
        if not self.book.is_whole:
            self._trial.problems.append(f"{self.topic}: no whole book at change {self.count}")

    def whole(self) -> str:
        """It has to be the venue's."""
        if not self._trial.place.exists(self.topic):  # the answer that refuses it was lost
            return ""
        true = self._trial.exchange.book(self.symbol, self.topic)
        has = (tuple(self.book.bids), tuple(self.book.asks))
        return "" if has == true and self.book.is_whole else f"{self.topic}: its book is not the venue's"
