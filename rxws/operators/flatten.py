"""From lists to their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from reactivex import Observable, abc

__all__ = ["flatten"]

T = TypeVar("T")


def flatten() -> Callable[[Observable[list[T]]], Observable[T]]:
    """Emit the values of each list, one by one: those of ``ws_observable(url, batch=True)``.

    ::

        source    ──[1, 2, 3]──Closed──[4]──
        result    ──1──2──3────Closed──4────

    What is no list passes as it is, so that lifecycle events stay in their place. All values of a list are emitted
    before the source goes on; who disposes among them gets no more. It completes and errors as the source does.

    >>> import reactivex as rx
    >>> _ = rx.of([1, 2], [], [3]).pipe(flatten()).subscribe(print)
    1
    2
    3
    """

    def operator(source: Observable[list[T]]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            on_next = observer.on_next

            def each(values: list[T]) -> None:
                if isinstance(values, list):
                    for value in values:
                        on_next(value)
                else:
                    on_next(cast(T, values))

            return source.subscribe(each, observer.on_error, observer.on_completed, scheduler=scheduler)

        return Observable(subscribe)

    return operator
