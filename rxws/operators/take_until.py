"""Complete when a notifier says so; it is subscribed before the source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable, SingleAssignmentDisposable

from rxws.operators._passage import passing
from rxws.scheduler import given

__all__ = ["take_until"]

T = TypeVar("T")


def take_until(
    notifier: Observable[Any],  # Any: only that it emits matters, not what
    *,
    start: Observable[Any] | None = None,
) -> Callable[[Observable[T]], Observable[T]]:
    """Pass the source on until the notifier's first value; then dispose the source and complete.

    ::

        notifier  ─────────n
        source    ──1──2──3───4──…
        result    ──1──2──3|

    The notifier is subscribed first, and the source one turn of the scheduler later, so that a notifier which speaks
    at once lets the source do nothing at all. (reactivex's own `take_until` subscribes the source first.) The source is
    disposed before the completion is told. A notifier that completes without a value lets the source run on; its error
    is the result's.

    Args:
        notifier: whose first value ends the source.
        start: whose first value, or completion, subscribes the source; None: the scheduler's next turn.

    >>> import reactivex as rx, rxws
    >>> rxws.run(rx.of("dialled").pipe(take_until(rx.of("closed"))), print) is None
    True
    """

    def operator(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            on = given(scheduler)
            running, notified = SerialDisposable(), SingleAssignmentDisposable()
            starting = SingleAssignmentDisposable()

            def over(*_: object) -> None:
                starting.dispose()
                running.dispose()
                observer.on_completed()

            def failed(error: Exception) -> None:
                starting.dispose()
                running.dispose()
                observer.on_error(error)

            def begin(*_: object) -> None:
                if not starting.is_disposed:
                    starting.dispose()
                    running.disposable = source.subscribe(
                        observer.on_next,
                        observer.on_error,
                        observer.on_completed,
                        scheduler=scheduler,
                    )

            notified.disposable = notifier.subscribe(over, failed, scheduler=scheduler)
            if not running.is_disposed:
                if start is None:
                    starting.disposable = on.schedule(begin)
                else:
                    starting.disposable = start.subscribe(begin, failed, begin, scheduler=scheduler)
            return CompositeDisposable(notified, starting, running)

        return passing(source, subscribe)

    return operator
