"""Subscribe again after losses and planned ends alike, with one counter."""

from __future__ import annotations

import random as chance
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from reactivex import Observable, abc, defer

from rxws.arguments import function
from rxws.backoff import Backoff, Policy, check_policy
from rxws.operators._attempts import Attempts
from rxws.operators.after import after
from rxws.operators.reopen import reopen
from rxws.operators.repeat_when import repeat_when
from rxws.operators.retry_when import retry_when
from rxws.scheduler import clock
from rxws.types import RepeatSignal

__all__ = ["reconnect"]

T = TypeVar("T")


def at_once(signal: RepeatSignal) -> float:
    """Come back at once."""
    return 0.0


def reconnect(
    policy: Policy | None = Backoff(),
    when: Callable[[RepeatSignal], float | Observable[Any] | None] = at_once,
    *,
    random: Callable[[], float] = chance.random,
) -> Callable[[Observable[T]], Observable[T]]:
    """Subscribe the source again after each loss, when `policy` says so, and each planned end, when `when` says so.

    ::

        source    ──1──x     ──2──|  ──3──…
        result    ──1────────2───────3──…
                       └policy    └when

    It is `retry_when(after(policy))` and `repeat_when(reopen(when))` with one count of the failures: it outlives the
    planned ends.

    Args:
        policy: a `Backoff`, or a function of a `RetrySignal`; None: a loss is the result's error.
        when: a function of a `RepeatSignal`: seconds, an observable whose first value means now, or None: the result
            completes. By default at once.
        random: uniform in [0, 1), for the jitter.

    Raises:
        ConfigError: `policy` or `when` is not callable.

    Errors of the result: those of `after`.

    >>> import reactivex as rx
    >>> source = rx.of("tick")
    >>> _ = source.pipe(reconnect(when=lambda signal: None)).subscribe(print)
    tick
    """
    check_policy("policy", policy)
    function("when", when, "a RepeatSignal")
    stable_after = policy.stable_after if isinstance(policy, Backoff) else 60.0

    def operator(source: Observable[T]) -> Observable[T]:
        def subscribe(observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None) -> abc.DisposableBase:
            attempts, now = Attempts(stable_after), clock(scheduler)
            began = 0.0

            def attempt(_: object) -> Observable[T]:
                nonlocal began
                began = now()
                return source

            def ended(signal: RepeatSignal) -> float | Observable[Any] | None:
                # The time of the attempt that ended: `repeat_when` counts the failed ones before it too.
                signal = replace(signal, uptime=now() - began)
                attempts.ended(signal.uptime)
                return when(signal)

            attempted = defer(attempt).pipe(
                retry_when(after(policy, random=random), attempts=attempts),
                repeat_when(reopen(ended)),
            )
            return attempted.subscribe(observer, scheduler=scheduler)

        return Observable(subscribe)

    return operator
