"""Observables of topics that share one subscription of a source."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Generic, TypeAlias, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws.errors import ConfigError
from rxws.events import Event
from rxws.operators._passage import passing
from rxws.operators._sharing import Raised, Sharer, report_all, tell_end
from rxws.scheduler import RAISED, clock, report

T = TypeVar("T")
Take: TypeAlias = Callable[[T], object]

TOLD_EVERY = 60.0
"""Seconds between two reports of what `key` raised."""


class Taking(partial[object], Generic[T]):
    """Takes the values of one subscriber, and knows whose they are, though that one may have left meanwhile."""

    sharer: Sharer[T]


class Routes(Generic[T]):
    """What `route` makes of a stream: an observable for each topic, and `rest` for what none of them takes.

    That the one subscription outlives a subscriber is its purpose. A topic that nobody subscribes takes no room.
    """

    # With `__getitem__` alone, `for` and `in` would ask for one topic after the other without an end.
    __iter__ = None

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
        return passing(self._source, partial(self._subscribe, topic))

    @property
    def rest(self) -> Observable[T]:
        """What belongs to no topic, or to one that nobody subscribes at that moment."""
        return passing(self._source, partial(self._subscribe, None))

    def _subscribe(
        self,
        topic: Hashable,
        observer: abc.ObserverBase[T],
        scheduler: abc.SchedulerBase | None = None,
    ) -> abc.DisposableBase:
        router = self._router
        if router is None or router.is_over:
            router = self._router = Router(self._key, scheduler)
            leaving = router.join(topic, observer.on_next, Sharer(observer, scheduler))
            router.begin(self._source)
            return leaving
        return router.join(topic, observer.on_next, Sharer(observer, scheduler))


class Router(Generic[T]):
    """One subscription of the source, and those who share it. Its own state: a source that is over reaches nobody."""

    __slots__ = ("_find", "_key", "_rest", "_running", "_scheduler", "_sharers", "_takes", "_told")

    def __init__(self, key: Callable[[T], Hashable], scheduler: abc.SchedulerBase | None) -> None:
        self._key = key
        self._scheduler = scheduler
        self._running = SerialDisposable()
        # Of each topic, None being the rest: what its subscribers take values with, and what hears of the end.
        self._sharers: dict[Hashable, tuple[Taking[T], ...]] = {}
        self._takes: dict[Hashable, Take[T]] = {}
        self._find = self._takes.get
        self._rest: Take[T] = _nobody
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

    def join(self, topic: Hashable, take: Take[T], sharer: Sharer[T]) -> abc.DisposableBase:
        """Hand the values of `topic`, None: the rest, to `take` and the end to `sharer`, until that is disposed."""
        taking: Taking[T] = Taking(take)
        taking.sharer = sharer
        self._share(topic, (*self._sharers.get(topic, ()), taking))

        def leave() -> None:
            self._leave(topic, taking)

        return Disposable(leave)

    def _share(self, topic: Hashable, sharers: tuple[Taking[T], ...]) -> None:
        self._sharers[topic] = sharers
        take = sharers[0] if len(sharers) == 1 else partial(self._hand_to_all, topic, sharers)
        if topic is None:
            self._rest = take
        else:
            self._takes[topic] = take

    def _forget(self, topic: Hashable) -> None:
        del self._sharers[topic]
        if topic is None:
            self._rest = _nobody
        else:
            del self._takes[topic]

    def _leave(self, topic: Hashable, take: Take[T]) -> bool:
        sharers = self._sharers.get(topic, ())
        staying = tuple(each for each in sharers if each is not take)
        if len(staying) == len(sharers):
            return False
        if staying:
            self._share(topic, staying)
        else:
            self._forget(topic)
        if not self._sharers:
            self._end()
        return True

    def _on_next(self, value: T) -> None:
        try:
            topic = None if isinstance(value, Event) else self._key(value)
            take = self._find(topic, self._rest)
        except RAISED as error:
            problem = error
        else:
            try:
                take(value)
            except RAISED as error:
                self._raised(topic, take, error)
            return
        self._without_topic(value, problem)

    def _without_topic(self, value: T, problem: BaseException) -> None:
        """What is wrong with `key` is told when the value is where it belongs."""
        take = self._rest
        try:
            take(value)
        except RAISED as error:
            self._raised(None, take, error)
        now = clock(self._scheduler)()
        if self._told is None or now - self._told >= TOLD_EVERY:
            self._told = now
            report(problem)

    def _hand_to_all(self, topic: Hashable, sharers: tuple[Taking[T], ...], value: T) -> None:
        raised: Raised = []
        for each in sharers:
            there = self._sharers.get(topic, ())
            if there is sharers or each in there:  # else it has left, or raised at a value that came within this one
                try:
                    each(value)
                except RAISED as error:
                    self._leave(topic, each)
                    raised.append((error, each.sharer.scheduler))
        report_all(raised)

    def _raised(self, topic: Hashable, take: Take[T], error: BaseException) -> None:
        if not self._leave(topic, take):
            self._leave(None, take)
        report(error, take.sharer.scheduler if isinstance(take, Taking) else None)

    def _on_error(self, error: Exception) -> None:
        tell_end(self._end(), lambda observer: observer.on_error(error))

    def _on_completed(self) -> None:
        tell_end(self._end(), lambda observer: observer.on_completed())

    def _end(self) -> tuple[Sharer[T], ...]:
        ended = tuple(each.sharer for sharers in self._sharers.values() for each in sharers)
        self._sharers.clear()
        self._takes.clear()
        self._rest = _nobody
        self._running.dispose()
        return ended


def _nobody(_: object) -> None:
    pass
