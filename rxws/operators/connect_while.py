"""Be connected only while conditions hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable

from rxws.arguments import seconds
from rxws.operators._gate import Condition, gate_of
from rxws.operators._gates import Gates
from rxws.operators.reopen import reopen
from rxws.operators.repeat_when import repeat_when
from rxws.operators.take_until import take_until
from rxws.scheduler import given
from rxws.types import RepeatSignal

__all__ = ["connect_while"]

T = TypeVar("T")


def connect_while(*conditions: Condition, check_interval: float = 5.0) -> Callable[[Observable[T]], Observable[T]]:
    """Subscribe the source only while all `conditions` hold: end it when one fails, begin again when all hold.

    ::

        condition ──true────────false──────true──
        source      ──1──2──3──4──5…       ──1──
        result    ────1──2──3────────────────1──

    Conditions are levels: subscribed while one fails, the source is not touched at all. The source's own end is the
    result's.

    Args:
        conditions: each a `Window`, an observable of bool (closed before its first value), or a callable, sync or
            async, asked every `check_interval` seconds, whose truth counts; one that raises changes nothing.
        check_interval: seconds.

    Raises:
        ConfigError: a condition is none of these, or `check_interval` is out of its range.

    Errors of the result: those of the source, and of an observable of bool.

    >>> from reactivex.subject import BehaviorSubject
    >>> from reactivex.testing import TestScheduler
    >>> import reactivex as rx
    >>> virtual, market_open, seen = TestScheduler(), BehaviorSubject(False), []
    >>> ticks = rx.interval(1.0).pipe(connect_while(market_open))
    >>> _ = ticks.subscribe(seen.append, scheduler=virtual)
    >>> virtual.advance_to(5.0)
    >>> market_open.on_next(True)
    >>> virtual.advance_to(7.5)
    >>> market_open.on_next(False)
    >>> virtual.advance_to(20.0)
    >>> seen
    [0, 1]
    """
    seconds("check_interval", check_interval, optional=False)
    for condition in conditions:
        gate_of("conditions", condition, check_interval, _nobody)

    def operator(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            gates = Gates([gate_of("conditions", each, check_interval, _nobody) for each in conditions])
            closed = False

            def closing(*_: object) -> None:
                nonlocal closed
                closed = True

            def back(signal: RepeatSignal) -> Observable[Any] | None:
                nonlocal closed
                if not closed:
                    return None
                closed = False
                return gates.opening()

            def failed(error: Exception) -> None:
                everything.dispose()
                observer.on_error(error)

            everything = CompositeDisposable()
            everything.add(gates.begin(given(scheduler), failed))
            gated = source.pipe(
                take_until(gates.closing().do_action(closing), start=gates.answered()),
                repeat_when(reopen(back)),
            )
            everything.add(gated.subscribe(observer, scheduler=scheduler))
            return everything

        return Observable(subscribe)

    return operator


def _nobody(error: Exception) -> None:
    """A condition raised, and this operator has nobody to tell."""
