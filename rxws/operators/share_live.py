"""Share one subscription among many subscribers that must not hurt one another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import Disposable, SerialDisposable

from rxws.arguments import zero_or_more
from rxws.lingering import linger
from rxws.operators._sharing import Raised, Sharer, report_all, tell_end
from rxws.scheduler import RAISED, given

__all__ = ["share_live"]

T = TypeVar("T")


def share_live(linger: float = 0.0) -> Callable[[Observable[T]], Observable[T]]:
    """Share one subscription of the source: the first subscriber begins it, the last one's leaving ends it.

    ::

        source    ──1──2──3──4──5──
        first     ──1──2──3──4──5──
        second         ──3──x               it raises, and is disposed alone

    Unlike reactivex's `share`, a subscriber that raises is disposed and reported, to `run` or `aiter` where one waits
    for it and else to the loop's exception handler, and the others go on with that very value; and the source may
    linger. Nothing is replayed. When the source ends, all hear of it, and the next subscriber begins anew.

    Args:
        linger: seconds that the source stays subscribed after the last one left, 0 or more; who comes meanwhile goes on
            with it. `rxws.run`, which ends its loop, does not wait for it.

    Raises:
        ConfigError: `linger` is out of its range.

    >>> from reactivex import Subject
    >>> source, seen = Subject(), []
    >>> shared = source.pipe(share_live())
    >>> first, second = shared.subscribe(seen.append), shared.subscribe(seen.append)
    >>> source.on_next("tick"), len(source.observers), seen
    (None, 1, ['tick', 'tick'])
    >>> first.dispose(), second.dispose(), len(source.observers)
    (None, None, 0)
    """
    zero_or_more("linger", linger)

    def operator(source: Observable[T]) -> Observable[T]:
        return Observable(Shared(source, linger).subscribe)

    return operator


class Shared(Generic[T]):
    """The one subscription, and those who share it. That it outlives a subscriber is its purpose."""

    def __init__(self, source: Observable[T], linger: float) -> None:
        self._source = source
        self._linger = linger
        self._sharers: tuple[Sharer[T], ...] = ()
        self._running: SerialDisposable | None = None
        self._scheduler: abc.SchedulerBase | None = None
        self._lingering = SerialDisposable()

    def subscribe(
        self, observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        # Looked for now, where a missing loop is the subscriber's error, and not when somebody leaves.
        on = given(scheduler) if self._linger else scheduler
        self._lingering.disposable = Disposable()
        sharer = Sharer(observer, scheduler)
        self._sharers += (sharer,)
        if self._running is None:
            self._scheduler = on
            running = self._running = SerialDisposable()
            running.disposable = self._source.subscribe(
                self._on_next, self._on_error, self._on_completed, scheduler=scheduler
            )
        return Disposable(lambda: self._leave(sharer))

    def _on_next(self, value: T) -> None:
        raised: Raised = []
        for sharer in self._sharers:
            try:
                sharer.observer.on_next(value)
            except RAISED as error:
                self._leave(sharer)
                raised.append((error, sharer.scheduler))
        report_all(raised)

    def _on_error(self, error: Exception) -> None:
        tell_end(self._end(), lambda observer: observer.on_error(error))

    def _on_completed(self) -> None:
        tell_end(self._end(), lambda observer: observer.on_completed())

    def _leave(self, sharer: Sharer[T]) -> None:
        staying = tuple(each for each in self._sharers if each is not sharer)
        if len(staying) == len(self._sharers):
            return
        self._sharers = staying
        if staying:
            return
        if self._linger:
            self._lingering.disposable = linger(given(self._scheduler), self._linger, self._linger_over)
        else:
            self._end()

    def _linger_over(self) -> None:
        self._end()

    def _end(self) -> tuple[Sharer[T], ...]:
        sharers, self._sharers = self._sharers, ()
        running, self._running = self._running, None
        if running is not None:
            running.dispose()
        return sharers
