"""Know of each value whether it still holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

from reactivex import Observable, abc

from rxws.arguments import seconds
from rxws.events import Event
from rxws.operators._freshness import Freshness
from rxws.operators._turns import leaving
from rxws.scheduler import given

__all__ = ["Leg", "Why", "fresh"]

T = TypeVar("T")

Why: TypeAlias = Literal["", "silent", "closed", "stale", "rejected", "ended"]
"""Why a leg is dead; empty where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg(Generic[T]):
    """The last value of a stream, and whether it still holds.

    Args:
        value: the last one; None where none has come yet.
        is_fresh: whether it can be relied on.
        why: it cannot: "silent": nothing came for too long; "closed": the connection is lost; "stale": the stream says
            that it is silent; "rejected": the venue refused its topic; "ended": the stream has ended, and nothing
            follows. Empty where it can.
        origin: where the stream comes from: by its latest lifecycle event, else the value's venue; else empty.
        age: seconds since the value came, when this was emitted; None where none has come yet.
    """

    value: T | None
    is_fresh: bool
    why: Why
    origin: str
    age: float | None


def fresh(max_age: float | None) -> Callable[[Observable[T | Event]], Observable[Leg[T]]]:
    """Emit a `Leg` for each value, and one more when the last value can no longer be relied on.

    ::

        source    ──1──2──────────────3──Closed──Opened──4──|
        result    ──1──2─────(2)──────3────(3)───────────4─(4)|      (2): is_fresh=False, "silent"; (3): "closed"
                         ├max_age┤

    So that two of them can be combined: ``rx.combine_latest(a.pipe(fresh(5.0)), b.pipe(fresh(5.0)))`` tells at each
    moment which leg is dead, where it would else go on with a price of yesterday. A stream that brings nothing at all
    is told dead too, `max_age` after it was subscribed, with the value None, so that whoever combines hears of it.

    Dead is a leg when nothing came for `max_age`; when a `Closed` passes that leaves no connection (a rotation's does
    not); when a `Stale`, a `Rejected` or a `TopicChanged` that has timed out passes, whatever its topic. It is alive
    again with its next value, and not by a connection that opened. While it is dead, nothing is emitted. Where the loop
    was busy, what has arrived is read before a leg is called silent.

    Args:
        max_age: seconds that a value holds; None: for ever, until an event says otherwise.

    Raises:
        ConfigError: `max_age` is out of its range.

    When the source ends, that is emitted ("ended"), and then its completion or its error. Lifecycle events do not pass.
    Time is the scheduler's; without one the running loop's.

    >>> from reactivex import Subject
    >>> from reactivex.testing import TestScheduler
    >>> virtual, quotes = TestScheduler(), Subject()
    >>> legs = quotes.pipe(fresh(5.0))
    >>> _ = legs.subscribe(lambda leg: print(virtual.clock, leg.value, leg.why or "fresh"), scheduler=virtual)
    >>> virtual.advance_to(1.0)
    >>> quotes.on_next(100)
    1.0 100 fresh
    >>> virtual.advance_to(20.0)
    6.0 100 silent
    """
    seconds("max_age", max_age)

    def operator(source: Observable[T | Event]) -> Observable[Leg[T]]:
        def subscribe(
            observer: abc.ObserverBase[Leg[T]], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            def tell(value: T | None, why: Why, origin: str, age: float | None) -> None:
                observer.on_next(Leg(value=value, is_fresh=not why, why=why, origin=origin, age=age))

            freshness: Freshness[T] = Freshness(observer, tell, max_age, given(scheduler))
            freshness.begin()
            freshness.running.disposable = source.subscribe(
                leaving(freshness.on_next, freshness.everything),
                freshness.on_error,
                freshness.on_completed,
                scheduler=scheduler,
            )
            return freshness.everything

        return Observable(subscribe)

    return operator
