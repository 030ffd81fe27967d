"""A venue's topics as observables of what they bring."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, TypeAlias, TypeVar, Unpack, cast, overload

import reactivex as rx
from reactivex import Observable, abc
from reactivex import operators as ops

from rxws import operators as wsops
from rxws.desired import Topics
from rxws.errors import ConfigError
from rxws.events import Event, Gap, Mismatch, TopicStatus
from rxws.market import BookDelta, BookSnapshot, Candle, Quote, Ticker, Trade
from rxws.multiplex import Multiplex, multiplex
from rxws.operators._nuisances import LOG, Nuisances
from rxws.operators.order_book import FetchBook
from rxws.options import StreamOptions
from rxws.orderbook import OrderBook
from rxws.venue import Snapshots, Venue
from rxws.venue_observable import Failure, FirstData, venue_observable

__all__ = ["Feed", "FeedOptions", "Get", "MultiplexOptions", "SharedFeed"]

T = TypeVar("T")

Get: TypeAlias = Callable[[str], Awaitable[bytes]]
"""Gets the body of a URL by HTTP, with whatever library one has."""

No: TypeAlias = Literal[False]


Pipeline: TypeAlias = Callable[[Observable[Any], Callable[[str], None]], Observable[Any]]  # Any: of whatever topic


class FeedOptions(StreamOptions, total=False):
    """The keywords of `venue_observable`."""

    base: str | None
    ack_timeout: float | None
    first_data_timeout: FirstData
    on_rejected: Failure
    on_silent: Failure


class MultiplexOptions(FeedOptions, total=False):
    """The keywords of `multiplex`."""

    linger: float
    topics_per_connection: int | None


class Topical:
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
        return _only(Trade, self._events(*topics).pipe(*checked), lifecycle)

    @overload
    def quotes(self, symbol: str, *, lifecycle: No = False) -> Observable[Quote]: ...
    @overload
    def quotes(self, symbol: str, *, lifecycle: bool) -> Observable[Quote | Event]: ...
    def quotes(self, symbol: str, *, lifecycle: bool = False) -> Observable[Quote | Event]:
        """Return the best bid and ask of a symbol; where the venue tells them with its tickers only, as often."""
        events = self._events(self.venue.quotes(symbol))
        return _only(Quote, events.pipe(ops.map(_as_quote)), lifecycle)

    @overload
    def ticker(self, symbol: str, *, lifecycle: No = False) -> Observable[Ticker]: ...
    @overload
    def ticker(self, symbol: str, *, lifecycle: bool) -> Observable[Ticker | Event]: ...
    def ticker(self, symbol: str, *, lifecycle: bool = False) -> Observable[Ticker | Event]:
        """Return the last 24 hours of a symbol, told anew again and again."""
        return _only(Ticker, self._events(self.venue.ticker(symbol)), lifecycle)

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
        events = self._events(self.venue.candles(symbol, interval)).pipe(wsops.close_candles(grace))
        return _only(Candle, events, lifecycle)

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
        events = self._events(self.venue.book(symbol, depth))
        return _only((BookSnapshot, BookDelta), events, lifecycle)

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
            every: seconds between two tries to mend the book at least.
            lifecycle: whether events travel in it too; `Gap` and `Mismatch` say what was wrong.

        Raises:
            ConfigError: the venue has no such topic, or `get` is needed.
        """
        topic, snapshots = self.venue.book(symbol, depth), self.venue.SNAPSHOTS
        fetched = depth is None and snapshots is not None and (snapshots.are_needed or get is not None)
        fetch = self._fetch(snapshots, get) if fetched and snapshots is not None else None
        checksum = getattr(self.venue, "checksum", None)

        def kept(events: Observable[Any], renew: Callable[[str], None]) -> Observable[Any]:
            # Without one to fetch, it begins with the snapshot behind a subscription; a depth is whole each time.
            again = None if fetch is not None or depth is not None else lambda _: renew(topic)
            return events.pipe(wsops.order_book(checksum=checksum, fetch=fetch, renew=again, every=every))

        return _only(OrderBook, self._topics([topic], kept), lifecycle)

    def _events(self, *topics: str) -> Observable[Any]:
        return self._topics(topics, lambda events, _: events)

    def _fetch(self, snapshots: Snapshots, get: Get | None) -> FetchBook:
        if get is None:
            right = "take an async function of a URL that returns the body, or a depth that is sent whole"
            raise ConfigError("get", f"a book of {self.venue.NAME} begins with one that is fetched; {right}")

        async def fetch(symbol: str) -> BookSnapshot:
            return snapshots.decode(await get(snapshots.url(symbol)), symbol)

        return fetch

    def _topics(self, topics: Sequence[str], pipeline: Pipeline) -> Observable[Any]:
        """Return what `pipeline` makes of the events of topics, and of what subscribes one of them anew."""
        raise NotImplementedError


class Feed(Topical):
    """A venue of which each subscription has a connection of its own.

    Args:
        venue: a module of `rxws.exchanges`.
        options: those of `venue_observable`, for all its observables.
    """

    def __init__(self, venue: Venue, **options: Unpack[FeedOptions]) -> None:
        super().__init__(venue)
        self._options = options

    def __repr__(self) -> str:
        return f"<Feed of {self.venue.NAME}>"

    def configured(self, **options: Unpack[FeedOptions]) -> Feed:
        """Return the same venue with other options, such as `base`, a test server's scheme and host.

        >>> from rxws.feeds import deribit
        >>> test = deribit.configured(base="wss://test.deribit.com")
        """
        return Feed(self.venue, **cast(FeedOptions, {**self._options, **options}))

    def shared(self, **options: Unpack[MultiplexOptions]) -> SharedFeed:
        """Return the same venue with all topics over as few connections as it takes; see `multiplex`."""
        return SharedFeed(multiplex(self.venue, **cast(MultiplexOptions, {**self._options, **options})))

    def _topics(self, topics: Sequence[str], pipeline: Pipeline) -> Observable[Any]:
        # What is wrong with the options is said now, and not to whoever subscribes.
        venue_observable(self.venue, topics, lifecycle=True, **self._options)

        def made(_: object) -> Observable[Any]:
            wanted = Topics(topics)
            return pipeline(venue_observable(self.venue, wanted, lifecycle=True, **self._options), wanted.renew)

        return rx.defer(made)


class SharedFeed(Topical):
    """A venue whose connections are shared; `multiplex` says how, and where each topic stands."""

    def __init__(self, multiplex: Multiplex) -> None:
        super().__init__(multiplex.venue)
        self.multiplex = multiplex

    @property
    def statuses(self) -> dict[str, TopicStatus]:
        """Where each topic stands that somebody wants, or that lingers."""
        return self.multiplex.statuses

    def end_lingering(self) -> None:
        """End now what nobody wants any more."""
        self.multiplex.end_lingering()

    def __repr__(self) -> str:
        return f"<SharedFeed of {self.venue.NAME}: {len(self.multiplex.statuses)} topics>"

    def _topics(self, topics: Sequence[str], pipeline: Pipeline) -> Observable[Any]:
        # The first is what is asked for, and tells of its connection; what stands beside it has the same one.
        first, *others = topics
        beside = [self.multiplex[topic] for topic in others]
        events = rx.merge(self.multiplex.observe(first, lifecycle=True), *beside)
        return rx.defer(lambda _: pipeline(events, self.multiplex.renew))


def _only(kinds: type[T] | tuple[type[T], ...], events: Observable[Any], lifecycle: bool) -> Observable[T]:
    wanted = (kinds if isinstance(kinds, tuple) else (kinds,)) + ((Event,) if lifecycle else ())

    def made(scheduler: abc.SchedulerBase) -> Observable[Any]:
        nuisances = Nuisances(scheduler)

        def keeps(value: object) -> bool:
            if isinstance(value, wanted):
                return True
            if isinstance(value, Gap | Mismatch) and nuisances.is_due():
                LOG.warning(
                    "%s: messages of %s are missing, or wrong (lifecycle=True tells each)", value.origin, value.topic
                )
            return False

        return events.pipe(ops.filter(keeps))

    return cast("Observable[T]", rx.defer(made))


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
