"""What `after` and `reopen` share: from each signal, through a decision, to a value that means now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable, SingleAssignmentDisposable

from rxws.errors import ConfigError
from rxws.scheduler import given

S = TypeVar("S")

Decision = float | Observable[Any] | Exception | None  # Any: only that it emits matters, not what
"""Seconds to wait, an observable whose first value means now, an error to end with, or None to complete."""


def deciding(decide: Callable[[S], Decision]) -> Callable[[Observable[S]], Observable[Any]]:
    """Make a notifier that emits when `decide` says so; a newer signal replaces the wait for an older one.

    It completes when `decide` returns None, or an observable that completes without a value, and when its signals
    complete.
    """

    def notifier(signals: Observable[S]) -> Observable[Any]:
        def subscribe(
            observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            waiting = SerialDisposable()

            def on_next(signal: S) -> None:
                try:
                    decision = decide(signal)
                except Exception as error:
                    observer.on_error(error)
                    return
                if decision is None:
                    observer.on_completed()
                elif isinstance(decision, Exception):
                    observer.on_error(decision)
                else:
                    wait(decision)

            def wait(decision: float | Observable[Any]) -> None:
                try:
                    on = given(scheduler)
                except ConfigError as error:  # no loop, and so no clock to wait by
                    observer.on_error(error)
                    return
                # Its own, and in place before the decision speaks: that may be at once, and bring the next signal.
                current = SingleAssignmentDisposable()
                waiting.disposable = current

                def now(*_: object) -> None:
                    current.dispose()
                    observer.on_next(None)

                def never() -> None:
                    if not current.is_disposed:
                        observer.on_completed()

                if isinstance(decision, Observable):
                    # One that completes without a value will never say now: a silent wait for ever would help nobody.
                    current.disposable = decision.subscribe(now, observer.on_error, never, scheduler=on)
                else:
                    current.disposable = on.schedule_relative(decision, now)

            return CompositeDisposable(
                signals.subscribe(on_next, observer.on_error, observer.on_completed, scheduler=scheduler),
                waiting,
            )

        return Observable(subscribe)

    return notifier
