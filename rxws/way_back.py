"""The way back from a planned end, as the caller says it: an observable, or a callable that is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import isfinite
from numbers import Real
from typing import Any

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable

from rxws.errors import ConfigError
from rxws.scheduler import given, resolve

__all__ = ["WayBack", "polled_way"]

WayBack = Observable[Any] | Callable[[], object | Awaitable[object]]  # Any: only that it emits matters
"""Leads back: the first value of an observable, or a callable, sync or async: true now, a number in so many seconds."""


def polled_way(
    callback: Callable[[], object],
    every: float,
    waits: Callable[[float], None],
    failed: Callable[[Exception], None],
) -> Observable[None]:
    """Emit once `callback` says that a connection is wanted: true now, a number in so many seconds.

    Args:
        callback: sync or async; what it raises changes nothing.
        every: seconds until it is asked again.
        waits: told the number.
        failed: told what it raised.
    """

    def subscribe(observer: abc.ObserverBase[None], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
        on = given(scheduler)
        timer, asking = SerialDisposable(), SerialDisposable()

        def now(*_: object) -> None:
            observer.on_next(None)

        def answered(answer: object) -> None:
            try:
                wait = _seconds_until(answer)
            except Exception as error:
                raised(error)
                return
            if wait is None:
                timer.disposable = on.schedule_relative(every, ask)
            elif wait > 0:
                waits(wait)
                timer.disposable = on.schedule_relative(wait, now)
            else:
                now()

        def raised(error: Exception) -> None:
            failed(error)
            timer.disposable = on.schedule_relative(every, ask)

        def ask(*_: object) -> None:
            try:
                answer = callback()
            except Exception as error:
                raised(error)
            else:
                asking.disposable = resolve(answer, answered, raised)

        ask()
        return CompositeDisposable(timer, asking)

    return Observable(subscribe)


def _seconds_until(answer: object) -> float | None:
    """True means now, a number in so many seconds; what is false (0 and None too): not yet."""
    if isinstance(answer, Real) and not isinstance(answer, bool):
        wait = float(answer)
        if not isfinite(wait):
            raise ConfigError("reconnect_when", f"it returned {answer!r}; return True, or seconds")
        return wait if wait > 0 else None
    return 0.0 if bool(answer) else None
