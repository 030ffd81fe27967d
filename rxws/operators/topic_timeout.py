"""Tell of topics that have fallen silent while others go on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable

from rxws.arguments import seconds
from rxws.errors import ConfigError
from rxws.scheduler import clock, given

__all__ = ["topic_timeout"]

T = TypeVar("T")

MOST = 65_536
"""Topics that are watched; of more, those that were silent longest are forgotten."""


def topic_timeout(
    timeout: float | None,
    topic: Callable[[T], Hashable],
    stale: Callable[[Hashable, float], object],
) -> Callable[[Observable[T]], Observable[T]]:
    """Pass everything on, and call `stale` once for each topic that brings nothing for `timeout` seconds.

    ::

        source    ──a──b──b──b──b──b──a──
        stale     ────────────a···············     timeout after the last a; told again only after the next a

    `idle_timeout` sees a connection that brings nothing at all; this one sees the one stream of a hundred that has
    died. A topic is watched from its first value on. The values are those of one connection: stand it before
    `retry_when`.

    Args:
        timeout: seconds; None: for ever.
        topic: of a value; None: it belongs to none. What it raises is the result's error.
        stale: told the topic, and for how many seconds it has been silent.

    Raises:
        ConfigError: an argument is wrong.

    >>> import reactivex as rx
    >>> from reactivex.testing import TestScheduler
    >>> virtual, told = TestScheduler(), []
    >>> watched = topic_timeout(5.0, lambda count: min(count, 2), lambda topic, silent: told.append((topic, silent)))
    >>> _ = rx.interval(1.0).pipe(watched).subscribe(scheduler=virtual)
    >>> virtual.advance_to(30.5)
    >>> told
    [(0, 5.0), (1, 5.0)]
    """
    seconds("topic_timeout", timeout)
    if not callable(topic):
        raise ConfigError("topic", f"{topic!r} is not callable; take a function of a value")
    if not callable(stale):
        raise ConfigError("stale", f"{stale!r} is not callable; take a function of a topic and seconds")

    def operator(source: Observable[T]) -> Observable[T]:
        if timeout is None:
            return source

        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            topics = Topics(timeout, topic, stale, given(scheduler))

            def on_next(value: T) -> None:
                topics.touch(value)
                observer.on_next(value)

            running = source.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler)
            return CompositeDisposable(topics.timer, running)

        return Observable(subscribe)

    return operator


class Topics(Generic[T]):
    """When each topic last brought something, the longest silent first; one timer for them all."""

    def __init__(
        self,
        timeout: float,
        topic: Callable[[T], Hashable],
        stale: Callable[[Hashable, float], object],
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.timer = SerialDisposable()
        self._timeout = timeout
        self._topic = topic
        self._stale = stale
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._last: OrderedDict[Hashable, float] = OrderedDict()

    def touch(self, value: T) -> None:
        """Note a value."""
        topic = self._topic(value)
        if topic is None:
            return
        last = self._last
        waiting = bool(last)
        last[topic] = self._now()
        last.move_to_end(topic)
        if len(last) > MOST:
            last.popitem(last=False)
        if not waiting:
            self._wait(self._timeout)

    def _wait(self, seconds: float) -> None:
        self.timer.disposable = self._scheduler.schedule_relative(seconds, self._look)

    def _look(self, *_: object) -> None:
        while self._last:
            topic, since = next(iter(self._last.items()))
            silent = self._now() - since
            if silent < self._timeout:
                self._wait(self._timeout - silent)
                return
            del self._last[topic]
            self._stale(topic, silent)
