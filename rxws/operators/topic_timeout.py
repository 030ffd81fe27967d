"""Tell of topics that have fallen silent while others go on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable, SingleAssignmentDisposable

from rxws._sliding import TICK
from rxws.arguments import seconds
from rxws.errors import ConfigError
from rxws.scheduler import clock, given, when_drained
from rxws.types import Connection

__all__ = ["topic_timeout"]

T = TypeVar("T")

MOST = 65_536
"""Topics that are watched; of more, those that were silent longest are forgotten."""


def topic_timeout(
    timeout: float | None,
    topic: Callable[[T], Hashable],
    stale: Callable[[Hashable, float], object],
    *,
    failed: Callable[[Exception], object] | None = None,
    connection: Callable[[], Connection] | None = None,
) -> Callable[[Observable[T]], Observable[T]]:
    """Pass everything on, and call `stale` once for each topic that brings nothing for `timeout` seconds.

    ::

        source    ──a──b──b──b──b──b──a──
        stale     ────────────a···············     timeout after the last a; told again only after the next a

    `idle_timeout` sees a connection that brings nothing at all; this one sees the one stream of a hundred that has
    died. A topic is watched from its first value on. The values are those of one connection: stand it before
    `retry_when`. What has arrived but could not be read yet, because the loop was busy, counts.

    Args:
        timeout: seconds; None: for ever.
        topic: of a value; None: it belongs to none.
        stale: told the topic, and for how many seconds it has been silent. What it raises is the result's error.
        failed: told what `topic` raised on a value, or that it cannot be hashed; the value then belongs to none. None:
            that is the result's error.
        connection: returns the one that the values come from, once there are values: while it is paused, that is no
            silence. None: it is not known.

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
            topics = Topics(timeout, stale, connection, given(scheduler))
            running = SingleAssignmentDisposable()
            everything = CompositeDisposable(topics.timer, running)

            def broken(error: Exception) -> None:
                everything.dispose()
                observer.on_error(error)

            topics.broken = broken
            unknown = broken if failed is None else failed

            def on_next(value: T) -> None:
                try:
                    found = topic(value)
                    if found is not None:
                        topics.touch(found)
                except Exception as error:
                    unknown(error)
                if not everything.is_disposed:
                    observer.on_next(value)

            running.disposable = source.subscribe(
                on_next, observer.on_error, observer.on_completed, scheduler=scheduler
            )
            return everything

        return Observable(subscribe)

    return operator


class Topics:
    """When each topic last brought something, the longest silent first; one timer for them all."""

    def __init__(
        self,
        timeout: float,
        stale: Callable[[Hashable, float], object],
        connection: Callable[[], Connection] | None,
        scheduler: abc.SchedulerBase,
    ) -> None:
        self.timer = SerialDisposable()
        self.broken: Callable[[Exception], None]
        self._timeout = timeout
        self._stale = stale
        self._connection = connection
        self._scheduler = scheduler
        self._now = clock(scheduler)
        self._last: OrderedDict[Hashable, float] = OrderedDict()
        self._touches = 0
        self._due = 0.0

    def touch(self, topic: Hashable) -> None:
        """Note that something of `topic` is here."""
        last = self._last
        waiting = bool(last)
        last[topic] = self._now()
        last.move_to_end(topic)
        self._touches += 1
        if len(last) > MOST:
            last.popitem(last=False)
        if not waiting:
            self._wait(self._timeout)

    def _wait(self, seconds: float) -> None:
        seconds = max(seconds, TICK)
        self._due = self._now() + seconds
        self.timer.disposable = self._scheduler.schedule_relative(seconds, self._look)

    def _look(self, *_: object) -> None:
        late = self._now() - self._due
        if self._left() > 0:
            self._decide()
        elif late > 0:
            # The loop was busy, and a server on the same loop with it: that time is given back, once.
            wait = min(late, self._timeout)
            self.timer.disposable = self._scheduler.schedule_relative(wait, self._drain)
        else:
            self._drain()

    def _drain(self, *_: object) -> None:
        self.timer.disposable = when_drained(self._scheduler, self._reads, self._decide)

    def _decide(self) -> None:
        while self._last and not self.timer.is_disposed:
            left = self._left()
            if left > 0:
                self._wait(left)
                return
            topic, _ = self._last.popitem(last=False)
            try:
                self._stale(topic, self._timeout - left)
            except Exception as error:
                self.broken(error)

    def _left(self) -> float:
        """Seconds until the one that has been silent longest has been so for too long."""
        since = next(iter(self._last.values()))
        if self._connection is not None:
            since = max(since, self._connection().reading_since)
        return since + self._timeout - self._now()

    def _reads(self) -> int:
        return self._touches if self._connection is None else self._connection().reads
