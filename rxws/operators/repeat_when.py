"""Subscribe again after a planned end, when a notifier says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reactivex import Observable

from rxws.arguments import function
from rxws.operators._resubscribe import Notifier, resubscribe
from rxws.scheduler import clock
from rxws.types import RepeatSignal

__all__ = ["repeat_when"]

T = TypeVar("T")


def repeat_when(notifier: Notifier[RepeatSignal]) -> Callable[[Observable[T]], Observable[T]]:
    """Subscribe the source again after each of its completions, when the notifier emits.

    ::

        source    ──1──2──|
        notifier  ────────s──n               s: RepeatSignal in, n: any value out
        source               ──3──4──|
        result    ──1──2───────3──4──…

    A completion is a planned end: we ended the connection. An error goes through untouched. The attempt is disposed
    before the notifier hears of its end. Sources that end within their subscribe do not grow the stack.

    Args:
        notifier: from the ends to an observable; each of its values subscribes again, its completion completes the
            result, its error is the result's. Called once a subscription. `operators.reopen` makes one of a function.

    Raises:
        ConfigError: `notifier` is not callable.

    The signal's `uptime` is how long the source had been subscribed; its `reason` is None, for completions carry none:
    `ws_observable` fills in both.

    Source: ReactiveX `repeatWhen` (reactivex.io/documentation/operators/repeat.html).

    >>> import reactivex as rx
    >>> from reactivex import operators as ops
    >>> _ = rx.of("tick").pipe(repeat_when(lambda ends: ends.pipe(ops.take(2)))).subscribe(print)
    tick
    tick
    """
    function("notifier", notifier, "the planned ends, such as operators.reopen(when)")

    def operator(source: Observable[T]) -> Observable[T]:
        return resubscribe(source, notifier, lambda scheduler: PlannedEnds(clock(scheduler)))

    return operator


class PlannedEnds:
    """Completions are counted and told; an error is the subscriber's."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._total = 0
        self._began = 0.0

    def begin(self) -> None:
        self._began = self._now()

    def lost(self, error: Exception) -> None: ...

    def completed(self) -> RepeatSignal:
        self._total += 1
        return RepeatSignal(None, self._total, self._now() - self._began)
