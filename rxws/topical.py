"""A venue's topics as observables of what they bring."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, TypeAlias, TypeGuard, TypeVar, cast, overload

import reactivex as rx
from reactivex import Observable, abc
from reactivex import operators as ops

from rxws import operators as wsops
from rxws.arguments import function
from rxws.book_fetch import TIMEOUT, Get, book_fetch
from rxws.errors import ConfigError
from rxws.events import Event, Gap, Mismatch, Overflow
from rxws.market import BookDelta, BookSnapshot, Candle, Quote, Ticker, Trade
from rxws.operators._nuisances import LOG, Nuisances
from rxws.operators._turns import leaving_whole
from rxws.operators.order_book import FetchBook
from rxws.orderbook import OrderBook
from rxws.venue import Snapshots, Venue

__all__ = ["Pipeline", "Topical"]

T = TypeVar("T")

No: TypeAlias = Literal[False]


Renew: TypeAlias = Callable[[str], object]
Pipeline: TypeAlias = Callable[[Observable[Any], Renew], Observable[Any]]  # Any: of whatever topic


class Topical(ABC):
    """The observables of a venue; where they get their topics from, its two kinds say.

    All are cold. Each method returns an observable of one kind of event; with `lifecycle`, of lifecycle events too:
    those of its connection (`Opened`, `Closed`, …), those of its topic (`TopicChanged`, `Stale`), and `Gap`.
    """

    def __init__(self, venue: Venue) -> None:
        self.venue = venue

    @overload
    def trades(self, symbol: str, *, lifecycle: No = False) -> Observable[Trade]: ...
    @overload
    def trades(self, symbol: str, *, lifecycle: bool) -> Observable[Trade | Event]: ...
    def trades(self, symbol: str, *, lifecycle: bool = False) -> Observable[Trade | Event]:
        """Return the trades of a symbol; a trade that is there twice, after a reconnect, comes once.

        Args:
            symbol: as the venue writes it.
            lifecycle: whether events travel in it too; a `Gap` says which trades are missing, where they have numbers.

        Raises:
            ConfigError: the venue has no such topic. All methods raise it alike.
        """
        rule, proof = self.venue.TRADE_RULE, self.venue.PROOF
        checked = [] if rule is None else [wsops.detect_gaps(rule, duplicates="drop")]
        topics = [self.venue.trades(symbol), *([] if proof is None else [proof(symbol)])]
        return _only(Trade, self._events(*topics).pipe(*checked), lifecycle, topics[0])

    @overload
    def quotes(self, symbol: str, *, lifecycle: No = False) -> Observable[Quote]: ...
    @overload
    def quotes(self, symbol: str, *, lifecycle: bool) -> Observable[Quote | Event]: ...
    def quotes(self, symbol: str, *, lifecycle: bool = False) -> Observable[Quote | Event]:
        """Return the best bid and ask of a symbol; where the venue tells them with its tickers only, as often."""
        topic = self.venue.quotes(symbol)
        return _only(Quote, self._events(topic).pipe(ops.map(_as_quote)), lifecycle, topic)

    @overload
    def ticker(self, symbol: str, *, lifecycle: No = False) -> Observable[Ticker]: ...
    @overload
    def ticker(self, symbol: str, *, lifecycle: bool) -> Observable[Ticker | Event]: ...
    def ticker(self, symbol: str, *, lifecycle: bool = False) -> Observable[Ticker | Event]:
        """Return the last 24 hours of a symbol, told anew again and again."""
        topic = self.venue.ticker(symbol)
        return _only(Ticker, self._events(topic), lifecycle, topic)

    @overload
    def candles(
        self, symbol: str, interval: str, *, grace: float = 2.0, lifecycle: No = False
    ) -> Observable[Candle]: ...
    @overload
    def candles(
        self, symbol: str, interval: str, *, grace: float = 2.0, lifecycle: bool
    ) -> Observable[Candle | Event]: ...
    def candles(
        self, symbol: str, interval: str, *, grace: float = 2.0, lifecycle: bool = False
    ) -> Observable[Candle | Event]:
        """Return the candles of a symbol, which say whether they are closed.

        Where the venue does not, `operators.close_candles` does; `closed` is None of one that a lost connection left
        unknown, and of no other.

        Args:
            symbol: as the venue writes it.
            interval: as the venue writes it, such as "1m".
            grace: seconds after its end in which a candle may still change, where the venue does not say that it is
                closed; 0 or more.
            lifecycle: whether events travel in it too.
        """
        topic = self.venue.candles(symbol, interval)
        return _only(Candle, self._events(topic).pipe(wsops.close_candles(grace)), lifecycle, topic)

    @overload
    def book_events(
        self, symbol: str, depth: int | None = None, *, lifecycle: No = False
    ) -> Observable[BookSnapshot | BookDelta]: ...
    @overload
    def book_events(
        self, symbol: str, depth: int | None = None, *, lifecycle: bool
    ) -> Observable[BookSnapshot | BookDelta | Event]: ...
    def book_events(
        self, symbol: str, depth: int | None = None, *, lifecycle: bool = False
    ) -> Observable[BookSnapshot | BookDelta | Event]:
        """Return what the venue tells of a symbol's book: of all of it, or of its best `depth` levels as they are."""
        topic = self.venue.book(symbol, depth)
        return _only((BookSnapshot, BookDelta), self._changes(topic, self._is_whole_again(depth)), lifecycle, topic)

    @overload
    def book(
        self,
        symbol: str,
        depth: int | None = None,
        *,
        get: Get | None = None,
        every: float = 1.0,
        lifecycle: No = False,
    ) -> Observable[OrderBook]: ...
    @overload
    def book(
        self,
        symbol: str,
        depth: int | None = None,
        *,
        get: Get | None = None,
        every: float = 1.0,
        lifecycle: bool,
    ) -> Observable[OrderBook | Event]: ...
    def book(
        self,
        symbol: str,
        depth: int | None = None,
        *,
        get: Get | None = None,
        every: float = 1.0,
        lifecycle: bool = False,
    ) -> Observable[OrderBook | Event]:
        """Return the order book of a symbol, after each change; it is checked, and mended by the venue's way.

        Args:
            symbol: as the venue writes it.
            depth: a depth that the venue sends as it is, again and again; None: the whole book, kept from its changes.
            get: an async function of a URL that returns the body; needed where the book begins with one that is
                fetched (both of Binance's, with `depth` None). With one, OKX's is fetched too, where its stream should
                begin without a snapshot.
            every: seconds between two tries to mend the book at least; see `operators.order_book`.
            lifecycle: whether events travel in it too; `Gap` and `Mismatch` say what was wrong.

        Raises:
            ConfigError: the venue has no such topic, or `get` is needed.
        """
        topic, snapshots = self.venue.book(symbol, depth), self.venue.SNAPSHOTS
        fetched = depth is None and snapshots is not None and (snapshots.are_needed or get is not None)
        fetch = self._fetch(snapshots, get) if fetched and snapshots is not None else None
        checksum = getattr(self.venue, "checksum", None)

        def kept(events: Observable[Any], renew: Renew) -> Observable[Any]:
            # Without one to fetch, it begins with the snapshot behind a subscription; a depth is whole each time.
            again = None if fetch is not None or depth is not None else lambda _: renew(topic)
            # One that is fetched waits for its turn first, and has a timeout of its own.
            timeout = None if fetch is not None else TIMEOUT
            books = wsops.order_book(checksum=checksum, fetch=fetch, renew=again, every=every, timeout=timeout)
            return events.pipe(books)

        return _only(
            OrderBook, self._book(topic, (topic, _hashed(get) if fetched else None, every), kept), lifecycle, topic
        )

    def _fetch(self, snapshots: Snapshots, get: Get | None) -> FetchBook:
        if get is None:
            right = "take an async function of a URL that returns the body, or a depth that is sent whole"
            raise ConfigError("get", f"a book of {self.venue.NAME} begins with one that is fetched; {right}")
        function("get", get, "a URL, an async one")
        return book_fetch(self.venue.NAME, snapshots, get)

    def _is_whole_again(self, depth: int | None) -> bool:
        """Whether a subscription of a book brings a snapshot once, and changes from then on."""
        snapshots = self.venue.SNAPSHOTS
        return depth is None and (snapshots is None or not snapshots.are_needed)

    def _events(self, *topics: str) -> Observable[Any]:
        return self._topics(topics, lambda events, _: events)

    @abstractmethod
    def _topics(self, topics: Sequence[str], pipeline: Pipeline) -> Observable[Any]:
        """Return what `pipeline` makes of the events of topics, and of what subscribes one of them anew."""

    @abstractmethod
    def _changes(self, topic: str, has_beginning: bool) -> Observable[Any]:
        """Return the events of a book's topic; where it `has_beginning`, whoever subscribes gets a snapshot first."""

    @abstractmethod
    def _book(self, topic: str, key: Hashable, pipeline: Pipeline) -> Observable[Any]:
        """Return the books that `pipeline` makes of a topic; those of one `key` are alike."""


def _only(kinds: type[T] | tuple[type[T], ...], events: Observable[Any], lifecycle: bool, topic: str) -> Observable[T]:
    wanted = (kinds if isinstance(kinds, tuple) else (kinds,)) + ((Event,) if lifecycle else ())

    def made(scheduler: abc.SchedulerBase) -> Observable[Any]:
        nuisances = Nuisances(scheduler)

        def keeps(value: object) -> bool:
            if isinstance(value, wanted):
                return True
            if _is_loss(value) and nuisances.is_due():
                LOG.warning("%s: messages of %s are missing, or wrong (lifecycle=True tells each)", value.origin, topic)
            return False

        return events.pipe(ops.filter(keeps), leaving_whole)

    return cast("Observable[T]", rx.defer(made))


def _is_loss(value: object) -> TypeGuard[Gap | Mismatch | Overflow]:
    """Whether an operator of ours tells that something is missing; what a connection drops is logged anyway."""
    return isinstance(value, Gap | Mismatch) or (isinstance(value, Overflow) and value.where == "order_book")


def _hashed(get: Get | None) -> Hashable:
    return get if isinstance(get, Hashable) else id(get)


def _as_quote(value: object) -> object:
    if not isinstance(value, Ticker):
        return value
    return Quote(
        venue=value.venue,
        symbol=value.symbol,
        bid=value.bid,
        bid_size=value.bid_size,
        ask=value.ask,
        ask_size=value.ask_size,
        time_ns=value.time_ns,
        arrival_ns=value.arrival_ns,
    )
