"""The market as a venue tells it: one connection, topics that are known to be live."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias, Unpack, cast, overload

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable, SerialDisposable, SingleAssignmentDisposable

from rxws.desired import Topics
from rxws.dialogue import Told
from rxws.errors import ConfigError, RxwsError, SubscriptionRejected
from rxws.events import Event, TopicStatus
from rxws.market import MarketEvent
from rxws.options import StreamOptions, check_flags
from rxws.scheduler import given
from rxws.venue import Venue
from rxws.venue_stream import check_options, patience, venue_stream

__all__ = ["Failure", "FirstData", "Wanted", "check_failures", "raises", "venue_observable"]

Wanted: TypeAlias = Iterable[str] | Observable[Iterable[str]] | Topics
"""Topics: those that are wanted, an observable of what is wanted from then on, or an object to change them by."""

Failure: TypeAlias = Literal["raise", "tell"]
FirstData: TypeAlias = float | Callable[[str], float | None] | None


@overload
def venue_observable(
    venue: Venue,
    topics: Wanted,
    *,
    base: str | None = None,
    ack_timeout: float | None = 10.0,
    first_data_timeout: FirstData = 60.0,
    on_rejected: Failure = "raise",
    on_silent: Failure = "tell",
    lifecycle: Literal[False] = False,
    **options: Unpack[StreamOptions],
) -> Observable[MarketEvent]: ...
@overload
def venue_observable(
    venue: Venue,
    topics: Wanted,
    *,
    base: str | None = None,
    ack_timeout: float | None = 10.0,
    first_data_timeout: FirstData = 60.0,
    on_rejected: Failure = "raise",
    on_silent: Failure = "tell",
    lifecycle: bool,
    **options: Unpack[StreamOptions],
) -> Observable[MarketEvent | Event]: ...
def venue_observable(
    venue: Venue,
    topics: Wanted,
    *,
    base: str | None = None,
    ack_timeout: float | None = 10.0,
    first_data_timeout: FirstData = 60.0,
    on_rejected: Failure = "raise",
    on_silent: Failure = "tell",
    lifecycle: bool = False,
    **options: Unpack[StreamOptions],
) -> Observable[MarketEvent | Event]:
    """What happens in the market, as one venue tells it on one connection that is kept subscribed.

    ::

        topics    ──{a}─────────────{a, b}────────────────────────────
        sent        └a                └b         (lost)  └a, b
        result    ────────a1──a2────────b1──a3──x────────────a4──b2───

    Each topic is asked for, acknowledged and then live, which only its first data proves: some venues acknowledge what
    they do not have. What is added or taken away is sent as a difference, as much at a time as the venue takes, and
    every new connection asks for all that is wanted. Data that comes before an acknowledgement is not lost. While
    nothing is wanted, there is no connection.

    Args:
        venue: a module of `rxws.exchanges`.
        topics: strings as the venue's module makes them, of one endpoint; an observable of such collections, each of
            which is what is wanted from then on; or a `Topics`, which can be changed at any time, and tells where each
            topic stands. There may be as many as one connection can have (`RULES.topics`); `multiplex` takes more.
        base: scheme and host in place of the venue's own, such as a test server's; None: its own.
        ack_timeout: seconds that a topic has to be acknowledged in, once it was asked for; None: for ever.
        first_data_timeout: seconds from then on that its first data has to come in; a function of the topic, for what
            trades once an hour; None: for ever.
        on_rejected: what becomes of a topic that the venue refuses: "raise" makes it the stream's error,
            `SubscriptionRejected`; "tell" tells it as the event `Rejected` only, and the next connection asks again.
        on_silent: what becomes of one that is not acknowledged, or brings nothing, in time: "raise" makes it the
            error `SubscriptionTimeout`; "tell" tells it as `TopicChanged` only, and data may still come.
        lifecycle: whether events (`TopicChanged`, `Rejected`, and those of `ws_observable`) travel in the stream too.
        options: those of `ws_observable`, but for what the venue answers for (`decode`, `subscriptions`, …). What the
            venue's rules say in their place by default: `send_limit`, `dials`, `max_age`, `idle_timeout`, `retry`; and
            `rotate`, which answers the venue's notices. With ``send_limit=None`` topics are asked for as often as
            one likes, also where the venue counts that by address.

    Emits market events (`rxws.market`) in the order in which they came. Completes as `ws_observable` does, and where an
    observable of topics has completed and wants none. Errors: those above, and those of `ws_observable`; what an
    observable of topics errors with, or a `ConfigError` where it emits what are no topics.

    Raises:
        ConfigError: an argument is wrong, or the topics are of several endpoints, or too many.

    >>> import asyncio, rxws
    >>> from rxws.exchanges import binance
    >>> from rxws.testing import SimulatedExchange
    >>> async def main():
    ...     async with SimulatedExchange("spot", rate=200.0) as exchange:
    ...         stream = rxws.venue_observable(binance, [binance.quotes("NKNUSDT")], base=exchange.url)
    ...         return (await rxws.aiter(stream).__anext__()).symbol
    >>> asyncio.run(main())
    'NKNUSDT'
    """
    check_options(venue, base, options)
    check_failures(on_rejected=on_rejected, on_silent=on_silent)
    check_flags(lifecycle=lifecycle)
    waits = patience(ack_timeout, first_data_timeout)
    first = Topics(() if isinstance(topics, Observable) else topics)
    _check_topics(venue, first, are_all=not isinstance(topics, Observable | Topics))

    def failed(_: str, error: RxwsError) -> bool:
        return raises(error, on_rejected, on_silent)

    def subscribe(
        observer: abc.ObserverBase[MarketEvent | Event], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        wanted = topics if isinstance(topics, Topics) else Topics(first)
        changing, running = SingleAssignmentDisposable(), SerialDisposable()
        take = _handing(observer, wanted, lifecycle)

        def fail(error: Exception) -> None:
            everything.dispose()
            observer.on_error(error)

        def begin(topic: str) -> None:
            try:
                endpoint = venue.endpoint(topic)
            except ConfigError as error:
                fail(error)
                return
            told = venue_stream(venue, wanted, endpoint, base, waits, failed, **options)
            running.disposable = told.subscribe(take, fail, observer.on_completed, scheduler=scheduler)

        def end() -> None:
            running.disposable = Disposable()

        def change(found: Iterable[str]) -> None:
            try:
                wanted.replace(found)
            except Exception as error:  # it may be anything that the caller's collection raises
                fail(error)

        def no_more() -> None:
            if not wanted:
                everything.dispose()
                observer.on_completed()

        presence = Presence(wanted, begin, end, given(scheduler))
        everything = CompositeDisposable(presence, changing, running)
        presence.watch()
        if isinstance(topics, Observable):
            changing.disposable = topics.subscribe(change, fail, no_more, scheduler=scheduler)
        return everything

    return Observable(subscribe)


class Presence(abc.DisposableBase):
    """Whether anything is wanted: a connection begins with the first topic, and ends with the last.

    Args:
        topics: what is wanted.
        begin: told the first topic.
        end: told that there is none any more; not where another one is wanted in the same turn.
        scheduler: whose turns.
    """

    statuses: Mapping[str, TopicStatus] = MappingProxyType({})

    def __init__(
        self, topics: Topics, begin: Callable[[str], None], end: Callable[[], None], scheduler: abc.SchedulerBase
    ) -> None:
        self._topics = topics
        self._begin = begin
        self._end = end
        self._scheduler = scheduler
        self._turn = SerialDisposable()
        self._is_there = False

    def watch(self) -> None:
        """Begin, now or when there is a topic."""
        self._topics.join(self)
        self.changed()

    def changed(self) -> None:
        """Look whether there is one."""
        if self._topics and not self._is_there:
            self._is_there = True
            self._begin(next(iter(self._topics)))
        elif self._is_there and not self._topics:
            self._turn.disposable = self._scheduler.schedule(self._look)

    def renew(self, topic: str) -> None:
        """That is between the connection and the venue."""

    def reconnect(self) -> None:
        """That is the connection's, where there is one."""

    def dispose(self) -> None:
        """Look no more."""
        self._topics.leave(self)
        self._turn.dispose()

    def _look(self, *_: object) -> None:
        if not self._topics:
            self._is_there = False
            self._end()


def _handing(
    observer: abc.ObserverBase[MarketEvent | Event], wanted: Topics, lifecycle: bool
) -> Callable[[Told | Event], None]:
    on_next = observer.on_next

    def take(value: Told | Event) -> None:
        if type(value) is Told:
            # What a successor held back in an overlap may be of a topic that is wanted no more; who has given it up
            # wants no count of it either.
            if value.topic is None or value.topic in wanted:
                for event in value.events:
                    on_next(event)
        elif lifecycle:
            on_next(cast(Event, value))

    return take


def raises(error: RxwsError, on_rejected: Failure, on_silent: Failure) -> bool:
    """Return whether the failure of a topic is an error of its stream."""
    return (on_rejected if isinstance(error, SubscriptionRejected) else on_silent) == "raise"


def check_failures(**policies: object) -> None:
    """Refuse what is no policy for topics that fail.

    Raises:
        ConfigError: it names the keyword.
    """
    for name, policy in policies.items():
        if policy not in ("raise", "tell"):
            raise ConfigError(name, f'{policy!r} is unknown; take "raise" or "tell"')


def _check_topics(venue: Venue, topics: Topics, are_all: bool) -> None:
    if not topics and are_all:
        raise ConfigError("topics", "there are none; take what the venue's module makes, or a Topics to add them to")
    endpoints = sorted({venue.endpoint(topic) for topic in topics})
    if len(endpoints) > 1:
        right = "take multiplex, or a stream for each"
        raise ConfigError("topics", f"they are of {' and '.join(endpoints)}, a connection each; {right}")
    most = venue.RULES.topics
    if most is not None and len(topics) > most:
        raise ConfigError("topics", f"{len(topics)} are more than the {most} of a connection; take multiplex")
