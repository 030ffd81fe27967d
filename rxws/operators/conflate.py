"""Slow a feed down to what its reader can take, key by key."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from reactivex import Observable, abc

from rxws.arguments import function, seconds
from rxws.operators._conflating import Conflating
from rxws.operators._drops import Drops, Told, check_told
from rxws.operators._turns import leaving
from rxws.scheduler import given
from rxws.stats import Stats

__all__ = ["conflate"]

T = TypeVar("T")


def conflate(
    every: float,
    key: Callable[[Any], Hashable] | None = None,  # Any: events may be among them; it is not asked about those
    merge: Callable[[Any, Any], Any] | None = None,
    *,
    stats: Stats | None = None,
    told: Told | None = None,
) -> Callable[[Observable[T]], Observable[T]]:
    """Pass on at most one value a key every so many seconds: the first at once, then the latest of each interval.

    ::

        source    ──a1a2─a3────────────a4────b1b2──|
        result    ──a1─────a3──────────a4────b1──b2|      every ├────┤; b2 does not wait for the end of its interval

    A key that was quiet for an interval is heard at once. Nothing is late by more than `every`, and the last value of
    each key comes: what waits when the source ends is emitted before its completion, and before its error too. Values
    that come due together are emitted in the order in which their keys first waited.

    Args:
        every: seconds between two values of a key at least.
        key: returns what a value is the latest of, anything hashable; None: the value passes at once, and nothing is
            conflated with it. Without it all values are of one key.
        merge: makes one value of the one that waits and the one that comes. None: the latest replaces it.
        stats: `Stats.dropped` counts what was replaced; None: nobody does. What `merge` was given is not dropped.
        told: hears an `Overflow` when values were replaced: at once, then every five seconds with the number since,
            and at the end. What it raises is reported, and changes nothing. None: the log has it, at INFO, once a
            minute.

    Raises:
        ConfigError: an argument is wrong.

    What `key` or `merge` raise is the result's error. Lifecycle events pass at once, and what waits is emitted before
    them, sooner than `every` if need be, so that nothing changes places with an event. Of more than 65,536 keys in one
    interval, the interval of the oldest ends early. Time is the scheduler's; without one the running loop's.

    >>> import reactivex as rx
    >>> from reactivex.testing import TestScheduler
    >>> virtual, seen = TestScheduler(), []
    >>> quotes = rx.interval(0.25).pipe(conflate(1.0, told=lambda overflow: None))
    >>> _ = quotes.subscribe(lambda value: seen.append((virtual.clock, value)), scheduler=virtual)
    >>> virtual.advance_to(3.3)
    >>> seen
    [(0.25, 0), (1.25, 3), (2.25, 7), (3.25, 11)]
    """
    seconds("every", every, optional=False)
    if key is not None:
        function("key", key, "a value")
    if merge is not None:
        function("merge", merge, "the value that waits and the one that comes")
    check_told(stats, told)

    def operator(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            on = given(scheduler)
            # To leave values out is what it is there for: no warning.
            drops = Drops("conflate", stats, told, on, logging.INFO)
            conflating = Conflating(observer, every, key, merge, drops, on)
            conflating.running.disposable = source.subscribe(
                leaving(conflating.on_next, conflating.everything),
                leaving(conflating.on_error, conflating.everything),
                leaving(conflating.on_completed, conflating.everything),
                scheduler=scheduler,
            )
            return conflating.everything

        return Observable(subscribe)

    return operator
