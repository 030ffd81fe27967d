"""Hand each value of one subscription to those who want its topic, at a cost that no number of topics changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Generic, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws.arguments import function
from rxws.errors import ConfigError
from rxws.events import Event
from rxws.scheduler import RAISED, clock, report

__all__ = ["Routes", "route"]

T = TypeVar("T")

TOLD_EVERY = 60.0
"""Seconds between two reports of what `key` raised."""


def route(key: Callable[[T], Hashable]) -> Callable[[Observable[T]], Routes[T]]:
    """Part a stream by topic: ``routes[topic]`` is an observable of its values, and all share one subscription.

    ::

        source             ──a1──b1──c1──a2──|
        routes["a"]        ──a1──────────a2──|
        routes["b"]        ──────b1──────────|
        routes.rest        ──────────c1──────|      what belongs to no topic, or to one that nobody subscribes

    A value costs one call of `key` and one look into a dict, be it one topic or ten thousand. The first subscriber of
    any topic, or of `rest`, begins the subscription of the source, the last one's leaving ends it. Nothing is replayed.
    When the source ends, all hear of it, and the next subscriber begins anew. A subscriber that raises is disposed and
    reported to the loop's exception handler, and the others go on with that very value.

    What no topic's subscriber takes goes to `rest`; while nobody subscribes that, it is passed over, as a filter would,
    and not counted. Lifecycle events belong to no topic, and `key` is not asked about them.

    Args:
        key: returns the topic of a value, anything hashable; None: the value belongs to none. Where it raises, or what
            it returns cannot be hashed, the value goes to `rest` too, and the error is reported to the loop's exception
            handler, at most once a minute.

    Raises:
        ConfigError: `key` is not callable; or, of ``routes[topic]``, the topic is None or cannot be hashed.

    >>> from reactivex import Subject
    >>> source = Subject()
    >>> routes = source.pipe(route(lambda trade: trade.get("s")))
    >>> btc = routes["BTCUSDT"].subscribe(lambda trade: print("btc", trade["p"]))
    >>> rest = routes.rest.subscribe(lambda value: print("rest", value))
    >>> for value in ({"s": "BTCUSDT", "p": 64000}, {"s": "ETHUSDT", "p": 3100}, {"result": None}):
    ...     source.on_next(value)
    btc 64000
    rest {'s': 'ETHUSDT', 'p': 3100}
    rest {'result': None}
    >>> len(source.observers), btc.dispose(), rest.dispose(), len(source.observers)
    (1, None, None, 0)
    """
    function("key", key, "a value")

    def operator(source: Observable[T]) -> Routes[T]:
        return Routes(source, key)

    return operator


class Routes(Generic[T]):
    """What `route` makes of a stream: an observable for each topic, and `rest` for what none of them takes.

    That the one subscription outlives a subscriber is its purpose. A topic that nobody subscribes takes no room.
    """

    # With `__getitem__` alone, `for` and `in` would ask for one topic after the other without an end.
    __iter__ = None
    __contains__ = None

    def __init__(self, source: Observable[T], key: Callable[[T], Hashable]) -> None:
        self._source = source
        self._key = key
        self._router: Router[T] | None = None

    def __getitem__(self, topic: Hashable) -> Observable[T]:
        """Return the observable of the values whose topic equals `topic`.

        Raises:
            ConfigError: `topic` is None or cannot be hashed.
        """
        if topic is None:
            raise ConfigError("topic", "None is no topic; what belongs to none is in routes.rest")
        try:
            hash(topic)
        except TypeError:
            raise ConfigError("topic", f"{topic!r} cannot be hashed; take what `key` returns") from None
        return Observable(partial(self._subscribe, topic))

    @property
    def rest(self) -> Observable[T]:
        """What belongs to no topic, or to one that nobody subscribes at that moment."""
        return Observable(partial(self._subscribe, None))

    def _subscribe(
        self, topic: Hashable, observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        router = self._router
        if router is None or router.is_over:
            router = self._router = Router(self._key, scheduler)
            leaving = router.join(topic, observer)
            router.begin(self._source)
            return leaving
        return router.join(topic, observer)


class Router(Generic[T]):
    """One subscription of the source, and those who share it. Its own state: a source that is over reaches nobody."""

    __slots__ = ("_find", "_key", "_members", "_observers", "_rest", "_running", "_scheduler", "_taking", "_told")

    def __init__(self, key: Callable[[T], Hashable], scheduler: abc.SchedulerBase | None) -> None:
        self._key = key
        self._scheduler = scheduler
        self._running = SerialDisposable()
        # A subscriber is known by the bound `on_next` that is called with each value.
        self._members: dict[Callable[[T], object], tuple[Hashable, abc.ObserverBase[T]]] = {}
        self._observers: dict[Hashable, tuple[Callable[[T], object], ...]] = {}
        self._taking: dict[Hashable, Callable[[T], object]] = {}
        self._find = self._taking.get
        self._rest: Callable[[T], object] = _nobody
        self._told: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the source has ended, or the last subscriber has left."""
        return self._running.is_disposed

    def begin(self, source: Observable[T]) -> None:
        """Subscribe the source."""
        self._running.disposable = source.subscribe(
            self._on_next, self._on_error, self._on_completed, scheduler=self._scheduler
        )

    def join(self, topic: Hashable, observer: abc.ObserverBase[T]) -> abc.DisposableBase:
        """Let `observer` have the values of `topic`, None: the rest, until what is returned is disposed."""
        take = observer.on_next
        self._members[take] = (topic, observer)
        self._share(topic, (*self._observers.get(topic, ()), take))
        return Disposable(partial(self._leave, take))

    def _share(self, topic: Hashable, takes: tuple[Callable[[T], object], ...]) -> None:
        self._observers[topic] = takes
        hand_on = takes[0] if len(takes) == 1 else partial(self._hand_to_all, takes)
        if topic is None:
            self._rest = hand_on
        else:
            self._taking[topic] = hand_on

    def _forget(self, topic: Hashable) -> None:
        del self._observers[topic]
        if topic is None:
            self._rest = _nobody
        else:
            del self._taking[topic]

    def _leave(self, take: Callable[[T], object]) -> None:
        if take not in self._members:
            return
        topic, _ = self._members.pop(take)
        staying = tuple(each for each in self._observers[topic] if each != take)
        if staying:
            self._share(topic, staying)
        else:
            self._forget(topic)
        if not self._members:
            self._end()

    def _on_next(self, value: T) -> None:
        try:
            hand_on = self._rest if isinstance(value, Event) else self._find(self._key(value), self._rest)
        except RAISED as error:
            problem = error
        else:
            try:
                hand_on(value)
            except RAISED as error:
                self._raised(hand_on, error)
            return
        self._hand_to_rest(value, problem)

    def _hand_to_rest(self, value: T, problem: BaseException) -> None:
        """What is wrong with `key` is told when the value is where it belongs."""
        rest = self._rest
        try:
            rest(value)
        except RAISED as error:
            self._raised(rest, error)
        now = clock(self._scheduler)()
        if self._told is None or now - self._told >= TOLD_EVERY:
            self._told = now
            report(problem)

    def _hand_to_all(self, takes: tuple[Callable[[T], object], ...], value: T) -> None:
        raised: list[BaseException] = []
        for take in takes:
            if take in self._members:  # else it has left meanwhile, or raised at a value that came within this one
                try:
                    take(value)
                except RAISED as error:
                    self._leave(take)
                    raised.append(error)
        for problem in raised:  # once all have the value: without a loop `report` raises
            report(problem)

    def _raised(self, hand_on: Callable[[T], object], error: BaseException) -> None:
        self._leave(hand_on)
        report(error)

    def _on_error(self, error: Exception) -> None:
        self._tell_end(lambda observer: observer.on_error(error))

    def _on_completed(self) -> None:
        self._tell_end(lambda observer: observer.on_completed())

    def _tell_end(self, tell: Callable[[abc.ObserverBase[T]], None]) -> None:
        raised: list[BaseException] = []
        for _, observer in self._end():
            try:
                tell(observer)
            except RAISED as error:
                raised.append(error)
        for problem in raised:
            report(problem)

    def _end(self) -> tuple[tuple[Hashable, abc.ObserverBase[T]], ...]:
        members = tuple(self._members.values())
        self._members.clear()
        self._observers.clear()
        self._taking.clear()
        self._rest = _nobody
        self._running.dispose()
        return members


def _nobody(_: object) -> None:
    pass
